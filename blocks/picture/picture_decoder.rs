//! The kernel that turns decoded payloads back into images.

use super::codec::Packing;
use super::coder::PictureCoder;
use super::picture_encoder::to_bytes;
use crate::frame::{DecodedFrame, DecodedPayload, ImageBatch, ReceivedPictures, Truth};
use crate::kernel::FrameKernel;
use crate::{BlockError, Result};
use ndarray::{Array3, Array4, Axis};
use rayon::prelude::*;
use std::sync::Arc;

/// Decodes the picture of every user whose block passed.
///
/// - payloads `[K]` -> pixels `[K, H, W, 3]`
/// - lost: users whose block failed, or whose payload is no stream of the coder in spite of its checks; their
///   image is black, and what stands in for it is another block's affair
/// - errors: another number of users than a mosaic has images
#[derive(Clone, Debug)]
pub struct PictureDecoder {
    coder: Arc<PictureCoder>,
}

impl PictureDecoder {
    /// A decoder for the streams of a coder.
    pub fn new(coder: Arc<PictureCoder>) -> Self {
        Self { coder }
    }

    fn images(&self, payload: &DecodedPayload) -> Option<Vec<Array3<u8>>> {
        payload.passed.then(|| self.coder.decode(&to_bytes(&payload.bits)).ok()).flatten()
    }

    /// Of a mosaic every user takes its own image. Equal payloads are decoded once.
    fn of_mosaic(&self, users: &[DecodedPayload]) -> Vec<Option<Array3<u8>>> {
        let mut last: Option<(&[u8], Vec<Array3<u8>>)> = None;
        let mut found = Vec::with_capacity(users.len());
        for (user, payload) in users.iter().enumerate() {
            if payload.passed && last.as_ref().is_none_or(|(bits, _)| *bits != payload.bits) {
                last = self.images(payload).map(|images| (payload.bits.as_slice(), images));
            }
            let own = last.as_ref().filter(|(bits, _)| payload.passed && *bits == payload.bits);
            found.push(own.and_then(|(_, images)| images.get(user).cloned()));
        }
        found
    }
}

impl FrameKernel for PictureDecoder {
    type In = DecodedFrame;
    type Out = ReceivedPictures;

    fn process(&mut self, decoded: DecodedFrame) -> Result<ReceivedPictures> {
        let DecodedFrame { frame, users } = decoded;
        let images: Vec<Option<Array3<u8>>> = if self.coder.packing() == Packing::Mosaic {
            if users.len() != self.coder.num_images() {
                return Err(BlockError::shape("users of a mosaic", self.coder.num_images(), users.len()));
            }
            self.of_mosaic(&users)
        } else {
            users
                .par_iter()
                .map(|payload| self.images(payload).and_then(|images| images.into_iter().next()))
                .collect()
        };
        let (height, width) = self.coder.size();
        let mut pixels = Array4::zeros((users.len(), height, width, 3));
        for (mut place, image) in pixels.axis_iter_mut(Axis(0)).zip(&images) {
            if let Some(image) = image {
                place.assign(image);
            }
        }
        let lost = images.iter().map(Option::is_none).collect();
        Ok(ReceivedPictures { images: ImageBatch { frame, pixels, truth: Truth::default() }, lost })
    }
}

#[cfg(test)]
mod tests {
    use super::super::PictureCodec;
    use super::super::picture_encoder::tests::{batch, encoder};
    use super::*;

    /// What users decode who all received everything.
    fn received(codec: PictureCodec, packing: Packing) -> (PictureDecoder, DecodedFrame) {
        let sent = encoder(codec, packing, 8000).process(batch()).unwrap();
        let own = |user: usize| sent.payloads[user.min(sent.payloads.len() - 1)].bits.clone();
        let users = (0..4).map(|user| DecodedPayload { bits: own(user), passed: true }).collect();
        let num_images = if packing == Packing::Mosaic { 4 } else { 1 };
        let coder = PictureCoder::new(codec, packing, (16, 24), num_images).unwrap();
        (PictureDecoder::new(Arc::new(coder)), DecodedFrame { frame: 3, users })
    }

    #[test]
    fn pictures_arrive_and_lost_ones_are_marked() {
        for codec in [PictureCodec::Jpeg, PictureCodec::Webp] {
            for packing in [Packing::File, Packing::Shared, Packing::Mosaic] {
                let (mut decoder, mut frame) = received(codec, packing);
                frame.users[2].passed = false;
                let found = decoder.process(frame).unwrap();
                assert_eq!((found.images.frame, found.lost), (3, vec![false, false, true, false]));
                let sent = batch().pixels;
                for user in [0, 1, 3] {
                    let images = [&sent, &found.images.pixels].map(|all| all.index_axis(Axis(0), user));
                    let error = crate::metric::mean_square_error(images[0], images[1]).unwrap();
                    assert!(crate::metric::psnr_db(error) > 28.0, "{codec:?} {packing:?} {user}: {error}");
                }
                assert!(found.images.pixels.index_axis(Axis(0), 2).iter().all(|value| *value == 0));
            }
        }
    }

    #[test]
    fn nonsense_that_passed_its_check_is_lost() {
        let (mut decoder, mut frame) = received(PictureCodec::Jpeg, Packing::Shared);
        frame.users[0].bits = vec![1; 8000];
        frame.users[1].bits.clear();
        assert_eq!(decoder.process(frame).unwrap().lost, [true, true, false, false]);
        let (mut decoder, mut frame) = received(PictureCodec::Jpeg, Packing::Mosaic);
        frame.users[1].bits[0] ^= 1;
        assert_eq!(decoder.process(frame.clone()).unwrap().lost, [false, true, false, false]);
        frame.users.pop();
        assert!(decoder.process(frame).is_err());
    }
}
