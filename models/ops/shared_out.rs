//! An output buffer that parallel tasks fill in disjoint parts.

/// `len` f32 values, written by tasks that own disjoint parts, then taken as a vector.
pub struct SharedOut {
    values: Vec<f32>,
    len: usize,
    start: *mut f32,
}

// SAFETY: the pointer leads into `values`, which lives as long; `at` obliges its callers to write
// disjoint parts.
unsafe impl Sync for SharedOut {}

impl SharedOut {
    /// Reserves `len` values without filling them.
    pub fn new(len: usize) -> Self {
        let mut values = Vec::with_capacity(len);
        let start = values.as_mut_ptr();
        Self { values, len, start }
    }

    /// Where value `offset` stands.
    ///
    /// # Safety
    /// Stay below `len`; no two tasks write the same value.
    pub unsafe fn at(&self, offset: usize) -> *mut f32 {
        unsafe { self.start.add(offset) }
    }

    /// The filled buffer. Every value must have been written: callers cover all samples and channels.
    pub fn take(&mut self) -> Vec<f32> {
        let mut values = std::mem::take(&mut self.values);
        // SAFETY: capacity was reserved in `new`, and the caller's tasks have written all of it.
        unsafe { values.set_len(self.len) };
        values
    }
}
