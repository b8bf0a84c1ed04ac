// The air: what every transmitter on it sends, laid down by absolute sample time for every receiver on it.
//
//   transmitters --mix--> [ ring of samples, slot = time mod capacity ] --copy--> receivers
//                          <-------- valid: horizon - capacity .. horizon -------->
//
// It lies in shared memory under a name, so that the two ends may be two devices or two processes. Times are
// sample counts since the air began. Beyond `horizon` nothing was sent: readers find silence there.
//
// Who waits for whom, and why nothing is lost:
//   real  Time follows the steady clock. A transmitter may run half a ring ahead of it, then its writes wait;
//         a receiver that falls a quarter ring behind has overflown. A burst that is fed too slowly underflows.
//   free  Time is what receivers have read. They never read past the end of a burst that is still being written,
//         nor a quarter ring ahead of the slowest of them; a transmitter may run half a ring ahead of the slowest,
//         then its writes wait. With no receiver time stands still, and a burst waits in the ring for the first.
#pragma once

#include "shared_memory.hpp"

#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace loopback {

using Sample = std::complex<float>;

// What a device asks of the air when it attaches; what is left open is as those who came before have it.
struct AirOptions {
    std::string name = "default";
    std::optional<bool> is_free;         // pace=free rather than pace=real
    std::optional<std::size_t> capacity; // samples in the ring
};

struct ReadOutcome {
    std::size_t len = 0;    // samples copied
    std::int64_t start = 0; // time of the first of them
    std::int64_t lost = 0;  // samples lost by falling behind; nothing is copied then
};

struct WriteOutcome {
    std::size_t len = 0;         // samples taken
    bool is_late = false;        // the burst's time had passed: it is dropped
    bool is_underflow = false;   // the burst ran dry and goes on late
    std::int64_t time = 0;       // where that happened
};

class Air {
public:
    // Throws std::runtime_error where memory is short or others on the air have chosen otherwise.
    static std::shared_ptr<Air> attach(const AirOptions &options);
    // Whether an air of this name exists and is unplugged.
    static bool isUnplugged(const std::string &name);

    ~Air();
    Air(const Air &) = delete;
    Air &operator=(const Air &) = delete;

    // Takes part at `rate` samples per second; returns the place. Throws where others run at another rate.
    int join(bool is_transmit, double rate);
    void leave(int place);

    // Copies what was on the air, `delay` samples before; waits for nothing. `is_last_try`: take a short block.
    ReadOutcome read(int place, Sample *samples, std::size_t len, std::int64_t delay, bool is_last_try);
    // Adds to what is on the air; waits for nothing. `at`: time of the burst's first sample, if it is timed.
    WriteOutcome write(int place, const Sample *samples, std::size_t len, std::optional<std::int64_t> at,
                       bool ends_burst);

    // The time in nanoseconds, for a device that runs at `rate`.
    std::int64_t timeNs(double rate);
    bool isUnplugged();
    void setUnplugged(bool is_unplugged);
    // The longest delay whose samples are sure to be still in the ring.
    std::int64_t longestDelay() const { return header().capacity / 4; }

private:
    explicit Air(SharedMemory &&memory) : memory_(std::move(memory)) {}

    std::int64_t now() const;              // all below: with the lock held
    std::int64_t slowestReceiver() const;
    std::int64_t spaceToRead(const Place &reader);
    std::int64_t spaceToWrite(std::int64_t position) const;
    void removeDead();
    void copyOut(std::int64_t time, Sample *samples, std::size_t len) const;
    void mixIn(std::int64_t time, const Sample *samples, std::size_t len);
    void silence(std::int64_t from, std::int64_t to);

    Header &header() const { return memory_.header(); }
    Sample &at(std::int64_t time) const { return memory_.samples()[time & (header().capacity - 1)]; }

    SharedMemory memory_;
};

} // namespace loopback
