#!/bin/sh
# Tests every room of the workspace, radios and sockets among them where their libraries are installed, and says what was
# left out. Arguments go to cargo test.
set -u
cd "$(dirname "$0")" || exit 1
features=""
skipped=""
has() { pkg-config --exists "$1" 2>/dev/null; }
add() { features="${features:+$features,}$1"; }
skip() { skipped="$skipped
skipped: $1"; }

if has SoapySDR && command -v "${CXX:-g++}" >/dev/null; then
    add soapy
else
    skip "radios. Install SoapySDR, a C++ compiler and pkg-config (Debian: libsoapysdr-dev g++ pkg-config)"
fi
if has libzmq; then
    add zeromq
else
    skip "sockets. Install ZeroMQ and pkg-config (Debian: libzmq3-dev pkg-config)"
fi
[ -n "${SEMEME_SIGMF_PYTHON:-}" ] ||
    skip "recordings beside the official sigmf package. Name a Python that has it (pip install sigmf) in SEMEME_SIGMF_PYTHON"
[ -n "${SEMEME_GNURADIO_PYTHON:-}" ] ||
    skip "sockets beside GNU Radio. Name a Python that has it (Debian: gnuradio) in SEMEME_GNURADIO_PYTHON"

cargo test --workspace --locked ${features:+--features "$features"} "$@"
status=$?
[ -z "$skipped" ] || echo "$skipped"
exit $status
