//! How the process treats freed memory.

/// Keeps freed memory instead of handing it back to the system, where the C library is glibc.
///
/// Tensors of tens of megabytes come and go in every step; by default each goes back to the system and is
/// fetched page by page the next time, which costs a tenth to a fifth of a step. For programs, at their
/// start: it holds for the whole process and all its threads, whose memory then stays at its peak.
///
/// # Safety
/// No other thread may run yet: `mallopt` is not safe beside them.
pub unsafe fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the caller vouches that no other thread runs; unknown options are refused without effect.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        // -1: never.
        libc::mallopt(libc::M_TRIM_THRESHOLD, -1);
    }
}
