//! Mixes two image sets: every n-th image comes from the second.

use super::ImageSet;
use super::compound::compound_batch;
use super::image_set::check_indices;
use crate::frame::ImageBatch;
use crate::{BlockError, Result};
use std::sync::Arc;

/// All images of one set, interleaved with images of another of equal size.
///
/// Of every `period` consecutive images the last is from the second set, which starts over when it
/// ends. Every image of the first set appears exactly once. Class labels, label maps and groups
/// are kept only in batches taken from one of the sets alone: their numbers mean different things.
pub struct MixedSet {
    first: Arc<dyn ImageSet>,
    second: Arc<dyn ImageSet>,
    period: usize,
    len: usize,
}

impl MixedSet {
    /// Mixes two sets.
    ///
    /// - period: 10 makes a tenth of the images come from `second`
    /// - errors: images of different size, an empty set, or a period below 2
    pub fn new(first: Arc<dyn ImageSet>, second: Arc<dyn ImageSet>, period: usize) -> Result<Self> {
        if period < 2 {
            return Err(BlockError::invalid("period of the mix", period, "at least 2"));
        }
        let sizes = [first.size(), second.size()].map(|(height, width)| format!("{height}x{width}"));
        if sizes[0] != sizes[1] {
            return Err(BlockError::shape("size of the images mixed in", &sizes[0], &sizes[1]));
        }
        for set in [&first, &second] {
            if set.is_empty() {
                return Err(BlockError::invalid("images to mix", 0, format!("at least 1 in {}", set.name())));
            }
        }
        let len = first
            .len()
            .checked_add(first.len() / (period - 1))
            .ok_or_else(|| BlockError::invalid("images to mix", first.len(), "a sum that can be counted"))?;
        Ok(Self { first, second, period, len })
    }

    /// The number of the set that image `index` is from, 0 or 1, and its index there.
    fn locate(&self, index: usize) -> (usize, usize) {
        let (turn, place) = (index / self.period, index % self.period);
        match place + 1 == self.period {
            true => (1, turn % self.second.len()),
            false => (0, turn * (self.period - 1) + place),
        }
    }
}

impl ImageSet for MixedSet {
    fn len(&self) -> usize {
        self.len
    }

    fn size(&self) -> (usize, usize) {
        self.first.size()
    }

    fn batch(&self, frame: u64, indices: &[usize]) -> Result<ImageBatch> {
        check_indices(indices, self.len)?;
        let sets = [self.first.as_ref(), self.second.as_ref()];
        compound_batch(&sets, |index| self.locate(index), frame, indices, self.size())
    }

    fn name(&self) -> String {
        format!("{}, 1 in {} images from {}", self.first.name(), self.period, self.second.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::image_set::tests::Numbered;
    use super::*;
    use crate::frame::Truth;
    use crate::source::{SceneConfig, SceneSet};
    use ndarray::Axis;

    /// 9 images numbered from 0 and 2 numbered from 100.
    fn mixed(period: usize) -> MixedSet {
        struct Shifted;
        impl ImageSet for Shifted {
            fn len(&self) -> usize {
                2
            }
            fn size(&self) -> (usize, usize) {
                (2, 3)
            }
            fn batch(&self, frame: u64, indices: &[usize]) -> Result<ImageBatch> {
                let mut batch = Numbered(2).batch(frame, indices)?;
                batch.pixels += 100;
                Ok(batch)
            }
            fn name(&self) -> String {
                "shifted".into()
            }
        }
        MixedSet::new(Arc::new(Numbered(9)), Arc::new(Shifted), period).unwrap()
    }

    fn numbers(batch: &ImageBatch) -> Vec<u8> {
        batch.pixels.axis_iter(Axis(0)).map(|image| image[[0, 0, 0]]).collect()
    }

    #[test]
    fn every_third_image_is_from_the_second_set() {
        let set = mixed(3);
        let all: Vec<usize> = (0..set.len()).collect();
        let batch = set.batch(5, &all).unwrap();
        assert_eq!(numbers(&batch), [0, 1, 100, 2, 3, 101, 4, 5, 100, 6, 7, 101, 8]);
        assert_eq!((batch.frame, batch.truth), (5, Truth::default()));
        assert_eq!(set.name(), "numbered 9, 1 in 3 images from shifted");
    }

    #[test]
    fn any_order_and_a_single_origin() {
        let set = mixed(3);
        let batch = set.batch(0, &[12, 0, 3]).unwrap();
        assert_eq!(numbers(&batch), [8, 0, 2]);
        assert_eq!(batch.truth.labels, Some(vec![8, 0, 2]), "one origin keeps its labels");
        assert!(set.batch(0, &[13]).is_err());
        assert!(set.batch(0, &[]).unwrap().is_empty());
    }

    #[test]
    fn the_first_set_is_used_once_for_every_period() {
        for period in 2..12 {
            let set = mixed(period);
            let all: Vec<usize> = (0..set.len()).collect();
            let seen: Vec<u8> =
                numbers(&set.batch(0, &all).unwrap()).into_iter().filter(|n| *n < 100).collect();
            assert_eq!(seen, (0..9).collect::<Vec<u8>>(), "period {period}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let scenes: Arc<dyn ImageSet> = Arc::new(SceneSet::new(SceneConfig::default()).unwrap());
        let new = |second: Arc<dyn ImageSet>, period| {
            MixedSet::new(Arc::new(Numbered(9)), second, period).err().unwrap().to_string()
        };
        assert!(new(scenes, 3).contains("expected 2x3, found 32x32"));
        assert!(new(Arc::new(Numbered(0)), 3).contains("at least 1 in numbered 0"));
        assert!(new(Arc::new(Numbered(4)), 1).contains("at least 2"));
    }
}
