//! Takes the features of each user out of the slots it received.

use super::Mapping;
use super::feature_mapper::kept_uses;
use crate::frame::{Destination, EqualizedFrame, EqualizedSlot, Phase, ReceivedFeatures};
use crate::kernel::FrameKernel;
use crate::{BlockError, Result};
use ndarray::{Array2, ArrayViewMut1, s};

/// Maps equalised symbols back to features: the inverse of [`super::FeatureMapper`].
///
/// Features come out as the symbols hold them, at unit average power per channel use (no receiver
/// learns the length of a vector before normalisation). Symbols that were not sent give zeros, and so do
/// slots that are missing. The SNR of a user is that of its private slot, of its common slot where it has
/// no other, and 0 where nothing arrived, which marks the user as lost.
#[derive(Clone, Debug)]
pub struct FeatureDemapper {
    mapping: Mapping,
    private_len: usize,
    common_len: usize,
    private_uses: usize,
    common_uses: usize,
}

impl FeatureDemapper {
    /// - private_len, common_len: real features per user, L_p, and per group, L_c
    /// - signalling_uses: symbols at the end of every private vector that are not sent
    /// - errors: an odd number of features where two share a channel use; nothing left to send
    pub fn new(
        mapping: Mapping,
        private_len: usize,
        common_len: usize,
        signalling_uses: usize,
    ) -> Result<Self> {
        let private_uses = kept_uses(mapping.num_uses(private_len)?, signalling_uses)?;
        let common_uses = mapping.num_uses(common_len)?;
        Ok(Self { mapping, private_len, common_len, private_uses, common_uses })
    }

    /// Writes the features of a slot to the front of a row.
    fn write(&self, slot: &EqualizedSlot, user: usize, mut row: ArrayViewMut1<'_, f32>) -> Result<()> {
        let expected = match slot.phase {
            Phase::Private => self.private_uses,
            Phase::Common => self.common_uses,
        };
        if slot.symbols.len() != expected {
            return Err(BlockError::shape("symbols of a slot", expected, slot.symbols.len()));
        }
        let reals = self.mapping.to_reals(&slot.symbols);
        if let Some((position, value)) = reals.iter().enumerate().find(|(_, real)| !real.is_finite()) {
            let what = "equalised feature vector";
            return Err(BlockError::NotFinite { what, who: format!("user {user}"), position, value: *value });
        }
        let mut front = row.slice_mut(s![..reals.len()]);
        front.iter_mut().zip(reals).for_each(|(feature, real)| *feature = real);
        Ok(())
    }
}

impl FrameKernel for FeatureDemapper {
    type In = EqualizedFrame;
    type Out = ReceivedFeatures;

    fn process(&mut self, frame: EqualizedFrame) -> Result<ReceivedFeatures> {
        let num_users = frame.grouping.num_users();
        if frame.users.len() != num_users {
            return Err(BlockError::shape("users of a received frame", num_users, frame.users.len()));
        }
        let mut private = Array2::zeros((num_users, self.private_len));
        let mut common = Array2::zeros((num_users, self.common_len));
        let mut snr = vec![0.0; num_users];
        let mut common_snr = vec![0.0; num_users];
        let mut lost = vec![true; num_users];
        for (user, slots) in frame.users.iter().enumerate() {
            let has = |phase| slots.iter().any(|slot| slot.phase == phase);
            let (has_private, has_common) = (has(Phase::Private), has(Phase::Common));
            for slot in slots {
                check_destination(slot, user, frame.grouping.group_of(user))?;
                let row = match slot.phase {
                    Phase::Private => private.row_mut(user),
                    Phase::Common => common.row_mut(user),
                };
                self.write(slot, user, row)?;
                if slot.phase == Phase::Private || !has_private {
                    snr[user] = slot.snr;
                }
                // Where something was sent in common and nothing arrived of it, nothing is known of it.
                if slot.phase == Phase::Common || (!has_common && self.common_len == 0) {
                    common_snr[user] = slot.snr;
                }
                lost[user] = false;
            }
        }
        Ok(ReceivedFeatures { frame: frame.frame, private, common, snr, common_snr, lost })
    }
}

/// A private slot must be the user's own, a common slot its group's.
fn check_destination(slot: &EqualizedSlot, user: usize, group: usize) -> Result<()> {
    let expected = match slot.phase {
        Phase::Private => Destination::User(user),
        Phase::Common => Destination::Group(group),
    };
    if slot.destination == expected {
        return Ok(());
    }
    Err(BlockError::shape(
        "destination of a slot",
        format!("{expected:?}"),
        format!("{:?}", slot.destination),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::FeatureMapper;
    use super::*;
    use crate::Grouping;
    use crate::frame::{Features, SymbolFrame};
    use ndarray::array;

    /// What users hear of a frame without noise.
    fn heard(frame: SymbolFrame) -> EqualizedFrame {
        let hears = |user: usize| {
            let group = frame.grouping.group_of(user);
            let own = [Destination::Group(group), Destination::User(user)];
            let slots = frame.slots.iter().filter(|slot| own.contains(&slot.destination));
            let equalized = slots.map(|slot| EqualizedSlot {
                destination: slot.destination,
                phase: slot.phase,
                symbols: slot.symbols.clone(),
                snr: if slot.phase == Phase::Private { 4.0 } else { 2.0 },
            });
            equalized.collect()
        };
        let users = (0..frame.grouping.num_users()).map(hears).collect();
        EqualizedFrame { frame: frame.frame, users, grouping: frame.grouping }
    }

    fn features() -> Features {
        let private = Array2::from_shape_fn((3, 6), |(user, place)| (10 * user + place) as f32 + 1.0);
        let common = array![[0.5, 0.25], [9.0, 9.0], [-1.0, -2.0]];
        Features { frame: 2, private, common, grouping: Grouping::new(vec![2, 0, 2], 3).unwrap() }
    }

    #[test]
    fn undoes_the_mapper_but_for_what_was_not_sent() {
        for (mapping, punctured) in [(Mapping::Iq, 4), (Mapping::Real, 2)] {
            let frame = FeatureMapper::new(mapping, 2).process(features()).unwrap();
            let mut demapper = FeatureDemapper::new(mapping, 6, 2, 2).unwrap();
            let received = demapper.process(heard(frame)).unwrap();
            let mut expected = features().private;
            expected.slice_mut(s![.., 6 - punctured..]).fill(0.0);
            assert_eq!(received.private, expected);
            assert_eq!(received.common, array![[-1.0, -2.0], [0.5, 0.25], [-1.0, -2.0]]);
            assert_eq!((received.frame, received.snr, received.lost), (2, vec![4.0; 3], vec![false; 3]));
            assert_eq!(received.common_snr, [2.0; 3]);
        }
    }

    #[test]
    fn missing_slots_give_zeros() {
        let mut frame = heard(FeatureMapper::new(Mapping::Iq, 0).process(features()).unwrap());
        frame.users[0].clear();
        frame.users[1].pop();
        frame.users[2].remove(0);
        let received = FeatureDemapper::new(Mapping::Iq, 6, 2, 0).unwrap().process(frame).unwrap();
        assert_eq!(received.lost, [true, false, false]);
        assert_eq!(received.snr, [0.0, 2.0, 4.0]);
        assert!(received.private.row(0).iter().chain(received.private.row(1)).all(|value| *value == 0.0));
        assert_eq!(received.common, array![[0.0, 0.0], [0.5, 0.25], [0.0, 0.0]]);
    }

    #[test]
    fn foreign_or_broken_slots_are_errors() {
        let error = |change: fn(&mut EqualizedFrame)| {
            let mut frame = heard(FeatureMapper::new(Mapping::Iq, 0).process(features()).unwrap());
            change(&mut frame);
            FeatureDemapper::new(Mapping::Iq, 6, 2, 0).unwrap().process(frame).unwrap_err().to_string()
        };
        assert!(error(|frame| frame.users[1][1].destination = Destination::All).contains("expected User(1)"));
        assert!(
            error(|frame| frame.users[1][0].destination = Destination::Group(2))
                .contains("expected Group(0)")
        );
        assert!(error(|frame| frame.users[2][1].symbols.truncate(2)).contains("expected 3, found 2"));
        assert!(error(|frame| frame.users[2][1].symbols[1].im = f32::NAN).contains("user 2"));
        assert!(error(|frame| frame.users.truncate(2)).contains("expected 3, found 2"));
        assert!(FeatureDemapper::new(Mapping::Iq, 5, 2, 0).is_err());
        assert!(FeatureDemapper::new(Mapping::Iq, 4, 2, 2).is_err());
    }
}
