//! How a picture is divided: components, blocks, minimum coded units. Source: ITU-T T.81, A.1 and A.2.

use crate::picture::Subsampling;

/// Size and colour resolution of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    /// At least one pixel.
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) subsampling: Subsampling,
}

impl Frame {
    /// Rows and columns of minimum coded units.
    pub(super) fn units(&self) -> (usize, usize) {
        let side = self.subsampling.unit_side();
        (self.height.div_ceil(side), self.width.div_ceil(side))
    }

    /// Component (0 = luminance) of each block of a unit, in the order of an interleaved scan.
    pub(super) fn unit(&self) -> &'static [usize] {
        match self.subsampling {
            Subsampling::S420 => &[0, 0, 0, 0, 1, 2],
            Subsampling::S444 => &[0, 1, 2],
        }
    }

    /// Blocks in the whole scan.
    pub(super) fn num_blocks(&self) -> usize {
        let (rows, columns) = self.units();
        rows * columns * self.unit().len()
    }

    /// Blocks of a unit along one side, of a component.
    pub(super) fn blocks_per_side(&self, component: usize) -> usize {
        if component == 0 { self.subsampling.unit_side() / 8 } else { 1 }
    }

    /// Height and width of a component in samples that lie in the picture.
    pub(super) fn component_size(&self, component: usize) -> (usize, usize) {
        match self.subsampling {
            Subsampling::S420 if component > 0 => (self.height.div_ceil(2), self.width.div_ceil(2)),
            _ => (self.height, self.width),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_a_picture_that_is_no_multiple_of_a_unit() {
        let frame = Frame { height: 17, width: 33, subsampling: Subsampling::S420 };
        assert_eq!((frame.units(), frame.num_blocks()), ((2, 3), 36));
        assert_eq!((frame.component_size(0), frame.component_size(2)), ((17, 33), (9, 17)));
        let frame = Frame { subsampling: Subsampling::S444, ..frame };
        assert_eq!((frame.units(), frame.num_blocks()), ((3, 5), 45));
        assert_eq!((frame.component_size(0), frame.component_size(2)), ((17, 33), (17, 33)));
        assert_eq!((frame.blocks_per_side(0), frame.blocks_per_side(1)), (1, 1));
    }
}
