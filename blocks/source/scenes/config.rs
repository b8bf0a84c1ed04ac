//! What scenes to make.

use crate::{BlockError, Result};
use serde::{Deserialize, Serialize};

/// Shortest side that still shows an object.
const MIN_SIDE: usize = 8;
/// Longest side.
const MAX_SIDE: usize = 4096;
/// Most images in a set, and most users in a frame.
const MAX_LEN: usize = 1_000_000_000;
const MAX_USERS: usize = 1_000_000;

/// A set of procedural scenes. Equal configurations give equal pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SceneConfig {
    /// Pixels, 8 to 4,096; default 32.
    pub height: usize,
    /// Pixels, 8 to 4,096; default 32.
    pub width: usize,
    /// Number of scenes, 1 to 1e9; default 10,000. A longer set begins with the same scenes.
    pub len: usize,
    /// Seed of the set; default 0.
    pub seed: u64,
    /// Scenes that share content within groups. `None`: all are independent.
    pub correlation: Option<Correlation>,
}

/// Groups of scenes that share content.
///
/// Image i belongs to user i mod `users` of frame i / `users`. In every frame the users are dealt
/// at random, in equal shares, to `groups` groups. Of the group's scene a user shows
///
/// | part | with probability |
/// |---|---|
/// | palette, ground, texture, light: each | min(1, 2 share) |
/// | each object | share |
/// | one small detail, sensor grain | 0 |
///
/// and its own elsewhere: half the way the group has one backdrop and about every second object, in
/// the end one picture but for the details. Raising `share` only adds common parts. The
/// distribution of a single picture does not depend on `share`.
///
/// At 32 x 32 and share 0, 0.25, 0.5, 0.75 and 1, the mean squared difference of two pictures of a
/// group is 1.00, 0.89, 0.30, 0.19 and 0.014 of that across groups.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correlation {
    /// Users in a frame, K: 1 to 1e6.
    pub users: usize,
    /// True groups in a frame, G: 1 to K, with floor(K / G) or ceil(K / G) members.
    pub groups: usize,
    /// Degree of shared content, 0 to 1.
    pub share: f32,
}

impl Default for SceneConfig {
    fn default() -> Self {
        Self { height: 32, width: 32, len: 10_000, seed: 0, correlation: None }
    }
}

impl SceneConfig {
    /// Fails on the first value that is out of range.
    pub fn validate(&self) -> Result<()> {
        let within = |name, found: usize, low: usize, high: usize| match (low..=high).contains(&found) {
            true => Ok(()),
            false => Err(BlockError::invalid(name, found, format!("{low} to {high}"))),
        };
        within("scene height", self.height, MIN_SIDE, MAX_SIDE)?;
        within("scene width", self.width, MIN_SIDE, MAX_SIDE)?;
        within("number of scenes", self.len, 1, MAX_LEN)?;
        if let Some(Correlation { users, groups, share }) = self.correlation {
            within("users of correlated scenes", users, 1, MAX_USERS)?;
            within("groups of correlated scenes", groups, 1, users)?;
            if !(0.0..=1.0).contains(&share) {
                return Err(BlockError::invalid("share of correlated scenes", share, "0 to 1"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(change: impl FnOnce(&mut SceneConfig)) -> String {
        let correlation = Some(Correlation { users: 10, groups: 2, share: 0.5 });
        let mut config = SceneConfig { correlation, ..SceneConfig::default() };
        config.validate().unwrap();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn what_is_out_of_range_is_named_with_its_range() {
        assert!(message(|c| c.height = 7).contains("scene height = 7 is not possible: allowed is 8 to 4096"));
        assert!(message(|c| c.width = 5000).contains("5000"));
        assert!(message(|c| c.len = 0).contains("number of scenes"));
        let with =
            |users, groups, share| message(|c| c.correlation = Some(Correlation { users, groups, share }));
        assert!(with(0, 1, 0.5).contains("users"));
        assert!(with(10, 11, 0.5).contains("allowed is 1 to 10"));
        assert!(with(10, 0, 0.5).contains("groups"));
        assert!(with(10, 2, 1.5).contains("share"));
        assert!(with(10, 2, f32::NAN).contains("NaN"));
    }
}
