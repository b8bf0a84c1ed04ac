// Streams of the device: reading, writing, and what is reported about them.
#include "device.hpp"

#include <SoapySDR/Errors.hpp>
#include <SoapySDR/Formats.hpp>
#include <SoapySDR/Time.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <stdexcept>
#include <thread>

namespace loopback {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMtu = 16384;
constexpr std::chrono::microseconds kPoll(100); // the air is watched, not waited on: a dead process wakes nobody
constexpr std::uint64_t kDropStream = 0x64726f70; // keeps drops independent of noise at equal seeds

} // namespace

struct Status {
    int code;
    std::int64_t time;
};

struct LoopbackStream {
    int direction;
    double rate = 0;
    int place = -1; // on the air, while active
    std::uint64_t num_reads = 0;
    std::mutex mutex; // guards the queue: statuses may be read by another thread
    std::deque<Status> statuses;
};

namespace {
LoopbackStream &of(SoapySDR::Stream *stream) { return *reinterpret_cast<LoopbackStream *>(stream); }
} // namespace

std::vector<std::string> LoopbackDevice::getStreamFormats(int, std::size_t) const { return {SOAPY_SDR_CF32}; }
std::string LoopbackDevice::getNativeStreamFormat(int, std::size_t, double &full_scale) const {
    full_scale = 1.0;
    return SOAPY_SDR_CF32;
}

SoapySDR::Stream *LoopbackDevice::setupStream(int direction, const std::string &format,
                                              const std::vector<std::size_t> &channels, const SoapySDR::Kwargs &) {
    if (format != SOAPY_SDR_CF32) throw std::runtime_error("the loopback streams CF32, not " + format);
    if (channels.size() > 1 || (channels.size() == 1 && channels[0] != 0))
        throw std::runtime_error("the loopback has channel 0 and no other");
    auto *stream = new LoopbackStream;
    stream->direction = direction;
    return reinterpret_cast<SoapySDR::Stream *>(stream);
}

void LoopbackDevice::closeStream(SoapySDR::Stream *stream) {
    deactivateStream(stream, 0, 0);
    delete &of(stream);
}

std::size_t LoopbackDevice::getStreamMTU(SoapySDR::Stream *) const { return kMtu; }

int LoopbackDevice::activateStream(SoapySDR::Stream *handle, int flags, long long, std::size_t num_elems) {
    LoopbackStream &stream = of(handle);
    if (flags != 0 || num_elems != 0) return SOAPY_SDR_NOT_SUPPORTED;
    if (isGone()) return SOAPY_SDR_STREAM_ERROR;
    if (stream.place >= 0) return 0;
    stream.rate = getSampleRate(stream.direction, 0);
    stream.place = air_->join(stream.direction == SOAPY_SDR_TX, stream.rate);
    return 0;
}

int LoopbackDevice::deactivateStream(SoapySDR::Stream *handle, int, long long) {
    LoopbackStream &stream = of(handle);
    if (stream.place >= 0) air_->leave(stream.place);
    stream.place = -1;
    return 0;
}

int LoopbackDevice::readStream(SoapySDR::Stream *handle, void *const *buffs, std::size_t num_elems, int &flags,
                               long long &time_ns, long timeout_us) {
    LoopbackStream &stream = of(handle);
    if (stream.place < 0 || stream.direction != SOAPY_SDR_RX) return SOAPY_SDR_STREAM_ERROR;
    const auto deadline = Clock::now() + std::chrono::microseconds(timeout_us);
    auto *samples = static_cast<Sample *>(buffs[0]);
    std::size_t len = std::min(num_elems, kMtu);
    const Settings settings = this->settings();
    // A lost stretch is a block, or its first part, that was read and thrown away.
    const std::uint64_t draw = mixBits(settings.channel.seed ^ mixBits(kDropStream + stream.num_reads));
    const bool is_drop = double(draw >> 11) * 0x1p-53 < settings.drops;
    if (is_drop) len = 1 + std::size_t(mixBits(draw) % len);
    for (;;) {
        if (isGone()) return SOAPY_SDR_STREAM_ERROR;
        const bool is_last_try = Clock::now() >= deadline;
        const ReadOutcome outcome = air_->read(stream.place, samples, len, settings.channel.delay, is_last_try);
        if (outcome.len > 0 || outcome.lost > 0) ++stream.num_reads;
        if (outcome.lost > 0 || (outcome.len > 0 && is_drop)) return SOAPY_SDR_OVERFLOW;
        if (outcome.len > 0) {
            settings.channel.apply(stream.rate, outcome.start, samples, outcome.len);
            flags = SOAPY_SDR_HAS_TIME;
            time_ns = SoapySDR::ticksToTimeNs(outcome.start, stream.rate);
            return int(outcome.len);
        }
        if (is_last_try) return SOAPY_SDR_TIMEOUT;
        std::this_thread::sleep_for(kPoll);
    }
}

int LoopbackDevice::writeStream(SoapySDR::Stream *handle, const void *const *buffs, std::size_t num_elems, int &flags,
                                long long time_ns, long timeout_us) {
    LoopbackStream &stream = of(handle);
    if (stream.place < 0 || stream.direction != SOAPY_SDR_TX) return SOAPY_SDR_STREAM_ERROR;
    const auto deadline = Clock::now() + std::chrono::microseconds(timeout_us);
    const auto *samples = static_cast<const Sample *>(buffs[0]);
    const std::size_t len = std::min(num_elems, kMtu);
    const bool ends_burst = (flags & SOAPY_SDR_END_BURST) != 0 && len == num_elems;
    std::optional<std::int64_t> at;
    if ((flags & SOAPY_SDR_HAS_TIME) != 0) at = SoapySDR::timeNsToTicks(time_ns, stream.rate);
    for (;;) {
        if (isGone()) return SOAPY_SDR_STREAM_ERROR;
        const bool is_last_try = Clock::now() >= deadline;
        const WriteOutcome outcome = air_->write(stream.place, samples, len, at, ends_burst);
        if (outcome.is_late || outcome.is_underflow) {
            const std::lock_guard<std::mutex> lock(stream.mutex);
            stream.statuses.push_back({outcome.is_late ? SOAPY_SDR_TIME_ERROR : SOAPY_SDR_UNDERFLOW, outcome.time});
        }
        if (outcome.len > 0 || len == 0) return int(outcome.len);
        if (is_last_try) return SOAPY_SDR_TIMEOUT;
        std::this_thread::sleep_for(kPoll);
    }
}

int LoopbackDevice::readStreamStatus(SoapySDR::Stream *handle, std::size_t &channel_mask, int &flags,
                                     long long &time_ns, long timeout_us) {
    LoopbackStream &stream = of(handle);
    if (stream.direction != SOAPY_SDR_TX) return SOAPY_SDR_NOT_SUPPORTED;
    const auto deadline = Clock::now() + std::chrono::microseconds(timeout_us);
    for (;;) {
        if (isGone()) return SOAPY_SDR_STREAM_ERROR;
        {
            const std::lock_guard<std::mutex> lock(stream.mutex);
            if (!stream.statuses.empty()) {
                const Status status = stream.statuses.front();
                stream.statuses.pop_front();
                channel_mask = 1;
                flags = SOAPY_SDR_HAS_TIME;
                time_ns = SoapySDR::ticksToTimeNs(status.time, stream.rate);
                return status.code;
            }
        }
        if (Clock::now() >= deadline) return SOAPY_SDR_TIMEOUT;
        std::this_thread::sleep_for(kPoll);
    }
}

} // namespace loopback
