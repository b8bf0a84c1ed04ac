//! One LDPC code: a base graph, lifted.

use super::shifts;
use super::{BaseGraph, lifting};
use crate::Result;
use std::ops::Range;

/// One edge of a row: check `z` of the row involves bit `column` Z + (`z` + `shift`) mod Z of the codeword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Column of the base graph.
    pub column: u16,
    /// Cyclic shift of the lanes, below the lifting size.
    pub shift: u16,
}

/// The parity checks of a base graph under one lifting size Z.
///
/// A codeword holds all columns of the base graph in order, Z bits each: information (with the first 2 Z
/// bits, which are never sent, and with filler bits, which are zero and never sent), then parity.
/// Source: 3GPP TS 38.212, section 5.3.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdpcCode {
    base_graph: BaseGraph,
    lifting_size: usize,
    entries: Vec<Entry>,
    rows: Vec<Range<usize>>,
}

impl LdpcCode {
    /// Lifts a base graph.
    ///
    /// - errors: a lifting size that table 5.3.2-1 does not hold
    pub fn new(base_graph: BaseGraph, lifting_size: usize) -> Result<Self> {
        let set = lifting::set_index(lifting_size)?;
        let edges = shifts::edges(base_graph);
        let lift = |edge: &shifts::Edge| Entry {
            column: u16::from(edge.1),
            shift: (usize::from(edge.2[set]) % lifting_size) as u16,
        };
        let start = |row: usize| edges.partition_point(|edge| usize::from(edge.0) < row);
        Ok(Self {
            base_graph,
            lifting_size,
            entries: edges.iter().map(lift).collect(),
            rows: (0..base_graph.num_rows()).map(|row| start(row)..start(row + 1)).collect(),
        })
    }

    /// The base graph.
    pub fn base_graph(&self) -> BaseGraph {
        self.base_graph
    }

    /// Lanes of every column and row.
    pub fn lifting_size(&self) -> usize {
        self.lifting_size
    }

    /// Bits of information in a codeword, filler included.
    pub fn information_len(&self) -> usize {
        self.base_graph.information_columns() * self.lifting_size
    }

    /// Bits of a codeword, those that are never sent included.
    pub fn codeword_len(&self) -> usize {
        self.base_graph.num_columns() * self.lifting_size
    }

    /// Edges of a row of the base graph, ascending by column; none for a row that does not exist.
    pub fn row(&self, row: usize) -> &[Entry] {
        self.rows.get(row).map_or(&[], |range| &self.entries[range.clone()])
    }

    /// Whether bits have the length of a codeword, are all 0 or 1, and meet every parity check.
    pub fn is_codeword(&self, bits: &[u8]) -> bool {
        bits.len() == self.codeword_len()
            && bits.iter().all(|bit| *bit <= 1)
            && (0..self.base_graph.num_rows()).all(|row| self.row_holds(row, bits))
    }

    fn row_holds(&self, row: usize, bits: &[u8]) -> bool {
        let size = self.lifting_size;
        let mut checks = vec![0; size];
        for entry in self.row(row) {
            let column = &bits[usize::from(entry.column) * size..][..size];
            let (end, start) = column.split_at(usize::from(entry.shift));
            checks.iter_mut().zip(start.iter().chain(end)).for_each(|(check, bit)| *check ^= bit);
        }
        checks.iter().all(|check| *check == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_follow_from_the_lifting_size() {
        let code = LdpcCode::new(BaseGraph::One, 384).unwrap();
        assert_eq!((code.information_len(), code.codeword_len()), (8448, 26112));
        let code = LdpcCode::new(BaseGraph::Two, 104).unwrap();
        assert_eq!((code.information_len(), code.codeword_len()), (1040, 5408));
    }

    #[test]
    fn rows_hold_the_shifts_of_the_table_modulo_the_lifting_size() {
        let code = LdpcCode::new(BaseGraph::One, 16).unwrap();
        assert_eq!(code.row(0)[0], Entry { column: 0, shift: 250 % 16 });
        assert_eq!(code.row(0).len(), 19);
        assert_eq!(code.row(45)[2], Entry { column: 10, shift: 167 % 16 });
        assert_eq!(code.row(45).last(), Some(&Entry { column: 67, shift: 0 }));
        assert!(code.row(46).is_empty());
        assert_eq!((0..46).map(|row| code.row(row).len()).sum::<usize>(), 316);
    }

    #[test]
    fn checks_follow_the_definition_lane_by_lane() {
        let code = LdpcCode::new(BaseGraph::Two, 3).unwrap();
        for position in 0..code.codeword_len() {
            let mut bits = vec![0; code.codeword_len()];
            bits[position] = 1;
            for row in 0..42 {
                let failing = (0..3).any(|lane| {
                    code.row(row).iter().any(|entry| {
                        usize::from(entry.column) * 3 + (lane + usize::from(entry.shift)) % 3 == position
                    })
                });
                assert_eq!(code.row_holds(row, &bits), !failing);
            }
            assert!(!code.is_codeword(&bits));
        }
    }

    #[test]
    fn what_is_too_short_or_no_bit_is_no_codeword() {
        let code = LdpcCode::new(BaseGraph::Two, 2).unwrap();
        assert!(code.is_codeword(&[0; 104]));
        assert!(!code.is_codeword(&[0; 103]));
        assert!(!code.is_codeword(&[2; 104]));
    }

    #[test]
    fn a_lifting_size_outside_the_table_is_refused() {
        assert!(LdpcCode::new(BaseGraph::One, 17).is_err());
    }
}
