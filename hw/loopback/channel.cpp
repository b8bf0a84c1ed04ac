#include "channel.hpp"

#include <array>
#include <cmath>

namespace loopback {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kTableBits = 12;
constexpr int kTableLen = 1 << kTableBits;
constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;

// The x with P(N(0,1) < x) = p, by Newton's method on erfc.
double normalQuantile(double p) {
    double x = 0;
    for (int step = 0; step < 60; ++step) {
        const double error = 0.5 * std::erfc(-x / std::sqrt(2.0)) - p;
        const double slope = std::exp(-0.5 * x * x) / std::sqrt(2.0 * kPi);
        // Limited: the plain step runs away from a start in the middle to a goal in the tail.
        x -= std::fmax(-0.5, std::fmin(0.5, error / slope));
    }
    return x;
}

// Equally likely values of a normal variable, variance exactly 1/4: two of them for each dimension make a complex
// sample of variance 1. The sum of two reaches to 5.2 standard deviations, its kurtosis is 2.99.
const std::array<float, kTableLen> &normalTable() {
    static const std::array<float, kTableLen> table = [] {
        std::array<double, kTableLen> values;
        double power = 0;
        for (int i = 0; i < kTableLen; ++i) {
            values[i] = normalQuantile((i + 0.5) / kTableLen);
            power += values[i] * values[i] / kTableLen;
        }
        std::array<float, kTableLen> scaled;
        for (int i = 0; i < kTableLen; ++i) scaled[i] = float(values[i] * 0.5 / std::sqrt(power));
        return scaled;
    }();
    return table;
}

void addNoise(double variance, std::uint64_t seed, std::int64_t time, Sample *samples, std::size_t len) {
    const auto &table = normalTable();
    const float deviation = float(std::sqrt(variance));
    const std::uint64_t key = mixBits(seed * kGolden + 1);
    for (std::size_t i = 0; i < len; ++i) {
        const std::uint64_t bits = mixBits(key + std::uint64_t(time + std::int64_t(i)) * kGolden);
        const auto draw = [&](int n) { return table[(bits >> (n * kTableBits)) & (kTableLen - 1)]; };
        samples[i] += Sample(deviation * (draw(0) + draw(1)), deviation * (draw(2) + draw(3)));
    }
}

// Turns by a recurrence in double precision: over one block its error stays below 1e-10.
void scaleAndRotate(double gain, double cycles_per_sample, std::int64_t time, Sample *samples, std::size_t len) {
    const double start = std::fmod(cycles_per_sample * double(time), 1.0);
    double re = gain * std::cos(2 * kPi * start), im = gain * std::sin(2 * kPi * start);
    const double step_re = std::cos(2 * kPi * cycles_per_sample), step_im = std::sin(2 * kPi * cycles_per_sample);
    for (std::size_t i = 0; i < len; ++i) {
        const float a = samples[i].real(), b = samples[i].imag(), c = float(re), d = float(im);
        samples[i] = Sample(a * c - b * d, a * d + b * c);
        const double next = re * step_re - im * step_im;
        im = re * step_im + im * step_re;
        re = next;
    }
}

} // namespace

void Channel::apply(double rate, std::int64_t time, Sample *samples, std::size_t len) const {
    const double gain = std::pow(10.0, gain_db / 20.0);
    if (cfo_hz != 0) {
        scaleAndRotate(gain, cfo_hz / rate, time, samples, len);
    } else if (gain_db != 0) {
        for (std::size_t i = 0; i < len; ++i) samples[i] *= float(gain);
    }
    if (noise > 0) addNoise(noise, seed, time, samples, len);
}

} // namespace loopback
