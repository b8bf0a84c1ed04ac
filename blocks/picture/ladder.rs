//! All ways to compress one picture that are worth taking, by size.

use super::codec::Setting;
use crate::{BlockError, Result};

/// One way to compress a picture, and what it gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rung {
    /// What the encoder is told.
    pub setting: Setting,
    /// Length of the stream in bytes.
    pub bytes: usize,
    /// Quality of the decoded picture in decibels; in a mosaic the mean over its images.
    pub psnr_db: f64,
}

impl Rung {
    /// Whether no setting of the codec fitted, so that the mean colour is sent.
    pub fn unfit(&self) -> bool {
        self.setting == Setting::MeanColour
    }
}

/// Every setting that is better than all smaller ones, found by trying all.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    mean_colour: Rung,
    /// Sizes and qualities both ascend strictly.
    rungs: Vec<Rung>,
    largest_payload_bits: usize,
}

impl Ladder {
    /// Keeps the candidates that no other one equals or betters at the same size or less.
    pub(super) fn new(mean_colour: Rung, mut candidates: Vec<Rung>, largest_payload_bits: usize) -> Self {
        candidates.sort_by(|a, b| a.bytes.cmp(&b.bytes).then(b.psnr_db.total_cmp(&a.psnr_db)));
        let mut rungs: Vec<Rung> = Vec::new();
        for candidate in candidates {
            if rungs.last().is_none_or(|best| candidate.psnr_db > best.psnr_db) {
                rungs.push(candidate);
            }
        }
        rungs.shrink_to_fit();
        Self { mean_colour, rungs, largest_payload_bits }
    }

    /// The best picture whose stream fits a payload; the mean colour where no setting of the codec fits.
    ///
    /// - payload_bits: information bits of the transport block; bits beyond the last whole byte are lost.
    ///   In a mosaic, the sum over the users
    /// - errors: a payload that does not even hold the mean colour, or one larger than the ladder was made for
    pub fn best_within(&self, payload_bits: usize) -> Result<&Rung> {
        let least = 8 * self.mean_colour.bytes;
        if payload_bits < least || payload_bits > self.largest_payload_bits {
            let allowed = format!(
                "{least} (a mark and the mean colour) to {} (what the search was made for)",
                self.largest_payload_bits
            );
            return Err(BlockError::invalid("payload in bits", payload_bits, allowed));
        }
        let fitting = self.rungs.partition_point(|rung| rung.bytes <= payload_bits / 8);
        Ok(fitting.checked_sub(1).map_or(&self.mean_colour, |last| &self.rungs[last]))
    }

    /// The settings worth taking, from the smallest stream to the largest, without the mean colour.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// The fallback.
    pub fn mean_colour(&self) -> &Rung {
        &self.mean_colour
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Subsampling;
    use proptest::prelude::*;

    const MEAN: Rung = Rung { setting: Setting::MeanColour, bytes: 4, psnr_db: 14.0 };

    fn rung(quality: usize, bytes: usize, psnr_db: f64) -> Rung {
        let setting = Setting::Jpeg { quality: quality as u8, subsampling: Subsampling::S444 };
        Rung { setting, bytes, psnr_db }
    }

    #[test]
    fn a_larger_stream_of_lower_quality_is_never_chosen() {
        let candidates = vec![rung(1, 90, 20.0), rung(2, 85, 21.0), rung(3, 100, 20.5), rung(4, 120, 25.0)];
        let ladder = Ladder::new(MEAN, candidates, 1000);
        assert_eq!(ladder.rungs(), [rung(2, 85, 21.0), rung(4, 120, 25.0)]);
        assert_eq!(ladder.best_within(959).unwrap(), &rung(2, 85, 21.0));
        assert_eq!(ladder.best_within(960).unwrap(), &rung(4, 120, 25.0));
    }

    #[test]
    fn what_does_not_fit_falls_to_the_mean_colour() {
        let ladder = Ladder::new(MEAN, vec![rung(2, 85, 21.0)], 1000);
        assert!(ladder.best_within(679).unwrap().unfit());
        assert!(ladder.best_within(32).unwrap().unfit());
        assert!(!ladder.best_within(680).unwrap().unfit());
        assert!(Ladder::new(MEAN, vec![], 1000).best_within(1000).unwrap().unfit());
    }

    #[test]
    fn payloads_beyond_the_search_or_below_the_fallback_are_refused() {
        let ladder = Ladder::new(MEAN, vec![], 1000);
        for payload in [0, 31, 1001] {
            let error = ladder.best_within(payload).unwrap_err().to_string();
            assert!(error.contains("32 (") && error.contains("1000 ("), "{error}");
        }
    }

    proptest! {
        #[test]
        fn equals_a_search_through_all(
            points in proptest::collection::vec((1usize..60, 0u8..30), 0..40),
            payload in 32usize..480,
        ) {
            let candidates: Vec<Rung> = points
                .iter()
                .enumerate()
                .map(|(quality, &(bytes, psnr))| rung(quality, bytes, f64::from(psnr)))
                .collect();
            let ladder = Ladder::new(MEAN, candidates.clone(), 480);
            let best = ladder.best_within(payload).unwrap();
            let fitting = candidates.iter().filter(|rung| 8 * rung.bytes <= payload);
            match fitting.map(|rung| rung.psnr_db).reduce(f64::max) {
                Some(psnr_db) => prop_assert!(best.psnr_db == psnr_db && 8 * best.bytes <= payload),
                None => prop_assert!(best.unfit()),
            }
        }
    }
}
