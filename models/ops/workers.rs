//! A pass over a network as work of the thread pool itself.

use candle_core::Device;

/// Runs a computation on a thread of rayon's pool where it is for the processor, otherwise here.
///
/// An operation that a thread of the pool calls begins at once on that thread. From any other thread each wakes the
/// pool and waits: small DeepJSCC, on two cores, trains a tenth faster here and without the jumps that came from threads
/// being put on one core.
pub fn among_workers<T: Send>(device: &Device, pass: impl FnOnce() -> T + Send) -> T {
    match device {
        Device::Cpu => rayon::scope(|_| pass()),
        _ => pass(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_for_the_processor_is_done_in_the_pool() {
        assert!(rayon::current_thread_index().is_none());
        let mut calls = 0;
        let inside = among_workers(&Device::Cpu, || {
            calls += 1;
            // Passes nest.
            among_workers(&Device::Cpu, rayon::current_thread_index)
        });
        assert!(inside.is_some() && calls == 1);
    }
}
