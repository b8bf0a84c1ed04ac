//! How a kernel comes back after a run, with all that it collected.

use super::GraphError;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// A claim on a kernel that is in a flowgraph. The kernel can be taken once the run has ended,
/// whether it ended well or not.
#[derive(Debug)]
pub struct Kept<K> {
    block: String,
    cell: Arc<Mutex<Option<K>>>,
}

impl<K> Kept<K> {
    /// Takes the kernel back.
    ///
    /// - errors: `StillRunning` before the end of the run, or where a block never returned from it
    pub fn take(self) -> Result<K, GraphError> {
        let kernel = self.cell.lock().unwrap_or_else(PoisonError::into_inner).take();
        kernel.ok_or(GraphError::StillRunning(self.block))
    }
}

/// A kernel inside its block. The block owns it without a lock; when the block is dropped the
/// kernel moves to where the claims look for it.
#[derive(Debug)]
pub(super) struct Held<K> {
    kernel: Option<K>,
    cell: Arc<Mutex<Option<K>>>,
}

impl<K> Held<K> {
    pub(super) fn new(kernel: K) -> Self {
        Self { kernel: Some(kernel), cell: Arc::new(Mutex::new(None)) }
    }

    pub(super) fn claim(&self, block: &str) -> Kept<K> {
        Kept { block: block.to_owned(), cell: Arc::clone(&self.cell) }
    }
}

impl<K> Deref for Held<K> {
    type Target = K;

    fn deref(&self) -> &K {
        self.kernel.as_ref().expect("the kernel leaves only in drop")
    }
}

impl<K> DerefMut for Held<K> {
    fn deref_mut(&mut self) -> &mut K {
        self.kernel.as_mut().expect("the kernel leaves only in drop")
    }
}

impl<K> Drop for Held<K> {
    fn drop(&mut self) {
        *self.cell.lock().unwrap_or_else(PoisonError::into_inner) = self.kernel.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_comes_back_when_its_block_is_gone() {
        let mut held = Held::new(vec![1]);
        let early = held.claim("sink");
        let late = held.claim("sink");
        assert_eq!(
            early.take().unwrap_err().to_string(),
            GraphError::StillRunning("sink".into()).to_string()
        );
        held.push(2);
        drop(held);
        assert_eq!(late.take().unwrap(), [1, 2]);
    }
}
