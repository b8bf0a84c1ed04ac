// A named piece of memory that all devices on one air share, in one process or in several.
//
// Every user holds a shared file lock on it. Whoever can get the exclusive lock is alone: it may lay the memory
// out afresh, and on leaving it removes the name. Locks die with their process, so a crash leaves nothing behind
// that the next user would trust.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <pthread.h>
#include <string>
#include <sys/types.h>

namespace loopback {

constexpr int kNumPlaces = 32;

// One active stream.
struct Place {
    pid_t process;         // 0: nobody here
    bool is_transmit;
    bool is_burst_open;    // transmit: begun and not ended
    bool is_dropping;      // transmit: the burst came too late, its rest is dropped
    std::int64_t position; // next sample to read or to write
};

struct Header {
    std::uint64_t layout;       // kLayout once all is in place
    std::int64_t capacity;      // samples in the ring, a power of two
    pthread_mutex_t mutex;      // robust: survives the death of its holder
    double rate;                // samples per second; 0 until the first stream
    std::int64_t epoch_ns;      // steady clock at time 0
    std::int64_t free_time;     // pace=free: how far receivers have read
    std::int64_t horizon;       // end of all that was sent
    bool is_free;
    bool is_unplugged;
    Place places[kNumPlaces];
};

class SharedMemory {
public:
    // Opens or creates. `capacity` and `is_free` count where it is created.
    SharedMemory(const std::string &name, std::int64_t capacity, bool is_free);
    // Opens what exists; test with isOpen().
    explicit SharedMemory(const std::string &name);
    SharedMemory(SharedMemory &&other) noexcept;
    SharedMemory(const SharedMemory &) = delete;
    ~SharedMemory();

    bool isOpen() const { return base_ != nullptr; }
    Header &header() const { return *static_cast<Header *>(base_); }
    std::complex<float> *samples() const;

private:
    void create(std::int64_t capacity, bool is_free);
    void map();

    std::string path_;
    int file_ = -1;
    void *base_ = nullptr;
    std::size_t len_ = 0;
};

// Holds the header's mutex, also after a holder has died.
class Lock {
public:
    explicit Lock(Header &header);
    ~Lock() { pthread_mutex_unlock(&header_.mutex); }
    Lock(const Lock &) = delete;

private:
    Header &header_;
};

// Nanoseconds of the steady clock, which all processes of a machine share.
std::int64_t steadyClockNs();

} // namespace loopback
