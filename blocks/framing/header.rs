//! What a burst says of itself, and which values of each field are possible.
//!
//! ```text
//! bits  4        2     6    2     12     12     12     32     32     24      16     6
//!       version  kind  mcs  dest  index  group  users  frame  model  length  scale  0    = 160, then CRC-24A
//! ```
//! Numbers are sent highest bit first. A check of 24 bits passes by chance once in 17 million; the ranges of the fields
//! refuse nearly all of what passes.

use crate::coding::CodedModulation;
use crate::frame::Destination;
use crate::{Decibel, Result};

/// The version of this layout.
const VERSION: u64 = 1;
/// Most users and groups of a frame.
pub const MAX_USERS: usize = 4095;
/// Largest power scale in dB, up and down.
const MAX_SCALE_DB: f32 = 60.0;
/// Steps of the power scale in a decibel.
const SCALE_STEPS: f32 = 256.0;

/// What the payload's symbols are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Content {
    /// Analog features: every symbol carries two of them.
    Analog,
    /// Coded bits under a scheme of [`CodedModulation::grid`].
    Coded(CodedModulation),
}

impl Content {
    /// Whether headers can say it.
    ///
    /// - errors: a scheme that is not in the grid, with those that are
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Analog => Ok(()),
            Self::Coded(scheme) => place_in_grid(*scheme).map(|_| ()),
        }
    }
}

/// What a burst says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    /// What the payload is.
    pub content: Content,
    /// For whom it is.
    pub destination: Destination,
    /// The group of the user it is for, or the group itself; 0 where it is for everyone.
    pub group: usize,
    /// Users of the frame, K: 1 to 4095.
    pub num_users: usize,
    /// Number of the frame, modulo 2^32.
    pub frame: u32,
    /// Which model encoded it: the first 32 bits of the digest of its weights or configuration.
    pub model: u32,
    /// Symbols of the payload, channel uses.
    pub length: usize,
    /// What the payload's power was divided by to become 1, within 60 dB, in steps of 1/256 dB.
    pub scale: Decibel,
}

/// Why a header is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeaderFault {
    /// The check fails.
    Check,
    /// The check holds, but a field has a value that no transmitter of this version sends.
    Range(&'static str),
}

impl Header {
    /// Bits of the fields.
    pub const BITS: usize = 160;

    /// The bits of the fields, each 0 or 1.
    ///
    /// - errors: the first field out of its range, with what is possible; a scheme that is not in the grid
    pub fn to_bits(&self) -> Result<Vec<u8>> {
        use crate::BlockError;
        let within = |name: &'static str, value: usize, most: usize| match value <= most {
            true => Ok(value as u64),
            false => Err(BlockError::invalid(name, value, format!("0 to {most}"))),
        };
        let (kind, mcs) = match self.content {
            Content::Analog => (0, 0),
            Content::Coded(scheme) => (1, place_in_grid(scheme)?),
        };
        let (destination, index) = match self.destination {
            Destination::User(user) => (0, user),
            Destination::Group(group) => (1, group),
            Destination::All => (2, 0),
        };
        if self.num_users == 0 || self.num_users > MAX_USERS {
            let allowed = format!("1 to {MAX_USERS}");
            return Err(BlockError::invalid("users of a burst", self.num_users, allowed));
        }
        if self.length == 0 {
            return Err(BlockError::invalid("length of a burst", 0, "1 or more symbols"));
        }
        if self.scale.0.is_nan() || self.scale.0.abs() > MAX_SCALE_DB {
            let allowed = format!("-{MAX_SCALE_DB} to {MAX_SCALE_DB} dB");
            return Err(BlockError::invalid("power scale of a burst", self.scale.0, allowed));
        }
        let last = self.num_users - 1;
        let mut bits = Writer(Vec::with_capacity(Self::BITS));
        bits.put(VERSION, 4);
        bits.put(kind, 2);
        bits.put(mcs, 6);
        bits.put(destination, 2);
        bits.put(within("destination of a burst", index, last)?, 12);
        bits.put(within("group of a burst", self.group, last)?, 12);
        bits.put(self.num_users as u64, 12);
        bits.put(self.frame.into(), 32);
        bits.put(self.model.into(), 32);
        bits.put(within("length of a burst", self.length, (1 << 24) - 1)?, 24);
        bits.put(u64::from((self.scale.0 * SCALE_STEPS).round() as i16 as u16), 16);
        bits.put(0, 6);
        Ok(bits.0)
    }

    /// The header of some bits.
    ///
    /// - bits: `[BITS]`, each 0 or 1
    /// - most: the longest payload that is possible, in symbols
    /// - errors: the first field out of its range
    pub fn from_bits(bits: &[u8], most: usize) -> Result<Self, HeaderFault> {
        let mut bits = Reader(bits);
        let version = bits.take(4);
        let (kind, mcs, destination) = (bits.take(2), bits.take(6) as usize, bits.take(2));
        let (index, group) = (bits.take(12) as usize, bits.take(12) as usize);
        let (num_users, frame, model) = (bits.take(12) as usize, bits.take(32) as u32, bits.take(32) as u32);
        let (length, scale, rest) = (bits.take(24) as usize, bits.take(16) as u16 as i16, bits.take(6));
        let demand = |holds: bool, field| if holds { Ok(()) } else { Err(HeaderFault::Range(field)) };
        demand(version == VERSION, "version")?;
        let content = match (kind, mcs) {
            (0, 0) => Content::Analog,
            (0, _) => return Err(HeaderFault::Range("mcs")),
            (1, mcs) => {
                Content::Coded(CodedModulation::grid().get(mcs).copied().ok_or(HeaderFault::Range("mcs"))?)
            }
            _ => return Err(HeaderFault::Range("kind")),
        };
        demand(num_users > 0, "users")?;
        demand(index < num_users, "destination")?;
        demand(group < num_users, "group")?;
        let destination = match destination {
            0 => Destination::User(index),
            1 => Destination::Group(index),
            2 if index == 0 => Destination::All,
            _ => return Err(HeaderFault::Range("destination")),
        };
        demand((1..=most).contains(&length), "length")?;
        let scale = Decibel(f32::from(scale) / SCALE_STEPS);
        demand(scale.0.abs() <= MAX_SCALE_DB, "scale")?;
        demand(rest == 0, "rest")?;
        Ok(Self { content, destination, group, num_users, frame, model, length, scale })
    }
}

fn place_in_grid(scheme: CodedModulation) -> Result<u64> {
    let grid = CodedModulation::grid();
    let same = |other: &CodedModulation| {
        other.modulation() == scheme.modulation() && (other.code_rate() - scheme.code_rate()).abs() < 1e-9
    };
    grid.iter().position(same).map(|place| place as u64).ok_or_else(|| {
        let allowed = grid.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        crate::BlockError::invalid("mcs of a burst", scheme, allowed)
    })
}

struct Writer(Vec<u8>);

impl Writer {
    fn put(&mut self, value: u64, bits: u32) {
        self.0.extend((0..bits).rev().map(|place| ((value >> place) & 1) as u8));
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// The next bits; zeros where there are none.
    fn take(&mut self, bits: usize) -> u64 {
        let (now, later) = self.0.split_at(bits.min(self.0.len()));
        self.0 = later;
        now.iter().fold(0, |value, bit| (value << 1) | u64::from(bit & 1))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub fn header() -> Header {
        Header {
            content: Content::Analog,
            destination: Destination::User(3),
            group: 2,
            num_users: 6,
            frame: 0xDEAD_BEEF,
            model: 0x0123_4567,
            length: 832,
            scale: Decibel(-1.5),
        }
    }

    #[test]
    fn bits_stand_where_the_drawing_says() {
        let bits = header().to_bits().unwrap();
        assert_eq!(bits.len(), Header::BITS);
        let number = |from: usize, len: usize| {
            bits[from..from + len].iter().fold(0u64, |value, bit| 2 * value + u64::from(*bit))
        };
        let expected = [
            (0, 4, 1),
            (4, 2, 0),
            (6, 6, 0),
            (12, 2, 0),
            (14, 12, 3),
            (26, 12, 2),
            (38, 12, 6),
            (50, 32, 0xDEAD_BEEF),
            (82, 32, 0x0123_4567),
            (114, 24, 832),
            (138, 16, (-384i16) as u16 as u64),
            (154, 6, 0),
        ];
        for (from, len, value) in expected {
            assert_eq!(number(from, len), value, "{from}");
        }
        assert_eq!(Header::from_bits(&bits, 832), Ok(header()));
        assert_eq!(Header::from_bits(&bits, 831), Err(HeaderFault::Range("length")));
    }

    #[test]
    fn every_scheme_and_destination_comes_back() {
        for scheme in CodedModulation::grid() {
            for destination in [Destination::User(5), Destination::Group(0), Destination::All] {
                let sent = Header { content: Content::Coded(scheme), destination, ..header() };
                assert_eq!(Header::from_bits(&sent.to_bits().unwrap(), 1000), Ok(sent));
            }
        }
    }

    #[test]
    fn impossible_fields_are_refused_before_they_are_sent() {
        for (wrong, name) in [
            (Header { num_users: 0, ..header() }, "users"),
            (Header { num_users: 4096, ..header() }, "users"),
            (Header { destination: Destination::User(6), ..header() }, "destination"),
            (Header { group: 6, ..header() }, "group"),
            (Header { length: 0, ..header() }, "length"),
            (Header { length: 1 << 24, ..header() }, "length"),
            (Header { scale: Decibel(f32::NAN), ..header() }, "power scale"),
            (Header { scale: Decibel(61.0), ..header() }, "power scale"),
            (Header { content: Content::Coded("qpsk-1/7".parse().unwrap()), ..header() }, "mcs"),
        ] {
            let error = wrong.to_bits().unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }

    proptest! {
        /// Whatever passes is a header that can be sent, and is what was read.
        #[test]
        fn any_bits_are_a_header_or_a_fault(words in proptest::array::uniform5(any::<u32>()), versioned in any::<bool>()) {
            let mut bits: Vec<u8> =
                words.iter().flat_map(|word| (0..32).map(move |place| ((word >> place) & 1) as u8)).collect();
            if versioned {
                bits[..14].copy_from_slice(&header().to_bits().unwrap()[..14]);
                bits[154..].fill(0);
            }
            if let Ok(found) = Header::from_bits(&bits, 1 << 20) {
                prop_assert_eq!(found.to_bits().unwrap(), bits);
            }
        }
    }
}
