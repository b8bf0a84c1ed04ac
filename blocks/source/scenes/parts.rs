//! The parts of a scene, and the stream of random numbers that each is drawn from.

use super::dice::Dice;
use super::object::NUM_OBJECTS;
use crate::rng::{Purpose, RngKey};

/// A part that is drawn on its own, so that it can be shared on its own. The numbers are part of
/// every scene: append, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Palette,
    Ground,
    Texture,
    Light,
    Object(usize),
    /// Never shared.
    Detail,
    /// Never shared.
    Grain,
    /// The draws that decide which parts are shared.
    Sharing,
}

/// Number of parts that can be shared: the first four and the objects.
pub(super) const NUM_SHAREABLE: usize = 4 + NUM_OBJECTS;
/// Streams set apart for each user and each group.
const STREAMS: usize = 16;

impl Part {
    pub fn number(self) -> usize {
        match self {
            Self::Palette => 0,
            Self::Ground => 1,
            Self::Texture => 2,
            Self::Light => 3,
            Self::Object(place) => 4 + place,
            Self::Detail => NUM_SHAREABLE,
            Self::Grain => NUM_SHAREABLE + 1,
            Self::Sharing => NUM_SHAREABLE + 2,
        }
    }

    /// Whether the part lies behind the objects, or colours them all.
    pub fn is_backdrop(number: usize) -> bool {
        number < 4
    }
}

/// Who draws a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    User(usize),
    Group(usize),
}

/// The draws of one part of one owner in one frame.
pub(super) fn stream(key: RngKey, frame: u64, owner: Owner, part: Part) -> Dice {
    let owner = match owner {
        Owner::User(user) => 2 * user,
        Owner::Group(group) => 2 * group + 1,
    };
    Dice::new(key.stream(Purpose::Scene, frame, owner * STREAMS + part.number()))
}

/// The draws that deal the users of a frame to groups.
pub(super) fn membership_stream(key: RngKey, frame: u64) -> Dice {
    // No owner reaches the last stream: users are far fewer.
    Dice::new(key.stream(Purpose::Scene, frame, usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_part_of_every_owner_has_its_own_stream() {
        let mut parts = vec![Part::Palette, Part::Ground, Part::Texture, Part::Light];
        parts.extend((0..NUM_OBJECTS).map(Part::Object));
        parts.extend([Part::Detail, Part::Grain, Part::Sharing]);
        assert!(parts.iter().all(|p| p.number() < STREAMS));
        assert_eq!(parts.iter().filter(|p| p.number() < NUM_SHAREABLE).count(), NUM_SHAREABLE);
        let key = RngKey::new(1);
        let mut seen = BTreeSet::from([membership_stream(key, 0).bits()]);
        for number in 0..5 {
            for owner in [Owner::User(number), Owner::Group(number)] {
                for part in &parts {
                    assert!(seen.insert(stream(key, 0, owner, *part).bits()), "{owner:?} {part:?}");
                }
            }
        }
    }
}
