//! The clustering block: puts the users of a frame into groups by one of four strategies.

use super::{balanced_clusters, check_counts, kmeans, unit_rows};
use crate::frame::{EncodedUsers, GroupedUsers};
use crate::kernel::FrameKernel;
use crate::rng::{KeyedRng, Purpose, RngKey};
use crate::{BlockError, Grouping, Result};
use ndarray::ArrayView2;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// How users are put into groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// By similar private features, sizes floor(K/G) or ceil(K/G): Algorithm 1 of the group-splitting paper.
    #[default]
    Balanced,
    /// By similar private features, of any size; empty groups send nothing.
    Kmeans,
    /// Users in order, K/G at a time: the paper's lines without "-C".
    Sequential,
    /// Users in random order, K/G at a time.
    Random,
}

impl Strategy {
    /// Groups the users of one frame.
    ///
    /// - features: private features, `[K, L_p]`
    /// - returns: the group of each user, `[K]`
    /// - errors: fewer users than groups, no group; for the strategies that look at features also NaN
    ///   and infinity, naming the user
    pub fn group(
        self,
        features: ArrayView2<'_, f32>,
        num_groups: usize,
        rng: &mut KeyedRng,
    ) -> Result<Vec<usize>> {
        let num_users = features.nrows();
        check_counts(num_users, num_groups)?;
        match self {
            Self::Balanced => balanced_clusters(features, num_groups, rng),
            Self::Kmeans => Ok(kmeans(&unit_rows(features)?, num_groups, rng)?.nearest().to_vec()),
            Self::Sequential => Ok(in_order(num_users, num_groups)),
            Self::Random => {
                let mut groups = in_order(num_users, num_groups);
                groups.shuffle(rng);
                Ok(groups)
            }
        }
    }
}

/// Consecutive users share a group; sizes floor(K/G) or ceil(K/G).
fn in_order(num_users: usize, num_groups: usize) -> Vec<usize> {
    (0..num_users).map(|user| (user as u128 * num_groups as u128 / num_users as u128) as usize).collect()
}

/// Puts the users of every frame into groups, on their private features.
///
/// Randomness comes from the stream of [`Purpose::Clustering`] of the frame.
#[derive(Clone, Debug)]
pub struct Clusterer {
    strategy: Strategy,
    num_users: usize,
    num_groups: usize,
    key: RngKey,
}

impl Clusterer {
    /// A block that groups `num_users` users into `num_groups` groups.
    ///
    /// - errors: no group, or more groups than users
    pub fn new(strategy: Strategy, num_users: usize, num_groups: usize, key: RngKey) -> Result<Self> {
        check_counts(num_users, num_groups)?;
        Ok(Self { strategy, num_users, num_groups, key })
    }
}

impl FrameKernel for Clusterer {
    type In = EncodedUsers;
    type Out = GroupedUsers;

    fn process(&mut self, users: EncodedUsers) -> Result<GroupedUsers> {
        if users.private.nrows() != self.num_users {
            return Err(BlockError::shape("users of a frame", self.num_users, users.private.nrows()));
        }
        let mut rng = self.key.stream(Purpose::Clustering, users.frame, 0);
        let groups = self.strategy.group(users.private.view(), self.num_groups, &mut rng)?;
        Ok(GroupedUsers { users, grouping: Grouping::new(groups, self.num_groups)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::normal;
    use ndarray::{Array2, Array4};

    fn users(frame: u64, num_users: usize) -> EncodedUsers {
        let mut rng = RngKey::new(11).stream(Purpose::Scene, frame, 0);
        let private = Array2::from_shape_fn((num_users, 12), |_| normal(&mut rng));
        EncodedUsers { frame, maps: Array4::zeros((num_users, 0, 0, 0)), private }
    }

    fn groups(strategy: Strategy, frame: u64) -> Grouping {
        let mut clusterer = Clusterer::new(strategy, 50, 10, RngKey::new(3)).unwrap();
        clusterer.process(users(frame, 50)).unwrap().grouping
    }

    #[test]
    fn sizes_are_as_each_strategy_promises() {
        for strategy in [Strategy::Balanced, Strategy::Sequential, Strategy::Random] {
            assert_eq!(groups(strategy, 0).sizes(), [5; 10], "{strategy:?}");
        }
        assert_eq!(groups(Strategy::Kmeans, 0).sizes().iter().sum::<usize>(), 50);
        assert_eq!(in_order(7, 3), [0, 0, 0, 1, 1, 2, 2]);
        assert_eq!(groups(Strategy::Sequential, 0).members()[1], [5, 6, 7, 8, 9]);
    }

    #[test]
    fn the_same_frame_gives_the_same_groups_and_another_frame_others() {
        for strategy in [Strategy::Balanced, Strategy::Kmeans, Strategy::Random] {
            assert_eq!(groups(strategy, 4), groups(strategy, 4));
            assert_ne!(groups(strategy, 4), groups(strategy, 5));
        }
    }

    #[test]
    fn impossible_counts_say_what_is_possible() {
        let new = |users, groups| Clusterer::new(Strategy::Balanced, users, groups, RngKey::new(0));
        let error = new(4, 5).unwrap_err().to_string();
        assert!(error.contains("groups = 5") && error.contains("1 to 4"), "{error}");
        assert!(new(4, 0).is_err() && new(0, 1).is_err() && new(4, 4).is_ok());
        let error = new(4, 2).unwrap().process(users(0, 3)).unwrap_err().to_string();
        assert!(error.contains("expected 4, found 3"), "{error}");
    }

    #[test]
    fn names_are_snake_case() {
        let parsed: Strategy = serde::Deserialize::deserialize(serde::de::value::StrDeserializer::<
            serde::de::value::Error,
        >::new("sequential"))
        .unwrap();
        assert_eq!(parsed, Strategy::Sequential);
    }
}
