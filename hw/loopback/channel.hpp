// What happens to samples between the air and a receiver: y[t] = g x[t - delay] exp(j 2 pi cfo t / rate) + w[t].
//
// Rotation and noise are functions of the seed and of the absolute time t: how a receiver cuts its reads, and what
// it drops, changes nothing in them.
#pragma once

#include "air.hpp"

#include <cstdint>

namespace loopback {

struct Channel {
    std::int64_t delay = 0;  // samples
    double gain_db = 0;      // on amplitude: 20 dB are a factor of ten
    double cfo_hz = 0;       // carrier frequency offset
    double noise = 0;        // variance of a complex sample, half of it in each dimension
    std::uint64_t seed = 1;

    // Everything but the delay, in place; `time` is that of the first sample.
    void apply(double rate, std::int64_t time, Sample *samples, std::size_t len) const;
};

// Mixes 64 bits well (the finaliser of splitmix64, Steele, Lea and Flood 2014).
inline std::uint64_t mixBits(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

} // namespace loopback
