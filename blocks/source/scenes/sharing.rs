//! Who shares what: members of each group, and the parts of a scene that a user takes from it.

use super::config::Correlation;
use super::parts::{NUM_SHAREABLE, Owner, Part, membership_stream, stream};
use crate::rng::RngKey;

/// The group of each user of a frame: a random deal into groups of floor(K / G) or ceil(K / G).
pub(super) fn membership(key: RngKey, frame: u64, users: usize, groups: usize) -> Vec<usize> {
    let mut of_user: Vec<usize> = (0..users).map(|user| user % groups).collect();
    membership_stream(key, frame).shuffle(&mut of_user);
    of_user
}

/// One picture's place among others, and the owner of each of its parts.
pub(super) struct Cast {
    key: RngKey,
    frame: u64,
    user: usize,
    group: usize,
    shared: [bool; NUM_SHAREABLE],
}

impl Cast {
    /// A picture that shares nothing.
    pub fn independent(key: RngKey, index: usize) -> Self {
        Self { key, frame: index as u64, user: 0, group: 0, shared: [false; NUM_SHAREABLE] }
    }

    /// The picture of a user of a group. The user's draw for each part is compared with the part's
    /// probability, so that a larger share keeps what a smaller one had in common.
    pub fn member(key: RngKey, frame: u64, user: usize, group: usize, correlation: &Correlation) -> Self {
        let mut dice = stream(key, frame, Owner::User(user), Part::Sharing);
        let backdrop = (2.0 * correlation.share).min(1.0);
        let shared = std::array::from_fn(|number| {
            dice.unit() < if Part::is_backdrop(number) { backdrop } else { correlation.share }
        });
        Self { key, frame, user, group, shared }
    }

    /// Who draws a part of this picture.
    fn owner(&self, part: Part) -> Owner {
        match self.shared.get(part.number()) {
            Some(true) => Owner::Group(self.group),
            _ => Owner::User(self.user),
        }
    }

    /// The draws for a part.
    pub fn dice(&self, part: Part) -> super::dice::Dice {
        stream(self.key, self.frame, self.owner(part), part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: u64 = 3;

    fn member(user: usize, share: f32) -> Cast {
        let correlation = Correlation { users: 1000, groups: 10, share };
        Cast::member(RngKey::new(KEY), 0, user, 7, &correlation)
    }

    fn counts(share: f32) -> (usize, usize) {
        let casts: Vec<Cast> = (0..1000).map(|user| member(user, share)).collect();
        let count = |from: usize, to: usize| {
            casts.iter().map(|c| c.shared[from..to].iter().filter(|s| **s).count()).sum()
        };
        (count(0, 4), count(4, NUM_SHAREABLE))
    }

    #[test]
    fn parts_are_shared_with_the_stated_probability() {
        assert_eq!(counts(0.0), (0, 0));
        assert_eq!(counts(1.0), (4000, 5000));
        // Standard deviations: 31.6 of 4,000 at 1/2, 30.6 of 5,000 at 1/4, 35.4 at 1/2; 4 sigma.
        let ((backdrop, few), (all, half)) = (counts(0.25), counts(0.5));
        assert!(backdrop.abs_diff(2000) < 127 && few.abs_diff(1250) < 123, "{backdrop} {few}");
        assert!(all == 4000 && half.abs_diff(2500) < 142, "{all} {half}");
    }

    #[test]
    fn detail_and_grain_are_always_private() {
        let cast = member(5, 1.0);
        assert_eq!(cast.owner(Part::Object(0)), Owner::Group(7));
        for part in [Part::Detail, Part::Grain, Part::Sharing] {
            assert_eq!(cast.owner(part), Owner::User(5));
        }
    }

    #[test]
    fn users_are_dealt_at_random() {
        let key = RngKey::new(KEY);
        assert_ne!(membership(key, 0, 50, 10), membership(key, 1, 50, 10));
        // Users 0 and 1 of 50 share a group of 5 with probability 4/49: 163 of 2,000 frames, with a
        // standard deviation of 12.2; 4 sigma.
        let together = (0..2000)
            .filter(|f| {
                let of_user = membership(key, *f, 50, 10);
                of_user[0] == of_user[1]
            })
            .count();
        assert!(together.abs_diff(163) < 50, "{together}");
    }

    proptest! {
        #[test]
        fn groups_are_balanced(users in 1usize..200, pick in 0usize..200, frame in any::<u64>()) {
            let groups = 1 + pick % users;
            let mut sizes = vec![0; groups];
            membership(RngKey::new(KEY), frame, users, groups).into_iter().for_each(|g| sizes[g] += 1);
            prop_assert!(sizes.iter().all(|s| *s == users / groups || *s == users.div_ceil(groups)));
        }

        #[test]
        fn a_larger_share_keeps_what_was_common(user in 0usize..1000, a in 0f32..=1.0, b in 0f32..=1.0) {
            let (less, more) = (member(user, a.min(b)), member(user, a.max(b)));
            prop_assert!(less.shared.iter().zip(more.shared).all(|(l, m)| !l || m));
        }
    }
}
