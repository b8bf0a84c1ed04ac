//! Finds gaps in a stream of samples from the times of its blocks.

/// Follows the times of blocks.
#[derive(Debug)]
pub(super) struct SampleClock {
    rate_hz: f64,
    last: Option<(i64, usize)>, // time in ns and length of the last block
}

/// What lies between two blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// There is no block before it.
    First,
    /// Nothing: it follows the one before.
    None,
    /// This many samples are missing.
    Missing(u64),
    /// Time ran back, or the driver repeats one time: nothing can be said.
    Unknown,
}

impl SampleClock {
    /// A clock that has seen nothing.
    ///
    /// - rate_hz: samples per second
    pub(super) fn new(rate_hz: f64) -> Self {
        Self { rate_hz, last: None }
    }

    /// Takes the next block.
    ///
    /// missing = round((t - t_last) rate - len_last); times are rounded to a nanosecond, which is less than half a
    /// sample up to 500 Msps, so the count is exact
    /// - time_ns: time of its first sample
    /// - len: its samples, at least 1
    pub(super) fn advance(&mut self, time_ns: i64, len: usize) -> Gap {
        let Some((last_ns, last_len)) = self.last.replace((time_ns, len)) else { return Gap::First };
        let elapsed = time_ns.wrapping_sub(last_ns) as f64 * 1e-9 * self.rate_hz;
        let missing = (elapsed - last_len as f64).round();
        if missing == 0.0 {
            Gap::None
        } else if missing > 0.0 {
            Gap::Missing(missing as u64)
        } else {
            Gap::Unknown
        }
    }

    /// Whether the last block bore this time.
    pub(super) fn has_just_seen(&self, time_ns: i64) -> bool {
        self.last.is_some_and(|(last_ns, _)| last_ns == time_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Times are rounded to nanoseconds; the count of what is missing is exact all the same.
        #[test]
        fn counts_exactly(
            rate_hz in 1e5..4e7f64,
            start in 0..1_000_000_000_000u64,
            blocks in prop::collection::vec((1..100_000usize, 0..1_000_000u64), 1..50),
        ) {
            let mut clock = SampleClock::new(rate_hz);
            let mut position = start;
            let mut gap_before = 0;
            for (n, (len, gap_after)) in blocks.into_iter().enumerate() {
                let time_ns = (position as f64 / rate_hz * 1e9).round() as i64;
                let expected = match (n, gap_before) {
                    (0, _) => Gap::First,
                    (_, 0) => Gap::None,
                    (_, missing) => Gap::Missing(missing),
                };
                prop_assert_eq!(clock.advance(time_ns, len), expected);
                position += len as u64 + gap_after;
                gap_before = gap_after;
            }
        }
    }

    #[test]
    fn says_nothing_where_time_runs_back() {
        let mut clock = SampleClock::new(1e6);
        assert_eq!(clock.advance(5_000, 10), Gap::First);
        assert_eq!(clock.advance(0, 10), Gap::Unknown);
        assert_eq!(clock.advance(10_000, 10), Gap::None);
        assert!(clock.has_just_seen(10_000));
    }
}
