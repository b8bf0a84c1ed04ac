//! What one stream item is when frames travel: a slot from which the reader takes the frame.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A takeable frame. Stream buffers demand `Clone`, `Default` and `Debug` of their items and keep
/// consumed items alive; a slot gives them all three while the frame itself is moved, never
/// copied, and is gone from the buffer the moment a kernel has it.
pub struct FrameSlot<F> {
    frame: Arc<Mutex<Option<F>>>,
}

impl<F> FrameSlot<F> {
    /// A slot that holds a frame.
    pub fn new(frame: F) -> Self {
        Self { frame: Arc::new(Mutex::new(Some(frame))) }
    }

    /// Takes the frame; `None` where it was taken before, through this slot or a clone of it.
    pub fn take(&self) -> Option<F> {
        // Nothing panics while the lock is held, so a poisoned lock still guards a whole value.
        self.frame.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<F> Default for FrameSlot<F> {
    fn default() -> Self {
        Self { frame: Arc::new(Mutex::new(None)) }
    }
}

impl<F> Clone for FrameSlot<F> {
    /// Another name for the same slot: the frame can be taken once.
    fn clone(&self) -> Self {
        Self { frame: Arc::clone(&self.frame) }
    }
}

impl<F> fmt::Debug for FrameSlot<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameSlot")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct NotClone(u8);

    #[test]
    fn a_frame_is_taken_once_whoever_asks() {
        let slot = FrameSlot::new(NotClone(7));
        let twin = slot.clone();
        assert_eq!(twin.take().map(|frame| frame.0), Some(7));
        assert!(slot.take().is_none());
        assert!(FrameSlot::<NotClone>::default().take().is_none());
    }

    #[test]
    fn a_taken_frame_is_not_kept_alive_by_its_slot() {
        let frame = Arc::new(());
        let slot = FrameSlot::new(Arc::clone(&frame));
        drop(slot.take());
        assert_eq!(Arc::strong_count(&frame), 1);
    }
}
