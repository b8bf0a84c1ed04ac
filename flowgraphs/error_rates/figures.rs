//! The curves of a run, with what theory says beside them.

use super::results::Row;
use super::screen;
use super::setup::Setup;
use super::tally::Tally;
use super::words::{ChannelKind, FadingKind};
use crate::experiment::plot::{Axis, Figure, Line};
use sememe_blocks::channel::FadingModel;
use sememe_blocks::metric::Interval;
use sememe_blocks::modem::Modulation;
use sememe_blocks::theory::{
    bicm_capacity, bit_error_rate, normal_approximation_error, outage_probability, shannon_capacity,
};
use std::f64::consts::LN_2;

/// Points of a curve of theory.
const SAMPLES: usize = 121;

/// File names without ending, and figures; none for fewer than two points.
pub fn all(setup: &Setup, rows: &[Row]) -> Vec<(&'static str, Figure)> {
    if rows.len() < 2 {
        return vec![];
    }
    let mut figures = vec![("error-rates", error_rates(setup, rows))];
    if setup.repeats() {
        figures.push(("goodput", goodput(setup, rows)));
    }
    figures
}

/// Bit and frame error rates, the uncoded error rate, limits, and what the best code of this length reaches.
fn error_rates(setup: &Setup, rows: &[Row]) -> Figure {
    let rates =
        |rate: fn(&Tally) -> f64, interval: fn(&Tally) -> sememe_blocks::Result<Interval>, name: &str| {
            let half = |row: &Row| interval(&row.tally).map_or(f64::NAN, |interval| interval.half_width());
            Line {
                name: name.to_owned(),
                points: rows.iter().map(|row| (place(setup, row), rate(&row.tally))).collect(),
                error: rows.iter().map(half).collect(),
                ..Line::default()
            }
        };
    let frame_name = if setup.repeats() { "FER in the end" } else { "FER" };
    let mut lines = vec![
        rates(|tally| tally.errors.fer(), Tally::fer_interval, frame_name),
        rates(|tally| tally.errors.ber(), Tally::ber_interval, "BER"),
    ];
    let measured = lines.iter().flat_map(|line| &line.points).map(|point| point.1);
    let least = measured.filter(|rate| *rate > 0.0).fold(1.0, f64::min);
    let floor = (least / 3.0).max(1e-15);
    let is_coded = setup.format.code().is_some();
    let limits = match setup.config.channel {
        ChannelKind::Awgn if is_coded => limits(setup),
        _ => vec![],
    };
    let span = span(setup, rows, &limits);
    let mut theory = |name: &str, rate: &dyn Fn(f64) -> f64| {
        let seen: Vec<f64> = samples(span).filter(|x| rate(*x) >= floor).collect();
        let ends = (seen.first().copied().unwrap_or(0.0), seen.last().copied().unwrap_or(0.0));
        let points: Vec<(f64, f64)> = samples(ends).map(|x| (x, rate(x))).collect();
        if seen.len() > 1 {
            lines.push(Line { name: name.to_owned(), points, dashed: true, ..Line::default() });
        }
    };
    let (modulation, fading) = (setup.config.modulation, setup.fading_model());
    // Uncoded bits have an Eb/N0 of their own: Es/N0 over the bits of a symbol.
    let bits = modulation.bits_per_symbol() as f64;
    let uncoded = |x: f64| {
        let snr = if setup.is_ebn0 { linear(x) * bits } else { linear(x) };
        bit_error_rate(modulation, snr, fading)
    };
    theory("uncoded BER", &uncoded);
    let esn0 = |x: f64| linear(if setup.is_ebn0 { x - setup.ebn0_offset_db() } else { x });
    if is_coded && !setup.repeats() {
        let (uses, rate, rails) = (setup.uses() as f64, setup.rate(), rails(setup));
        let of_best = |x: f64| {
            let uses = (uses * rails / 2.0).ceil() as u64;
            normal_approximation_error(esn0(x) * 2.0 / rails, uses, rate * 2.0 / rails).unwrap_or(f64::NAN)
        };
        let outage = |x: f64| outage_probability(fading, esn0(x), rate).unwrap_or(f64::NAN);
        match (fading, setup.config.fading) {
            (FadingModel::Awgn, _) => theory("FER, best code", &of_best),
            (_, FadingKind::Block) => theory("outage", &outage),
            (_, FadingKind::Symbol) => {}
        }
    }
    for (name, at) in limits {
        lines.push(Line {
            name: format!("{name} {at:.2} dB"),
            points: vec![(at, floor), (at, 1.0)],
            ..Line::default()
        });
    }
    Figure { lines, y_label: "error rate".into(), axes: [Axis::Linear, Axis::Logarithmic], ..frame(setup) }
}

/// Information bits delivered per channel use, below the capacities.
fn goodput(setup: &Setup, rows: &[Row]) -> Figure {
    let of = |row: &Row| row.tally.goodput(setup.information_bits(), setup.uses() as f64);
    let points = rows.iter().map(|row| (place(setup, row), of(row))).collect();
    let mut lines = vec![Line { name: "goodput".into(), points, ..Line::default() }];
    if setup.config.channel == ChannelKind::Awgn {
        let esn0 = |x: f64| linear(if setup.is_ebn0 { x - setup.ebn0_offset_db() } else { x });
        let modulation = setup.config.modulation;
        let mut theory = |name: &str, capacity: &dyn Fn(f64) -> f64| {
            let points = samples(span(setup, rows, &[])).map(|x| (x, capacity(esn0(x)))).collect();
            lines.push(Line { name: name.to_owned(), points, dashed: true, ..Line::default() });
        };
        theory("BICM capacity", &|snr| bicm_capacity(modulation, snr));
        let rails = rails(setup);
        theory("Shannon capacity", &|snr| rails / 2.0 * shannon_capacity(snr * 2.0 / rails));
    }
    Figure {
        lines,
        y_label: "information bits per channel use".into(),
        axes: [Axis::Linear; 2],
        ..frame(setup)
    }
}

fn frame(setup: &Setup) -> Figure {
    let config = &setup.config;
    let channel = match config.channel {
        ChannelKind::Awgn => "AWGN",
        ChannelKind::Rayleigh => "Rayleigh",
        ChannelKind::Rician => "Rician",
    };
    let (k, n) = (config.k, setup.format.sent_len);
    let modulation = config.modulation.to_string().to_uppercase();
    let title = match (&config.title, setup.format.code()) {
        (Some(title), _) => title.clone(),
        (None, None) => format!("{modulation} without a code, {channel}"),
        (None, Some(_)) => {
            format!("5G NR LDPC ({k}, {n}), base graph {}, {modulation}, {channel}", config.base_graph)
        }
    };
    let name = if setup.is_ebn0 { "Eb/N0 (dB)" } else { "Es/N0 per complex channel use (dB)" };
    Figure {
        title,
        subtitle: format!(
            "decoder: {}; R = {:.3} bits per channel use",
            screen::decoder(setup),
            setup.rate()
        ),
        x_label: name.into(),
        y_label: String::new(),
        axes: [Axis::Linear; 2],
        lines: vec![],
    }
}

fn place(setup: &Setup, row: &Row) -> f64 {
    if setup.is_ebn0 { row.ebn0_db } else { row.esn0_db }
}

/// Both ends of the axis: all points, and limits that lie near them.
fn span(setup: &Setup, rows: &[Row], limits: &[(&str, f64)]) -> (f64, f64) {
    let places = rows.iter().map(|row| place(setup, row)).chain(limits.iter().map(|limit| limit.1));
    places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)))
}

fn samples((low, high): (f64, f64)) -> impl Iterator<Item = f64> {
    (0..SAMPLES).map(move |i| low + (high - low) * i as f64 / (SAMPLES - 1) as f64)
}

/// Where capacity equals the rate: of any input, and of this constellation decided bit by bit.
pub(super) fn limits(setup: &Setup) -> Vec<(&'static str, f64)> {
    let rate = setup.rate();
    let offset = if setup.is_ebn0 { setup.ebn0_offset_db() } else { 0.0 };
    let share = rails(setup) / 2.0;
    let mut limits =
        vec![("Shannon limit", 10.0 * (share * (rate / share * LN_2).exp_m1()).log10() + offset)];
    let modulation = setup.config.modulation;
    // Nearer to all bits of a symbol the capacity bends so flat that the place says nothing.
    if rate < 0.9999 * modulation.bits_per_symbol() as f64 {
        let (mut low, mut high) = (-60.0, 60.0);
        while high - low > 1e-6 {
            let middle = 0.5 * (low + high);
            if bicm_capacity(modulation, linear(middle)) < rate { low = middle } else { high = middle }
        }
        limits.push(("BICM limit", high + offset));
    }
    limits
}

/// Real dimensions of a channel use that the constellation fills: bounds for BPSK are those of one of them, which
/// holds all the power and half of the noise.
fn rails(setup: &Setup) -> f64 {
    if setup.config.modulation == Modulation::Bpsk { 1.0 } else { 2.0 }
}

fn linear(db: f64) -> f64 {
    10f64.powf(db / 10.0)
}
