#!/bin/bash
# PSNR of each link over the loopback device beside that of the simulation of symbols, at equal SNR.
# examples/air/against_simulation.sh [PRESET] [SNR]...       needs: cargo build --release --features soapy
set -eu
cd "$(dirname "$0")/../.."
preset=${1:-narrow}; shift || true
snrs=${*:-0 6 12 18}
case $preset in
    narrow) occupied=40 of=64 ;;
    wlan) occupied=52 of=64 ;;
    wide) occupied=840 of=1024 ;;
    *) echo "$preset: allowed is narrow, wlan, wide" >&2; exit 2 ;;
esac
sememe=$PWD/target/release/sememe
file=$PWD/examples/experiments/over-the-air.toml
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
hw/loopback/build.sh "$folder/modules"
export SOAPY_SDR_PLUGIN_PATH=$folder/modules
cd "$folder"
echo "preset   SNR  link              simulated  loopback  difference  SNR found  slots lost"
for snr in $snrs; do
    # Carriers of -12 dB under full scale, spread over all samples.
    noise=$(awk -v s="$snr" -v o=$occupied -v n=$of 'BEGIN { print 10^(-1.2) * n / o * 10^(-s / 10) }')
    common="--set snr_db=[$snr] --set source.images=200"
    "$sememe" run "$file" $common --out sim --force --set output.plots=false >/dev/null 2>&1
    for link in group-splitting private-only jpeg-ldpc; do
        device="driver=sememe_loopback,air=$$-$link-$snr,pace=free"
        tuned="--link $link --frequency 2.45e9 --gain 0 --quiet --set air.numerology=\"$preset\""
        "$sememe" receive "$file" $common $tuned --from "$device,noise=$noise,delay=777,cfo_hz=31000" --originals \
            --out rx --force --frames 4 >rx.txt &
        "$sememe" transmit "$file" $common $tuned --to "$device" >/dev/null
        wait
        awk -F, -v link="$link" -v preset="$preset" -v snr="$snr" '
            FILENAME ~ /results.csv/ && FNR == 1 { for (n = 1; n <= NF; n++) if ($n == "psnr_db") place = n }
            FILENAME ~ /results.csv/ && $0 ~ link { simulated = $place }
            FILENAME ~ /rx.txt/ && /PSNR/ { split($0, words, " "); found = words[3]; level = words[6] }
            FILENAME ~ /rx.txt/ && /slots/ { split($0, words, " "); lost = words[4] }
            END { printf "%-8s %3s  %-16s %10.2f %9.2f %11.2f %10s %11s\n", preset, snr, link, simulated, found,
                found - simulated, level, lost }' sim/results.csv rx.txt
    done
done
