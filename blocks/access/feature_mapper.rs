//! Puts the features of a frame into slots: one per group, then one per user.

use super::Mapping;
use crate::frame::{Destination, Features, Phase, Slot, SymbolFrame};
use crate::kernel::FrameKernel;
use crate::{BlockError, Result};
use num_complex::Complex32;

/// Maps features to symbols.
///
/// ```text
/// common [G, L_c]  >  one slot per group that has users  (none if L_c = 0)
/// private [K, L_p] >  one slot per user, its last `signalling_uses` symbols not sent
/// ```
/// What is not sent pays for telling each user the number of its group: see [`super::Budget`].
/// Powers are left as they are; [`super::PowerNorm`] follows.
#[derive(Clone, Debug)]
pub struct FeatureMapper {
    mapping: Mapping,
    signalling_uses: usize,
}

impl FeatureMapper {
    /// - signalling_uses: symbols at the end of every private vector that are not sent
    pub fn new(mapping: Mapping, signalling_uses: usize) -> Self {
        Self { mapping, signalling_uses }
    }

    fn common_slots(&self, features: &Features) -> Result<Vec<Slot>> {
        let (rows, len) = features.common.dim();
        if len == 0 {
            return Ok(vec![]);
        }
        let sizes = features.grouping.sizes();
        if rows != sizes.len() {
            return Err(BlockError::shape("rows of common features", sizes.len(), rows));
        }
        let filled = (0..rows).filter(|group| sizes[*group] > 0);
        filled
            .map(|group| {
                let symbols = self.mapping.to_symbols(&features.common.row(group).to_vec())?;
                Ok(Slot { destination: Destination::Group(group), phase: Phase::Common, symbols })
            })
            .collect()
    }

    fn private_slots(&self, features: &Features) -> Result<Vec<Slot>> {
        let (rows, len) = features.private.dim();
        if rows != features.grouping.num_users() {
            return Err(BlockError::shape("rows of private features", features.grouping.num_users(), rows));
        }
        let kept = kept_uses(self.mapping.num_uses(len)?, self.signalling_uses)?;
        if len == 0 {
            return Ok(vec![]);
        }
        features
            .private
            .rows()
            .into_iter()
            .enumerate()
            .map(|(user, row)| {
                let mut symbols: Vec<Complex32> = self.mapping.to_symbols(&row.to_vec())?;
                symbols.truncate(kept);
                Ok(Slot { destination: Destination::User(user), phase: Phase::Private, symbols })
            })
            .collect()
    }
}

/// Symbols of a private vector that are sent: all but the signalling, one at least.
pub(super) fn kept_uses(private_uses: usize, signalling_uses: usize) -> Result<usize> {
    match private_uses.checked_sub(signalling_uses) {
        Some(kept) if kept > 0 || signalling_uses == 0 => Ok(kept),
        _ => Err(BlockError::invalid(
            "signalling uses",
            signalling_uses,
            format!("fewer than the {private_uses} uses of a private vector"),
        )),
    }
}

impl FrameKernel for FeatureMapper {
    type In = Features;
    type Out = SymbolFrame;

    fn process(&mut self, features: Features) -> Result<SymbolFrame> {
        let mut slots = self.common_slots(&features)?;
        slots.extend(self.private_slots(&features)?);
        Ok(SymbolFrame { frame: features.frame, grouping: features.grouping, slots })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grouping;
    use ndarray::{Array2, array};

    fn features() -> Features {
        let grouping = Grouping::new(vec![2, 0, 2], 3).unwrap();
        let private = array![[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0]];
        Features { frame: 6, private, common: array![[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], grouping }
    }

    #[test]
    fn groups_first_then_users_and_empty_groups_are_silent() {
        let frame = FeatureMapper::new(Mapping::Iq, 1).process(features()).unwrap();
        let expected = [
            (Destination::Group(0), Phase::Common, Complex32::new(0.1, 0.2)),
            (Destination::Group(2), Phase::Common, Complex32::new(0.5, 0.6)),
            (Destination::User(0), Phase::Private, Complex32::new(1.0, 2.0)),
            (Destination::User(1), Phase::Private, Complex32::new(5.0, 6.0)),
            (Destination::User(2), Phase::Private, Complex32::new(9.0, 10.0)),
        ];
        assert_eq!(frame.frame, 6);
        assert_eq!(frame.slots.len(), expected.len());
        for (slot, (destination, phase, symbol)) in frame.slots.iter().zip(expected) {
            // The second private symbol is punctured.
            assert_eq!(
                (slot.destination, slot.phase, &slot.symbols[..]),
                (destination, phase, &[symbol][..])
            );
        }
    }

    #[test]
    fn no_common_features_no_common_slots() {
        let only_private = Features { common: Array2::zeros((3, 0)), ..features() };
        let frame = FeatureMapper::new(Mapping::Real, 0).process(only_private).unwrap();
        assert_eq!(frame.slots.len(), 3);
        assert!(frame.slots.iter().all(|slot| slot.symbols.len() == 4));
        let only_common = Features { private: Array2::zeros((3, 0)), ..features() };
        assert_eq!(FeatureMapper::new(Mapping::Iq, 0).process(only_common).unwrap().slots.len(), 2);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let error =
            |mapper: FeatureMapper, features| mapper.clone().process(features).unwrap_err().to_string();
        let plain = FeatureMapper::new(Mapping::Iq, 0);
        let odd = Features { private: Array2::ones((3, 5)), ..features() };
        assert!(error(plain.clone(), odd).contains("features per vector = 5"));
        let rows = Features { private: Array2::ones((2, 4)), ..features() };
        assert!(error(plain.clone(), rows).contains("rows of private features: expected 3, found 2"));
        let groups = Features { common: Array2::ones((2, 4)), ..features() };
        assert!(error(plain, groups).contains("rows of common features: expected 3, found 2"));
        assert!(error(FeatureMapper::new(Mapping::Iq, 2), features()).contains("fewer than the 2 uses"));
    }
}
