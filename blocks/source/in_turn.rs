//! Frames of several image sets, one set after the other.

use super::ImageSet;
use super::compound::compound_batch;
use super::image_set::check_indices;
use crate::frame::ImageBatch;
use crate::{BlockError, Result};
use std::sync::Arc;

/// Takes frames of `users` images from each of several sets in turn: frame n is frame n / S of set n mod S.
///
/// Frames stay whole, so scenes that are correlated within a frame stay correlated; with sets of different
/// shares a model meets all of them. Class labels, label maps and groups are kept only in batches taken
/// from one set alone.
pub struct FramesInTurn {
    sets: Vec<Arc<dyn ImageSet>>,
    users: usize,
    /// Frames of the shortest set.
    frames: usize,
}

impl FramesInTurn {
    /// Sets of images of equal size, from each as many whole frames as the shortest has.
    ///
    /// - users: images of a frame
    /// - errors: no set, no users, images of different size, a set of less than one frame
    pub fn new(sets: Vec<Arc<dyn ImageSet>>, users: usize) -> Result<Self> {
        let Some(first) = sets.first() else {
            return Err(BlockError::invalid("image sets to take in turn", 0, "at least 1"));
        };
        if users == 0 {
            return Err(BlockError::invalid("users", 0, "at least 1"));
        }
        for set in &sets {
            if set.size() != first.size() {
                let [expected, found] = [first, set].map(|s| format!("{}x{}", s.size().0, s.size().1));
                return Err(BlockError::shape("size of images taken in turn", &expected, &found));
            }
            if set.len() < users {
                return Err(BlockError::invalid(
                    "images of a set taken in turn",
                    set.len(),
                    format!("at least the {users} of a frame"),
                ));
            }
        }
        let frames = sets.iter().map(|set| set.len() / users).min().unwrap_or(0);
        Ok(Self { sets, users, frames })
    }

    /// The set of image `index`, and its index there.
    fn locate(&self, index: usize) -> (usize, usize) {
        let (frame, user) = (index / self.users, index % self.users);
        (frame % self.sets.len(), frame / self.sets.len() * self.users + user)
    }
}

impl ImageSet for FramesInTurn {
    fn len(&self) -> usize {
        self.frames * self.sets.len() * self.users
    }

    fn size(&self) -> (usize, usize) {
        self.sets[0].size()
    }

    fn batch(&self, frame: u64, indices: &[usize]) -> Result<ImageBatch> {
        check_indices(indices, self.len())?;
        let sets: Vec<&dyn ImageSet> = self.sets.iter().map(|set| set.as_ref()).collect();
        compound_batch(&sets, |index| self.locate(index), frame, indices, self.size())
    }

    fn name(&self) -> String {
        let names: Vec<String> = self.sets.iter().map(|set| set.name()).collect();
        format!("frames of {} in turn from: {}", self.users, names.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::image_set::tests::Numbered;
    use super::*;
    use crate::frame::Truth;
    use ndarray::Axis;

    fn numbers(batch: &ImageBatch) -> Vec<u8> {
        batch.pixels.axis_iter(Axis(0)).map(|image| image[[0, 0, 0]]).collect()
    }

    #[test]
    fn frames_alternate_and_stay_whole() {
        let set = FramesInTurn::new(vec![Arc::new(Numbered(7)), Arc::new(Numbered(4))], 2).unwrap();
        assert_eq!(set.len(), 8);
        let batch = set.batch(3, &(0..8).collect::<Vec<_>>()).unwrap();
        assert_eq!(numbers(&batch), [0, 1, 0, 1, 2, 3, 2, 3]);
        assert_eq!((batch.frame, batch.truth), (3, Truth::default()));
        assert_eq!(
            set.batch(0, &[4, 5]).unwrap().truth.labels,
            Some(vec![2, 3]),
            "one origin keeps its labels"
        );
        assert!(set.batch(0, &[8]).is_err());
        assert!(set.name().starts_with("frames of 2 in turn from: numbered 7; "));
    }

    #[test]
    fn what_cannot_alternate_is_refused() {
        assert!(FramesInTurn::new(vec![], 2).is_err());
        assert!(FramesInTurn::new(vec![Arc::new(Numbered(7))], 0).is_err());
        let short = FramesInTurn::new(vec![Arc::new(Numbered(7)), Arc::new(Numbered(1))], 2);
        let scenes = crate::source::SceneSet::new(crate::source::SceneConfig::default()).unwrap();
        assert!(FramesInTurn::new(vec![Arc::new(Numbered(7)), Arc::new(scenes)], 2).is_err());
        assert!(short.err().unwrap().to_string().contains("at least the 2"));
    }
}
