//! Many codewords at a time: the lanes of a register are frames.
//!
//! Every bit is a register that holds this bit of each frame, so nothing is ever rotated and no lane is
//! wasted, whatever the lifting size; the price is memory, so that small codes gain most.

use super::aligned::Aligned;
use super::bytes::{ByteKernel, Bytes};
use super::check::{Correction, update};
use super::layer::{Sweep, update_layer};
use crate::coding::ldpc::LdpcCode;

/// Which bits the checks of a code join.
#[derive(Clone, Debug)]
pub struct Checks {
    /// Of each layer: edges of a check.
    degrees: Vec<usize>,
    /// Layer after layer, lane after lane: the bits of a check.
    bits: Vec<u32>,
    /// Lifting size.
    size: usize,
    /// Bits of all columns in use.
    num_bits: usize,
    /// Bits of information, the first ones.
    num_information: usize,
}

impl Checks {
    /// The rows of a code in this order: some permutation of the first ones.
    pub fn new(code: &LdpcCode, order: &[usize]) -> Self {
        let size = code.lifting_size();
        let mut bits = Vec::new();
        for row in order {
            for lane in 0..size {
                bits.extend(code.row(*row).iter().map(|entry| {
                    (usize::from(entry.column) * size + (lane + usize::from(entry.shift)) % size) as u32
                }));
            }
        }
        Self {
            degrees: order.iter().map(|row| code.row(*row).len()).collect(),
            bits,
            size,
            num_information: code.information_len(),
            num_bits: (code.base_graph().information_columns() + order.len()) * size,
        }
    }

    /// Number of bits.
    pub fn num_bits(&self) -> usize {
        self.num_bits
    }

    /// Number of edges.
    pub fn num_edges(&self) -> usize {
        self.bits.len()
    }
}

/// Memory of a batch in decoding, one register for each bit and for each edge.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Posterior LLRs, `[bits, frames]`.
    pub posteriors: Aligned,
    messages: Aligned,
}

impl Batch {
    /// Makes room for registers of `lanes` frames.
    pub fn grow_to(&mut self, checks: &Checks, lanes: usize) {
        self.posteriors.grow_to(checks.num_bits * lanes);
        self.messages.grow_to(checks.bits.len() * lanes);
    }
}

/// One iteration over all layers.
pub struct Iterate<'a> {
    /// The checks.
    pub checks: &'a Checks,
    /// Corrections of the layers.
    pub corrections: &'a [Correction],
    /// What is decoded.
    pub batch: &'a mut Batch,
    /// Whether no iteration went before: messages are zero then, whatever stands in their memory.
    pub is_first: bool,
}

impl Iterate<'_> {
    fn assert_room<B: Bytes>(checks: &Checks, batch: &Batch) {
        assert!(batch.posteriors.as_slice().len() >= checks.num_bits * B::LEN, "room for posteriors");
        assert!(batch.messages.as_slice().len() >= checks.bits.len() * B::LEN, "room for messages");
    }
}

impl ByteKernel for Iterate<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<B: Bytes>(self) {
        let Self { checks, corrections, batch, is_first } = self;
        Self::assert_room::<B>(checks, batch);
        let mut edge = 0;
        for (degree, correction) in checks.degrees.iter().zip(corrections) {
            let layer = Layer { checks, first_edge: edge, batch: &mut *batch, correction: *correction };
            // SAFETY: all bits of `checks` lie below `num_bits`, for which room was asserted.
            unsafe { update_layer::<B>(layer, *degree, *correction, is_first) };
            edge += degree * checks.size;
        }
    }
}

/// All checks of a layer, one lane of the code after the other.
struct Layer<'a> {
    checks: &'a Checks,
    first_edge: usize,
    batch: &'a mut Batch,
    correction: Correction,
}

impl Sweep for Layer<'_> {
    #[inline(always)]
    unsafe fn sweep<B: Bytes, const D: usize, const FIRST: bool, const PAIRS: bool>(self) {
        let Self { checks, first_edge, batch, correction } = self;
        unsafe {
            let posteriors = batch.posteriors.as_mut_slice().as_mut_ptr();
            let mut messages = batch.messages.as_mut_slice().as_mut_ptr().add(first_edge * B::LEN);
            let mut bits = checks.bits.as_ptr().add(first_edge);
            for _ in 0..checks.size {
                let at = |e: usize| posteriors.add(*bits.add(e) as usize * B::LEN);
                let (load, store) = (|e| at(e).cast_const(), |e, l: B| l.store(at(e)));
                update::<B, D, FIRST, PAIRS>(load, store, messages, correction);
                messages = messages.add(D * B::LEN);
                bits = bits.add(D);
            }
        }
    }
}

/// Which frames fail a check; leaves as soon as all that are asked for do.
pub struct Failing<'a> {
    /// The checks.
    pub checks: &'a Checks,
    /// What is decoded.
    pub batch: &'a Batch,
    /// The frames asked for, one bit each.
    pub asked: u64,
}

impl ByteKernel for Failing<'_> {
    /// One bit for each frame.
    type Output = u64;

    #[inline(always)]
    unsafe fn run<B: Bytes>(self) -> u64 {
        let Self { checks, batch, asked } = self;
        Iterate::assert_room::<B>(checks, batch);
        let posteriors = batch.posteriors.as_slice().as_ptr();
        let (mut failing, mut edge) = (0, 0);
        for degree in &checks.degrees {
            for bits in checks.bits[edge..][..degree * checks.size].chunks_exact(*degree) {
                // SAFETY: as in `Iterate`.
                unsafe {
                    let signs = bits.iter().fold(B::splat(0), |signs, bit| {
                        signs.xor(B::load(posteriors.add(*bit as usize * B::LEN)))
                    });
                    failing |= signs.negatives();
                }
            }
            if failing & asked == asked {
                break;
            }
            edge += degree * checks.size;
        }
        failing & asked
    }
}

/// Which frames have a bit of information for which nothing speaks.
pub struct Undecided<'a> {
    /// The checks.
    pub checks: &'a Checks,
    /// What is decoded.
    pub batch: &'a Batch,
}

impl ByteKernel for Undecided<'_> {
    /// One bit for each frame.
    type Output = u64;

    #[inline(always)]
    unsafe fn run<B: Bytes>(self) -> u64 {
        Iterate::assert_room::<B>(self.checks, self.batch);
        let posteriors = self.batch.posteriors.as_slice().as_ptr();
        (0..self.checks.num_information).fold(0, |undecided, bit| {
            // SAFETY: as in `Iterate`.
            undecided | unsafe { B::load(posteriors.add(bit * B::LEN)).zeros() }
        })
    }
}
