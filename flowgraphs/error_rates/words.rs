//! The words of a configuration: decoders, check rules, CRCs, base graphs, kinds of frame and fading.

use sememe_blocks::coding::Crc;
use sememe_blocks::coding::ldpc::BaseGraph;
use sememe_blocks::coding::ldpc::decoder::{LARGEST_MESSAGE, STEPS_PER_NAT};
use sememe_blocks::{BlockError, Result};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;

/// What decides on the bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecoderKind {
    /// Layered min-sum on 8-bit LLRs.
    #[default]
    MinSum,
    /// Layered belief propagation in floating point: slow, the oracle of the other.
    BeliefPropagation,
    /// No code: every bit is sent as it is and decided by its sign.
    None,
}

/// When a decoder ends before its last iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopKind {
    /// As soon as all parity checks hold.
    #[default]
    Codeword,
    /// As soon as the CRC of the code block holds.
    Crc,
    /// Never.
    Never,
}

/// How payload becomes code blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrameKind {
    /// One code block where one holds the payload, else a transport block.
    #[default]
    Auto,
    /// One code block: the plain (k, n) code.
    CodeBlock,
    /// The chain of TS 38.212, section 7.2, with its CRCs and segmentation.
    TransportBlock,
}

/// Distribution of the fading coefficient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelKind {
    /// No fading.
    #[default]
    Awgn,
    /// Rayleigh fading of unit mean power.
    Rayleigh,
    /// Rician fading of unit mean power.
    Rician,
}

/// How long a fading coefficient lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FadingKind {
    /// One for each transmission of a frame.
    #[default]
    Block,
    /// One for each symbol.
    Symbol,
}

/// A base graph, or the choice of the standard: `auto`, `1` or `2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraphChoice(pub Option<BaseGraph>);

/// A CRC behind the payload: `none`, `6`, `11`, `16`, `24a`, `24b` or `24c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrcChoice(pub Option<Crc>);

/// What a check node passes on: `pairwise`, `nms:FACTOR`, `oms:OFFSET` or `sum-product`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RuleChoice {
    /// The least two magnitudes joined nearly as sum-product does; for min-sum.
    Pairwise,
    /// The least magnitude times a factor.
    Normalized(f64),
    /// The least magnitude less an offset in nats, not below 0.
    Offset(f64),
    /// The exact rule; for belief propagation.
    SumProduct,
}

const CRCS: [(&str, Option<Crc>); 7] = [
    ("none", None),
    ("6", Some(Crc::Crc6)),
    ("11", Some(Crc::Crc11)),
    ("16", Some(Crc::Crc16)),
    ("24a", Some(Crc::Crc24A)),
    ("24b", Some(Crc::Crc24B)),
    ("24c", Some(Crc::Crc24C)),
];
const GRAPHS: [(&str, Option<BaseGraph>); 3] =
    [("auto", None), ("1", Some(BaseGraph::One)), ("2", Some(BaseGraph::Two))];

impl FromStr for CrcChoice {
    type Err = BlockError;

    fn from_str(text: &str) -> Result<Self> {
        let found = CRCS.iter().find(|(name, _)| *name == text);
        let allowed = || CRCS.map(|(name, _)| name).join(", ");
        found.map(|(_, crc)| Self(*crc)).ok_or_else(|| BlockError::invalid("crc", quoted(text), allowed()))
    }
}

impl fmt::Display for CrcChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = CRCS.iter().find(|(_, crc)| *crc == self.0);
        f.pad(name.map_or("none", |(name, _)| name))
    }
}

impl FromStr for GraphChoice {
    type Err = BlockError;

    fn from_str(text: &str) -> Result<Self> {
        let found = GRAPHS.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, graph)| Self(*graph))
            .ok_or_else(|| BlockError::invalid("base_graph", quoted(text), "auto, 1, 2"))
    }
}

impl fmt::Display for GraphChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = GRAPHS.iter().find(|(_, graph)| *graph == self.0);
        f.pad(name.map_or("auto", |(name, _)| name))
    }
}

impl FromStr for RuleChoice {
    type Err = BlockError;

    fn from_str(text: &str) -> Result<Self> {
        let largest = f64::from(LARGEST_MESSAGE) / f64::from(STEPS_PER_NAT);
        let allowed = format!(
            "pairwise, nms:FACTOR with a factor above 0 and below 1, such as nms:0.75, oms:OFFSET with an offset of 0 \
             to {largest} nats, such as oms:0.5, or sum-product"
        );
        let number = |text: &str| text.parse::<f64>().ok();
        let rule = match text.split_once(':') {
            Some(("nms", value)) => number(value).filter(|f| *f > 0.0 && *f < 1.0).map(Self::Normalized),
            Some(("oms", value)) => number(value).filter(|o| (0.0..=largest).contains(o)).map(Self::Offset),
            None if text == "pairwise" => Some(Self::Pairwise),
            None if text == "sum-product" => Some(Self::SumProduct),
            _ => None,
        };
        rule.ok_or_else(|| BlockError::invalid("rule", quoted(text), allowed))
    }
}

impl fmt::Display for RuleChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normalized(factor) => write!(f, "nms:{factor}"),
            Self::Offset(offset) => write!(f, "oms:{offset}"),
            Self::Pairwise => f.write_str("pairwise"),
            Self::SumProduct => f.write_str("sum-product"),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Reads a word that may have been written as a number, and writes it as a string.
pub(super) mod as_text {
    use super::{Deserialize, Deserializer, FromStr, fmt};
    use serde::Serializer;
    use serde::de::Error;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Number(i64),
    }

    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: fmt::Display>,
        D: Deserializer<'de>,
    {
        let text = match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Number(number) => number.to_string(),
        };
        text.parse().map_err(D::Error::custom)
    }

    pub fn serialize<T: fmt::Display, S: Serializer>(word: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for (name, crc) in CRCS {
            assert_eq!(name.parse::<CrcChoice>().unwrap().0, crc);
            assert_eq!(CrcChoice(crc).to_string(), name);
        }
        for text in ["auto", "1", "2"] {
            assert_eq!(text.parse::<GraphChoice>().unwrap().to_string(), text);
        }
        for text in ["pairwise", "nms:0.75", "oms:0.5", "sum-product"] {
            assert_eq!(text.parse::<RuleChoice>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_words_are_refused_with_what_is_possible() {
        assert!("32".parse::<CrcChoice>().unwrap_err().to_string().contains("16, 24a"));
        assert!("3".parse::<GraphChoice>().is_err());
        for text in ["nms:1.5", "nms", "oms:-1", "nms:nan", "bp"] {
            assert!(text.parse::<RuleChoice>().unwrap_err().to_string().contains("nms:0.75"), "{text}");
        }
    }
}
