//! The run on the screen: what is simulated, then one line per point in the columns of AFF3CT.

use super::results::{Row, Timing};
use super::setup::Setup;
use super::words::{ChannelKind, DecoderKind, FadingKind, StopKind};
use std::fmt::Write;

/// What is simulated, and the heads of the columns.
pub fn header(setup: &Setup) -> String {
    let mut text = String::new();
    for (name, value) in [
        ("frame", frame(setup)),
        ("symbols", symbols(setup)),
        ("channel", channel(setup)),
        ("decoder", decoder(setup)),
        ("information", information(setup)),
        ("stop", stop(setup)),
    ] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# {name:<12} {value}");
    }
    let rule = ruler(setup);
    let mut heads =
        "#   Es/N0 |   Eb/N0 ||        FRA |         BE |       FE |      BER |      FER".to_owned();
    let mut units =
        "#    (dB) |    (dB) ||            |            |          |          |         ".to_owned();
    if has_decoder(setup) {
        heads.push_str(" ||   ITE |  DEC_THR");
        units.push_str(" ||       |   (Mb/s)");
    }
    if setup.repeats() {
        heads.push_str(" ||    TX | GOODPUT");
        units.push_str(" ||       | (b/use)");
    }
    heads.push_str(" ||  SIM_THR |    ET/RT");
    units.push_str(" ||   (Mb/s) | (hhmmss)");
    format!("{text}{rule}{heads}\n{units}\n{rule}")
}

/// The line below the points.
pub fn footer(setup: &Setup) -> String {
    ruler(setup)
}

/// One point; without times where an earlier run measured it.
pub fn row(setup: &Setup, row: &Row, timing: Option<&Timing>) -> String {
    let tally = &row.tally;
    let errors = &tally.errors;
    let (ber, fer) = (errors.ber(), errors.fer());
    let mut text = format!(
        "{:9.2} | {:7.2} || {:>10} | {:>10} | {:>8} | {ber:8.2e} | {fer:8.2e}",
        row.esn0_db, row.ebn0_db, errors.frames, errors.bit_errors, errors.frame_errors
    );
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    if has_decoder(setup) {
        let iterations = or_dash(tally.mean_iterations().map(|mean| format!("{mean:.2}")));
        let speed = or_dash(timing.map(|timing| format!("{:.2}", timing.decoder_mbit_s)));
        let _ = write!(text, " || {iterations:>5} | {speed:>8}");
    }
    if setup.repeats() {
        let goodput = tally.goodput(setup.information_bits(), setup.uses() as f64);
        let _ = write!(text, " || {:5.3} | {goodput:7.4}", tally.mean_transmissions());
    }
    let speed = or_dash(timing.map(|timing| format!("{:.2}", timing.simulated_mbit_s)));
    let clock = timing.map_or_else(|| "earlier".to_owned(), |timing| clock(timing.seconds));
    let _ = writeln!(text, " || {speed:>8} | {clock:>8}");
    text
}

fn ruler(setup: &Setup) -> String {
    let mut text =
        "# --------|---------||------------|------------|----------|----------|---------".to_owned();
    if has_decoder(setup) {
        text.push_str("-||-------|---------");
    }
    if setup.repeats() {
        text.push_str("-||-------|--------");
    }
    text.push_str("-||----------|---------\n");
    text
}

fn has_decoder(setup: &Setup) -> bool {
    setup.format.code().is_some()
}

/// Hours, minutes and seconds as 00h02'31.
fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    format!("{:02}h{:02}'{:02}", whole / 3600, whole / 60 % 60, whole % 60)
}

fn frame(setup: &Setup) -> String {
    let format = &setup.format;
    let crc = match format.crc {
        None => "no CRC".to_owned(),
        Some(crc) => format!("CRC of {} bits", crc.num_bits()),
    };
    let lens = format!("k = {}, n = {} bits", format.payload_len, format.sent_len);
    let Some(code) = format.code() else { return format!("{lens}, uncoded, {crc}") };
    let graph = setup.config.base_graph;
    let blocks = match (format.is_transport_block(), format.num_blocks()) {
        (false, _) => "one code block".to_owned(),
        (true, 1) => "transport block of 1 code block".to_owned(),
        (true, blocks) => format!("transport block of {blocks} code blocks, each with CRC24B"),
    };
    let size = code.lifting_size();
    format!("{lens}, 5G NR LDPC, base graph {graph}, Z = {size}, {blocks}, {crc}")
}

fn symbols(setup: &Setup) -> String {
    let modulation = setup.config.modulation;
    let bits = match modulation.bits_per_symbol() {
        1 => "1 bit on the diagonal".to_owned(),
        bits => format!("{bits} bits"),
    };
    let llrs = match (setup.format.code(), setup.config.demapping) {
        (_, None) => "exact",
        (None, Some(_)) => "decided by the sign of",
        (Some(_), Some(demapping)) => demapping.name(),
    };
    format!("{modulation}, {bits} per complex channel use, {} uses, {llrs} LLRs", setup.uses())
}

fn channel(setup: &Setup) -> String {
    let config = &setup.config;
    let lasts = match config.fading {
        FadingKind::Block => "one fade per transmission",
        FadingKind::Symbol => "one fade per symbol",
    };
    let name = match config.channel {
        ChannelKind::Awgn => "white noise".to_owned(),
        ChannelKind::Rayleigh => format!("Rayleigh, {lasts}, known to the receiver"),
        ChannelKind::Rician => {
            let k = config.rician_k_db.unwrap_or_default();
            format!("Rician, K = {k} dB, {lasts}, known to the receiver")
        }
    };
    format!("{name}; Es/N0 per complex use, N0/2 per real dimension")
}

/// What decodes, in words.
pub(super) fn decoder(setup: &Setup) -> String {
    let config = &setup.config;
    let rule = setup.true_rule().map(|rule| rule.to_string()).unwrap_or_default();
    let iterations = config.iterations;
    let stop = match config.stop {
        StopKind::Codeword => "until all checks hold",
        StopKind::Crc => "until the CRC holds",
        StopKind::Never => "always all of them",
    };
    match config.decoder {
        DecoderKind::None => "none".into(),
        DecoderKind::MinSum => format!("layered min-sum on 8 bits, {rule}, {iterations} iterations, {stop}"),
        DecoderKind::BeliefPropagation => {
            format!("layered belief propagation in floating point, {rule}, {iterations} iterations, {stop}")
        }
    }
}

fn information(setup: &Setup) -> String {
    let counted = match (setup.format.crc_bits(), setup.config.count_crc) {
        (0, _) => String::new(),
        (bits, true) => format!(" ({bits} CRC bits count)"),
        (bits, false) => format!(" ({bits} CRC bits do not count)"),
    };
    let of = if setup.repeats() { "first transmission" } else { "frame" };
    format!(
        "{} bits per frame{counted}, R = {:.6} per complex use of a {of}; Eb/N0 = Es/N0 / R; BE and FE over \
         the payload",
        setup.information_bits(),
        setup.rate()
    )
}

fn stop(setup: &Setup) -> String {
    let rule = setup.stop_rule();
    let mut ends = vec![];
    ends.extend(rule.frame_errors.map(|errors| format!("{errors} frame errors")));
    ends.extend(rule.relative_precision.map(|p| format!("a FER known to {:.3} %", 100.0 * p)));
    ends.push(format!("{} frames", rule.max_frames));
    let mut text = format!(
        "at {}, judged every {} frames; seed {}",
        ends.join(" or "),
        setup.chunk_len(),
        setup.config.seed
    );
    if setup.repeats() {
        let versions: Vec<String> = setup.config.redundancy_versions.iter().map(u8::to_string).collect();
        let _ = write!(text, "; redundancy versions {} until accepted", versions.join(", "));
    }
    text
}
