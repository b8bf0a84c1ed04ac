#!/usr/bin/env python3
"""How fast GNU Radio's own OFDM chains run, in samples per second at the antenna.

Prints three lines, medians over turns: `receive_msps X`, `receive_synchronised_msps Y` (without its synchroniser) and
`transmit_msps Z`. The rest goes to standard error.

    /usr/bin/python3 gnuradio_ofdm.py --fft 1024 --prefix 128 --occupied 840 --pilot-spacing 12 --seconds 3 --threads 1

The blocks are those of `digital.ofdm_rx` (Schmidl & Cox synchroniser, carrier correction, demultiplexer; channel
estimate and decisions of the header; FFT, decision-feedback equaliser, serializer of the payload) and of
`digital.ofdm_tx` (carrier allocator, inverse FFT, cyclic prefix). Two things differ from `ofdm_rx`: the equaliser's
output is soft, and the header holds the symbols of a frame (`packet_header_default`), since its own ends at 4095 bytes.

A frame is 2 preamble symbols and 100 more, the first of them the header, the others QPSK and pilots. Those received are
a prefix apart (a start found within the frame before is lost), have noise 20 dB below, and a carrier 2.3 spacings off.

What makes it fair:
- Nothing but the chain: no bits, CRC or scrambling. Input is copied from memory, output dropped. Standard error says
  how fast the copying alone is, and the receiver without its synchroniser, told where frames begin.
- VOLK chooses its dot products, of which the synchroniser's filters are made, by measurement (`volk_profile`): its
  default is slower.
- Buffers hold two frames, since equaliser, allocator and serializer want a frame at once. FFTs are planned beforehand.
- First the output is checked: all frames found, error vectors small, no symbol wrong. Turns that lose frames fail too.
- One thread: GNU Radio has one per block, so the process is bound to one core. More: as many cores as asked for, or
  as there are. Time is that of the clock, start and end of threads included; with `--processor-time` it is that of
  the processor, which others on the machine disturb less: then rates are those of one core.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import pmt
from gnuradio import analog, blocks, digital, fft, gr
from gnuradio.digital import ofdm_txrx

SYMBOLS = 100  # behind the preamble, header included
FRAMES = 4  # different ones in memory
SNR_DB = 20.0
OFFSET = 2.3  # of the carrier, in spacings
TURNS = 5
LARGEST_EVM = 0.2


class Grid:
    """What transmitter and receiver agree on."""

    def __init__(self, fft_len, prefix, occupied, pilot_spacing):
        self.fft_len, self.prefix = fft_len, prefix
        side = occupied // 2
        carriers = [carrier for carrier in range(-side, side + 1) if carrier != 0]
        is_pilot = [index % pilot_spacing == pilot_spacing // 2 for index in range(len(carriers))]
        self.data = [carrier for carrier, pilot in zip(carriers, is_pilot) if not pilot]
        pilots = [carrier for carrier, pilot in zip(carriers, is_pilot) if pilot]
        signs = np.random.default_rng(1).choice([1.0, -1.0], (SYMBOLS, len(pilots)))
        self.layout = ([self.data], [pilots], signs.tolist())
        self.preamble = [
            make(fft_len, [self.data], [pilots]).tolist()
            for make in (ofdm_txrx._make_sync_word1, ofdm_txrx._make_sync_word2)
        ]
        self.header = digital.packet_header_default(len(self.data), "frame_len", "packet_num", 1)
        self.frame_len = (len(self.preamble) + SYMBOLS) * (fft_len + prefix)

    def buffered(self, block, item):
        """The block with room for two frames at its output."""
        block.set_min_output_buffer(2 * {"symbol": SYMBOLS + 2, "sample": self.frame_len}[item])
        return block

    def fft(self, forward):
        return self.buffered(fft.fft_vcc(self.fft_len, forward, (), True), "symbol")

    def demultiplexer(self, trigger):
        demux = digital.header_payload_demux(3, self.fft_len, self.prefix, "frame_len", trigger, True)
        return self.buffered(demux, "symbol")


def tag(offset, key, value):
    made = gr.tag_t()
    made.offset, made.key, made.value = offset, pmt.intern(key), pmt.from_long(value)
    return made


def profile_kernels(folder):
    """Has VOLK measure its dot products, unless the user had it measure its kernels before."""
    if "VOLK_CONFIGPATH" in os.environ or os.path.exists(os.path.expanduser("~/.volk/volk_config")):
        return
    for kernel in ["volk_32f_x2_dot_prod_32f", "volk_32fc_32f_dot_prod_32fc"]:
        command = ["volk_profile", "-u", "-R", kernel, "-p", os.path.join(folder, "volk")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.environ["VOLK_CONFIGPATH"] = folder


def header_values(grid):
    """The header of a frame, as BPSK."""
    top, sink = gr.top_block(), blocks.vector_sink_b()
    payload = SYMBOLS - 1
    source = blocks.vector_source_b([0] * payload, False, 1, [tag(0, "frame_len", payload)])
    top.connect(source, digital.packet_headergenerator_bb(grid.header, "frame_len"), sink)
    top.run()
    return np.array(digital.constellation_bpsk().points())[np.array(sink.data())]


def transmitter(grid, top, source, sink):
    allocator = digital.ofdm_carrier_allocator_cvc(grid.fft_len, *grid.layout, grid.preamble, "packet_len")
    prefixer = digital.ofdm_cyclic_prefixer(grid.fft_len, grid.fft_len + grid.prefix, 0, "packet_len")
    grid.buffered(source, "sample")
    grid.buffered(allocator, "symbol")
    top.connect(source, allocator, grid.fft(False), grid.buffered(prefixer, "sample"), sink)


def receiver(grid, top, source, sink):
    """The frames' values, by the whole receiver."""
    synchronizer = grid.buffered(digital.ofdm_sync_sc_cfb(grid.fft_len, grid.prefix), "sample")
    delay = blocks.delay(gr.sizeof_gr_complex, grid.fft_len + grid.prefix)
    oscillator = analog.frequency_modulator_fc(-2.0 / grid.fft_len)
    mixer = grid.buffered(blocks.multiply_cc(), "sample")
    demux = grid.demultiplexer("")
    top.connect(source, synchronizer)
    top.connect(source, delay, (mixer, 0), (demux, 0))
    top.connect((synchronizer, 0), oscillator, (mixer, 1))
    top.connect((synchronizer, 1), (demux, 1))
    demodulate(grid, top, demux, sink)


def synchronised_receiver(grid, top, source, sink):
    """The same without a synchroniser: tags say where frames begin."""
    demux = grid.demultiplexer("frame_start")
    top.connect(grid.buffered(source, "sample"), demux)
    demodulate(grid, top, demux, sink)


def demodulate(grid, top, demux, sink):
    """What is behind the demultiplexer: header, then payload."""
    fft_len, prefix = grid.fft_len, grid.prefix
    bpsk, qpsk = digital.constellation_bpsk().base(), digital.constellation_qpsk().base()
    dfe = digital.ofdm_equalizer_simpledfe(fft_len, bpsk, *grid.layout, 0)
    parser = digital.packet_headerparser_b(grid.header)
    top.connect(
        (demux, 0),
        fft.fft_vcc(fft_len, True, (), True),
        digital.ofdm_chanest_vcvc(*grid.preamble, 1),
        digital.ofdm_frame_equalizer_vcvc(dfe.base(), prefix, "frame_len", True, 1),
        digital.ofdm_serializer_vcc(fft_len, [grid.data], "frame_len"),
        digital.constellation_decoder_cb(bpsk),
        parser,
    )
    top.msg_connect(parser, "header_data", demux, "header_data")
    dfe = digital.ofdm_equalizer_simpledfe(fft_len, qpsk, *grid.layout, 1, 0.1, True, True)
    equalizer = grid.buffered(digital.ofdm_frame_equalizer_vcvc(dfe.base(), prefix, "frame_len"), "symbol")
    serializer = digital.ofdm_serializer_vcc(fft_len, [grid.data], "frame_len", "", 1)
    top.connect((demux, 1), grid.fft(True), equalizer, grid.buffered(serializer, "sample"), sink)


def run(chain, grid, values, tags, count, sink):
    """Runs a chain on so many values, again and again from memory: seconds on the clock, and of the processor."""
    top = gr.top_block()
    source = blocks.vector_source_c(values, True, 1, tags)
    head = blocks.head(gr.sizeof_gr_complex, count)
    top.connect(source, head)
    chain(grid, top, head, sink)
    clock, processor = time.perf_counter(), time.process_time()
    top.run()
    return time.perf_counter() - clock, time.process_time() - processor


def measure(name, chain, grid, values, tags, outputs_per_frame, seconds, by_processor):
    """Median of samples per second at the antenna, in millions."""
    per_frame, frames, turns = len(values) // FRAMES, 4 * FRAMES, []
    at_antenna = grid.frame_len if chain is transmitter else per_frame
    for turn in range(TURNS + 2):
        sink = blocks.null_sink(gr.sizeof_gr_complex)
        times = run(chain, grid, values, tags, frames * per_frame, sink)
        # The end of the last frame stays in the receiver's delay.
        if sink.nitems_read(0) < (frames - 1) * outputs_per_frame:
            sys.exit(f"{name}: {sink.nitems_read(0) / outputs_per_frame:.1f} of {frames} frames came out")
        if turn >= 2:
            turns.append([1e-6 * frames * at_antenna / taken for taken in times])
        else:  # two turns of warm-up, which say how long the others are
            frames = max(4 * FRAMES, round(frames * seconds / TURNS / times[0]))
    clock, processor = zip(*turns)
    medians = statistics.median(clock), statistics.median(processor)
    spread = f"{medians[0]:.2f} ({min(clock):.2f} to {max(clock):.2f})"
    print(f"{name}: {spread} Msps by the clock, {medians[1]:.2f} by the processor", file=sys.stderr)
    return medians[by_processor]


def check(grid, received, sent):
    """Compares what the receiver says with what was sent."""
    sink = blocks.vector_sink_c()
    run(receiver, grid, received, [], 2 * len(received), sink)
    heard, sent = np.array(sink.data()), np.tile(sent, 2)
    if len(heard) < len(sent) * (2 * FRAMES - 1) // (2 * FRAMES):
        sys.exit(f"check: {len(heard)} of {len(sent)} symbols came out")
    sent = sent[: len(heard)]
    evm = np.sqrt(np.mean(abs(heard - sent) ** 2) / np.mean(abs(sent) ** 2))
    wrong = np.sum((heard.real * sent.real < 0) | (heard.imag * sent.imag < 0))
    print(f"check: {len(heard)} symbols, {wrong} wrong, EVM {100 * evm:.1f} %", file=sys.stderr)
    if evm > LARGEST_EVM or wrong:
        sys.exit("check: the receiver does not decode")


def main():
    parser = argparse.ArgumentParser()
    for name, default in [("fft", 1024), ("prefix", 128), ("occupied", 840), ("pilot-spacing", 12), ("threads", 1)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement, all turns together")
    parser.add_argument("--processor-time", action="store_true")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[-given.threads :]
    os.sched_setaffinity(0, cores)
    gr.logging().set_default_level(gr.log_levels.err)  # a line for each header otherwise
    print(f"GNU Radio {gr.version()} on cores {cores}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        profile_kernels(folder)
        compare(Grid(given.fft, given.prefix, given.occupied, given.pilot_spacing), given)


def compare(grid, given):
    """Makes the input, checks the receiver, and measures."""
    rng = np.random.default_rng(2)
    payload = rng.choice(digital.constellation_qpsk().points(), (FRAMES, (SYMBOLS - 1) * len(grid.data)))
    values = np.hstack([np.tile(header_values(grid), (FRAMES, 1)), payload])
    per_frame = values.shape[1]
    tags = [tag(frame * per_frame, "packet_len", per_frame) for frame in range(FRAMES)]
    values, sink = values.ravel(), blocks.vector_sink_c()
    run(transmitter, grid, values, tags, len(values), sink)
    samples = np.array(sink.data())
    assert len(samples) == FRAMES * grid.frame_len
    samples /= np.sqrt(np.mean(abs(samples) ** 2))
    samples = np.pad(samples.reshape(FRAMES, -1), [(0, 0), (0, grid.prefix)]).ravel()
    starts = [tag(frame * len(samples) // FRAMES, "frame_start", 1) for frame in range(FRAMES)]
    noise = rng.normal(size=(len(samples), 2)) @ [1, 1j] * np.sqrt(0.5 * 10 ** (-SNR_DB / 10))
    received = samples * np.exp(2j * np.pi * OFFSET / grid.fft_len * np.arange(len(samples))) + noise
    check(grid, received, payload.ravel())

    payload_len, how = payload.shape[1], (given.seconds, given.processor_time)
    measure("source", lambda _, top, *ends: top.connect(*ends), grid, received, [], len(received) // FRAMES, *how)
    receive = measure("receive", receiver, grid, received, [], payload_len, *how)
    synchronised = measure("receive_synchronised", synchronised_receiver, grid, samples + noise, starts, payload_len, *how)
    transmit = measure("transmit", transmitter, grid, values, tags, grid.frame_len, *how)
    print(f"receive_msps {receive:.2f}")
    print(f"receive_synchronised_msps {synchronised:.2f}")
    print(f"transmit_msps {transmit:.2f}")


if __name__ == "__main__":
    main()
