//! Quantisation: the example tables of the standard scaled by quality, and rounding to levels.
//!
//! Source: ITU-T T.81, tables K.1 and K.2, figure 5 (zigzag), A.3.4; the scaling is that of the Independent
//! JPEG Group's encoder, whose quality numbers everyone uses.

/// Place in a block, row by row, of each coefficient in zigzag order.
pub(super) const ZIGZAG: [u8; 64] = zigzag();

/// Luminance, row by row (table K.1).
const LUMINANCE: [u16; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, //
    12, 12, 14, 19, 26, 58, 60, 55, //
    14, 13, 16, 24, 40, 57, 69, 56, //
    14, 17, 22, 29, 51, 87, 80, 62, //
    18, 22, 37, 56, 68, 109, 103, 77, //
    24, 35, 55, 64, 81, 104, 113, 92, //
    49, 64, 78, 87, 103, 121, 120, 101, //
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// Chrominance, row by row (table K.2).
const CHROMINANCE: [u16; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, //
    18, 21, 26, 66, 99, 99, 99, 99, //
    24, 26, 56, 99, 99, 99, 99, 99, //
    47, 66, 99, 99, 99, 99, 99, 99, //
    99, 99, 99, 99, 99, 99, 99, 99, //
    99, 99, 99, 99, 99, 99, 99, 99, //
    99, 99, 99, 99, 99, 99, 99, 99, //
    99, 99, 99, 99, 99, 99, 99, 99,
];

/// Walks the diagonals of a block, up and down in turn.
const fn zigzag() -> [u8; 64] {
    let mut order = [0; 64];
    let (mut row, mut column, mut place) = (0, 0, 0);
    while place < 64 {
        order[place] = (row * 8 + column) as u8;
        let upward = (row + column) % 2 == 0;
        if upward && column == 7 || !upward && row < 7 && column == 0 {
            row += 1;
        } else if upward && row == 0 || !upward && row == 7 {
            column += 1;
        } else if upward {
            (row, column) = (row - 1, column + 1);
        } else {
            (row, column) = (row + 1, column - 1);
        }
        place += 1;
    }
    order
}

/// Quantised coefficients of one block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Block {
    /// In zigzag order.
    pub(super) levels: [i16; 64],
    /// Bit k tells whether level k differs from 0.
    pub(super) nonzero: u64,
}

impl Block {
    /// All levels zero.
    pub(super) const EMPTY: Block = Block { levels: [0; 64], nonzero: 0 };

    pub(super) fn set(&mut self, place: usize, level: i16) {
        self.levels[place] = level;
        self.nonzero |= u64::from(level != 0) << place;
    }
}

/// The steps of one table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantizer {
    /// In zigzag order, 1 to 255.
    steps: [u8; 64],
    reciprocals: [f32; 64],
}

impl Quantizer {
    /// - steps: in zigzag order; `None` if one is 0
    pub(super) fn from_steps(steps: [u8; 64]) -> Option<Self> {
        let reciprocals = steps.map(|step| 1.0 / f32::from(step));
        (!steps.contains(&0)).then_some(Self { steps, reciprocals })
    }

    /// The tables for luminance and chrominance.
    ///
    /// - quality: 1 to 100
    pub(super) fn pair(quality: u8) -> [Self; 2] {
        [&LUMINANCE, &CHROMINANCE].map(|table| {
            let percent = if quality < 50 {
                5000 / u32::from(quality.max(1))
            } else {
                200 - 2 * u32::from(quality.min(100))
            };
            let steps = ZIGZAG.map(|place| {
                let step = (u32::from(table[usize::from(place)]) * percent + 50) / 100;
                step.clamp(1, 255) as u8
            });
            Self { steps, reciprocals: steps.map(|step| 1.0 / f32::from(step)) }
        })
    }

    /// In zigzag order.
    pub(super) fn steps(&self) -> &[u8; 64] {
        &self.steps
    }

    /// Rounds coefficients to levels.
    ///
    /// - coefficients: in zigzag order, magnitude below 2^15
    pub(super) fn quantize(&self, coefficients: &[f32; 64]) -> Block {
        // Added to 1.5 * 2^23, a number is rounded to an integer that stands in the low bits of the sum.
        const SHIFT: f32 = 12_582_912.0;
        let mut levels = [0i16; 64];
        for ((level, value), reciprocal) in levels.iter_mut().zip(coefficients).zip(&self.reciprocals) {
            *level = (value * reciprocal + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits()) as i16;
        }
        Block { nonzero: nonzero(&levels), levels }
    }

    /// The coefficient for a level at a place of the zigzag order.
    pub(super) fn restore(&self, place: usize, level: i16) -> f32 {
        f32::from(level) * f32::from(self.steps[place])
    }
}

fn nonzero(levels: &[i16; 64]) -> u64 {
    levels.as_chunks::<8>().0.iter().enumerate().fold(0, |mask, (group, levels)| {
        let marks = levels.map(|level| u8::from(level != 0));
        // Each product brings one of the eight marks to one bit of the highest byte.
        let bits = u64::from_le_bytes(marks).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask | bits << (8 * group)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zigzag_begins_and_ends_as_in_the_standard() {
        assert_eq!(ZIGZAG[..12], [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25]);
        assert_eq!(ZIGZAG[56..], [53, 60, 61, 54, 47, 55, 62, 63]);
    }

    #[test]
    fn quality_50_is_the_table_itself_and_100_keeps_every_integer() {
        let [luminance, chrominance] = Quantizer::pair(50);
        assert_eq!(luminance.steps()[..6], [16, 11, 12, 14, 12, 10]);
        assert_eq!(chrominance.steps()[..6], [17, 18, 18, 24, 21, 24]);
        assert!(Quantizer::pair(100).iter().all(|table| table.steps() == &[1; 64]));
        // 16 * 5000 / 100 = 800 and 11 * 200 / 100 = 22.
        assert_eq!(Quantizer::pair(1)[0].steps()[0], 255);
        assert_eq!(Quantizer::pair(25)[0].steps()[1], 22);
    }

    #[test]
    fn levels_are_the_nearest_multiples_and_the_mask_names_them() {
        let table = Quantizer::pair(40)[0].clone();
        let coefficients: [f32; 64] = std::array::from_fn(|place| ((place * 37 % 64) as f32 - 31.3) * 6.1);
        let block = table.quantize(&coefficients);
        for (place, value) in coefficients.iter().enumerate() {
            let step = f32::from(table.steps()[place]);
            assert!((table.restore(place, block.levels[place]) - value).abs() <= step / 2.0 + 1e-3);
            assert_eq!(block.nonzero >> place & 1 == 1, block.levels[place] != 0);
        }
        let mut copy = Block::EMPTY;
        block.levels.iter().enumerate().for_each(|(place, level)| copy.set(place, *level));
        assert_eq!(copy, block);
    }

    #[test]
    fn a_step_of_zero_is_no_table() {
        let mut steps = [3; 64];
        assert!(Quantizer::from_steps(steps).is_some());
        steps[9] = 0;
        assert!(Quantizer::from_steps(steps).is_none());
    }
}
