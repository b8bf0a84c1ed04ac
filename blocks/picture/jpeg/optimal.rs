//! The Huffman table that codes given symbols in the fewest bits.
//!
//! Two conditions of the standard bind it: no code has more than 16 bits, and no code consists of ones only.
//! Source: ITU-T T.81, Annex K.2 (purpose and conditions); Huffman 1952 (construction).

use super::huffman::HuffmanTable;

/// How often each symbol occurs.
pub(super) type Histogram = [u32; 256];

/// The best table for a histogram; symbols that do not occur get no code.
///
/// Where the codes would grow beyond 16 bits, all frequencies are halved, rounding up, until they do not:
/// then the table is nearly the best.
pub(super) fn optimal_table(histogram: &Histogram) -> HuffmanTable {
    let mut used: Vec<(u32, u8)> = histogram
        .iter()
        .zip(0..=255)
        .filter(|(count, _)| **count > 0)
        .map(|(count, symbol)| (*count, symbol))
        .collect();
    used.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut frequencies: Vec<u64> = used.iter().map(|(count, _)| u64::from(*count)).collect();
    let lens = loop {
        let lens = code_lens(&frequencies);
        if lens.iter().all(|len| *len <= 16) {
            break lens;
        }
        frequencies.iter_mut().for_each(|count| *count = count.div_ceil(2));
    };
    let mut counts = [0; 16];
    // The frequencies descend, so the lengths ascend and the symbols already stand in the order of their codes.
    lens.iter().for_each(|len| counts[len - 1] += 1);
    HuffmanTable { counts, symbols: used.iter().map(|(_, symbol)| *symbol).collect() }
}

/// Lengths of Huffman codes when one further code, the one of all ones, stays unused.
///
/// - frequencies: descending; returns: ascending
fn code_lens(frequencies: &[u64]) -> Vec<usize> {
    let num = frequencies.len();
    if num == 0 {
        return Vec::new();
    }
    // Leaves in ascending order, the unused code first with frequency 0, then the nodes as they are made,
    // which ascend too: the two lightest are always at the head of one of the two queues.
    let leaves = num + 1;
    let mut weights: Vec<u64> = std::iter::once(0).chain(frequencies.iter().rev().copied()).collect();
    let mut parents = vec![0; 2 * leaves - 1];
    let (mut leaf, mut node) = (0, leaves);
    for made in leaves..2 * leaves - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let take_leaf = leaf < leaves && (node == made || weights[leaf] <= weights[node]);
            let taken = if take_leaf { &mut leaf } else { &mut node };
            weight += weights[*taken];
            parents[*taken] = made;
            *taken += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0; 2 * leaves - 1];
    for child in (0..2 * leaves - 2).rev() {
        depths[child] = depths[parents[child]] + 1;
    }
    depths[1..leaves].iter().rev().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::super::huffman::{DecoderTable, EncoderTable};
    use super::*;
    use proptest::prelude::*;

    fn histogram(counts: &[u32]) -> Histogram {
        std::array::from_fn(|symbol| counts.get(symbol).copied().unwrap_or(0))
    }

    fn bits(counts: &[u32]) -> u64 {
        let encoder = EncoderTable::new(&optimal_table(&histogram(counts)));
        counts
            .iter()
            .zip(0..=255)
            .map(|(count, symbol)| u64::from(*count) * u64::from(encoder.code(symbol).0))
            .sum()
    }

    /// The least sum of bits over all assignments of lengths that leave room for the unused code.
    fn least_bits(counts: &[u32], room: f64) -> u64 {
        let Some((first, rest)) = counts.split_first() else { return if room > 0.0 { 0 } else { u64::MAX } };
        let costs = (1..=6).filter(|len| room > 0.5f64.powi(*len)).map(|len| {
            least_bits(rest, room - 0.5f64.powi(len)).saturating_add(u64::from(*first) * len as u64)
        });
        costs.min().unwrap_or(u64::MAX)
    }

    #[test]
    fn tables_worked_by_hand() {
        // A single symbol has one bit: a code of no bits does not exist.
        assert_eq!(
            optimal_table(&histogram(&[0, 7])),
            HuffmanTable { counts: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], symbols: vec![1] }
        );
        // Two symbols: 0 and 10, with 11 unused.
        assert_eq!(optimal_table(&histogram(&[3, 5])).symbols, [1, 0]);
        assert_eq!(bits(&[3, 5]), 11);
        let empty = optimal_table(&histogram(&[]));
        assert_eq!((empty.counts, empty.symbols.len()), ([0; 16], 0));
    }

    #[test]
    fn steep_histograms_are_held_to_16_bits() {
        let mut counts = vec![1u32, 1];
        while counts.len() < 40 {
            counts.push(counts[counts.len() - 1] + counts[counts.len() - 2]);
        }
        let table = optimal_table(&histogram(&counts));
        assert_eq!(table.symbols.len(), 40);
        assert!(DecoderTable::new(&table).is_ok());
        let shannon: f64 = {
            let total: f64 = counts.iter().map(|count| f64::from(*count)).sum();
            counts.iter().map(|count| f64::from(*count) * (total / f64::from(*count)).log2()).sum()
        };
        assert!((bits(&counts) as f64) < 1.1 * shannon);
    }

    proptest! {
        #[test]
        fn no_other_lengths_need_fewer_bits(counts in proptest::collection::vec(1u32..60, 1..6)) {
            prop_assert_eq!(bits(&counts), least_bits(&counts, 1.0));
        }

        #[test]
        fn any_histogram_gives_a_table_that_decodes(counts in proptest::collection::vec(0u32..100_000, 0..256)) {
            let table = optimal_table(&histogram(&counts));
            let decoder = DecoderTable::new(&table).unwrap();
            prop_assert_eq!(decoder.symbol(0xFFFF), None);
            let encoder = EncoderTable::new(&table);
            for (count, symbol) in counts.iter().zip(0u8..) {
                let (len, code) = encoder.code(symbol);
                prop_assert_eq!(len > 0, *count > 0);
                if len > 0 {
                    prop_assert_eq!(decoder.symbol(code << (16 - len)), Some((symbol, len)));
                }
            }
        }
    }
}
