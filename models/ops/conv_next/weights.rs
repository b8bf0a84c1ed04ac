//! The weights of a residual block as one vector, so that the block is one operation.
//!
//! | part | shape |
//! |---|---|
//! | depthwise | `[50, d]`: 7 x 7 taps, then the bias |
//! | norm (optional) | `[2, d]`: scale, shift |
//! | expand | `[d + 1, 4 d]`: matrix, then the bias |
//! | response | `[2, 4 d]`: scale, shift |
//! | project | `[4 d + 1, d]`: matrix, then the bias |

use std::ops::Range;

/// Side of the depthwise kernel.
pub const KERNEL: usize = 7;
/// Rows of the depthwise part.
pub const TAP_ROWS: usize = KERNEL * KERNEL + 1;
/// Hidden channels per channel.
pub const EXPANSION: usize = 4;

/// Where the parts of a block's weights stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sections {
    /// `[50, d]`.
    pub depthwise: Range<usize>,
    /// `[2, d]`, or empty.
    pub norm: Range<usize>,
    /// `[d + 1, 4 d]`.
    pub expand: Range<usize>,
    /// `[2, 4 d]`.
    pub response: Range<usize>,
    /// `[4 d + 1, d]`.
    pub project: Range<usize>,
}

impl Sections {
    /// The parts of a block of `width` channels.
    pub fn new(width: usize, layer_norm: bool) -> Self {
        let hidden = EXPANSION * width;
        let mut end = 0;
        let mut next = |len: usize| {
            let start = end;
            end += len;
            start..end
        };
        Self {
            depthwise: next(TAP_ROWS * width),
            norm: next(if layer_norm { 2 * width } else { 0 }),
            expand: next((width + 1) * hidden),
            response: next(2 * hidden),
            project: next((hidden + 1) * width),
        }
    }

    /// Number of weights.
    pub fn len(&self) -> usize {
        self.project.end
    }

    /// Whether there are no weights: a width of zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_without_gaps() {
        for norm in [false, true] {
            let s = Sections::new(3, norm);
            let parts = [&s.depthwise, &s.norm, &s.expand, &s.response, &s.project];
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert_eq!(s.len(), 50 * 3 + 6 * usize::from(norm) + 4 * 12 + 24 + 13 * 3);
        }
    }
}
