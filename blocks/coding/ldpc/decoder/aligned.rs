//! Bytes that begin at a cache line, so that whole registers never cross one.

/// One cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
struct Line([[i8; 32]; 2]);

const LINE: usize = size_of::<Line>();

/// A growing buffer of signed bytes, aligned to 64.
#[derive(Clone, Debug, Default)]
pub struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

impl Aligned {
    /// Makes it `len` bytes long; what stands in them is arbitrary.
    pub fn grow_to(&mut self, len: usize) {
        if self.lines.len() < len.div_ceil(LINE) {
            self.lines.resize(len.div_ceil(LINE), Line::default());
        }
        self.len = len;
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[i8] {
        // SAFETY: lines are plain bytes without gaps, and `len` of them are inside.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }

    /// The bytes.
    pub fn as_mut_slice(&mut self) -> &mut [i8] {
        // SAFETY: as above, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_begin_at_a_cache_line() {
        let mut bytes = Aligned::default();
        assert!(bytes.as_slice().is_empty());
        for len in [1, 63, 64, 65, 1000, 5] {
            bytes.grow_to(len);
            assert_eq!((bytes.as_slice().as_ptr() as usize % 64, bytes.as_slice().len()), (0, len));
            bytes.as_mut_slice().fill(7);
            assert!(bytes.as_slice().iter().all(|byte| *byte == 7));
        }
    }
}
