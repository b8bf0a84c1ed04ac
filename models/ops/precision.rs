//! How exact operations are that a training step may compute faster than in f32.
//!
//! Only GPUs offer a choice; on the processor everything is f32.

use serde::{Deserialize, Serialize};
use std::cell::Cell;

/// The precision of products and of what stands between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// f32 throughout.
    #[default]
    F32,
    /// Hidden values of residual blocks in bf16, other products in TF32; weights, sums, norms and losses in
    /// f32.
    Mixed,
}

thread_local! {
    static CURRENT: Cell<Precision> = const { Cell::new(Precision::F32) };
}

/// Puts the former precision back, whatever happens in between.
struct Former(Precision);

impl Drop for Former {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl Precision {
    /// Calls `f`; operations that this thread builds meanwhile, and their gradients, have this precision.
    pub fn within<T>(self, f: impl FnOnce() -> T) -> T {
        let _former = Former(CURRENT.replace(self));
        f()
    }

    /// The precision for operations that are built now.
    pub fn current() -> Self {
        CURRENT.get()
    }

    /// Whether products may round their operands.
    pub fn may_round(self) -> bool {
        self == Self::Mixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_within_a_call_and_on_its_thread_only() {
        Precision::Mixed.within(|| {
            assert_eq!(Precision::current(), Precision::Mixed);
            Precision::F32.within(|| assert!(!Precision::current().may_round()));
            let elsewhere = std::thread::spawn(Precision::current).join();
            assert_eq!(elsewhere.ok(), Some(Precision::F32));
            assert!(Precision::current().may_round());
        });
        assert_eq!(Precision::current(), Precision::F32);
    }
}
