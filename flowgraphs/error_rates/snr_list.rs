//! SNRs as users write them: a list, or first:step:last.

use sememe_blocks::{BlockError, Result};
use serde::{Deserialize, Deserializer, Serialize};
use std::str::FromStr;

/// SNRs in dB, in the order in which they are measured.
///
/// In TOML a list of numbers or a text such as `"1:0.25:3"`; on the command line also `0,1,2.5`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct SnrList(pub Vec<f64>);

/// Most points of a sweep.
const MOST: usize = 10_000;

const ALLOWED: &str = "a number of decibels, a list such as 0,1,2.5, or first:step:last with a positive step, such as \
     1:0.25:3; at most 10000 different ones, between -100 and 100 dB";

impl FromStr for SnrList {
    type Err = BlockError;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || BlockError::invalid("SNR", format!("\"{text}\""), ALLOWED);
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
        let parts: Vec<&str> = text.split(':').collect();
        let values = match parts[..] {
            [list] => list.split(',').map(number).collect::<Result<_>>()?,
            [first, last] => range(number(first)?, 1.0, number(last)?).ok_or_else(wrong)?,
            [first, step, last] => range(number(first)?, number(step)?, number(last)?).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        };
        checked(values).ok_or_else(wrong)
    }
}

/// first, first + step, ... up to last, free of the noise of binary fractions.
fn range(first: f64, step: f64, last: f64) -> Option<Vec<f64>> {
    let steps = ((last - first) / step + 1e-6).floor();
    if !(step > 0.0 && (0.0..MOST as f64).contains(&steps)) {
        return None;
    }
    Some((0..=steps as usize).map(|i| round(first + i as f64 * step)).collect())
}

/// Rounded to a millionth of a decibel.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn checked(values: Vec<f64>) -> Option<SnrList> {
    let all_usable = values.iter().all(|value| value.abs() <= 100.0);
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let all_differ = sorted.windows(2).all(|pair| pair[0] < pair[1]);
    (all_usable && all_differ && (1..=MOST).contains(&values.len())).then_some(SnrList(values))
}

impl<'de> Deserialize<'de> for SnrList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            List(Vec<f64>),
            One(f64),
            Text(String),
        }
        let values = match Written::deserialize(deserializer)? {
            Written::Text(text) => text.parse().ok(),
            Written::List(values) => checked(values),
            Written::One(value) => checked(vec![value]),
        };
        values.ok_or_else(|| serde::de::Error::custom(format!("no SNRs, expected {ALLOWED}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<f64> {
        text.parse::<SnrList>().unwrap().0
    }

    #[test]
    fn ranges_hold_both_ends_and_round_numbers() {
        assert_eq!(list("1:0.25:2"), [1.0, 1.25, 1.5, 1.75, 2.0]);
        assert_eq!(list("0:0.1:0.3"), [0.0, 0.1, 0.2, 0.3]);
        assert_eq!(list("-2:1"), [-2.0, -1.0, 0.0, 1.0]);
        assert_eq!(list("3, -1.5"), [3.0, -1.5]);
        assert_eq!(list("2:1:2"), [2.0]);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "a", "3:1:1", "0:0:1", "0:-1:1", "1:2:3:4", "nan", "inf", "0:1e-9:100", "0:nan:1"] {
            assert!(text.parse::<SnrList>().unwrap_err().to_string().contains("1:0.25:3"), "{text}");
        }
    }
}
