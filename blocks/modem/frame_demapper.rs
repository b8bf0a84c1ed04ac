//! The kernel that turns what users received into soft bits.
//!
//! It takes r = h x + n as it is: for one known coefficient h, zero forcing and unbiased MMSE scale symbol and
//! noise alike, so that their LLRs are the same as these, and no equaliser stands before it.

use super::{Demapping, SoftDemapper};
use crate::coding::BlockPlan;
use crate::frame::{LlrFrame, ReceivedFrame, ReceivedSlot};
use crate::kernel::FrameKernel;
use crate::{BlockError, Result};
use num_complex::Complex32;
use rayon::prelude::*;
use std::sync::Arc;

/// Computes the LLRs of the one block that each user hears, in one slot or, where the plan's blocks span both
/// phases, in two.
///
/// - slots `[K][1]` of N symbols, or `[K][2]` of N together -> llrs `[K][N Q_m]`
/// - what the receiver believes of h, and the slot's noise variance, are used as they stand
/// - a user that hears nothing has erasures
/// - errors: a user that hears another number of slots
#[derive(Clone, Debug)]
pub struct FrameDemapper {
    plan: Arc<BlockPlan>,
    method: Demapping,
}

impl FrameDemapper {
    /// A demapper for a plan.
    pub fn new(plan: Arc<BlockPlan>, method: Demapping) -> Self {
        Self { plan, method }
    }
}

impl FrameKernel for FrameDemapper {
    type In = ReceivedFrame;
    type Out = LlrFrame;

    fn process(&mut self, received: ReceivedFrame) -> Result<LlrFrame> {
        let ReceivedFrame { frame, users, .. } = received;
        let demap = |(user, slots): (usize, &Vec<ReceivedSlot>)| {
            let format = self.plan.format_of(frame, user);
            let modulation = format.scheme().modulation();
            let demapper = SoftDemapper::new(modulation, self.method);
            match (slots.as_slice(), self.plan.span().phases().count()) {
                ([], _) => Ok(vec![0.0; format.coded_len()]),
                ([slot], 1) => demapper.demap(&slot.symbols, &slot.csi, &[slot.noise_variance]),
                ([common, private], 2) => {
                    let span = self.plan.span();
                    let symbols = span.join(&common.symbols, &private.symbols)?;
                    let csi = span.join(&csi_of(common)?, &csi_of(private)?)?;
                    let noise = span.join(&noise_of(common), &noise_of(private))?;
                    demapper.demap(&symbols, &csi, &noise)
                }
                (slots, expected) => {
                    let what = "slots that a user of a digital line hears";
                    Err(BlockError::shape(what, expected, slots.len()))
                }
            }
        };
        let users = users.par_iter().enumerate().map(demap).collect::<Result<Vec<_>>>()?;
        Ok(LlrFrame { frame, users })
    }
}

/// What the receiver believes of h, for every symbol.
fn csi_of(slot: &ReceivedSlot) -> Result<Vec<Complex32>> {
    match (slot.csi.as_slice(), slot.symbols.len()) {
        ([h], len) => Ok(vec![*h; len]),
        (csi, len) if csi.len() == len => Ok(csi.to_vec()),
        (csi, len) => {
            Err(BlockError::shape("coefficients of channel knowledge", format!("1 or {len}"), csi.len()))
        }
    }
}

fn noise_of(slot: &ReceivedSlot) -> Vec<f32> {
    vec![slot.noise_variance; slot.symbols.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grouping;
    use crate::coding::{Recipients, TransportFormat};
    use crate::equalizer::Equalizer;
    use crate::frame::{Destination, Phase};
    use crate::rng::{Purpose, RngKey, complex_normal};

    fn received(slots: usize) -> ReceivedFrame {
        let slot = |user: usize| {
            let mut rng = RngKey::new(2).stream(Purpose::NoisePrivate, 0, user);
            ReceivedSlot {
                destination: Destination::User(user),
                phase: Phase::Private,
                symbols: complex_normal(&mut rng, 1.1, 64),
                csi: complex_normal(&mut rng, 1.0, 1),
                noise_variance: 0.1,
            }
        };
        let users = (0..3).map(|user| vec![slot(user); slots]).collect();
        ReceivedFrame { frame: 5, grouping: Grouping::singletons(3), users }
    }

    fn demapper(name: &str) -> FrameDemapper {
        let format = TransportFormat::new(name.parse().unwrap(), 64).unwrap();
        FrameDemapper::new(Arc::new(BlockPlan::fixed(format, Recipients::Each)), Demapping::Exact)
    }

    #[test]
    fn llrs_are_those_of_the_demapper_and_of_an_equaliser_without_bias() {
        let input = received(1);
        let found = demapper("16qam-1/2").process(input.clone()).unwrap();
        assert_eq!((found.frame, found.users.len()), (5, 3));
        let equalized = Equalizer::Zf.process(input.clone()).unwrap();
        for ((llrs, slots), equalized) in found.users.iter().zip(&input.users).zip(&equalized.users) {
            let slot = &slots[0];
            let demapper = SoftDemapper::new(super::super::Modulation::Qam16, Demapping::Exact);
            assert_eq!(*llrs, demapper.demap(&slot.symbols, &slot.csi, &[0.1]).unwrap());
            let behind = 0.1 / slot.csi[0].norm_sqr();
            let one = [num_complex::Complex32::ONE];
            let expected = demapper.demap(&equalized[0].symbols, &one, &[behind]).unwrap();
            assert!(llrs.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-3 * (1.0 + b.abs())));
        }
    }

    #[test]
    fn two_slots_give_the_llrs_of_their_symbols_in_code_order() {
        let plan = demapper("16qam-1/2").plan;
        let plan = plan.as_ref().clone().spanning(0.25).unwrap();
        let mut input = received(2);
        for slots in &mut input.users {
            let [common, private] = slots.as_mut_slice() else { unreachable!("two were made") };
            common.phase = Phase::Common;
            common.symbols.truncate(16);
            private.symbols.truncate(48);
            (private.csi[0], private.noise_variance) = (Complex32::new(-0.4, 0.8), 0.3);
        }
        let mut two = FrameDemapper::new(Arc::new(plan.clone()), Demapping::Exact);
        let found = two.process(input.clone()).unwrap();
        for (llrs, slots) in found.users.iter().zip(&input.users) {
            let demap = |slot: &ReceivedSlot| {
                let demapper = SoftDemapper::new(super::super::Modulation::Qam16, Demapping::Exact);
                demapper.demap(&slot.symbols, &slot.csi, &[slot.noise_variance]).unwrap()
            };
            let (common, private) = (demap(&slots[0]), demap(&slots[1]));
            let [common, private] = [&common, &private].map(|llrs| llrs.chunks(4).collect::<Vec<_>>());
            assert_eq!(*llrs, plan.span().join(&common, &private).unwrap().concat());
        }
        input.users[1][0].csi = vec![Complex32::ONE; 2];
        let error = two.process(input).unwrap_err().to_string();
        assert!(error.contains("expected 1 or 16, found 2"), "{error}");
        let error = two.process(received(1)).unwrap_err().to_string();
        assert!(error.contains("expected 2, found 1"), "{error}");
    }

    #[test]
    fn users_without_a_slot_have_erasures_and_those_with_two_are_refused() {
        let error = demapper("qpsk-1/2").process(received(2)).unwrap_err().to_string();
        assert!(error.contains("expected 1, found 2"), "{error}");
        let mut one_lost = received(1);
        one_lost.users[1].clear();
        let found = demapper("qpsk-1/2").process(one_lost).unwrap();
        assert_eq!(found.users[1], [0.0; 128]);
        assert_eq!(found.users[0], demapper("qpsk-1/2").process(received(1)).unwrap().users[0]);
    }
}
