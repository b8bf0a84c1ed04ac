//! The kernel that compresses every image into the payload of its block.

use super::codec::Packing;
use super::ladder_store::LadderStore;
use crate::coding::BlockPlan;
use crate::frame::{Destination, ImageBatch, Payload, PayloadFrame};
use crate::kernel::FrameKernel;
use crate::{BlockError, Result};
use ndarray::{ArrayView3, Axis};
use rayon::prelude::*;
use std::sync::Arc;

/// How many bits a picture may have.
#[derive(Clone, Debug)]
pub enum PayloadSize {
    /// What the user's transport block holds.
    Planned(Arc<BlockPlan>),
    /// The same for every block.
    Bits(usize),
}

impl PayloadSize {
    fn bits(&self, frame: u64, user: usize) -> usize {
        match self {
            Self::Planned(plan) => plan.format_of(frame, user).payload_len(),
            Self::Bits(bits) => *bits,
        }
    }
}

/// Finds the best setting whose stream fits, and sends that stream, filled up with zeros.
///
/// - pixels `[K, H, W, 3]` -> one payload for each user; with a mosaic, one for everyone
/// - an image that does not fit falls to its mean colour, see [`Setting::MeanColour`](super::Setting)
/// - errors: images of another size or number than the coder's; a payload that holds no mean colour, or is
///   larger than the ladders
#[derive(Clone, Debug)]
pub struct PictureEncoder {
    ladders: Arc<LadderStore>,
    size: PayloadSize,
}

impl PictureEncoder {
    /// An encoder that shares its ladders.
    pub fn new(ladders: Arc<LadderStore>, size: PayloadSize) -> Self {
        Self { ladders, size }
    }

    fn encode(
        &self,
        images: &[ArrayView3<'_, u8>],
        destination: Destination,
        frame: u64,
        user: usize,
    ) -> Result<Payload> {
        let len = self.size.bits(frame, user);
        let setting = self.ladders.ladder(images)?.best_within(len)?.setting;
        let stream = self.ladders.coder().encode(images, setting)?;
        let mut bits = to_bits(&stream);
        if bits.len() > len {
            // The ladder promised a length that its own coder does not keep.
            return Err(BlockError::shape("bits of a picture", format!("at most {len}"), bits.len()));
        }
        bits.resize(len, 0);
        Ok(Payload { destination, bits, setting })
    }
}

impl FrameKernel for PictureEncoder {
    type In = ImageBatch;
    type Out = PayloadFrame;

    fn process(&mut self, batch: ImageBatch) -> Result<PayloadFrame> {
        let views: Vec<ArrayView3<'_, u8>> = batch.pixels.axis_iter(Axis(0)).collect();
        let payloads = if self.ladders.coder().packing() == Packing::Mosaic {
            vec![self.encode(&views, Destination::All, batch.frame, 0)?]
        } else {
            // Collected in order, so any number of threads gives the same frame.
            views
                .par_iter()
                .enumerate()
                .map(|(user, view)| self.encode(&[*view], Destination::User(user), batch.frame, user))
                .collect::<Result<_>>()?
        };
        Ok(PayloadFrame { frame: batch.frame, num_users: batch.len(), payloads })
    }
}

/// Bits of bytes, the highest first.
fn to_bits(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| (byte >> place) & 1)).collect()
}

/// Bytes of bits, the highest first; bits behind the last whole byte are left out.
pub(super) fn to_bytes(bits: &[u8]) -> Vec<u8> {
    bits.as_chunks::<8>()
        .0
        .iter()
        .map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | (bit & 1)))
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::test_pictures::scene;
    use super::super::{PictureCodec, PictureCoder, Setting};
    use super::*;
    use crate::frame::Truth;
    use ndarray::{Array4, stack};

    /// Four scenes of 16 x 24.
    pub(crate) fn batch() -> ImageBatch {
        let scenes: Vec<_> = (0..4).map(|seed| scene(16, 24, seed)).collect();
        let views: Vec<_> = scenes.iter().map(|scene| scene.view()).collect();
        let pixels: Array4<u8> = stack(Axis(0), &views).unwrap();
        ImageBatch { frame: 3, pixels, truth: Truth::default() }
    }

    pub(crate) fn encoder(codec: PictureCodec, packing: Packing, bits: usize) -> PictureEncoder {
        let num_images = if packing == Packing::Mosaic { 4 } else { 1 };
        let coder = PictureCoder::new(codec, packing, (16, 24), num_images).unwrap();
        PictureEncoder::new(Arc::new(LadderStore::new(coder, 100_000)), PayloadSize::Bits(bits))
    }

    #[test]
    fn payloads_hold_the_best_stream_that_fits_and_zeros() {
        let mut encoder = encoder(PictureCodec::Jpeg, Packing::Shared, 1200);
        let batch = batch();
        let frame = encoder.process(batch.clone()).unwrap();
        assert_eq!((frame.frame, frame.num_users, frame.payloads.len()), (3, 4, 4));
        for (user, payload) in frame.payloads.iter().enumerate() {
            assert_eq!((payload.destination, payload.bits.len()), (Destination::User(user), 1200));
            let image = batch.pixels.index_axis(Axis(0), user);
            let ladder = encoder.ladders.ladder(&[image]).unwrap();
            let best = ladder.best_within(1200).unwrap();
            assert_eq!(payload.setting, best.setting);
            let stream = encoder.ladders.coder().encode(&[image], best.setting).unwrap();
            assert_eq!(to_bytes(&payload.bits)[..stream.len()], stream);
            assert!(payload.bits[8 * stream.len()..].iter().all(|bit| *bit == 0));
        }
    }

    #[test]
    fn a_mosaic_is_one_payload_for_everyone() {
        let frame = encoder(PictureCodec::Webp, Packing::Mosaic, 8000).process(batch()).unwrap();
        assert_eq!((frame.num_users, frame.payloads.len()), (4, 1));
        assert_eq!((frame.payloads[0].destination, frame.payloads[0].bits.len()), (Destination::All, 8000));
    }

    #[test]
    fn what_does_not_fit_falls_to_the_mean_colour_and_less_is_refused() {
        let frame = encoder(PictureCodec::Jpeg, Packing::File, 800).process(batch()).unwrap();
        assert!(frame.payloads.iter().all(|payload| payload.setting == Setting::MeanColour));
        let error = encoder(PictureCodec::Jpeg, Packing::File, 31).process(batch()).unwrap_err();
        assert!(error.to_string().contains("mean colour"), "{error}");
    }

    #[test]
    fn bits_and_bytes_are_inverse() {
        assert_eq!(to_bits(&[0xA1]), [1, 0, 1, 0, 0, 0, 0, 1]);
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(to_bytes(&to_bits(&bytes)), bytes);
        assert!(to_bytes(&[1; 7]).is_empty());
    }
}
