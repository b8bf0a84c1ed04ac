#!/bin/bash
# An hour over the loopback device: lost samples, and both ends unplugged for ten seconds every ten minutes.
# examples/air/soak.sh FOLDER [SECONDS]       needs: cargo build --release --features soapy
# Writes memory.txt (resident KiB of receiver and transmitter, images so far), rx.txt and tx.txt (what both counted).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:?"usage: soak.sh FOLDER [SECONDS]"}
seconds=${2:-3600}
mkdir -p "$folder"; cd "$folder"
"$root/hw/loopback/build.sh" modules
export SOAPY_SDR_PLUGIN_PATH=$PWD/modules
sememe=$root/target/release/sememe
device="driver=sememe_loopback,air=soak-$$,unplug_file=$PWD/unplugged"
# Half a block of each read is lost in the mean, so 0.2 % of reads are 0.1 % of samples.
channel="noise=0.00637,delay=777,cfo_hz=20000,drops=0.002"
common="$root/examples/air/soak.toml --frequency 2.45e9 --gain 0"
"$sememe" receive $common --from "$device,$channel" --user 2 --originals --out rx --force --seconds "$seconds" >rx.txt 2>rx.err &
receiver=$!
"$sememe" transmit $common --to "$device" --rounds 1000000 >tx.txt 2>tx.err &
transmitter=$!
start=$(date +%s)
next=600
echo "seconds receiver_kib transmitter_kib images" >memory.txt
while kill -0 $receiver 2>/dev/null; do
    now=$(($(date +%s) - start))
    if [ $now -ge $next ]; then
        touch unplugged; sleep 10; rm unplugged
        next=$((next + 600))
    fi
    resident() { awk '/VmRSS/ { print $2 }' "/proc/$1/status" 2>/dev/null || echo 0; }
    echo "$now $(resident $receiver) $(resident $transmitter) $(find rx -name "frame-*.png" 2>/dev/null | wc -l)" >>memory.txt
    sleep 20
done
kill -INT $transmitter
wait || true
cat rx.txt tx.txt
