//! Walks an image set in frames of K users.

use super::ImageSet;
use crate::frame::ImageBatch;
use crate::kernel::FrameSource;
use crate::{BlockError, Result};
use std::ops::Range;
use std::sync::Arc;

/// Frames of K consecutive images, numbered from 0.
///
/// Only full frames are given, so that every line of an experiment sees the same images whatever
/// its group sizes; what remains at the end is dropped and counted by [`dropped`](Self::dropped).
pub struct BatchSource {
    set: Arc<dyn ImageSet>,
    users: usize,
    range: Range<usize>,
    next_frame: usize,
}

impl BatchSource {
    /// A walk over a part of a set.
    ///
    /// - users: images per frame, K
    /// - first: index of the first image
    /// - limit: at most this many images; `None` means all that follow `first`
    /// - errors: no user, `first` past the end, or fewer images than fill one frame
    pub fn new(set: Arc<dyn ImageSet>, users: usize, first: usize, limit: Option<usize>) -> Result<Self> {
        let len = set.len();
        if users == 0 {
            return Err(BlockError::invalid("users", 0, "at least 1"));
        }
        if first >= len {
            return Err(BlockError::invalid(
                "first image",
                first,
                format!("below the {len} images of {}", set.name()),
            ));
        }
        let available = limit.unwrap_or(usize::MAX).min(len - first);
        if available < users {
            return Err(BlockError::invalid(
                "users",
                users,
                format!("at most the {available} images chosen of {}", set.name()),
            ));
        }
        Ok(Self { set, users, range: first..first + available, next_frame: 0 })
    }

    /// Number of frames in the whole walk.
    pub fn num_frames(&self) -> usize {
        self.range.len() / self.users
    }

    /// Number of chosen images that fill no frame and are left out.
    pub fn dropped(&self) -> usize {
        self.range.len() % self.users
    }
}

impl FrameSource for BatchSource {
    type Out = ImageBatch;

    fn next_frame(&mut self) -> Result<Option<ImageBatch>> {
        if self.next_frame == self.num_frames() {
            return Ok(None);
        }
        let start = self.range.start + self.next_frame * self.users;
        let indices: Vec<usize> = (start..start + self.users).collect();
        let batch = self.set.batch(self.next_frame as u64, &indices)?;
        self.next_frame += 1;
        Ok(Some(batch))
    }
}

#[cfg(test)]
mod tests {
    use super::super::image_set::tests::Numbered;
    use super::*;
    use proptest::prelude::*;

    fn walk(mut source: BatchSource) -> Vec<Vec<u16>> {
        let mut frames = Vec::new();
        while let Some(batch) = source.next_frame().unwrap() {
            assert_eq!(batch.frame, frames.len() as u64);
            frames.push(batch.truth.labels.unwrap());
        }
        assert!(source.next_frame().unwrap().is_none(), "the end stays the end");
        frames
    }

    #[test]
    fn only_full_frames_are_given() {
        let source = BatchSource::new(Arc::new(Numbered(11)), 4, 0, None).unwrap();
        assert_eq!((source.num_frames(), source.dropped()), (2, 3));
        assert_eq!(walk(source), vec![vec![0, 1, 2, 3], vec![4, 5, 6, 7]]);
    }

    #[test]
    fn what_cannot_fill_a_frame_is_refused() {
        let refused = |users, first, limit| {
            BatchSource::new(Arc::new(Numbered(11)), users, first, limit).err().unwrap().to_string()
        };
        assert!(refused(0, 0, None).contains("at least 1"));
        assert!(refused(12, 0, None).contains("at most the 11"));
        assert!(refused(4, 0, Some(3)).contains("at most the 3"));
        assert!(refused(1, 11, None).contains("below the 11"));
        assert!(refused(1, 0, Some(0)).contains("at most the 0"));
    }

    proptest! {
        #[test]
        fn every_chosen_image_is_given_once_or_dropped(
            len in 1usize..60, users in 1usize..10, first in 0usize..60, limit in proptest::option::of(0usize..80)
        ) {
            let Ok(source) = BatchSource::new(Arc::new(Numbered(len)), users, first, limit) else {
                let chosen = len.saturating_sub(first).min(limit.unwrap_or(usize::MAX));
                prop_assert!(chosen < users);
                return Ok(());
            };
            let dropped = source.dropped();
            prop_assert!(dropped < users);
            let seen: Vec<usize> = walk(source).concat().into_iter().map(usize::from).collect();
            let chosen = (len - first).min(limit.unwrap_or(usize::MAX));
            prop_assert_eq!(seen, (first..first + chosen - dropped).collect::<Vec<_>>());
        }
    }
}
