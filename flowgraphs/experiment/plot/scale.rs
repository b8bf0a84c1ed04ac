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
        self.place(value).round() as i32
    }

    /// Its exact place between pixels.
    pub fn place(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
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

/// Powers of ten between two exponents, and their labels: at most so many; with the values of 2 and 5 in
/// between where there are few.
pub(super) fn decade_ticks(low: f64, high: f64, most: usize) -> Vec<(f64, String)> {
    if !(low.is_finite() && high.is_finite()) {
        return vec![];
    }
    let decades = low.floor() as i32..=high.ceil() as i32;
    let digits: &[f64] = if 3 * decades.clone().count() <= most + 3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let all: Vec<(f64, String)> = decades
        .flat_map(|decade| {
            let value = move |digit: f64| (digit.log10() + f64::from(decade), digit, decade);
            digits.iter().map(move |digit| value(*digit))
        })
        .filter(|(at, ..)| (low..=high).contains(at))
        .map(|(at, digit, decade)| (at, power_label(digit, decade)))
        .collect();
    if all.len() < 2 {
        let values = round_ticks(10f64.powf(low), 10f64.powf(high), most);
        return values.into_iter().filter(|value| *value > 0.0).map(|v| (v.log10(), label(v))).collect();
    }
    let every = all.len().div_ceil(most.max(1)).max(1);
    all.into_iter().step_by(every).collect()
}

/// A digit times a power of ten: plain where it is short.
fn power_label(digit: f64, decade: i32) -> String {
    match decade {
        -3..=5 => label(digit * 10f64.powi(decade)),
        _ => format!("{digit}e{decade}").replace('-', "\u{2212}"),
    }
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
    fn decades_are_labelled_with_their_values() {
        let texts = |low, high, most| -> Vec<String> {
            decade_ticks(low, high, most).into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(texts(-1.1, 1.2, 12), ["0.1", "0.2", "0.5", "1", "2", "5", "10"]);
        assert_eq!(
            texts(-6.0, 0.0, 7),
            ["1e\u{2212}6", "1e\u{2212}5", "1e\u{2212}4", "0.001", "0.01", "0.1", "1"]
        );
        assert_eq!(texts(-20.0, 0.0, 7).len(), 7);
        assert_eq!(texts(2.2f64.log10(), 4.6f64.log10(), 5), ["2.5", "3", "3.5", "4", "4.5"]);
        assert!(texts(f64::NAN, 1.0, 7).is_empty());
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
