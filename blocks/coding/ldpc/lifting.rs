//! Lifting sizes: how many lanes stand behind every entry of a base graph.
//!
//! Source: 3GPP TS 38.212, table 5.3.2-1 and section 5.2.2.

use super::BaseGraph;
use crate::{BlockError, Result};

/// All lifting sizes, ascending: powers of two, times an odd number up to 15, from 2 to 384.
pub const LIFTING_SIZES: [usize; 51] = [
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 26, 28, 30, 32, 36, 40, 44, 48, 52,
    56, 60, 64, 72, 80, 88, 96, 104, 112, 120, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352,
    384,
];

/// Which of the eight sets of shifts belongs to a lifting size.
///
/// - errors: a number that is no lifting size
pub fn set_index(lifting_size: usize) -> Result<usize> {
    if LIFTING_SIZES.binary_search(&lifting_size).is_err() {
        let allowed = "one of 2^j, 3 2^j, 5 2^j, ... 15 2^j between 2 and 384 \
                       (table 5.3.2-1 of TS 38.212: 64, 72, 80, 88, 96, 104, 112, 120, 128, ...)";
        return Err(BlockError::invalid("lifting size", lifting_size, allowed));
    }
    Ok((lifting_size >> lifting_size.trailing_zeros()) / 2)
}

/// Columns that the information of one code block may fill, from the length `input_len` before segmentation
/// (transport block with its CRC). Source: section 5.2.2, K_b.
pub fn filled_columns(base_graph: BaseGraph, input_len: usize) -> usize {
    match (base_graph, input_len) {
        (BaseGraph::One, _) => 22,
        (BaseGraph::Two, 641..) => 10,
        (BaseGraph::Two, 561..) => 9,
        (BaseGraph::Two, 193..) => 8,
        (BaseGraph::Two, _) => 6,
    }
}

/// The smallest lifting size whose `columns` columns hold `block_len` bits.
///
/// - errors: none is large enough
pub fn smallest_lifting_size(columns: usize, block_len: usize) -> Result<usize> {
    LIFTING_SIZES.into_iter().find(|size| columns * size >= block_len).ok_or_else(|| {
        BlockError::invalid("code block length", block_len, format!("at most {} bits", columns * 384))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_its_formula() {
        let mut sizes: Vec<usize> = [2, 3, 5, 7, 9, 11, 13, 15]
            .into_iter()
            .flat_map(|odd| (0..8).map(move |exponent| odd << exponent))
            .filter(|size| *size <= 384)
            .collect();
        sizes.sort_unstable();
        assert_eq!(sizes, LIFTING_SIZES);
    }

    #[test]
    fn set_indices_are_those_of_the_table() {
        for (size, set) in [(2, 0), (256, 0), (3, 1), (384, 1), (320, 2), (224, 3), (288, 4), (352, 5)] {
            assert_eq!(set_index(size).unwrap(), set, "{size}");
        }
        assert_eq!((set_index(208).unwrap(), set_index(15).unwrap()), (6, 7));
    }

    #[test]
    fn a_size_outside_the_table_is_refused() {
        for size in [0, 1, 17, 34, 385, 512, usize::MAX] {
            assert!(set_index(size).unwrap_err().to_string().contains("between 2 and 384"), "{size}");
        }
    }

    #[test]
    fn the_smallest_size_that_holds_the_block_is_taken() {
        for (input_len, size) in [(1, 2), (12, 2), (13, 3), (192, 32), (193, 26), (560, 72), (561, 64)] {
            let columns = filled_columns(BaseGraph::Two, input_len);
            assert_eq!(smallest_lifting_size(columns, input_len).unwrap(), size, "{input_len}");
        }
        assert_eq!(filled_columns(BaseGraph::Two, 640), 9);
        assert_eq!(filled_columns(BaseGraph::Two, 641), 10);
        assert_eq!(smallest_lifting_size(22, 8448).unwrap(), 384);
        assert!(smallest_lifting_size(22, 8449).unwrap_err().to_string().contains("at most 8448"));
    }
}
