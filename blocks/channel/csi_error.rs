//! Lets the receiver know its channel only roughly: csi = h + e, e ~ CN(0, error variance).

use crate::frame::{Phase, ReceivedFrame};
use crate::kernel::FrameKernel;
use crate::rng::{Purpose, RngKey, complex_normal};
use crate::{BlockError, Result};

/// Adds an estimation error to the channel knowledge of every slot; symbols stay as they are.
///
/// - one error per stored coefficient, so one per slot under block fading
/// - the two phases are estimated independently, so that the private phase meets the same errors
///   whether or not something is sent in common
#[derive(Clone, Debug)]
pub struct CsiError {
    key: RngKey,
    variance: f32,
}

impl CsiError {
    /// Errors of a given variance per coefficient, where E|h|^2 = 1.
    ///
    /// - errors: a variance that is negative or not finite
    pub fn new(key: RngKey, variance: f32) -> Result<Self> {
        if variance.is_finite() && variance >= 0.0 {
            return Ok(Self { key, variance });
        }
        Err(BlockError::invalid("csi_error_variance", variance, "a finite number, at least 0"))
    }
}

impl FrameKernel for CsiError {
    type In = ReceivedFrame;
    type Out = ReceivedFrame;

    fn process(&mut self, mut frame: ReceivedFrame) -> Result<ReceivedFrame> {
        for (user, slots) in frame.users.iter_mut().enumerate() {
            for phase in [Phase::Common, Phase::Private] {
                let estimator = 2 * user + phase as usize;
                let mut stream = self.key.stream(Purpose::CsiError, frame.frame, estimator);
                for slot in slots.iter_mut().filter(|slot| slot.phase == phase) {
                    let errors = complex_normal(&mut stream, self.variance, slot.csi.len());
                    slot.csi.iter_mut().zip(errors).for_each(|(h, e)| *h += e);
                }
            }
        }
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grouping;
    use crate::frame::{Destination, ReceivedSlot};
    use num_complex::Complex32;

    fn frame(phases: &[Phase], coefficients: usize) -> ReceivedFrame {
        let slot = |&phase: &Phase| ReceivedSlot {
            destination: Destination::All,
            phase,
            symbols: vec![Complex32::new(0.5, 2.0); 3],
            csi: vec![Complex32::ONE; coefficients],
            noise_variance: 0.1,
        };
        let users = vec![phases.iter().map(slot).collect(); 2];
        ReceivedFrame { frame: 6, grouping: Grouping::singletons(2), users }
    }

    fn disturbed(variance: f32, input: ReceivedFrame) -> ReceivedFrame {
        CsiError::new(RngKey::new(8), variance).unwrap().process(input).unwrap()
    }

    #[test]
    fn errors_have_the_stated_variance_and_spare_the_symbols() {
        // 200,000 coefficients: standard error 0.22 % of the variance; 4 sigma.
        let input = frame(&[Phase::Common, Phase::Private], 50_000);
        let output = disturbed(0.04, input.clone());
        let mut power = 0.0;
        for (before, after) in input.users.iter().flatten().zip(output.users.iter().flatten()) {
            assert_eq!((&before.symbols, before.noise_variance), (&after.symbols, after.noise_variance));
            power += after.csi.iter().map(|h| f64::from((h - Complex32::ONE).norm_sqr())).sum::<f64>();
        }
        assert!((power / 200_000.0 / 0.04 - 1.0).abs() < 0.009, "{power}");
    }

    #[test]
    fn the_private_phase_meets_the_same_errors_with_and_without_a_common_one() {
        let both = disturbed(0.1, frame(&[Phase::Common, Phase::Private], 1));
        let private = disturbed(0.1, frame(&[Phase::Private], 1));
        for user in 0..2 {
            assert_eq!(both.users[user][1], private.users[user][0]);
            assert_ne!(both.users[user][0].csi, both.users[user][1].csi);
        }
        assert_ne!(both.users[0][1].csi, both.users[1][1].csi);
    }

    #[test]
    fn zero_variance_changes_nothing_and_impossible_ones_are_refused() {
        let input = frame(&[Phase::Private], 2);
        assert_eq!(disturbed(0.0, input.clone()), input);
        for wrong in [-0.1, f32::NAN, f32::INFINITY] {
            assert!(CsiError::new(RngKey::new(8), wrong).is_err(), "{wrong}");
        }
    }
}
