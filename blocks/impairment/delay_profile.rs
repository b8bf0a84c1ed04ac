//! Power delay profiles: which echoes a channel has.
//!
//! Source of the tables: 3GPP TR 38.901 version 16.1.0, tables 7.7.2-1 to 7.7.2-5.

use crate::{BlockError, Result};
use serde::{Deserialize, Serialize};

/// A tapped delay line of 3GPP TR 38.901, written `tdl-a` to `tdl-e`, or one path, written `flat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DelayProfile {
    /// One path without delay.
    #[default]
    Flat,
    /// No line of sight, long.
    TdlA,
    /// No line of sight.
    TdlB,
    /// No line of sight, longer.
    TdlC,
    /// Line of sight, K factor 13.3 dB.
    TdlD,
    /// Line of sight, K factor 22 dB.
    TdlE,
}

/// One echo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tap {
    /// In root-mean-square delay spreads.
    pub delay: f64,
    /// Mean power of its scattered part; all powers of a profile add up to 1.
    pub power: f64,
    /// Power of the line of sight in it, which does not fade.
    pub line_of_sight: f64,
}

impl DelayProfile {
    /// All profiles.
    pub const ALL: [Self; 6] = [Self::Flat, Self::TdlA, Self::TdlB, Self::TdlC, Self::TdlD, Self::TdlE];

    /// The name as configurations write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::TdlA => "tdl-a",
            Self::TdlB => "tdl-b",
            Self::TdlC => "tdl-c",
            Self::TdlD => "tdl-d",
            Self::TdlE => "tdl-e",
        }
    }

    /// Its echoes, of mean power 1 together.
    pub fn taps(self) -> Vec<Tap> {
        let (table, line_of_sight_db): (&[(f64, f64)], f64) = match self {
            Self::Flat => (&[(0.0, 0.0)], f64::NEG_INFINITY),
            Self::TdlA => (&TDL_A, f64::NEG_INFINITY),
            Self::TdlB => (&TDL_B, f64::NEG_INFINITY),
            Self::TdlC => (&TDL_C, f64::NEG_INFINITY),
            Self::TdlD => (&TDL_D, -0.2),
            Self::TdlE => (&TDL_E, -0.03),
        };
        let linear = |db: f64| 10f64.powf(db / 10.0);
        let line_of_sight = linear(line_of_sight_db);
        let total = table.iter().map(|(_, db)| linear(*db)).sum::<f64>() + line_of_sight;
        let tap = |(place, (delay, db)): (usize, &(f64, f64))| Tap {
            delay: *delay,
            power: linear(*db) / total,
            line_of_sight: if place == 0 { line_of_sight / total } else { 0.0 },
        };
        table.iter().enumerate().map(tap).collect()
    }

    /// Its longest delay, in root-mean-square delay spreads.
    pub fn longest(self) -> f64 {
        self.taps().iter().map(|tap| tap.delay).fold(0.0, f64::max)
    }
}

impl std::str::FromStr for DelayProfile {
    type Err = BlockError;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|profile| profile.name() == name);
        known.ok_or_else(|| {
            let allowed = Self::ALL.map(Self::name).join(", ");
            BlockError::invalid("delay profile", format!("\"{name}\""), allowed)
        })
    }
}

/// Delay in root-mean-square delay spreads, power in dB.
#[rustfmt::skip]
const TDL_A: [(f64, f64); 23] = [
    (0.0, -13.4), (0.3819, 0.0), (0.4025, -2.2), (0.5868, -4.0), (0.4610, -6.0), (0.5375, -8.2), (0.6708, -9.9),
    (0.5750, -10.5), (0.7618, -7.5), (1.5375, -15.9), (1.8978, -6.6), (2.2242, -16.7), (2.1718, -12.4),
    (2.4942, -15.2), (2.5119, -10.8), (3.0582, -11.3), (4.0810, -12.7), (4.4579, -16.2), (4.5695, -18.3),
    (4.7966, -18.9), (5.0066, -16.6), (5.3043, -19.9), (9.6586, -29.7),
];

#[rustfmt::skip]
const TDL_B: [(f64, f64); 23] = [
    (0.0, 0.0), (0.1072, -2.2), (0.2155, -4.0), (0.2095, -3.2), (0.2870, -9.8), (0.2986, -1.2), (0.3752, -3.4),
    (0.5055, -5.2), (0.3681, -7.6), (0.3697, -3.0), (0.5700, -8.9), (0.5283, -9.0), (1.1021, -4.8), (1.2756, -5.7),
    (1.5474, -7.5), (1.7842, -1.9), (2.0169, -7.6), (2.8294, -12.2), (3.0219, -9.8), (3.6187, -11.4),
    (4.1067, -14.9), (4.2790, -9.2), (4.7834, -11.3),
];

#[rustfmt::skip]
#[allow(clippy::approx_constant, reason = "a delay of 0.6366 is that of the table")]
const TDL_C: [(f64, f64); 24] = [
    (0.0, -4.4), (0.2099, -1.2), (0.2219, -3.5), (0.2329, -5.2), (0.2176, -2.5), (0.6366, 0.0), (0.6448, -2.2),
    (0.6560, -3.9), (0.6584, -7.4), (0.7935, -7.1), (0.8213, -10.7), (0.9336, -11.1), (1.2285, -5.1),
    (1.3083, -6.8), (2.1704, -8.7), (2.7105, -13.2), (4.2589, -13.9), (4.6003, -13.9), (5.4902, -15.8),
    (5.6077, -17.1), (6.3065, -16.0), (6.6374, -15.7), (7.0427, -21.6), (8.6523, -22.8),
];

#[rustfmt::skip]
const TDL_D: [(f64, f64); 13] = [
    (0.0, -13.5), (0.035, -18.8), (0.612, -21.0), (1.363, -22.8), (1.405, -17.9), (1.804, -20.1), (2.596, -21.9),
    (1.775, -22.9), (4.042, -27.8), (7.937, -23.6), (9.424, -24.8), (9.708, -30.0), (12.525, -27.7),
];

#[rustfmt::skip]
const TDL_E: [(f64, f64); 14] = [
    (0.0, -22.03), (0.5133, -15.8), (0.5440, -18.1), (0.5630, -19.8), (0.5440, -22.9), (0.7112, -22.4),
    (1.9092, -18.6), (1.9293, -20.8), (1.9589, -22.6), (2.6426, -22.3), (3.7136, -25.6), (5.4524, -20.2),
    (12.0034, -29.8), (20.6519, -29.2),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_have_power_and_delay_spread_1() {
        // The tables are made so that delays are in root-mean-square delay spreads: a wrong number would show.
        for profile in &DelayProfile::ALL[1..] {
            let taps = profile.taps();
            let mean = |of: &dyn Fn(&Tap) -> f64| {
                taps.iter().map(|tap| (tap.power + tap.line_of_sight) * of(tap)).sum::<f64>()
            };
            assert!((mean(&|_| 1.0) - 1.0).abs() < 1e-12);
            let (first, second) = (mean(&|tap| tap.delay), mean(&|tap| tap.delay * tap.delay));
            let spread = (second - first * first).sqrt();
            assert!((spread - 1.0).abs() < 0.01, "{}: {spread}", profile.name());
        }
    }

    #[test]
    fn lines_of_sight_are_as_strong_as_the_tables_say() {
        for (profile, k_db) in [(DelayProfile::TdlD, 13.3), (DelayProfile::TdlE, 22.0)] {
            let first = profile.taps()[0];
            let k = 10.0 * (first.line_of_sight / first.power).log10();
            assert!((k - k_db).abs() < 1e-9, "{k}");
        }
        assert!(DelayProfile::TdlA.taps().iter().all(|tap| tap.line_of_sight == 0.0));
        assert_eq!((DelayProfile::TdlC.longest(), DelayProfile::Flat.longest()), (8.6523, 0.0));
    }

    #[test]
    fn names_are_read_and_strangers_told_what_there_is() {
        for profile in DelayProfile::ALL {
            assert_eq!(profile.name().parse::<DelayProfile>().unwrap(), profile);
        }
        let error = "tdl-f".parse::<DelayProfile>().unwrap_err().to_string();
        assert!(error.contains("\"tdl-f\"") && error.contains("tdl-e"), "{error}");
    }
}
