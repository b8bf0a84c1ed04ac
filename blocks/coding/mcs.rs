//! Modulation and coding schemes and the sizes of transport blocks.
//!
//! Source: 3GPP TS 38.214, tables 5.1.3.1-1 to 5.1.3.1-4 and section 5.1.3.2.

use super::interleaver::check_modulation_order;
use crate::{BlockError, Result};

/// Most resource elements of one transmission: far more than any carrier has in a slot.
const MAX_RESOURCE_ELEMENTS: usize = 1 << 22;

/// A table of modulation and coding schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum McsTable {
    /// Table 5.1.3.1-1: up to 64-QAM.
    Qam64,
    /// Table 5.1.3.1-2: up to 256-QAM.
    Qam256,
    /// Table 5.1.3.1-3: up to 64-QAM, low rates.
    Qam64LowRate,
    /// Table 5.1.3.1-4: up to 1024-QAM.
    Qam1024,
}

/// A modulation and a target code rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mcs {
    /// Bits per symbol, Q_m.
    pub modulation_order: usize,
    /// Target code rate times 1024.
    pub rate_1024: f64,
}

impl Mcs {
    /// The target code rate, R.
    pub fn code_rate(self) -> f64 {
        self.rate_1024 / 1024.0
    }

    /// Information bits per symbol.
    pub fn spectral_efficiency(self) -> f64 {
        self.modulation_order as f64 * self.code_rate()
    }
}

impl McsTable {
    /// All tables.
    pub const ALL: [McsTable; 4] =
        [McsTable::Qam64, McsTable::Qam256, McsTable::Qam64LowRate, McsTable::Qam1024];

    /// The entry of an index, I_MCS.
    ///
    /// - errors: an index that the table does not hold or reserves for retransmissions
    pub fn get(self, index: usize) -> Result<Mcs> {
        self.entries().nth(index).ok_or_else(|| {
            BlockError::invalid("MCS index", index, format!("0 to {}", self.entries().count() - 1))
        })
    }

    /// All entries, the lowest index first.
    pub fn entries(self) -> impl Iterator<Item = Mcs> {
        self.rates().iter().flat_map(|(modulation_order, rates)| {
            rates.iter().map(|rate| Mcs { modulation_order: *modulation_order, rate_1024: *rate })
        })
    }

    /// Bits per symbol, each with its target code rates times 1024 in the order of the indices.
    fn rates(self) -> &'static [(usize, &'static [f64])] {
        match self {
            McsTable::Qam64 => &[
                (2, &[120., 157., 193., 251., 308., 379., 449., 526., 602., 679.]),
                (4, &[340., 378., 434., 490., 553., 616., 658.]),
                (6, &[438., 466., 517., 567., 616., 666., 719., 772., 822., 873., 910., 948.]),
            ],
            McsTable::Qam256 => &[
                (2, &[120., 193., 308., 449., 602.]),
                (4, &[378., 434., 490., 553., 616., 658.]),
                (6, &[466., 517., 567., 616., 666., 719., 772., 822., 873.]),
                (8, &[682.5, 711., 754., 797., 841., 885., 916.5, 948.]),
            ],
            McsTable::Qam64LowRate => &[
                (2, &[30., 40., 50., 64., 78., 99., 120., 157., 193., 251., 308., 379., 449., 526., 602.]),
                (4, &[340., 378., 434., 490., 553., 616.]),
                (6, &[438., 466., 517., 567., 616., 666., 719., 772.]),
            ],
            McsTable::Qam1024 => &[
                (2, &[120., 193., 449.]),
                (4, &[378., 490., 616.]),
                (6, &[466., 517., 567., 616., 666., 719., 772., 822., 873.]),
                (8, &[682.5, 711., 754., 797., 841., 885., 916.5, 948.]),
                (10, &[805.5, 853., 900.5, 948.]),
            ],
        }
    }
}

/// Sizes of small transport blocks, in bits. Source: table 5.1.3.2-1.
const SMALL_SIZES: [usize; 93] = [
    24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 152, 160, 168, 176, 184, 192, 208,
    224, 240, 256, 272, 288, 304, 320, 336, 352, 368, 384, 408, 432, 456, 480, 504, 528, 552, 576, 608, 640,
    672, 704, 736, 768, 808, 848, 888, 928, 984, 1032, 1064, 1128, 1160, 1192, 1224, 1256, 1288, 1320, 1352,
    1416, 1480, 1544, 1608, 1672, 1736, 1800, 1864, 1928, 2024, 2088, 2152, 2216, 2280, 2408, 2472, 2536,
    2600, 2664, 2728, 2792, 2856, 2976, 3104, 3240, 3368, 3496, 3624, 3752, 3824,
];

/// Bits of the transport block that fits a number of resource elements (complex channel uses of each layer).
///
/// - code_rate: target code rate, above 0 and below 1
/// - errors: no resource elements or more than 2^22; bits per symbol, layers or rate that NR does not know
///
/// Source: section 5.1.3.2, steps 2 to 4. The resource elements are counted by the caller.
pub fn transport_block_len(
    resource_elements: usize,
    modulation_order: usize,
    code_rate: f64,
    num_layers: usize,
) -> Result<usize> {
    if !(1..=MAX_RESOURCE_ELEMENTS).contains(&resource_elements) {
        let allowed = format!("1 to {MAX_RESOURCE_ELEMENTS}");
        return Err(BlockError::invalid("resource elements", resource_elements, allowed));
    }
    check_scheme(modulation_order, code_rate, num_layers)?;
    let information = (resource_elements * modulation_order * num_layers) as f64 * code_rate;
    Ok(if information <= 3824.0 { small(information) } else { large(information, code_rate) })
}

/// Whether NR knows a modulation, a target code rate and a number of layers.
pub(super) fn check_scheme(modulation_order: usize, code_rate: f64, num_layers: usize) -> Result<()> {
    check_modulation_order(modulation_order)?;
    if !(code_rate > 0.0 && code_rate < 1.0) {
        return Err(BlockError::invalid("target code rate", code_rate, "above 0 and below 1"));
    }
    if !(1..=4).contains(&num_layers) {
        return Err(BlockError::invalid("layers of a codeword", num_layers, "1 to 4"));
    }
    Ok(())
}

/// Step 3: rounded down to a multiple of a power of two, then up to a size of the table.
fn small(information: f64) -> usize {
    let step = f64::exp2((information.log2().floor() - 6.0).max(3.0));
    let rounded = (step * (information / step).floor()).max(24.0) as usize;
    // Rounding down cannot lead above the last size, 3824.
    SMALL_SIZES[SMALL_SIZES.partition_point(|size| *size < rounded)]
}

/// Step 4: rounded to a multiple of a power of two, then up to code blocks of equal length in whole bytes.
fn large(information: f64, code_rate: f64) -> usize {
    let step = f64::exp2((information - 24.0).log2().floor() - 5.0);
    let rounded = (step * ((information - 24.0) / step).round()).max(3840.0) as usize;
    let with_crc = rounded + 24;
    let num_blocks = match rounded {
        _ if code_rate <= 0.25 => with_crc.div_ceil(3816),
        8425.. => with_crc.div_ceil(8424),
        _ => 1,
    };
    with_crc.next_multiple_of(8 * num_blocks) - 24
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::ldpc::BaseGraph;
    use crate::coding::segmentation::Segmentation;

    #[test]
    fn entries_have_the_spectral_efficiencies_of_the_tables() {
        // (table, index, Q_m, efficiency rounded to four places as printed there)
        for (table, index, order, efficiency) in [
            (McsTable::Qam64, 0, 2, 0.2344),
            (McsTable::Qam64, 10, 4, 1.3281),
            (McsTable::Qam64, 17, 6, 2.5664),
            (McsTable::Qam64, 28, 6, 5.5547),
            (McsTable::Qam256, 5, 4, 1.4766),
            (McsTable::Qam256, 20, 8, 5.3320),
            (McsTable::Qam256, 27, 8, 7.4063),
            (McsTable::Qam64LowRate, 0, 2, 0.0586),
            (McsTable::Qam64LowRate, 15, 4, 1.3281),
            (McsTable::Qam64LowRate, 28, 6, 4.5234),
            (McsTable::Qam1024, 15, 8, 5.3320),
            (McsTable::Qam1024, 26, 10, 9.2578),
        ] {
            let mcs = table.get(index).unwrap();
            assert_eq!(mcs.modulation_order, order);
            assert!((mcs.spectral_efficiency() - efficiency).abs() <= 0.5001e-4, "{table:?} {index}");
        }
    }

    #[test]
    fn tables_have_their_lengths_and_ascend() {
        assert_eq!(McsTable::ALL.map(|table| table.entries().count()), [29, 28, 29, 27]);
        for table in McsTable::ALL {
            let all: Vec<f64> = table.entries().map(Mcs::spectral_efficiency).collect();
            // Index 17 of the first table lies a little below index 16, in the standard too.
            assert!(all.windows(2).all(|pair| pair[1] > pair[0] - 0.004), "{table:?}");
        }
        assert!(McsTable::Qam256.get(28).unwrap_err().to_string().contains("0 to 27"));
    }

    #[test]
    fn sizes_are_those_worked_out_by_hand() {
        for (elements, order, rate, layers, size) in [
            // 30 bits: max(24, 8 floor(3.75)) = 24.
            (50, 2, 0.3, 1, 24),
            // 3824 = 32 x 119.5: down to 3808, up to 3824.
            (1912, 4, 0.5, 1, 3824),
            // 3825: step 64, 59.4 down to 59: 3776 stays below 3840.
            (3825, 2, 0.5, 1, 3840),
            // Both equal vectors of an independent implementation.
            (5001, 4, 0.5, 1, 9992),
            (31200, 4, 0.754, 1, 94248),
        ] {
            assert_eq!(transport_block_len(elements, order, rate, layers).unwrap(), size, "{elements}");
        }
    }

    #[test]
    fn every_size_splits_into_code_blocks() {
        for table in McsTable::ALL {
            for mcs in table.entries() {
                for elements in [1, 12, 156, 1000, 2080, 7777, 40_000, 156 * 273] {
                    let (order, rate) = (mcs.modulation_order, mcs.code_rate());
                    let size = transport_block_len(elements, order, rate, 4).unwrap();
                    let crc = if size > 3824 { 24 } else { 16 };
                    let split = Segmentation::new(BaseGraph::choose(size, rate), size + crc).unwrap();
                    assert!(size.is_multiple_of(8) && split.num_blocks() >= 1);
                }
            }
        }
    }

    #[test]
    fn impossible_values_are_refused() {
        assert!(transport_block_len(0, 2, 0.5, 1).is_err());
        assert!(transport_block_len(usize::MAX, 2, 0.5, 1).is_err());
        assert!(transport_block_len(100, 3, 0.5, 1).is_err());
        assert!(transport_block_len(100, 2, f64::NAN, 1).is_err());
        assert!(transport_block_len(100, 2, 0.5, 5).is_err());
        assert_eq!(transport_block_len(1, 1, 1e-300, 1).unwrap(), 24);
        assert_eq!(SMALL_SIZES.len(), 93);
    }
}
