#include "shared_memory.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <new>
#include <stdexcept>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace loopback {
namespace {

constexpr std::uint64_t kLayout = 0x534d4c4f4f503031; // "SMLOOP01"
constexpr std::size_t kHeaderLen = 8192;              // whole pages, samples follow
static_assert(sizeof(Header) <= kHeaderLen, "the header has outgrown its pages");

std::string pathOf(const std::string &name) {
    for (const char letter : name)
        if (letter == '/' || letter == '\0')
            throw std::runtime_error("air=" + name + " is not possible: a name has no slash");
    return "/sememe_loopback_" + std::to_string(getuid()) + "_" + name;
}

[[noreturn]] void fail(const std::string &path, const char *deed, int error) {
    throw std::runtime_error("the loopback cannot " + std::string(deed) + " its shared memory /dev/shm" + path +
                             ": " + std::strerror(error) + " (a smaller buffer=SAMPLES needs less)");
}

} // namespace

std::int64_t steadyClockNs() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * std::int64_t(1000000000) + time.tv_nsec;
}

SharedMemory::SharedMemory(const std::string &name, std::int64_t capacity, bool is_free) : path_(pathOf(name)) {
    for (;;) {
        file_ = shm_open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file_ < 0) fail(path_, "open", errno);
        try {
            if (flock(file_, LOCK_EX | LOCK_NB) == 0) create(capacity, is_free);
            while (flock(file_, LOCK_SH) != 0 && errno == EINTR) {
            } // waits for whoever lays it out
            struct stat status {};
            fstat(file_, &status);
            // Between opening and locking the last user may have removed the name, or two have begun afresh.
            if (status.st_nlink > 0 && status.st_size > off_t(kHeaderLen)) {
                map();
                if (header().layout == kLayout) return;
                munmap(base_, len_);
            }
        } catch (...) {
            close(file_);
            throw;
        }
        close(file_);
    }
}

SharedMemory::SharedMemory(const std::string &name) : path_(pathOf(name)) {
    file_ = shm_open(path_.c_str(), O_RDWR | O_CLOEXEC, 0600);
    if (file_ < 0) return;
    struct stat status {};
    // Whoever lays it out holds the lock: then there is nothing to see yet.
    if (flock(file_, LOCK_SH | LOCK_NB) == 0 && fstat(file_, &status) == 0 && status.st_size > off_t(kHeaderLen))
        map();
    else {
        close(file_);
        file_ = -1;
    }
}

SharedMemory::SharedMemory(SharedMemory &&other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)),
      base_(std::exchange(other.base_, nullptr)), len_(other.len_) {}

SharedMemory::~SharedMemory() {
    if (base_ != nullptr) munmap(base_, len_);
    if (file_ < 0) return;
    if (flock(file_, LOCK_EX | LOCK_NB) == 0) {
        struct stat status {};
        // No name is left to remove where another has done so: it may be a newcomer's by now.
        if (fstat(file_, &status) == 0 && status.st_nlink > 0) shm_unlink(path_.c_str());
    }
    close(file_);
}

std::complex<float> *SharedMemory::samples() const {
    return reinterpret_cast<std::complex<float> *>(static_cast<char *>(base_) + kHeaderLen);
}

void SharedMemory::create(std::int64_t capacity, bool is_free) {
    const off_t len = off_t(kHeaderLen) + capacity * off_t(sizeof(std::complex<float>));
    // Emptied first: what a crash left is zero again. Allocated whole: a full disk shows here, not as SIGBUS later.
    if (ftruncate(file_, 0) != 0) fail(path_, "size", errno);
    if (const int error = posix_fallocate(file_, 0, len); error != 0) {
        shm_unlink(path_.c_str());
        fail(path_, "allocate", error);
    }
    map();
    Header &fresh = *new (base_) Header{};
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&fresh.mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    fresh.capacity = capacity;
    fresh.is_free = is_free;
    fresh.epoch_ns = steadyClockNs();
    fresh.layout = kLayout;
    munmap(base_, len_);
    base_ = nullptr;
}

void SharedMemory::map() {
    struct stat status {};
    fstat(file_, &status);
    len_ = std::size_t(status.st_size);
    void *base = mmap(nullptr, len_, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (base == MAP_FAILED) fail(path_, "map", errno);
    base_ = base;
}

Lock::Lock(Header &header) : header_(header) {
    // The holder died in the middle: at worst a block of samples is torn, and its place is removed as dead.
    if (pthread_mutex_lock(&header_.mutex) == EOWNERDEAD) pthread_mutex_consistent(&header_.mutex);
}

} // namespace loopback
