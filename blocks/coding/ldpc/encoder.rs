//! LDPC encoding, one bit in each byte.
//!
//! ```text
//!  information ─┬─► sums of rows 0 to 3 ─► first parity column ─► parity columns 2 to 4 ─┐
//!               └────────────────────────────────────────────────────────────────────────┴─► rows 4, 5, ...
//! ```
//!
//! In rows 0 to 3 the first parity column stands three times, twice under the same shift, and every other
//! parity column twice: the sum of the four rows is the first parity column, shifted. The others follow row
//! by row, and from row 4 on each row gives one parity column. Every column is held twice in a row, so that a
//! cyclic shift is an unaligned slice and every step is a sum of slices. Source: 3GPP TS 38.212, section
//! 5.3.2 (the code); the order of the steps follows from the shape of its tables.

use super::LdpcCode;
use crate::isa::{Isa, Loop};
use crate::{BlockError, Result};

/// Most bytes summed at a time.
const WIDEST: usize = 128;
/// Rows that determine the first four parity columns together.
const CORE_ROWS: usize = 4;

/// Encodes blocks of one code.
#[derive(Clone, Debug)]
pub struct LdpcEncoder {
    code: LdpcCode,
    isa: Isa,
    /// What gives the sums of the core rows, the core parity columns, then the other parity columns.
    steps: Vec<Step>,
    /// Information columns, core parity columns and sums of the core rows, each twice in a row.
    columns: Vec<u8>,
}

/// One column as a sum of slices that begin at `offsets` of [`LdpcEncoder::columns`].
#[derive(Clone, Debug)]
struct Step {
    /// Where the sum is kept for later steps.
    slot: Option<usize>,
    /// Whether it is a parity column; these come in order.
    is_parity: bool,
    offsets: Vec<usize>,
}

impl LdpcEncoder {
    /// Prepares the encoder of a code.
    pub fn new(code: &LdpcCode) -> Self {
        let num_slots = code.base_graph().information_columns() + 2 * CORE_ROWS;
        Self {
            isa: Isa::detect(),
            steps: steps(code),
            columns: vec![0; num_slots * stride(code.lifting_size())],
            code: code.clone(),
        }
    }

    /// The code.
    pub fn code(&self) -> &LdpcCode {
        &self.code
    }

    /// Encodes one block.
    ///
    /// - information: bits, [`LdpcCode::information_len`] of them, filler included
    /// - codeword: bits, [`LdpcCode::codeword_len`] of them, all overwritten
    /// - errors: other lengths; a byte of the information that is neither 0 nor 1
    pub fn encode_into(&mut self, information: &[u8], codeword: &mut [u8]) -> Result<()> {
        self.encode_rows(information, self.code.base_graph().num_rows(), codeword)
    }

    /// Encodes the beginning of one codeword: its information and the first `rows` parity columns.
    ///
    /// - information: bits, [`LdpcCode::information_len`] of them, filler included
    /// - rows: from 4 to all rows of the base graph
    /// - codeword: bits, (information columns + `rows`) Z of them, all overwritten
    /// - errors: other lengths or rows; a byte of the information that is neither 0 nor 1
    pub fn encode_rows(&mut self, information: &[u8], rows: usize, codeword: &mut [u8]) -> Result<()> {
        let (base_graph, size) = (self.code.base_graph(), self.code.lifting_size());
        if !(CORE_ROWS..=base_graph.num_rows()).contains(&rows) {
            let allowed = format!("{CORE_ROWS} to {}", base_graph.num_rows());
            return Err(BlockError::invalid("parity rows", rows, allowed));
        }
        let expected = self.code.information_len();
        if information.len() != expected {
            return Err(BlockError::shape("information of an LDPC block", expected, information.len()));
        }
        let expected = (base_graph.information_columns() + rows) * size;
        if codeword.len() != expected {
            return Err(BlockError::shape("LDPC codeword", expected, codeword.len()));
        }
        if information.iter().fold(0, |all, bit| all | bit) > 1 {
            let position = information.iter().position(|bit| *bit > 1).unwrap_or(0);
            let found = format!("{} at position {position}", information[position]);
            return Err(BlockError::invalid("information bit", found, "0 or 1"));
        }
        let (copy, parity) = codeword.split_at_mut(information.len());
        copy.copy_from_slice(information);
        let steps = &self.steps[..CORE_ROWS + rows];
        self.isa.run(Sums { steps, size, information, columns: &mut self.columns, parity });
        Ok(())
    }
}

/// Distance between columns that are held twice: a slice of whole chunks may begin at any shift.
fn stride(size: usize) -> usize {
    2 * size + WIDEST
}

fn steps(code: &LdpcCode) -> Vec<Step> {
    let (information, size) = (code.base_graph().information_columns(), code.lifting_size());
    let offset = |slot: usize, shift: usize| slot * stride(size) + shift;
    let sum_of_row = |row: usize| information + CORE_ROWS + row;
    // Offsets of those edges of a row that lead to the given columns.
    let offsets = |row: usize, columns: std::ops::Range<usize>| -> Vec<usize> {
        let edges = code.row(row).iter().filter(|entry| columns.contains(&usize::from(entry.column)));
        edges.map(|entry| offset(usize::from(entry.column), usize::from(entry.shift))).collect()
    };
    let core_sums = (0..CORE_ROWS).map(|row| Step {
        slot: Some(sum_of_row(row)),
        is_parity: false,
        offsets: offsets(row, 0..information),
    });
    // The shift that is left where two equal ones cancel; the sum is turned back by it.
    let first_shift = (0..CORE_ROWS)
        .flat_map(|row| code.row(row))
        .filter(|entry| usize::from(entry.column) == information)
        .fold(0, |left, entry| left ^ usize::from(entry.shift));
    let back = (size - first_shift) % size;
    let first = Step {
        slot: Some(information),
        is_parity: true,
        offsets: (0..CORE_ROWS).map(|row| offset(sum_of_row(row), back)).collect(),
    };
    let core = (1..CORE_ROWS).map(|column| Step {
        slot: Some(information + column),
        is_parity: true,
        offsets: [
            vec![offset(sum_of_row(column - 1), 0)],
            offsets(column - 1, information..information + column),
        ]
        .concat(),
    });
    let others = (CORE_ROWS..code.base_graph().num_rows()).map(|row| Step {
        slot: None,
        is_parity: true,
        offsets: offsets(row, 0..information + CORE_ROWS),
    });
    core_sums.chain([first]).chain(core).chain(others).collect()
}

/// All steps for one block.
struct Sums<'a> {
    steps: &'a [Step],
    size: usize,
    information: &'a [u8],
    columns: &'a mut [u8],
    parity: &'a mut [u8],
}

impl Loop for Sums<'_> {
    type Output = ();

    /// Long chunks spare loop ends; short ones spare lanes that short columns do not have.
    #[inline(always)]
    fn run(self) {
        match self.size {
            ..=64 => run::<64>(self),
            _ => run::<WIDEST>(self),
        }
    }
}

#[inline(always)]
fn run<const WIDTH: usize>(sums: Sums) {
    let Sums { steps, size, information, columns, parity } = sums;
    for (bits, column) in information.chunks_exact(size).zip(columns.chunks_exact_mut(stride(size))) {
        column[..size].copy_from_slice(bits);
        column[size..2 * size].copy_from_slice(bits);
    }
    let mut rest = parity;
    for step in steps {
        for base in (0..size).step_by(WIDTH) {
            let mut sum = [0; WIDTH];
            for offset in &step.offsets {
                let slice = &columns[offset + base..][..WIDTH];
                sum.iter_mut().zip(slice).for_each(|(sum, bit)| *sum ^= bit);
            }
            match step.slot {
                Some(slot) => columns[slot * stride(size) + base..][..WIDTH].copy_from_slice(&sum),
                None => store(&sum, &mut rest[base..]),
            }
        }
        if let Some(slot) = step.slot {
            double::<WIDTH>(&mut columns[slot * stride(size)..], size);
        }
        if step.is_parity {
            let (column, later) = rest.split_at_mut(size);
            if let Some(slot) = step.slot {
                column.copy_from_slice(&columns[slot * stride(size)..][..size]);
            }
            rest = later;
        }
    }
}

/// Stores a chunk where there is room for it: what it overwrites behind its column is written later.
#[inline(always)]
fn store<const WIDTH: usize>(chunk: &[u8; WIDTH], to: &mut [u8]) {
    match to.first_chunk_mut() {
        Some(to) => *to = *chunk,
        None => to.copy_from_slice(&chunk[..to.len()]),
    }
}

/// Writes a column a second time, behind itself; what lies behind both is never read.
#[inline(always)]
fn double<const WIDTH: usize>(column: &mut [u8], size: usize) {
    for base in (0..size).step_by(WIDTH) {
        let mut chunk = [0; WIDTH];
        chunk.copy_from_slice(&column[base..base + WIDTH]);
        column[size + base..][..WIDTH].copy_from_slice(&chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::ldpc::{BaseGraph, lifting::LIFTING_SIZES};
    use crate::rng::{Purpose, RngKey};
    use rand::Rng;

    fn random_bits(len: usize, seed: u64) -> Vec<u8> {
        let mut rng = RngKey::new(seed).stream(Purpose::Scene, 0, 0);
        (0..len).map(|_| (rng.next_u32() >> 31) as u8).collect()
    }

    /// Parity by Gaussian elimination over GF(2): the only one that meets all checks.
    fn eliminate(code: &LdpcCode, information: &[u8]) -> Vec<u8> {
        let (size, len) = (code.lifting_size(), code.information_len());
        let num_parity = code.codeword_len() - len;
        let mut rows: Vec<Vec<bool>> = Vec::new();
        for (row, lane) in (0..num_parity).map(|check| (check / size, check % size)) {
            // Coefficients of the parity bits, then the right side.
            let mut equation = vec![false; num_parity + 1];
            for entry in code.row(row) {
                let bit = usize::from(entry.column) * size + (lane + usize::from(entry.shift)) % size;
                match bit.checked_sub(len) {
                    Some(parity) => equation[parity] ^= true,
                    None => equation[num_parity] ^= information[bit] == 1,
                }
            }
            rows.push(equation);
        }
        for pivot in 0..num_parity {
            let found = (pivot..num_parity).find(|row| rows[*row][pivot]).expect("parity is unique");
            rows.swap(pivot, found);
            let pivot_row = rows[pivot].clone();
            for (_, row) in rows.iter_mut().enumerate().filter(|(i, row)| *i != pivot && row[pivot]) {
                row.iter_mut().zip(&pivot_row).for_each(|(a, b)| *a ^= b);
            }
        }
        let parity = rows.iter().map(|row| u8::from(row[num_parity]));
        information.iter().copied().chain(parity).collect()
    }

    #[test]
    fn every_code_meets_all_its_checks() {
        for base_graph in BaseGraph::ALL {
            for size in LIFTING_SIZES {
                let code = LdpcCode::new(base_graph, size).unwrap();
                let information = random_bits(code.information_len(), size as u64);
                let mut codeword = vec![7; code.codeword_len()];
                LdpcEncoder::new(&code).encode_into(&information, &mut codeword).unwrap();
                assert_eq!(codeword[..information.len()], information);
                assert!(code.is_codeword(&codeword), "{base_graph:?} {size}");
            }
        }
    }

    #[test]
    fn equals_gaussian_elimination() {
        for (base_graph, size) in BaseGraph::ALL.into_iter().flat_map(|graph| [(graph, 2), (graph, 7)]) {
            let code = LdpcCode::new(base_graph, size).unwrap();
            let information = random_bits(code.information_len(), 5);
            let mut codeword = vec![7; code.codeword_len()];
            LdpcEncoder::new(&code).encode_into(&information, &mut codeword).unwrap();
            assert_eq!(codeword, eliminate(&code, &information), "{base_graph:?} {size}");
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits_and_nothing_is_left_of_the_block_before() {
        for (base_graph, size) in [(BaseGraph::One, 384), (BaseGraph::Two, 104), (BaseGraph::Two, 13)] {
            let code = LdpcCode::new(base_graph, size).unwrap();
            let mut all: Vec<Vec<u8>> = Vec::new();
            for isa in Isa::available() {
                let mut encoder = LdpcEncoder { isa, ..LdpcEncoder::new(&code) };
                let mut codeword = vec![0; code.codeword_len()];
                for seed in [1, 2] {
                    let information = random_bits(code.information_len(), seed);
                    encoder.encode_into(&information, &mut codeword).unwrap();
                }
                all.push(codeword);
            }
            assert!(all.iter().all(|codeword| *codeword == all[0]));
        }
    }

    #[test]
    fn fewer_rows_are_the_beginning_of_the_codeword() {
        let code = LdpcCode::new(BaseGraph::Two, 36).unwrap();
        let information = random_bits(code.information_len(), 3);
        let mut encoder = LdpcEncoder::new(&code);
        let mut codeword = vec![0; code.codeword_len()];
        encoder.encode_into(&information, &mut codeword).unwrap();
        for rows in 4..=42 {
            let mut beginning = vec![7; (10 + rows) * 36];
            encoder.encode_rows(&information, rows, &mut beginning).unwrap();
            assert_eq!(beginning, codeword[..beginning.len()]);
        }
    }

    #[test]
    fn wrong_lengths_rows_and_bits_are_refused() {
        let mut encoder = LdpcEncoder::new(&LdpcCode::new(BaseGraph::Two, 2).unwrap());
        let mut codeword = [0; 104];
        let mut message = |information: &[u8], rows, len| {
            encoder.encode_rows(information, rows, &mut codeword[..len]).unwrap_err().to_string()
        };
        assert!(message(&[0; 19], 42, 104).contains("expected 20, found 19"));
        assert!(message(&[0; 20], 42, 103).contains("expected 104, found 103"));
        assert!(message(&[0; 20], 3, 26).contains("4 to 42"));
        assert!(message(&[3; 20], 4, 28).contains("3 at position 0"));
    }
}
