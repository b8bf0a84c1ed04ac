//! What is counted over the frames of one SNR.

use sememe_blocks::Result;
use sememe_blocks::metric::{ErrorCount, Interval, clopper_pearson};

/// Counts that add up over frames, in any grouping, to the same numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames and payload bits, and how many of them were wrong after the last transmission.
    pub errors: ErrorCount,
    /// Sum over frames of the squared number of bit errors.
    pub squared_bit_errors: u128,
    /// Frames that the receiver accepted although bits were wrong.
    pub undetected: u64,
    /// Transmissions.
    pub transmissions: u64,
    /// Code blocks that went through the decoder.
    pub decoded_blocks: u64,
    /// Iterations over all of them.
    pub iterations: u64,
}

impl Tally {
    /// Counts one frame at its end.
    pub fn count_frame(&mut self, bits: u64, bit_errors: u64, accepted: bool) {
        self.errors.count_frame(bits, bit_errors);
        self.squared_bit_errors += u128::from(bit_errors) * u128::from(bit_errors);
        self.undetected += u64::from(accepted && bit_errors > 0);
    }

    /// Adds the counts of other frames.
    pub fn merge(&mut self, other: &Tally) {
        self.errors.merge(&other.errors);
        self.squared_bit_errors += other.squared_bit_errors;
        self.undetected += other.undetected;
        self.transmissions += other.transmissions;
        self.decoded_blocks += other.decoded_blocks;
        self.iterations += other.iterations;
    }

    /// Mean iterations of a code block; `None` where none was counted.
    pub fn mean_iterations(&self) -> Option<f64> {
        (self.iterations > 0).then(|| self.iterations as f64 / self.decoded_blocks as f64)
    }

    /// Mean transmissions of a frame; NaN without frames.
    pub fn mean_transmissions(&self) -> f64 {
        self.transmissions as f64 / self.errors.frames as f64
    }

    /// Information bits delivered without error per complex channel use.
    ///
    /// - information: information bits of a frame; uses: channel uses of a transmission
    pub fn goodput(&self, information: f64, uses: f64) -> f64 {
        let delivered = self.errors.frames - self.errors.frame_errors;
        delivered as f64 * information / (self.transmissions as f64 * uses)
    }

    /// The 95 % interval of the frame error rate (Clopper and Pearson).
    pub fn fer_interval(&self) -> Result<Interval> {
        self.errors.fer_interval(0.95)
    }

    /// The 95 % interval of the bit error rate (Clopper and Pearson), bits and errors both divided by the
    /// design effect of frames: wrong bits come many to a frame, and so many are worth one.
    ///
    /// Source of the design effect: Kish, "Survey Sampling" (1965), section 5.4.
    pub fn ber_interval(&self) -> Result<Interval> {
        let effect = self.design_effect();
        let scaled = |count: u64| (count as f64 / effect).round() as u64;
        let bits = scaled(self.errors.bits);
        clopper_pearson(scaled(self.errors.bit_errors).min(bits), bits, 0.95)
    }

    /// Variance of the bit errors of a frame over what it would be, were bits wrong independently; at least 1.
    fn design_effect(&self) -> f64 {
        let ErrorCount { frames, bits, bit_errors, .. } = self.errors;
        if bit_errors == 0 || bit_errors == bits {
            return 1.0;
        }
        let mean = bit_errors as f64 / frames as f64;
        let variance = self.squared_bit_errors as f64 / frames as f64 - mean * mean;
        let independent = mean * (1.0 - bit_errors as f64 / bits as f64);
        (variance / independent).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_frames(errors: impl IntoIterator<Item = u64>) -> Tally {
        let mut tally = Tally::default();
        errors.into_iter().for_each(|errors| tally.count_frame(100, errors, false));
        tally
    }

    #[test]
    fn bits_that_fail_alone_have_the_plain_interval() {
        // A frame with one wrong bit in ten: the variance is a little below that of independent bits.
        let tally = of_frames((0..1000).map(|frame| u64::from(frame % 10 == 0)));
        let plain = tally.errors.ber_interval(0.95).unwrap();
        let interval = tally.ber_interval().unwrap();
        assert!((interval.low - plain.low).abs() < 1e-12 && (interval.high - plain.high).abs() < 1e-12);
    }

    #[test]
    fn bits_that_fail_together_count_once() {
        let tally = of_frames((0..1000).map(|frame| if frame % 10 == 0 { 40 } else { 0 }));
        let interval = tally.ber_interval().unwrap();
        assert!(interval.contains(0.04));
        // About 100 events of 40 bits: the interval is as wide as that of the frame error rate.
        let frames = tally.fer_interval().unwrap();
        let relative = (interval.half_width() / 0.04) / (frames.half_width() / 0.1);
        assert!((relative - 1.0).abs() < 0.1, "{relative}");
        assert_eq!(of_frames([0, 0]).ber_interval().unwrap().low, 0.0);
        assert_eq!(of_frames([100]).ber_interval().unwrap().high, 1.0);
        assert_eq!(Tally::default().ber_interval().unwrap().high, 1.0);
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let mut first = of_frames([0, 3]);
        first.transmissions = 4;
        let mut whole = of_frames([0, 3, 5]);
        whole.transmissions = 5;
        let mut last = of_frames([5]);
        last.transmissions = 1;
        first.merge(&last);
        assert_eq!(first, whole);
        assert_eq!(first.squared_bit_errors, 34);
        assert!((first.goodput(50.0, 25.0) - 50.0 / 125.0).abs() < 1e-12);
        assert!((first.mean_transmissions() - 5.0 / 3.0).abs() < 1e-12);
        assert_eq!(first.mean_iterations(), None);
    }
}
