// Makes the driver known to SoapySDR, which calls what stands here on finding and opening devices.
#include "device.hpp"

#include <SoapySDR/Registry.hpp>

#include <stdexcept>

namespace {

// All arguments are repeated, so that different device strings open different devices: SoapySDR hands out one
// device for equal results.
SoapySDR::KwargsList find(const SoapySDR::Kwargs &args) {
    // `serial=...` and the like ask for somebody else.
    if (!args.empty() && args.count("driver") == 0 && args.count("air") == 0) return {};
    SoapySDR::Kwargs found = args;
    found["driver"] = "sememe_loopback";
    found.emplace("air", "default");
    found["label"] = "Sememe loopback, air " + found["air"];
    if (loopback::isUnplugged(found)) return {};
    return {found};
}

SoapySDR::Device *make(const SoapySDR::Kwargs &args) {
    if (loopback::isUnplugged(args)) throw std::runtime_error("the loopback is unplugged");
    // fail=TEXT: as a driver that cannot open its device.
    if (const auto text = args.find("fail"); text != args.end()) throw std::runtime_error(text->second);
    return new loopback::LoopbackDevice(args);
}

const SoapySDR::Registry registry("sememe_loopback", &find, &make, SOAPY_SDR_ABI_VERSION);

} // namespace
