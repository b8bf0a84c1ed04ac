//! What travels between frame blocks. One frame carries all K users of a batch.
//!
//! ```text
//! ImageBatch > EncodedUsers > GroupedUsers > Features > SymbolFrame > ReceivedFrame > EqualizedFrame
//!                                                                 > ReceivedFeatures > ImageBatch
//!
//! ImageBatch > PayloadFrame > SymbolFrame > ReceivedFrame > LlrFrame > DecodedFrame > ReceivedPictures
//! ```
//! The second row is that of the digital lines.

use crate::Grouping;
use crate::picture::Setting;
use ndarray::{Array2, Array3, Array4};
use num_complex::Complex32;

/// K images of equal size, one per user.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageBatch {
    /// Index of the frame within the experiment; keys all randomness.
    pub frame: u64,
    /// `[K, H, W, 3]`, RGB.
    pub pixels: Array4<u8>,
    /// What is known about the content.
    pub truth: Truth,
}

/// What a source knows about its images. Empty where it knows nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// Class of each image, `[K]`.
    pub labels: Option<Vec<u16>>,
    /// Class of each pixel, `[K, H, W]`.
    pub label_maps: Option<Array3<u8>>,
    /// The groups whose images share content.
    pub groups: Option<Grouping>,
}

/// What the semantic encoder knows of each user before grouping.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedUsers {
    /// Index of the frame.
    pub frame: u64,
    /// What the common encoder needs of each user as maps, `[K, h, w, C]`: semantic features z, and what else
    /// a family adds to them; may be empty (`C = 0`).
    pub maps: Array4<f32>,
    /// Private features p, `[K, L_p]`.
    pub private: Array2<f32>,
}

/// Encoded users and the groups they were put in.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupedUsers {
    /// The users.
    pub users: EncodedUsers,
    /// Their groups.
    pub grouping: Grouping,
}

/// Private features of each user and the common feature of each group.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Index of the frame.
    pub frame: u64,
    /// `[K, L_p]`.
    pub private: Array2<f32>,
    /// `[G, L_c]`; `L_c = 0` where nothing is sent in common. Rows of empty groups are not sent.
    pub common: Array2<f32>,
    /// The group of each user.
    pub grouping: Grouping,
}

/// Who is to receive a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// One user.
    User(usize),
    /// All users of a group.
    Group(usize),
    /// Everyone: the slot superposes several vectors.
    All,
}

/// Which of the two kinds of features a slot carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Multicast of common features.
    Common,
    /// Unicast of private features.
    Private,
}

/// Consecutive channel uses with one destination.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Who is to receive it.
    pub destination: Destination,
    /// What it carries.
    pub phase: Phase,
    /// Complex symbols; unit average power once normalised.
    pub symbols: Vec<Complex32>,
}

/// All that the base station sends for one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct SymbolFrame {
    /// Index of the frame.
    pub frame: u64,
    /// The group of each user (known to all receivers; its signalling is counted).
    pub grouping: Grouping,
    /// Common slots in group order, then private slots in user order.
    pub slots: Vec<Slot>,
}

/// One slot as one user receives it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedSlot {
    /// Who was to receive it.
    pub destination: Destination,
    /// What it carries.
    pub phase: Phase,
    /// y = h x + n.
    pub symbols: Vec<Complex32>,
    /// What the receiver believes h to be: one value for the whole slot, or one per symbol.
    pub csi: Vec<Complex32>,
    /// Variance of n per complex symbol.
    pub noise_variance: f32,
}

/// What each user hears of a frame: the slots addressed to it, its group or everyone.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedFrame {
    /// Index of the frame.
    pub frame: u64,
    /// The group of each user.
    pub grouping: Grouping,
    /// The slots of each user, `[K][slots]`: its common slot first, if any, then its private slot.
    pub users: Vec<Vec<ReceivedSlot>>,
}

/// One slot after equalisation: `symbols = gain * x + noise`.
#[derive(Clone, Debug, PartialEq)]
pub struct EqualizedSlot {
    /// Who was to receive it.
    pub destination: Destination,
    /// What it carries.
    pub phase: Phase,
    /// Estimates of the sent symbols.
    pub symbols: Vec<Complex32>,
    /// SNR after the equaliser, linear: the value s for which 1 / (1 + s) is the mean over the
    /// slot's symbols of 1 / (1 + |h|^2 / noise variance), the error of LMMSE estimation.
    pub snr: f32,
}

/// A received frame after equalisation.
#[derive(Clone, Debug, PartialEq)]
pub struct EqualizedFrame {
    /// Index of the frame.
    pub frame: u64,
    /// The group of each user.
    pub grouping: Grouping,
    /// The slots of each user.
    pub users: Vec<Vec<EqualizedSlot>>,
}

/// The features as each user received them.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedFeatures {
    /// Index of the frame.
    pub frame: u64,
    /// Each user's private features at unit average power per channel use, `[K, L_p]`.
    pub private: Array2<f32>,
    /// Each user's own noisy copy of its group's common feature, `[K, L_c]`.
    pub common: Array2<f32>,
    /// SNR of each user's private features after the equaliser, linear, `[K]`.
    pub snr: Vec<f32>,
    /// The same of its common features; equal to `snr` where nothing is sent in common, 0 where they did not arrive,
    /// `[K]`.
    pub common_snr: Vec<f32>,
    /// Users of whose frame nothing arrived, `[K]`; scored as the mean image of the training set.
    pub lost: Vec<bool>,
}

/// What one transport block carries.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// Who is to receive it: one user, or everyone.
    pub destination: Destination,
    /// Bits of the payload, each 0 or 1; what the stream of pictures does not fill is 0.
    pub bits: Vec<u8>,
    /// How its pictures were compressed.
    pub setting: Setting,
}

/// The payloads of all users: one block for each, in order, or one block for everyone.
#[derive(Clone, Debug, PartialEq)]
pub struct PayloadFrame {
    /// Index of the frame.
    pub frame: u64,
    /// Number of users K.
    pub num_users: usize,
    /// K payloads, or one.
    pub payloads: Vec<Payload>,
}

/// Soft bits of the one block that each user hears.
#[derive(Clone, Debug, PartialEq)]
pub struct LlrFrame {
    /// Index of the frame.
    pub frame: u64,
    /// ln P(bit = 0) / P(bit = 1) of all bits of the block, `[K][G]`.
    pub users: Vec<Vec<f32>>,
}

/// What a user's decoder makes of its block.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedPayload {
    /// Bits of the payload, wrong ones among them where the check failed.
    pub bits: Vec<u8>,
    /// Whether all checks of the block hold.
    pub passed: bool,
}

/// The decoded blocks of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedFrame {
    /// Index of the frame.
    pub frame: u64,
    /// `[K]`.
    pub users: Vec<DecodedPayload>,
}

/// Pictures as the users decoded them.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedPictures {
    /// One image for each user, black where nothing arrived.
    pub images: ImageBatch,
    /// Users whose block failed, `[K]`; scored as the mean image of the training set.
    pub lost: Vec<bool>,
}

impl ImageBatch {
    /// Number of images K.
    pub fn len(&self) -> usize {
        self.pixels.dim().0
    }

    /// Whether the batch holds no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Height and width in pixels.
    pub fn size(&self) -> (usize, usize) {
        let (_, height, width, _) = self.pixels.dim();
        (height, width)
    }
}
