//! Encoder work that links share: what an encoder makes of a frame depends on weights, images and the SNR it
//! is told, not on channel, groups or equaliser.

use sememe_blocks::frame::{EncodedUsers, ImageBatch};
use sememe_blocks::kernel::FrameKernel;
use sememe_blocks::{Decibel, Result};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

/// Bytes that a store keeps at most.
const MOST_BYTES: usize = 512 << 20;

/// What one encoder made of the frames of one set of images, by the SNR it was told.
#[derive(Default)]
pub struct EncodedStore(Mutex<Kept>);

/// One frame: empty while the first that asked for it encodes it, and others wait.
type Place = Arc<Mutex<Option<Arc<EncodedUsers>>>>;

/// The frames of one SNR.
type Frames = BTreeMap<u64, Place>;

#[derive(Default)]
struct Kept {
    by_snr: BTreeMap<u32, Frames>,
    /// SNRs in the order in which they came.
    order: VecDeque<u32>,
    /// Of the frames of each SNR that are encoded.
    bytes: BTreeMap<u32, usize>,
}

fn bytes_of(users: &EncodedUsers) -> usize {
    size_of::<f32>() * (users.maps.len() + users.private.len())
}

/// What is behind a lock; a panic elsewhere leaves it whole, since each change is one step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl EncodedStore {
    /// The frame, encoded now unless it was before.
    fn get(
        &self,
        (snr, frame): (Decibel, u64),
        most_bytes: usize,
        encode: impl FnOnce() -> Result<EncodedUsers>,
    ) -> Result<Arc<EncodedUsers>> {
        let place = locked(&self.0).place(snr.0.to_bits(), frame);
        let mut place = locked(&place);
        if let Some(users) = &*place {
            return Ok(Arc::clone(users));
        }
        let users = Arc::new(encode()?);
        if locked(&self.0).makes_room(snr.0.to_bits(), frame, bytes_of(&users), most_bytes) {
            *place = Some(Arc::clone(&users));
        }
        Ok(users)
    }
}

impl Kept {
    fn place(&mut self, snr: u32, frame: u64) -> Place {
        if !self.by_snr.contains_key(&snr) {
            self.order.push_back(snr);
        }
        Arc::clone(self.by_snr.entry(snr).or_default().entry(frame).or_default())
    }

    /// Counts the bytes of a frame, and forgets the SNRs that came first where there is no room.
    ///
    /// - returns: whether there is room now
    fn makes_room(&mut self, snr: u32, frame: u64, bytes: usize, most_bytes: usize) -> bool {
        while self.bytes.values().sum::<usize>() + bytes > most_bytes {
            let first = self.order.front().copied().filter(|first| *first != snr);
            let Some(first) = first else { return false };
            self.order.pop_front();
            self.by_snr.remove(&first);
            self.bytes.remove(&first);
        }
        // What was forgotten while it was encoded is not counted.
        if self.by_snr.get(&snr).is_some_and(|frames| frames.contains_key(&frame)) {
            *self.bytes.entry(snr).or_default() += bytes;
        }
        true
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
    fn a_frame_is_encoded_once_for_each_snr() {
        let store = Arc::new(EncodedStore::default());
        let link = |snr: f32| SharedEncoder::new(Counting(0), Arc::clone(&store), Decibel(snr));
        let (mut first, mut second, mut other) = (link(3.0), link(3.0), link(6.0));
        assert_eq!(first.process(images(0)).unwrap().private[[0, 0]], 1.0);
        assert_eq!(first.process(images(1)).unwrap().private[[0, 0]], 2.0);
        assert_eq!(second.process(images(1)).unwrap().private[[0, 0]], 2.0);
        assert_eq!((second.encoder.0, second.process(images(0)).unwrap().frame), (0, 0));
        assert_eq!(other.process(images(0)).unwrap().private[[0, 0]], 1.0);
        assert_eq!(other.encoder.0, 1);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let store = EncodedStore::default();
        let calls = std::cell::Cell::new(0);
        let get = |snr: f32, frame| {
            let before = calls.get();
            let users = store.get((Decibel(snr), frame), 48, || {
                calls.set(calls.get() + 1);
                let (maps, private) = (Array4::zeros((0, 1, 1, 0)), Array2::zeros((1, 4)));
                Ok(EncodedUsers { frame, maps, private })
            });
            assert_eq!(users.unwrap().frame, frame);
            assert!(locked(&store.0).bytes.values().sum::<usize>() <= 48);
            calls.get() > before
        };
        assert!(get(0.0, 0) && get(0.0, 1) && get(3.0, 0));
        assert!(!get(0.0, 0) && !get(0.0, 1) && !get(3.0, 0), "three frames of 16 bytes fit");
        assert!(get(6.0, 0) && !get(3.0, 0), "the first SNR makes room");
        assert!(get(6.0, 1) && get(6.0, 2) && get(6.0, 3), "then the second");
        assert!(!get(6.0, 2) && get(6.0, 3), "what does not fit beside its own SNR is encoded again");
    }

    #[test]
    fn a_failure_is_not_kept() {
        let store = EncodedStore::default();
        let fail = || Err(sememe_blocks::BlockError::Kernel("no".into()));
        assert!(store.get((Decibel(0.0), 0), 48, fail).is_err());
        let users =
            || EncodedUsers { frame: 0, maps: Array4::zeros((0, 1, 1, 0)), private: Array2::zeros((1, 4)) };
        assert!(store.get((Decibel(0.0), 0), 48, || Ok(users())).is_ok());
    }
}
