// Runs kernels on the processor: every thread of a block is a fiber that gives way at each barrier.
// Source of the kernels is what the GPU gets; it is included below, then a table of its kernels.

#include <cmath>
#include <cstring>
#include <functional>
#include <type_traits>
#include <ucontext.h>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __shared__ static

struct Indices {
    unsigned x, y, z;
};
static Indices threadIdx, blockIdx, gridDim;

static float __uint_as_float(unsigned bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
static unsigned __float_as_uint(float value) {
    unsigned bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}
static int min(int a, int b) { return a < b ? a : b; }
static int max(int a, int b) { return a > b ? a : b; }

struct Fiber {
    ucontext_t context;
    std::vector<char> stack = std::vector<char>(1 << 15);
    bool ended = false;
};
static ucontext_t scheduler;
static std::vector<Fiber> fibers;
static size_t current;
static std::function<void()> body;

static void __syncthreads() { swapcontext(&fibers[current].context, &scheduler); }

static void enter() {
    body();
    fibers[current].ended = true;
    swapcontext(&fibers[current].context, &scheduler);
}

// One block. Threads run from the first to the last between barriers, or from the last to the first: what
// differs then lacks a barrier. Returns whether all threads met the same barriers.
static bool run_block(unsigned width, unsigned height, bool backwards) {
    size_t threads = (size_t)width * height;
    if (fibers.size() < threads) fibers = std::vector<Fiber>(threads);
    for (size_t at = 0; at < threads; at++) {
        Fiber &fiber = fibers[at];
        fiber.ended = false;
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.data();
        fiber.context.uc_stack.ss_size = fiber.stack.size();
        fiber.context.uc_link = &scheduler;
        makecontext(&fiber.context, enter, 0);
    }
    for (size_t ended = 0; ended < threads;) {
        size_t waiting = 0;
        ended = 0;
        for (size_t turn = 0; turn < threads; turn++) {
            current = backwards ? threads - 1 - turn : turn;
            threadIdx = {(unsigned)(current % width), (unsigned)(current / width), 0};
            swapcontext(&scheduler, &fibers[current].context);
            (fibers[current].ended ? ended : waiting)++;
        }
        if (ended && waiting) return false;
    }
    return true;
}

template <class... A, size_t... I>
static void call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_cv_t<A> *>(arguments[I])...);
}
template <class... A> static void call(void (*kernel)(A...), void **arguments) {
    call(kernel, arguments, std::index_sequence_for<A...>());
}

struct Kernel {
    const char *name;
    size_t arguments;
    void (*call)(void **);
};
template <class... A> static size_t count(void (*)(A...)) { return sizeof...(A); }
extern const Kernel kernels[];

// 0: done; 1: no such kernel; 2: another number of arguments; 3: threads at different barriers.
extern "C" int launch(
    const char *name, const unsigned *grid, unsigned width, unsigned height, void **arguments, size_t given,
    int backwards
) {
    for (const Kernel *kernel = kernels; kernel->name; kernel++) {
        if (std::strcmp(kernel->name, name)) continue;
        if (kernel->arguments != given) return 2;
        gridDim = {grid[0], grid[1], grid[2]};
        body = [=] { kernel->call(arguments); };
        for (unsigned z = 0; z < grid[2]; z++)
            for (unsigned y = 0; y < grid[1]; y++)
                for (unsigned x = 0; x < grid[0]; x++) {
                    blockIdx = {x, y, z};
                    if (!run_block(width, height, backwards)) return 3;
                }
        return 0;
    }
    return 1;
}
