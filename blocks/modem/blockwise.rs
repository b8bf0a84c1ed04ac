//! Demaps a sequence of symbols in blocks of equal length, the shape that compilers turn into vector code.

use super::constellation::Modulation;
use super::log_map::{Likelihoods, NO_LIKELIHOODS, log_map};
use super::max_log::max_log;
use super::rails::{RAILS, Rails, SYMBOLS, within};
use super::soft_demapper::{Demapping, LLR_LIMIT};
use crate::isa::Loop;
use num_complex::Complex32;

/// What the receiver knows: csi and noise are as long as received, or one for all.
pub(super) struct Observed<'a> {
    pub(super) received: &'a [Complex32],
    pub(super) csi: &'a [Complex32],
    pub(super) noise: &'a [f32],
}

/// Computes the LLRs of all bits of all symbols.
pub(super) struct Demap<'a> {
    pub(super) modulation: Modulation,
    pub(super) method: Demapping,
    pub(super) observed: &'a Observed<'a>,
    pub(super) llrs: &'a mut [f32],
}

impl Loop for Demap<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { modulation, method, observed, llrs } = self;
        let exact = method == Demapping::Exact;
        match modulation {
            Modulation::Bpsk => demap_blocks::<1, Diagonal>(modulation, observed, llrs),
            Modulation::Qpsk => demap_blocks::<2, Qam<1, false>>(modulation, observed, llrs),
            Modulation::Qam16 if exact => demap_blocks::<4, Qam<2, true>>(modulation, observed, llrs),
            Modulation::Qam16 => demap_blocks::<4, Qam<2, false>>(modulation, observed, llrs),
            Modulation::Qam64 if exact => demap_blocks::<6, Qam<3, true>>(modulation, observed, llrs),
            Modulation::Qam64 => demap_blocks::<6, Qam<3, false>>(modulation, observed, llrs),
            Modulation::Qam256 if exact => demap_blocks::<8, Qam<4, true>>(modulation, observed, llrs),
            Modulation::Qam256 => demap_blocks::<8, Qam<4, false>>(modulation, observed, llrs),
            Modulation::Qam1024 if exact => demap_blocks::<10, Qam<5, true>>(modulation, observed, llrs),
            Modulation::Qam1024 => demap_blocks::<10, Qam<5, false>>(modulation, observed, llrs),
        }
    }
}

/// LLRs of one block, symbol by symbol.
type Block<const PER_SYMBOL: usize> = [[f32; PER_SYMBOL]; SYMBOLS];

/// From rails to LLRs. A trait, since a function handed over is called through a shim that is compiled for
/// the narrowest vectors.
trait Rule<const PER_SYMBOL: usize> {
    fn demap(rails: &Rails, room: &mut Likelihoods, llrs: &mut Block<PER_SYMBOL>);
}

#[inline(always)]
fn demap_blocks<const PER_SYMBOL: usize, R: Rule<PER_SYMBOL>>(
    modulation: Modulation,
    observed: &Observed,
    llrs: &mut [f32],
) {
    let half_step = modulation.half_step() as f32;
    let (mut rails, mut room) = (Rails::SILENT, NO_LIKELIHOODS);
    let (symbols, _) = llrs.as_chunks_mut::<PER_SYMBOL>();
    let (blocks, rest) = symbols.as_chunks_mut::<SYMBOLS>();
    let (received, received_rest) = observed.received.as_chunks::<SYMBOLS>();
    let csi = PerBlock::new(observed.csi, Complex32::ZERO);
    let noise = PerBlock::new(observed.noise, 1.0);
    for (number, (received, block)) in received.iter().zip(blocks).enumerate() {
        rails.measure(received, csi.block(number), noise.block(number), half_step);
        R::demap(&rails, &mut room, block);
    }
    if !rest.is_empty() {
        let number = received.len();
        let mut padded = [Complex32::ZERO; SYMBOLS];
        padded[..received_rest.len()].copy_from_slice(received_rest);
        rails.measure(&padded, csi.block(number), noise.block(number), half_step);
        let mut block = [[0.0; PER_SYMBOL]; SYMBOLS];
        R::demap(&rails, &mut room, &mut block);
        rest.copy_from_slice(&block[..rest.len()]);
    }
}

/// One value per symbol, or one for all, as blocks.
struct PerBlock<'a, T> {
    blocks: &'a [[T; SYMBOLS]],
    /// What stands behind the last whole block, padded; or the one value for all.
    rest: [T; SYMBOLS],
}

impl<'a, T: Copy> PerBlock<'a, T> {
    fn new(values: &'a [T], padding: T) -> Self {
        if let [value] = values {
            return Self { blocks: &[], rest: [*value; SYMBOLS] };
        }
        let (blocks, behind) = values.as_chunks::<SYMBOLS>();
        let mut rest = [padding; SYMBOLS];
        rest[..behind.len()].copy_from_slice(behind);
        Self { blocks, rest }
    }

    #[inline(always)]
    fn block(&self, number: usize) -> &[T; SYMBOLS] {
        self.blocks.get(number).unwrap_or(&self.rest)
    }
}

/// BPSK: both rails carry the same bit.
struct Diagonal;

impl Rule<1> for Diagonal {
    #[inline(always)]
    fn demap(rails: &Rails, _: &mut Likelihoods, llrs: &mut Block<1>) {
        // The amplitude of each rail is 1 / sqrt(2) of the half step that the slopes are measured in.
        let scale = 2.0 * std::f32::consts::FRAC_1_SQRT_2;
        for (symbol, llrs) in llrs.iter_mut().enumerate() {
            let sum = rails.slope[2 * symbol] + rails.slope[2 * symbol + 1];
            llrs[0] = within(sum * scale, LLR_LIMIT);
        }
    }
}

/// Two rails of `BITS` bits each.
struct Qam<const BITS: usize, const EXACT: bool>;

impl<const BITS: usize, const EXACT: bool, const PER_SYMBOL: usize> Rule<PER_SYMBOL> for Qam<BITS, EXACT> {
    #[inline(always)]
    fn demap(rails: &Rails, room: &mut Likelihoods, llrs: &mut Block<PER_SYMBOL>) {
        let mut per_bit = [[0.0; RAILS]; BITS];
        max_log(rails, &mut per_bit);
        if EXACT {
            log_map(rails, room, &mut per_bit);
        }
        for (symbol, llrs) in llrs.iter_mut().enumerate() {
            for (bit, per_bit) in per_bit.iter().enumerate() {
                llrs[2 * bit] = within(per_bit[2 * symbol], LLR_LIMIT);
                llrs[2 * bit + 1] = within(per_bit[2 * symbol + 1], LLR_LIMIT);
            }
        }
    }
}
