// Knobs and settings of the device.
#include "device.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <unistd.h>

namespace loopback {
namespace {

using SoapySDR::Kwargs;
using SoapySDR::Range;
using SoapySDR::RangeList;
using Names = std::vector<std::string>;

const RangeList kRates = {Range(1e5, 4e7)};

double number(const std::string &key, const std::string &value, double lowest, double highest) {
    std::size_t used = 0;
    double number = NAN;
    try {
        number = std::stod(value, &used);
    } catch (const std::logic_error &) {
    }
    if (used == 0 || used != value.size() || !(number >= lowest && number <= highest))
        throw std::runtime_error(key + "=" + value + " is not possible: allowed is a number from " +
                                 std::to_string(lowest) + " to " + std::to_string(highest));
    return number;
}

AirOptions airOptions(const Kwargs &args) {
    AirOptions options;
    for (const auto &[key, value] : args) {
        if (key == "air") options.name = value;
        if (key == "buffer") options.capacity = std::size_t(number(key, value, 4096, 1 << 28));
        if (key != "pace") continue;
        if (value != "real" && value != "free")
            throw std::runtime_error("pace=" + value + " is not possible: allowed is real or free");
        options.is_free = value == "free";
    }
    return options;
}

// The elements of a receive and of a transmit chain, in dB.
const std::map<std::string, Range> &gainRanges(int direction) {
    static const std::map<std::string, Range> receive = {{"LNA", Range(0, 40)}, {"VGA", Range(0, 62)}};
    static const std::map<std::string, Range> transmit = {{"VGA", Range(0, 47)}};
    return direction == SOAPY_SDR_RX ? receive : transmit;
}

} // namespace

bool isUnplugged(const Kwargs &args) {
    const auto file = args.find("unplug_file"), air = args.find("air");
    if (file != args.end() && access(file->second.c_str(), F_OK) == 0) return true;
    return Air::isUnplugged(air == args.end() ? AirOptions().name : air->second);
}

LoopbackDevice::LoopbackDevice(const Kwargs &args) : air_(Air::attach(airOptions(args))) {
    static const Names known = {"driver", "label", "air", "pace", "buffer", "fail"};
    for (const auto &[key, value] : args)
        if (std::find(known.begin(), known.end(), key) == known.end()) set(key, value);
}

std::string LoopbackDevice::getDriverKey() const { return "sememe_loopback"; }
std::string LoopbackDevice::getHardwareKey() const { return "loopback"; }
Kwargs LoopbackDevice::getHardwareInfo() const { return {{"origin", "sememe hw/loopback"}}; }
std::size_t LoopbackDevice::getNumChannels(int) const { return 1; }
bool LoopbackDevice::getFullDuplex(int, std::size_t) const { return true; }

Names LoopbackDevice::listAntennas(int direction, std::size_t) const {
    return {direction == SOAPY_SDR_RX ? "RX" : "TX"};
}
void LoopbackDevice::setAntenna(int direction, std::size_t channel, const std::string &name) {
    if (name != getAntenna(direction, channel)) throw std::runtime_error("no antenna " + name);
}
std::string LoopbackDevice::getAntenna(int direction, std::size_t channel) const {
    return listAntennas(direction, channel).front();
}

Names LoopbackDevice::listGains(int direction, std::size_t) const {
    Names names;
    for (const auto &element : gainRanges(direction)) names.push_back(element.first);
    return names;
}
void LoopbackDevice::setGain(int direction, std::size_t, const std::string &name, double value) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Range range = gainRanges(direction).at(name);
    knobs_[direction].gains[name] = std::to_string(std::clamp(value, range.minimum(), range.maximum()));
}
double LoopbackDevice::getGain(int direction, std::size_t, const std::string &name) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto gain = knobs_[direction].gains.find(name);
    return gain == knobs_[direction].gains.end() ? 0 : std::stod(gain->second);
}
Range LoopbackDevice::getGainRange(int direction, std::size_t, const std::string &name) const {
    return gainRanges(direction).at(name);
}

Names LoopbackDevice::listFrequencies(int, std::size_t) const { return {"RF"}; }
void LoopbackDevice::setFrequency(int direction, std::size_t, const std::string &, double frequency, const Kwargs &) {
    const std::lock_guard<std::mutex> lock(mutex_);
    knobs_[direction].frequency = frequency;
}
double LoopbackDevice::getFrequency(int direction, std::size_t, const std::string &) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return knobs_[direction].frequency;
}
RangeList LoopbackDevice::getFrequencyRange(int, std::size_t, const std::string &) const { return {Range(0, 6e9)}; }

void LoopbackDevice::setSampleRate(int direction, std::size_t, double rate) {
    if (!(rate >= kRates[0].minimum() && rate <= kRates[0].maximum()))
        throw std::runtime_error("sample rate " + std::to_string(rate) + " is outside 1e5 to 4e7");
    const std::lock_guard<std::mutex> lock(mutex_);
    knobs_[direction].rate = rate;
}
double LoopbackDevice::getSampleRate(int direction, std::size_t) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return knobs_[direction].rate;
}
RangeList LoopbackDevice::getSampleRateRange(int, std::size_t) const { return kRates; }
void LoopbackDevice::setBandwidth(int direction, std::size_t, double bandwidth) {
    const std::lock_guard<std::mutex> lock(mutex_);
    knobs_[direction].bandwidth = bandwidth;
}
double LoopbackDevice::getBandwidth(int direction, std::size_t) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return knobs_[direction].bandwidth;
}
RangeList LoopbackDevice::getBandwidthRange(int, std::size_t) const { return kRates; }

Names LoopbackDevice::listClockSources() const { return {"internal"}; }
void LoopbackDevice::setClockSource(const std::string &source) {
    if (source != "internal") throw std::runtime_error("no clock source " + source);
}
std::string LoopbackDevice::getClockSource() const { return "internal"; }

bool LoopbackDevice::hasHardwareTime(const std::string &what) const { return what.empty(); }
long long LoopbackDevice::getHardwareTime(const std::string &) const {
    return air_->timeNs(getSampleRate(SOAPY_SDR_RX, 0));
}

SoapySDR::ArgInfoList LoopbackDevice::getSettingInfo() const {
    static const char *const kAbout[][3] = {
        {"delay", "samples", "from transmitter to receiver"},
        {"gain", "dB", "of the channel"},
        {"cfo_hz", "Hz", "carrier frequency offset"},
        {"noise", "", "variance of a complex sample"},
        {"drops", "", "probability that a block to be read is lost"},
        {"seed", "", "of noise and drops"},
        {"unplug", "", "1 unplugs all devices on this air, 0 plugs them in"},
        {"unplug_file", "", "unplugged while this file exists"},
    };
    SoapySDR::ArgInfoList list;
    for (const auto &about : kAbout) {
        SoapySDR::ArgInfo info;
        info.key = about[0], info.units = about[1], info.description = about[2];
        list.push_back(info);
    }
    return list;
}

void LoopbackDevice::writeSetting(const std::string &key, const std::string &value) { set(key, value); }

void LoopbackDevice::set(const std::string &key, const std::string &value) {
    if (key == "unplug") return air_->setUnplugged(number(key, value, 0, 1) != 0);
    const std::lock_guard<std::mutex> lock(mutex_);
    Channel &channel = settings_.channel;
    if (key == "delay") channel.delay = std::int64_t(number(key, value, 0, double(air_->longestDelay())));
    else if (key == "gain") channel.gain_db = number(key, value, -200, 200);
    else if (key == "cfo_hz") channel.cfo_hz = number(key, value, -2e7, 2e7);
    else if (key == "noise") channel.noise = number(key, value, 0, 1e6);
    else if (key == "drops") settings_.drops = number(key, value, 0, 1);
    else if (key == "seed") channel.seed = std::uint64_t(number(key, value, 0, 9e15));
    else if (key == "unplug_file") settings_.unplug_file = value;
    else throw std::runtime_error("the loopback has no setting " + key);
}

std::string LoopbackDevice::readSetting(const std::string &key) const {
    const Settings now = settings();
    if (key == "delay") return std::to_string(now.channel.delay);
    if (key == "gain") return std::to_string(now.channel.gain_db);
    if (key == "cfo_hz") return std::to_string(now.channel.cfo_hz);
    if (key == "noise") return std::to_string(now.channel.noise);
    if (key == "drops") return std::to_string(now.drops);
    if (key == "seed") return std::to_string(now.channel.seed);
    if (key == "unplug") return air_->isUnplugged() ? "1" : "0";
    if (key == "unplug_file") return now.unplug_file;
    throw std::runtime_error("the loopback has no setting " + key);
}

LoopbackDevice::Settings LoopbackDevice::settings() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return settings_;
}

bool LoopbackDevice::isGone() {
    // As with a real cable: what was once pulled must be opened again.
    const std::string file = settings().unplug_file;
    if ((!file.empty() && access(file.c_str(), F_OK) == 0) || air_->isUnplugged()) is_gone_ = true;
    return is_gone_;
}

} // namespace loopback
