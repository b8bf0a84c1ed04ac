#include "air.hpp"

#include <SoapySDR/Time.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <unistd.h>

namespace loopback {
namespace {

constexpr std::size_t kDefaultCapacity = std::size_t(1) << 22; // 32 MiB
constexpr double kLatency = 1e-2; // seconds from the first write of an untimed burst to its first sample, pace=real

} // namespace

std::shared_ptr<Air> Air::attach(const AirOptions &options) {
    std::size_t capacity = 1 << 12;
    while (capacity < options.capacity.value_or(kDefaultCapacity)) capacity *= 2;
    SharedMemory memory(options.name, std::int64_t(capacity), options.is_free.value_or(false));
    const Header &header = memory.header();
    if (options.is_free && *options.is_free != header.is_free)
        throw std::runtime_error("air=" + options.name + " runs at pace=" + (header.is_free ? "free" : "real") +
                                 ": ask for the same pace, or for another air");
    if (options.capacity && std::int64_t(capacity) != header.capacity)
        throw std::runtime_error("air=" + options.name + " has buffer=" + std::to_string(header.capacity) +
                                 ": ask for the same buffer, or for another air");
    return std::shared_ptr<Air>(new Air(std::move(memory)));
}

bool Air::isUnplugged(const std::string &name) {
    const SharedMemory memory(name);
    return memory.isOpen() && memory.header().is_unplugged;
}

Air::~Air() = default;

int Air::join(bool is_transmit, double rate) {
    const Lock lock(header());
    removeDead();
    Place *const begin = header().places, *const end = begin + kNumPlaces;
    const bool is_alone = std::none_of(begin, end, [](const Place &place) { return place.process != 0; });
    if (header().rate != rate && !is_alone)
        throw std::runtime_error("the air runs at " + std::to_string(header().rate) + " samples per second, not " +
                                 std::to_string(rate) + ": use one rate at both ends");
    if (header().rate != rate) { // time is counted anew: what the ring holds belongs to the old rate
        header().rate = rate;
        header().free_time = 0;
        header().horizon = now();
        silence(header().horizon - header().capacity, header().horizon);
    }
    Place *const place = std::find_if(begin, end, [](const Place &place) { return place.process == 0; });
    if (place == end) throw std::runtime_error("the air is full: close some of its streams");
    *place = Place{getpid(), is_transmit, false, false, is_transmit ? 0 : now()};
    return int(place - begin);
}

void Air::leave(int place) {
    const Lock lock(header());
    header().places[place] = Place{};
}

ReadOutcome Air::read(int place, Sample *samples, std::size_t len, std::int64_t delay, bool is_last_try) {
    const Lock lock(header());
    Place &reader = header().places[place];
    const std::int64_t space = spaceToRead(reader);
    ReadOutcome outcome;
    outcome.start = reader.position;
    if (!header().is_free && space > header().capacity / 4) {
        outcome.lost = space;
        reader.position += space;
        return outcome;
    }
    const bool is_enough = space >= std::int64_t(len) || header().is_free || is_last_try;
    if (space <= 0 || !is_enough) return outcome;
    outcome.len = std::size_t(std::min(space, std::int64_t(len)));
    copyOut(reader.position - delay, samples, outcome.len);
    reader.position += std::int64_t(outcome.len);
    header().free_time = std::max(header().free_time, reader.position);
    return outcome;
}

WriteOutcome Air::write(int place, const Sample *samples, std::size_t len, std::optional<std::int64_t> at,
                        bool ends_burst) {
    const Lock lock(header());
    Place &writer = header().places[place];
    WriteOutcome outcome;
    const std::int64_t earliest = now();
    const std::int64_t soon = header().is_free ? earliest : earliest + std::int64_t(kLatency * header().rate);
    std::int64_t position = writer.position;
    if (!writer.is_burst_open && !writer.is_dropping) { // a burst begins
        outcome.is_late = at && (*at < earliest || *at < writer.position);
        outcome.time = position = at ? *at : std::max(soon, writer.position);
    } else if (writer.is_burst_open && position < earliest) {
        outcome.is_underflow = true;
        outcome.time = position;
        position = soon;
    }
    if (outcome.is_late || writer.is_dropping) {
        writer.is_dropping = !ends_burst;
        outcome.len = len;
        return outcome;
    }
    const std::int64_t space = spaceToWrite(position);
    outcome.len = std::size_t(std::clamp<std::int64_t>(space, 0, std::int64_t(len)));
    if (outcome.len == 0 && len > 0) {
        removeDead();
        outcome.is_underflow = false; // it will be found again when there is space
        return outcome;
    }
    mixIn(position, samples, outcome.len);
    writer.position = position + std::int64_t(outcome.len);
    writer.is_burst_open = !(ends_burst && outcome.len == len);
    return outcome;
}

std::int64_t Air::timeNs(double rate) {
    const Lock lock(header());
    // The air's own rate counts: a device may have another one set for the direction that it does not use.
    if (header().is_free) return SoapySDR::ticksToTimeNs(header().free_time, header().rate > 0 ? header().rate : rate);
    return steadyClockNs() - header().epoch_ns;
}

bool Air::isUnplugged() {
    const Lock lock(header());
    return header().is_unplugged;
}

void Air::setUnplugged(bool is_unplugged) {
    const Lock lock(header());
    header().is_unplugged = is_unplugged;
}

std::int64_t Air::now() const {
    if (header().is_free) return header().free_time;
    // Rounded down: a sample is there when its time is over.
    const std::int64_t elapsed_ns = steadyClockNs() - header().epoch_ns, second_ns = 1000000000;
    const double rest = double(elapsed_ns % second_ns) * 1e-9, seconds = double(elapsed_ns / second_ns);
    return std::int64_t(seconds * header().rate + rest * header().rate);
}

std::int64_t Air::slowestReceiver() const {
    std::int64_t slowest = header().free_time;
    for (const Place &place : header().places)
        if (place.process != 0 && !place.is_transmit) slowest = std::min(slowest, place.position);
    return slowest;
}

std::int64_t Air::spaceToRead(const Place &reader) {
    if (!header().is_free) return now() - reader.position;
    std::int64_t end = slowestReceiver() + header().capacity / 4;
    for (const Place &place : header().places)
        if (place.process != 0 && place.is_burst_open) end = std::min(end, place.position);
    if (end <= reader.position) removeDead(); // whoever is waited for may be dead
    return end - reader.position;
}

std::int64_t Air::spaceToWrite(std::int64_t position) const {
    return (header().is_free ? slowestReceiver() : now()) + header().capacity / 2 - position;
}

void Air::removeDead() {
    for (Place &place : header().places)
        if (place.process != 0 && kill(place.process, 0) != 0 && errno == ESRCH) place = Place{};
}

void Air::copyOut(std::int64_t time, Sample *samples, std::size_t len) const {
    const std::int64_t oldest = std::max<std::int64_t>(0, header().horizon - header().capacity);
    for (std::size_t i = 0; i < len;) {
        const std::int64_t from = time + std::int64_t(i);
        std::int64_t run = std::int64_t(len - i);
        if (from >= header().horizon || from < oldest) {
            if (from < oldest) run = std::min(run, oldest - from);
            std::fill_n(samples + i, run, Sample());
        } else {
            const std::int64_t slot = from & (header().capacity - 1);
            run = std::min({run, header().capacity - slot, header().horizon - from});
            std::copy_n(&at(from), run, samples + i);
        }
        i += std::size_t(run);
    }
}

void Air::mixIn(std::int64_t time, const Sample *samples, std::size_t len) {
    const std::int64_t end = time + std::int64_t(len);
    if (header().horizon < end) {
        silence(std::max(header().horizon, end - header().capacity), end);
        header().horizon = end;
    }
    for (std::size_t i = 0; i < len; ++i) at(time + std::int64_t(i)) += samples[i];
}

void Air::silence(std::int64_t from, std::int64_t to) {
    while (from < to) {
        const std::int64_t run = std::min(to - from, header().capacity - (from & (header().capacity - 1)));
        std::fill_n(&at(from), run, Sample());
        from += run;
    }
}

} // namespace loopback
