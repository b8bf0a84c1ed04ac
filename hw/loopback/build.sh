#!/bin/sh
# Builds the loopback driver: hw/loopback/build.sh FOLDER, then SOAPY_SDR_PLUGIN_PATH=FOLDER SoapySDRUtil --find
set -eu
here=$(dirname "$0")
folder=${1:?"usage: build.sh FOLDER"}
compiler=${CXX:-g++}
if ! command -v "$compiler" >/dev/null; then
    echo "the loopback driver needs a C++ compiler: install g++, or name yours in CXX" >&2
    exit 1
fi
if ! echo '#include <SoapySDR/Device.hpp>' | "$compiler" -std=c++17 -fsyntax-only -x c++ - 2>/dev/null; then
    echo "the loopback driver needs SoapySDR's headers: install libsoapysdr-dev" >&2
    exit 1
fi
mkdir -p "$folder"
# Built aside and moved into place: a program that starts meanwhile never loads half a module.
"$compiler" -std=c++17 -O2 -Wall -Wextra -fPIC -shared -o "$folder/loopback.$$" "$here"/*.cpp -lSoapySDR -lpthread -lrt
mv "$folder/loopback.$$" "$folder/libsememe_loopback.so"
