//! The budget of a frame: channel uses and energy, with everything that is sent counted.

use super::Mapping;
use std::fmt;

/// Information bits that one channel use of the header carries: QPSK at code rate 1/4.
pub const HEADER_BITS_PER_USE: f64 = 0.5;

/// How the channel uses of an image divide into private features, common features and signalling.
///
/// Made by [`super::BudgetConfig::budget`]. The signalling tells each user the number of its group,
/// ceil(log2 G) bits at [`HEADER_BITS_PER_USE`]; it is paid for by private symbols that are not sent, so
/// that every line of a figure spends the same N. It is nothing where nothing is common or G = 1.
/// Numbers are those of groups that all have users; an empty group sends less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    pub(super) private_uses: usize,
    pub(super) common_uses: usize,
    pub(super) signalling_uses: usize,
    pub(super) effective_rho: f64,
    /// Channel uses of one map channel; `None` where features are no maps.
    pub(super) uses_per_channel: Option<usize>,
    pub(super) num_users: usize,
    pub(super) num_groups: usize,
    pub(super) mapping: Mapping,
}

impl Budget {
    /// Channel uses of a private vector, its signalling included.
    pub fn private_uses(&self) -> usize {
        self.private_uses
    }

    /// Channel uses of the common vector of a group.
    pub fn common_uses(&self) -> usize {
        self.common_uses
    }

    /// Private symbols that are not sent, for the number of the group is sent instead.
    pub fn signalling_uses(&self) -> usize {
        self.signalling_uses
    }

    /// Private features per user L_p, signalling not taken off.
    pub fn private_len(&self) -> usize {
        self.private_uses * self.mapping.reals_per_use()
    }

    /// Common features per group L_c.
    pub fn common_len(&self) -> usize {
        self.common_uses * self.mapping.reals_per_use()
    }

    /// Map channels of private features; `None` where features are no maps.
    pub fn private_channels(&self) -> Option<usize> {
        self.uses_per_channel.map(|uses| self.private_uses / uses)
    }

    /// Map channels of the common feature of a group; `None` where features are no maps.
    pub fn common_channels(&self) -> Option<usize> {
        self.uses_per_channel.map(|uses| self.common_uses / uses)
    }

    /// The ratio of common to all features that whole numbers allow.
    pub fn effective_rho(&self) -> f64 {
        self.effective_rho
    }

    /// Channel uses sent per image: private + G common / K. With pooled accounting this is N exactly.
    pub fn uses_per_image(&self) -> f64 {
        let common_of_all = self.num_groups as f64 * self.common_uses as f64;
        self.private_uses as f64 + common_of_all / self.num_users as f64
    }

    /// Share of the uses sent that carries common vectors: how long the common phase of a frame lasts.
    pub fn common_share(&self) -> f64 {
        1.0 - self.private_uses as f64 / self.uses_per_image()
    }

    /// Channel uses each user listens to: its private vector and its group's common one.
    pub fn uses_received_per_user(&self) -> usize {
        self.private_uses + self.common_uses
    }

    /// Transmitted energy per image, each use having unit average power.
    pub fn energy_per_image(&self) -> f64 {
        self.uses_per_image()
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} uses per image (private {}, of which signalling {}; common {} per group, {} groups for {} \
             users; ratio {}), {} received per user, energy {} per image",
            self.uses_per_image(),
            self.private_uses,
            self.signalling_uses,
            self.common_uses,
            self.num_groups,
            self.num_users,
            self.effective_rho,
            self.uses_received_per_user(),
            self.energy_per_image(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Accounting, BudgetConfig, Family};
    use super::*;

    fn config() -> BudgetConfig {
        BudgetConfig {
            uses: 1024,
            rho: 0.2,
            num_users: 50,
            num_groups: 10,
            height: 32,
            width: 32,
            accounting: Accounting::Pooled,
            mapping: Mapping::Iq,
            family: Family::Spatial,
        }
    }

    #[test]
    fn the_default_of_the_spatial_family() {
        // u = 32 channels, j = round(6.4) = 6, c_p = 26, c_c = 30.
        let budget = config().budget().unwrap();
        assert_eq!((budget.private_channels(), budget.common_channels()), (Some(26), Some(30)));
        assert_eq!((budget.private_len(), budget.common_len()), (1664, 1920));
        assert_eq!((budget.private_uses(), budget.common_uses(), budget.signalling_uses()), (832, 960, 8));
        assert_eq!((budget.effective_rho(), budget.uses_per_image()), (0.1875, 1024.0));
        assert_eq!(budget.common_share(), 0.1875);
        assert_eq!((budget.uses_received_per_user(), budget.energy_per_image()), (1792, 1024.0));
        assert_eq!(
            budget.to_string(),
            "1024 uses per image (private 832, of which signalling 8; common 960 per group, 10 groups for \
             50 users; ratio 0.1875), 1792 received per user, energy 1024 per image"
        );
    }

    #[test]
    fn per_user_accounting_sends_less() {
        let budget = BudgetConfig { accounting: Accounting::PerUser, ..config() }.budget().unwrap();
        assert_eq!((budget.private_channels(), budget.common_channels()), (Some(26), Some(6)));
        assert_eq!(budget.uses_per_image(), 832.0 + 192.0 / 5.0);
        assert!((budget.common_share() - 38.4 / 870.4).abs() < 1e-12);
        assert_eq!(budget.uses_received_per_user(), 1024);
        // Any number of groups goes.
        let odd = BudgetConfig { accounting: Accounting::PerUser, num_groups: 7, ..config() };
        assert_eq!(odd.budget().unwrap().common_uses(), 192);
    }

    #[test]
    fn the_paper_family_rounds_to_whole_uses() {
        let budget = BudgetConfig { family: Family::Paper, ..config() }.budget().unwrap();
        // round(0.8 x 1024) = 819, 205 shared, times 5.
        assert_eq!((budget.private_uses(), budget.common_uses()), (819, 1025));
        assert_eq!((budget.private_channels(), budget.uses_per_image()), (None, 1024.0));
        assert_eq!(budget.effective_rho(), 205.0 / 1024.0);
        let any_size = BudgetConfig { family: Family::Paper, uses: 1000, height: 31, width: 7, ..config() };
        assert_eq!(any_size.budget().unwrap().uses_per_image(), 1000.0);
    }

    #[test]
    fn nothing_common_or_one_group_needs_no_signalling() {
        for family in [Family::Spatial, Family::Paper] {
            let alone = BudgetConfig { rho: 0.0, family, ..config() }.budget().unwrap();
            assert_eq!((alone.private_uses(), alone.common_uses(), alone.signalling_uses()), (1024, 0, 0));
            let together = BudgetConfig { num_groups: 1, family, ..config() }.budget().unwrap();
            assert_eq!((together.signalling_uses(), together.uses_per_image()), (0, 1024.0));
        }
        // A ratio that rounds to no channel at all.
        assert_eq!(BudgetConfig { rho: 0.01, ..config() }.budget().unwrap().signalling_uses(), 0);
    }

    #[test]
    fn signalling_counts_the_bits_of_a_group_number() {
        for (num_groups, uses) in [(2, 2), (5, 6), (10, 8), (25, 10), (50, 12)] {
            let budget = BudgetConfig { num_groups, ..config() }.budget().unwrap();
            assert_eq!(budget.signalling_uses(), uses, "{num_groups} groups");
        }
    }

    #[test]
    fn real_mapping_halves_the_channels() {
        let budget = BudgetConfig { mapping: Mapping::Real, ..config() }.budget().unwrap();
        // u = 16, j = round(3.2) = 3.
        assert_eq!((budget.private_channels(), budget.common_channels()), (Some(13), Some(15)));
        assert_eq!((budget.private_len(), budget.uses_per_image()), (832, 1024.0));
    }
}
