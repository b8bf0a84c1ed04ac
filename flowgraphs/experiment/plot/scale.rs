//! Ranges and ticks of an axis.

/// A linear axis from data values to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    /// Data values at the two ends.
    pub low: f64,
    pub high: f64,
    /// Pixels at the two ends; the second may be the smaller one.
    pub from: f64,
    pub to: f64,
}

impl Scale {
    /// The pixel of a value.
    pub fn pixel(&self, value: f64) -> i32 {
        (self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)).round() as i32
    }
}

/// The range of values with a margin on both sides; 0 to 1 without values, and never empty.
pub(super) fn range(values: impl Iterator<Item = f64>, margin: f64) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    match (low <= high, low < high) {
        (false, _) => (0.0, 1.0),
        (true, false) => (low - 1.0, high + 1.0),
        (true, true) => (low - margin * (high - low), high + margin * (high - low)),
    }
}

/// Ticks at 1, 2 or 5 times a power of ten: the finest that gives at most `most`.
pub(super) fn round_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let rough = (high - low) / most.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return vec![low];
    }
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough).unwrap_or(10.0 * power);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).map(|n| n as f64 * step).collect()
}

/// The measured x values where they are few, else round ticks.
pub(super) fn value_ticks(values: impl Iterator<Item = f64>, low: f64, high: f64, most: usize) -> Vec<f64> {
    let mut ticks: Vec<f64> = values.collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    if ticks.is_empty() || ticks.len() > most { round_ticks(low, high, most) } else { ticks }
}

/// A tick's label without trailing zeros.
pub(super) fn label(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.replace('-', "\u{2212}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_at_both_ends_and_between() {
        let scale = Scale { low: 0.0, high: 20.0, from: 100.0, to: 50.0 };
        assert_eq!([0.0, 10.0, 20.0].map(|v| scale.pixel(v)), [100, 75, 50]);
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(round_ticks(19.2, 36.7, 8), [20.0, 25.0, 30.0, 35.0]);
        assert_eq!(round_ticks(0.0, 1.0, 5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(round_ticks(3.0, 3.0, 5), [3.0]);
        assert_eq!(value_ticks([3.0, 0.0, 3.0].into_iter(), 0.0, 3.0, 5), [0.0, 3.0]);
    }

    #[test]
    fn ranges_are_never_empty() {
        assert_eq!(range([].into_iter(), 0.1), (0.0, 1.0));
        assert_eq!(range([5.0].into_iter(), 0.1), (4.0, 6.0));
        assert_eq!(range([0.0, 10.0].into_iter(), 0.1), (-1.0, 11.0));
    }

    #[test]
    fn labels_carry_no_needless_digits() {
        assert_eq!([0.0, -3.0, 0.5, 12.25].map(label), ["0", "\u{2212}3", "0.5", "12.25"]);
    }
}
