//! What a budget of channel uses is made from, and which combinations are possible.

use super::clustering::check_counts;
use super::{Budget, HEADER_BITS_PER_USE, Mapping};
use crate::{BlockError, Result};
use serde::{Deserialize, Serialize};

/// Most channel uses of one vector: far beyond use, and small enough for all products to fit.
const MAX_USES: usize = 1 << 31;

/// What happens to the uses that a group saves by sharing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accounting {
    /// They make the common vector K/G times longer: N uses per image in any case.
    #[default]
    Pooled,
    /// They are saved: the common vector is as long as what it replaces in each private one.
    PerUser,
}

/// How features are shaped, which decides which lengths are possible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Maps of H/4 x W/4: lengths are whole numbers of map channels.
    #[default]
    Spatial,
    /// Vectors of any length, as in the group-splitting paper.
    Paper,
}

/// The choices that fix a budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetConfig {
    /// Complex channel uses per image N, everything counted.
    pub uses: usize,
    /// Ratio of common to all features rho, from 0 to below 1.
    pub rho: f64,
    /// Users K.
    pub num_users: usize,
    /// Groups G.
    pub num_groups: usize,
    /// Height of the images in pixels.
    pub height: usize,
    /// Width of the images in pixels.
    pub width: usize,
    /// What happens to the uses that a group saves.
    pub accounting: Accounting,
    /// Real features per channel use.
    pub mapping: Mapping,
    /// How features are shaped.
    pub family: Family,
}

impl BudgetConfig {
    /// Divides N into private and common uses.
    ///
    /// ```text
    /// spatial  a map channel takes m = HW/32 uses (HW/16 in real mapping), u = N / m, j = round(rho u):
    ///          private (u - j) m, common j m K/G pooled or j m per user
    /// paper    private round((1 - rho) N), common (N - private) K/G pooled or N - private per user
    /// ```
    /// - errors: no whole number of uses, channels or users per group; fewer users than groups; rho
    ///   outside [0, 1); nothing left for private features. Each says what is possible
    pub fn budget(self) -> Result<Budget> {
        check_counts(self.num_users, self.num_groups)?;
        if !(0.0..1.0).contains(&self.rho) {
            return Err(BlockError::invalid("rho", self.rho, "0 to below 1"));
        }
        if self.uses == 0 || self.uses > MAX_USES {
            return Err(BlockError::invalid("uses per image", self.uses, format!("1 to {MAX_USES}")));
        }
        let uses_per_channel = match self.family {
            Family::Spatial => Some(self.uses_per_channel()?),
            Family::Paper => None,
        };
        // The paper family is the spatial one with channels of one use.
        let unit = uses_per_channel.unwrap_or(1);
        let num_units = self.uses / unit;
        let shared = match self.family {
            Family::Spatial => (self.rho * num_units as f64).round() as usize,
            Family::Paper => num_units - ((1.0 - self.rho) * num_units as f64).round() as usize,
        };
        if shared >= num_units {
            let most = (num_units as f64 - 0.5) / num_units as f64;
            let allowed = format!("0 to below {most}, so that one of {num_units} parts stays private");
            return Err(BlockError::invalid("rho", self.rho, allowed));
        }
        let private_uses = (num_units - shared) * unit;
        let signalling_uses = if shared > 0 { signalling_uses(self.num_groups) } else { 0 };
        if signalling_uses >= private_uses {
            let allowed = format!(
                "more private uses than the {signalling_uses} of the signalling, where this leaves {private_uses}"
            );
            return Err(BlockError::invalid("uses per image", self.uses, allowed));
        }
        Ok(Budget {
            private_uses,
            common_uses: self.common_units(shared)? * unit,
            signalling_uses,
            effective_rho: shared as f64 / num_units as f64,
            uses_per_channel,
            num_users: self.num_users,
            num_groups: self.num_groups,
            mapping: self.mapping,
        })
    }

    /// Uses of one map channel, of which N must be a multiple.
    fn uses_per_channel(&self) -> Result<usize> {
        let size = format!("{} x {}", self.height, self.width);
        if !self.height.is_multiple_of(4) || !self.width.is_multiple_of(4) {
            return Err(BlockError::invalid("image size", size, "sides that are multiples of 4"));
        }
        let reals =
            (self.height / 4).checked_mul(self.width / 4).filter(|reals| (1..=MAX_USES).contains(reals));
        let reals = reals.ok_or_else(|| {
            BlockError::invalid("image size", &size, format!("1 to {MAX_USES} blocks of 4 x 4 pixels"))
        })?;
        if !reals.is_multiple_of(self.mapping.reals_per_use()) {
            let allowed = "an even number of blocks of 4 x 4 pixels for the iq mapping, or the real mapping";
            return Err(BlockError::invalid("image size", size, allowed));
        }
        let uses = reals / self.mapping.reals_per_use();
        if !self.uses.is_multiple_of(uses) {
            let below = self.uses / uses * uses;
            let nearest = if below > 0 { format!("{below} or {}", below + uses) } else { format!("{uses}") };
            let allowed = format!("a multiple of {uses}, the uses of one map channel; nearest {nearest}");
            return Err(BlockError::invalid("uses per image", self.uses, allowed));
        }
        Ok(uses)
    }

    /// Length of the common vector where each user shares `shared` units of its own.
    fn common_units(&self, shared: usize) -> Result<usize> {
        if self.accounting == Accounting::PerUser || shared == 0 {
            return Ok(shared);
        }
        let (users, groups) = (self.num_users, self.num_groups);
        let pooled = shared as u128 * users as u128;
        let divides = |groups: usize| pooled.is_multiple_of(groups as u128);
        if !divides(groups) {
            // One group always divides, and so do as many groups as users.
            let below = (1..groups).rev().find(|groups| divides(*groups)).unwrap_or(1);
            let above = (groups..=users).find(|groups| divides(*groups)).unwrap_or(users);
            let allowed = format!(
                "a number that divides {shared} x {users} users when uses are pooled; nearest {below} or {above}"
            );
            return Err(BlockError::invalid("groups", groups, allowed));
        }
        usize::try_from(pooled / groups as u128).ok().filter(|units| *units <= MAX_USES).ok_or_else(|| {
            BlockError::invalid(
                "uses per image",
                self.uses,
                format!("a common vector of at most {MAX_USES} uses"),
            )
        })
    }
}

/// Uses that tell a user the number of its group: ceil(log2 G) bits at the header's rate.
fn signalling_uses(num_groups: usize) -> usize {
    let bits = usize::BITS - num_groups.saturating_sub(1).leading_zeros();
    (f64::from(bits) / HEADER_BITS_PER_USE).ceil() as usize
}

#[cfg(test)]
mod tests {
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

    fn error(config: BudgetConfig) -> String {
        config.budget().unwrap_err().to_string()
    }

    #[test]
    fn every_whole_combination_spends_exactly_n() {
        for uses in (32..=1024).step_by(32) {
            for percent in 0..100 {
                for family in [Family::Spatial, Family::Paper] {
                    let config = BudgetConfig { uses, rho: f64::from(percent) / 100.0, family, ..config() };
                    match config.budget() {
                        Ok(budget) => assert_eq!(budget.uses_per_image(), uses as f64),
                        Err(error) => {
                            let text = error.to_string();
                            assert!(text.contains("stays private") || text.contains("signalling"), "{text}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn n_must_be_a_whole_number_of_channels() {
        let text = error(BudgetConfig { uses: 1000, ..config() });
        assert!(text.contains("uses per image = 1000") && text.contains("nearest 992 or 1024"), "{text}");
        assert!(error(BudgetConfig { uses: 5, ..config() }).ends_with("nearest 32"));
        let text = error(BudgetConfig { uses: 1056, mapping: Mapping::Real, ..config() });
        assert!(text.contains("nearest 1024 or 1088"), "{text}");
        assert!(error(BudgetConfig { uses: 0, ..config() }).contains("1 to"));
    }

    #[test]
    fn pooled_groups_must_come_out_even() {
        // j = 6: 300 pooled channels; 8 does not divide, 6 and 10 do.
        let text = error(BudgetConfig { num_groups: 8, ..config() });
        assert!(text.contains("groups = 8") && text.contains("nearest 6 or 10"), "{text}");
        assert!(error(BudgetConfig { num_groups: 51, ..config() }).contains("1 to 50"));
    }

    #[test]
    fn rho_must_leave_something_private() {
        for rho in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
            assert!(error(BudgetConfig { rho, ..config() }).contains("0 to below 1"));
        }
        let text = error(BudgetConfig { rho: 0.99, ..config() });
        assert!(text.contains("0 to below 0.984375"), "{text}");
        let text = error(BudgetConfig { uses: 20, rho: 0.8, family: Family::Paper, ..config() });
        assert!(text.contains("than the 8 of the signalling, where this leaves 4"), "{text}");
    }

    #[test]
    fn images_must_divide_into_blocks() {
        let size = |height, width| BudgetConfig { height, width, ..config() };
        assert!(error(size(30, 32)).contains("30 x 32") && error(size(30, 32)).contains("multiples of 4"));
        assert!(error(size(4, 4)).contains("even number"));
        assert!(error(size(0, 32)).contains("blocks of 4 x 4"));
        let huge = usize::MAX - 3;
        assert!(error(size(huge, huge)).contains("blocks of 4 x 4"));
        assert!(BudgetConfig { mapping: Mapping::Real, ..size(4, 4) }.budget().is_ok());
    }
}
