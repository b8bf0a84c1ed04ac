//! What the downlink of an experiment is: users, groups, channel uses, and how they are shared out.

use sememe_blocks::access::{Access, Accounting, Mapping, Strategy};
use sememe_blocks::equalizer::Equalizer;
use serde::{Deserialize, Serialize};

/// The `[downlink]` table. Every key has a default; `[[link]]` tables may override some of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Downlink {
    /// Users served at once, K: images per frame.
    pub users: usize,
    /// Groups that share a common feature, G, at most K.
    pub groups: usize,
    /// Complex channel uses per image, N, everything counted.
    pub uses: usize,
    /// Share of the features that is sent in common, at least 0 and below 1.
    pub rho: f64,
    /// How features fill channel uses: `iq` or `real`.
    pub mapping: Mapping,
    /// How vectors share the channel: `orthogonal` or `superposed`.
    pub access: Access,
    /// What becomes of the uses that a group saves: `pooled` or `per_user`.
    pub accounting: Accounting,
    /// How users are put into groups: `balanced`, `kmeans`, `sequential` or `random`.
    pub clustering: Strategy,
    /// What the receivers do with their channel knowledge: `none`, `zf` or `mmse`.
    pub equalizer: Equalizer,
}

impl Default for Downlink {
    fn default() -> Self {
        Self {
            users: 50,
            groups: 10,
            uses: 1024,
            rho: 0.2,
            mapping: Mapping::default(),
            access: Access::default(),
            accounting: Accounting::default(),
            clustering: Strategy::default(),
            equalizer: Equalizer::Mmse,
        }
    }
}
