//! Exact confidence intervals of a probability from counted events (Clopper and Pearson 1934).

use crate::{BlockError, Result};

/// Where a probability lies, with some confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether a value lies inside or on an end.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Half the distance of the ends.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// The Clopper-Pearson interval: it holds the true probability at least as often as `confidence` says.
///
/// - events: how many of `trials` independent trials showed the event; without trials it is 0 to 1
/// - confidence: between 0 and 1, both excluded, such as 0.95; half of the rest is left on either side
/// - errors: more events than trials; a confidence out of range
///
/// Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
/// binomial", Biometrika 26 (1934); the ends are quantiles of the beta distribution.
pub fn clopper_pearson(events: u64, trials: u64, confidence: f64) -> Result<Interval> {
    if events > trials {
        return Err(BlockError::invalid("events", events, format!("at most {trials}, the number of trials")));
    }
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(BlockError::invalid("confidence", confidence, "a number between 0 and 1, such as 0.95"));
    }
    let (hits, misses) = (events as f64, (trials - events) as f64);
    let tail = (1.0 - confidence) / 2.0;
    let rate = hits / (hits + misses).max(1.0);
    // P(at least `events` | p) rises with p to `tail` at the lower end, P(at most `events` | p) falls to it.
    let low = match events {
        0 => 0.0,
        _ => root(0.0, rate, |p| incomplete_beta(hits, misses + 1.0, p, 1.0 - p) < tail),
    };
    let high = match trials - events {
        0 => 1.0,
        _ => root(rate, 1.0, |p| incomplete_beta(misses, hits + 1.0, 1.0 - p, p) > tail),
    };
    Ok(Interval { low, high })
}

/// Where a condition that holds at `low` and not at `high` ends: bisection to the resolution of f64.
fn root(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The regularised incomplete beta function I_p(a, b) for integers a, b >= 1; q is 1 - p, given too so that
/// the smaller of the two keeps its digits.
fn incomplete_beta(a: f64, b: f64, p: f64, q: f64) -> f64 {
    if p < (a + 1.0) / (a + b + 2.0) {
        leading_factor(a, b, p, q) * continued_fraction(a, b, p)
    } else {
        1.0 - leading_factor(b, a, q, p) * continued_fraction(b, a, q)
    }
}

/// p^a q^b / (a B(a, b)), by way of the binomial probability of a events in a + b trials.
///
/// Source: Loader, "Fast and accurate computation of binomial probabilities" (2000): no large logarithms
/// cancel, so that even intervals of 1e10 trials keep seven digits.
fn leading_factor(a: f64, b: f64, p: f64, q: f64) -> f64 {
    let n = a + b;
    let deviance = |count: f64, expected: f64| {
        let excess = (expected - count) / count;
        count * (excess - excess.ln_1p())
    };
    let exponent =
        stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance(a, n * p) - deviance(b, n * q);
    (b / n) * exponent.exp() / (std::f64::consts::TAU * a * (b / n)).sqrt()
}

/// ln(n!) - ln(sqrt(2 pi n) (n / e)^n).
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return libm::lgamma(n + 1.0) - 0.5 * (std::f64::consts::TAU * n).ln() - n * n.ln() + n;
    }
    let q = 1.0 / (n * n);
    (1.0 / 12.0 - q * (1.0 / 360.0 - q * (1.0 / 1260.0 - q * (1.0 / 1680.0 - q / 1188.0)))) / n
}

/// The continued fraction of the incomplete beta function, Abramowitz and Stegun 26.5.8, by Lentz's method.
fn continued_fraction(a: f64, b: f64, p: f64) -> f64 {
    // Terms grow with the square root of the smaller count: 1e10 events take about 1e5.
    const MAX_TERMS: u32 = 10_000_000;
    let nonzero = |x: f64| if x.abs() < 1e-300 { 1e-300 } else { x };
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * p / (a + 1.0));
    let mut value = d;
    for term in 1..MAX_TERMS {
        let m = f64::from(term);
        let even = m * (b - m) * p / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d);
        c = nonzero(1.0 + even / c);
        value *= c * d;
        let odd = -(a + m) * (a + b + m) * p / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d);
        c = nonzero(1.0 + odd / c);
        let step = c * d;
        value *= step;
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(at least `events` of `trials`), added up term by term.
    fn upper_sum(events: u64, trials: u64, p: f64) -> f64 {
        let ln_choose = |k: u64| {
            libm::lgamma(trials as f64 + 1.0)
                - libm::lgamma(k as f64 + 1.0)
                - libm::lgamma((trials - k) as f64 + 1.0)
        };
        let term = |k: u64| (ln_choose(k) + k as f64 * p.ln() + (trials - k) as f64 * (-p).ln_1p()).exp();
        (events..=trials).map(term).sum()
    }

    #[test]
    fn published_intervals() {
        // 95 %, as in tables of exact binomial limits.
        for (events, trials, low, high) in [
            (1, 10, 0.0025, 0.4450),
            (5, 20, 0.0866, 0.4910),
            (0, 10, 0.0, 0.3085),
            (50, 100, 0.3983, 0.6017),
        ] {
            let interval = clopper_pearson(events, trials, 0.95).unwrap();
            assert!((interval.low - low).abs() < 6e-5, "{events} of {trials}: {interval:?}");
            assert!((interval.high - high).abs() < 6e-5, "{events} of {trials}: {interval:?}");
        }
    }

    #[test]
    fn the_ends_leave_their_tails_to_binomial_sums() {
        for trials in [1, 2, 7, 40, 900] {
            for events in [0, 1, trials / 3, trials / 2, trials - 1, trials] {
                for confidence in [0.5, 0.95, 0.9997] {
                    let Interval { low, high } = clopper_pearson(events, trials, confidence).unwrap();
                    let tail = (1.0 - confidence) / 2.0;
                    if events > 0 {
                        assert!((upper_sum(events, trials, low) / tail - 1.0).abs() < 1e-8);
                    } else {
                        assert_eq!(low, 0.0);
                    }
                    if events < trials {
                        let above = upper_sum(trials - events, trials, 1.0 - high);
                        assert!((above / tail - 1.0).abs() < 1e-8, "{events} {trials}: {above}");
                    } else {
                        assert_eq!(high, 1.0);
                    }
                }
            }
        }
    }

    #[test]
    fn no_event_has_a_closed_form_and_events_mirror_their_absence() {
        for (trials, near) in [(3u64, 1e-12), (1000, 1e-12), (10_000_000_000, 1e-7)] {
            let none = clopper_pearson(0, trials, 0.95).unwrap();
            let expected = -((0.025f64).ln() / trials as f64).exp_m1();
            assert!((none.high / expected - 1.0).abs() < near, "{none:?}");
            let all = clopper_pearson(trials, trials, 0.95).unwrap();
            assert!((all.low - (1.0 - none.high)).abs() < 1e-12);
        }
        let (a, b) = (clopper_pearson(12, 77, 0.9).unwrap(), clopper_pearson(65, 77, 0.9).unwrap());
        assert!((a.low - (1.0 - b.high)).abs() < 1e-12 && (a.high - (1.0 - b.low)).abs() < 1e-12);
    }

    #[test]
    fn large_counts_approach_the_normal_interval() {
        for (events, trials) in [(1_000_000, 10_000_000_000), (4_000_000_000, 10_000_000_000u64)] {
            let interval = clopper_pearson(events, trials, 0.95).unwrap();
            let rate = events as f64 / trials as f64;
            let half = 1.959_963_984_540_054 * (rate * (1.0 - rate) / trials as f64).sqrt();
            assert!((interval.half_width() / half - 1.0).abs() < 1e-3, "{interval:?}, normal {half}");
            assert!(interval.contains(rate));
        }
    }

    #[test]
    fn nothing_tried_says_nothing_and_bad_arguments_are_refused() {
        assert_eq!(clopper_pearson(0, 0, 0.95).unwrap(), Interval { low: 0.0, high: 1.0 });
        assert!(clopper_pearson(3, 2, 0.95).unwrap_err().to_string().contains("at most 2"));
        for confidence in [0.0, 1.0, -1.0, f64::NAN] {
            assert!(clopper_pearson(1, 2, confidence).is_err());
        }
    }
}
