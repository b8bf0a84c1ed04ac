// The device as SoapySDR sees it: one transmit and one receive channel on an air.
#pragma once

#include "air.hpp"
#include "channel.hpp"

#include <SoapySDR/Device.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace loopback {

struct LoopbackStream;

class LoopbackDevice : public SoapySDR::Device {
public:
    explicit LoopbackDevice(const SoapySDR::Kwargs &args);

    // What it is.
    std::string getDriverKey() const override;
    std::string getHardwareKey() const override;
    SoapySDR::Kwargs getHardwareInfo() const override;
    std::size_t getNumChannels(int direction) const override;
    bool getFullDuplex(int direction, std::size_t channel) const override;

    // Knobs that a radio has. Frequency and gain are kept and change nothing on the air.
    std::vector<std::string> listAntennas(int direction, std::size_t channel) const override;
    void setAntenna(int direction, std::size_t channel, const std::string &name) override;
    std::string getAntenna(int direction, std::size_t channel) const override;
    std::vector<std::string> listGains(int direction, std::size_t channel) const override;
    void setGain(int direction, std::size_t channel, const std::string &name, double value) override;
    double getGain(int direction, std::size_t channel, const std::string &name) const override;
    SoapySDR::Range getGainRange(int direction, std::size_t channel, const std::string &name) const override;
    std::vector<std::string> listFrequencies(int direction, std::size_t channel) const override;
    void setFrequency(int direction, std::size_t channel, const std::string &name, double frequency,
                      const SoapySDR::Kwargs &args) override;
    double getFrequency(int direction, std::size_t channel, const std::string &name) const override;
    SoapySDR::RangeList getFrequencyRange(int direction, std::size_t channel,
                                          const std::string &name) const override;
    void setSampleRate(int direction, std::size_t channel, double rate) override;
    double getSampleRate(int direction, std::size_t channel) const override;
    SoapySDR::RangeList getSampleRateRange(int direction, std::size_t channel) const override;
    void setBandwidth(int direction, std::size_t channel, double bandwidth) override;
    double getBandwidth(int direction, std::size_t channel) const override;
    SoapySDR::RangeList getBandwidthRange(int direction, std::size_t channel) const override;
    std::vector<std::string> listClockSources() const override;
    void setClockSource(const std::string &source) override;
    std::string getClockSource() const override;
    bool hasHardwareTime(const std::string &what) const override;
    long long getHardwareTime(const std::string &what) const override;

    // The channel and its faults, by the same names as in the device string.
    SoapySDR::ArgInfoList getSettingInfo() const override;
    void writeSetting(const std::string &key, const std::string &value) override;
    std::string readSetting(const std::string &key) const override;

    // Streams.
    std::vector<std::string> getStreamFormats(int direction, std::size_t channel) const override;
    std::string getNativeStreamFormat(int direction, std::size_t channel, double &full_scale) const override;
    SoapySDR::Stream *setupStream(int direction, const std::string &format, const std::vector<std::size_t> &channels,
                                  const SoapySDR::Kwargs &args) override;
    void closeStream(SoapySDR::Stream *stream) override;
    std::size_t getStreamMTU(SoapySDR::Stream *stream) const override;
    int activateStream(SoapySDR::Stream *stream, int flags, long long time_ns, std::size_t num_elems) override;
    int deactivateStream(SoapySDR::Stream *stream, int flags, long long time_ns) override;
    int readStream(SoapySDR::Stream *stream, void *const *buffs, std::size_t num_elems, int &flags,
                   long long &time_ns, long timeout_us) override;
    int writeStream(SoapySDR::Stream *stream, const void *const *buffs, std::size_t num_elems, int &flags,
                    long long time_ns, long timeout_us) override;
    int readStreamStatus(SoapySDR::Stream *stream, std::size_t &channel_mask, int &flags, long long &time_ns,
                         long timeout_us) override;

private:
    struct Settings {
        Channel channel;
        double drops = 0; // probability that a block to be read is lost
        std::string unplug_file;
    };
    struct Knobs { // of one direction
        double rate = 1e6, bandwidth = 0, frequency = 0;
        SoapySDR::Kwargs gains;
    };

    void set(const std::string &key, const std::string &value);
    Settings settings() const;
    bool isGone(); // unplugged now, or at some time since it was opened

    std::shared_ptr<Air> air_;
    mutable std::mutex mutex_; // guards the two below
    Settings settings_;
    Knobs knobs_[2];
    std::atomic<bool> is_gone_{false};
};

// Whether a device with these arguments is unplugged at the moment.
bool isUnplugged(const SoapySDR::Kwargs &args);

} // namespace loopback
