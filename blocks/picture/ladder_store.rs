//! Ladders that many points of an experiment share: each picture is searched through once.

use super::coder::PictureCoder;
use super::ladder::Ladder;
use crate::Result;
use ndarray::ArrayView3;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Most ladders kept; each takes a few kilobytes. Those beyond are searched for again every time.
const MOST_KEPT: usize = 1 << 17;

/// Ladders by the content of their pictures.
///
/// A ladder does not depend on channel or SNR, and it takes milliseconds (JPEG) to a tenth of a second (WebP)
/// to make. What is kept changes the time of a result, never the result.
#[derive(Debug)]
pub struct LadderStore {
    coder: PictureCoder,
    largest_payload_bits: usize,
    kept: Mutex<HashMap<[u8; 32], Arc<Ladder>>>,
}

impl LadderStore {
    /// An empty store.
    ///
    /// - largest_payload_bits: the largest payload that any ladder will be asked for
    pub fn new(coder: PictureCoder, largest_payload_bits: usize) -> Self {
        Self { coder, largest_payload_bits, kept: Mutex::default() }
    }

    /// The coder.
    pub fn coder(&self) -> &PictureCoder {
        &self.coder
    }

    /// The largest payload that ladders serve.
    pub fn largest_payload_bits(&self) -> usize {
        self.largest_payload_bits
    }

    /// The ladder of the images of one stream.
    ///
    /// - images: `[H, W, 3]` each, as many as go in one stream
    /// - errors: images of another number or size
    pub fn ladder(&self, images: &[ArrayView3<'_, u8>]) -> Result<Arc<Ladder>> {
        let key = digest(images);
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ladder) = kept().get(&key) {
            return Ok(Arc::clone(ladder));
        }
        let ladder = Arc::new(self.coder.ladder(images, self.largest_payload_bits)?);
        let mut kept = kept();
        if kept.len() < MOST_KEPT {
            kept.insert(key, Arc::clone(&ladder));
        }
        Ok(ladder)
    }

    /// Number of ladders kept.
    pub fn len(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no ladder is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn digest(images: &[ArrayView3<'_, u8>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for image in images {
        hash.update(format!("{:?}", image.dim()));
        match image.as_slice() {
            Some(bytes) => hash.update(bytes),
            None => hash.update(image.iter().copied().collect::<Vec<u8>>()),
        }
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::test_pictures::scene;
    use crate::picture::{Packing, PictureCodec};

    #[test]
    fn a_picture_is_searched_through_once_wherever_it_lies() {
        let coder = PictureCoder::new(PictureCodec::Jpeg, Packing::Shared, (16, 16), 1).unwrap();
        let store = LadderStore::new(coder.clone(), 2000);
        assert!(store.is_empty());
        let [first, second] = [1, 2].map(|seed| scene(16, 16, seed));
        let ladder = store.ladder(&[first.view()]).unwrap();
        assert!(Arc::ptr_eq(&ladder, &store.ladder(&[first.clone().view()]).unwrap()));
        assert_eq!(*ladder, coder.ladder(&[first.view()], 2000).unwrap());
        assert_ne!(*ladder, *store.ladder(&[second.view()]).unwrap());
        // The same numbers in another order of memory are the same picture.
        let turned = first.view().permuted_axes([1, 0, 2]).as_standard_layout().to_owned();
        let again = turned.view().permuted_axes([1, 0, 2]);
        assert!(Arc::ptr_eq(&ladder, &store.ladder(&[again]).unwrap()));
        assert_eq!(store.len(), 2);
        assert!(store.ladder(&[]).is_err());
    }
}
