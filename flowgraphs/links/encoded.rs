//! Encoder work that links share: what an encoder makes of a frame depends on weights, images and the SNR it
//! is told, not on channel, groups or equaliser.

use sememe_blocks::frame::{EncodedUsers, ImageBatch};
use sememe_blocks::kernel::FrameKernel;
use sememe_blocks::{Decibel, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// Bytes of a store beyond which it takes no more frames.
const MOST_BYTES: usize = 256 << 20;

/// What one encoder made of the frames of one set of images, for the SNRs that are expected more than once.
#[derive(Default)]
pub struct EncodedStore(Mutex<Kept>);

/// One frame: empty while the first that asked for it encodes it, and others wait.
type Place = Arc<Mutex<Option<Arc<EncodedUsers>>>>;

/// The frames of one SNR.
#[derive(Default)]
struct Frames {
    places: BTreeMap<u64, Place>,
    bytes: usize,
}

#[derive(Default)]
struct Kept {
    by_snr: BTreeMap<u32, Frames>,
    bytes: usize,
}

fn bytes_of(users: &EncodedUsers) -> usize {
    size_of::<f32>() * (users.maps.len() + users.private.len())
}

/// What is behind a lock; where a holder panicked, a frame is missing at worst.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl EncodedStore {
    /// Keeps the frames of an SNR from now on.
    pub fn expect(&self, snr: Decibel) {
        locked(&self.0).by_snr.entry(snr.0.to_bits()).or_default();
    }

    /// Forgets the frames of an SNR, and keeps none of it any more.
    pub fn forget(&self, snr: Decibel) {
        let mut kept = locked(&self.0);
        let frames = kept.by_snr.remove(&snr.0.to_bits());
        kept.bytes -= frames.map_or(0, |frames| frames.bytes);
    }

    /// Where a frame is or will be kept; nothing where its SNR is not expected or there is no room.
    fn place(&self, snr: Decibel, frame: u64, most_bytes: usize) -> Option<Place> {
        let mut kept = locked(&self.0);
        let is_full = kept.bytes >= most_bytes;
        let frames = kept.by_snr.get_mut(&snr.0.to_bits())?;
        match is_full {
            true => frames.places.get(&frame).cloned(),
            false => Some(Arc::clone(frames.places.entry(frame).or_default())),
        }
    }

    /// The frame, encoded now unless it is kept.
    fn get(
        &self,
        (snr, frame): (Decibel, u64),
        most_bytes: usize,
        encode: impl FnOnce() -> Result<EncodedUsers>,
    ) -> Result<Arc<EncodedUsers>> {
        let Some(place) = self.place(snr, frame, most_bytes) else { return encode().map(Arc::new) };
        let mut place = locked(&place);
        if let Some(users) = &*place {
            return Ok(Arc::clone(users));
        }
        let users = Arc::new(encode()?);
        *place = Some(Arc::clone(&users));
        let mut kept = locked(&self.0);
        if let Some(frames) = kept.by_snr.get_mut(&snr.0.to_bits()) {
            frames.bytes += bytes_of(&users);
            kept.bytes += bytes_of(&users);
        }
        Ok(users)
    }
}

/// An encoder that asks the store first.
pub struct SharedEncoder<E> {
    encoder: E,
    store: Arc<EncodedStore>,
    snr: Decibel,
}

impl<E> SharedEncoder<E> {
    /// - snr: what the encoder is told
    pub fn new(encoder: E, store: Arc<EncodedStore>, snr: Decibel) -> Self {
        Self { encoder, store, snr }
    }
}

impl<E: FrameKernel<In = ImageBatch, Out = EncodedUsers>> FrameKernel for SharedEncoder<E> {
    type In = ImageBatch;
    type Out = EncodedUsers;

    fn process(&mut self, images: ImageBatch) -> Result<EncodedUsers> {
        let key = (self.snr, images.frame);
        let encoder = &mut self.encoder;
        let users = self.store.get(key, MOST_BYTES, || encoder.process(images))?;
        Ok(Arc::unwrap_or_clone(users))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Array4};
    use sememe_blocks::frame::Truth;

    /// Counts its calls in what it returns.
    struct Counting(u8);

    impl FrameKernel for Counting {
        type In = ImageBatch;
        type Out = EncodedUsers;

        fn process(&mut self, images: ImageBatch) -> Result<EncodedUsers> {
            self.0 += 1;
            let private = Array2::from_elem((1, 4), f32::from(self.0));
            Ok(EncodedUsers { frame: images.frame, maps: Array4::zeros((1, 1, 1, 4)), private })
        }
    }

    fn images(frame: u64) -> ImageBatch {
        ImageBatch { frame, pixels: Array4::zeros((1, 1, 1, 3)), truth: Truth::default() }
    }

    #[test]
    fn a_frame_is_encoded_once_for_each_snr_that_is_expected() {
        let store = Arc::new(EncodedStore::default());
        let link = |snr: f32| SharedEncoder::new(Counting(0), Arc::clone(&store), Decibel(snr));
        let (mut first, mut second, mut other) = (link(3.0), link(3.0), link(6.0));
        store.expect(Decibel(3.0));
        assert_eq!(first.process(images(0)).unwrap().private[[0, 0]], 1.0);
        assert_eq!(first.process(images(1)).unwrap().private[[0, 0]], 2.0);
        assert_eq!(second.process(images(1)).unwrap().private[[0, 0]], 2.0);
        assert_eq!((second.encoder.0, second.process(images(0)).unwrap().frame), (0, 0));
        assert_eq!(other.process(images(0)).unwrap().private[[0, 0]], 1.0);
        assert_eq!(other.process(images(0)).unwrap().private[[0, 0]], 2.0, "6 dB was not expected");
        store.forget(Decibel(3.0));
        assert_eq!(first.process(images(1)).unwrap().private[[0, 0]], 3.0);
        let kept = locked(&store.0);
        assert_eq!((kept.bytes, kept.by_snr.len()), (0, 0));
    }

    fn users(frame: u64) -> EncodedUsers {
        EncodedUsers { frame, maps: Array4::zeros((0, 1, 1, 0)), private: Array2::zeros((1, 4)) }
    }

    #[test]
    fn a_full_store_takes_no_more() {
        let store = EncodedStore::default();
        store.expect(Decibel(0.0));
        let calls = std::cell::Cell::new(0);
        let get = |frame| {
            let before = calls.get();
            let found = store.get((Decibel(0.0), frame), 48, || {
                calls.set(before + 1);
                Ok(users(frame))
            });
            assert_eq!(found.unwrap().frame, frame);
            assert!(locked(&store.0).bytes <= 48);
            calls.get() > before
        };
        assert!(get(0) && get(1) && get(2), "three frames of 16 bytes fit");
        assert!(get(3) && get(3), "a fourth is encoded again and again");
        assert!(!get(0) && !get(2));
    }

    #[test]
    fn a_failure_is_not_kept() {
        let store = EncodedStore::default();
        store.expect(Decibel(0.0));
        let fail = || Err(sememe_blocks::BlockError::Kernel("no".into()));
        assert!(store.get((Decibel(0.0), 0), 48, fail).is_err());
        assert!(store.get((Decibel(0.0), 0), 48, || Ok(users(0))).is_ok());
        assert!(store.get((Decibel(0.0), 0), 48, || panic!("it is kept")).is_ok());
    }
}
