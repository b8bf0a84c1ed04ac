//! What covers the surface of an object.

use super::colour::{Rgb, mix};
use super::dice::Dice;
use super::noise::{fractal, octaves_for};
use super::palette::{NUM_INKS, Palette};
use std::f32::consts::TAU;

/// A surface of one or two inks. Inks are kept by number: the palette may be another's.
pub(super) struct Fill {
    inks: [usize; 2],
    tint: Rgb,
    pattern: Pattern,
}

enum Pattern {
    Flat,
    /// From one ink to the other across the object.
    Shaded {
        amount: f32,
    },
    /// Soft stripes, in cycles per radius.
    Striped {
        frequency: f32,
        phase: f32,
    },
    /// Fractal noise between the inks.
    Mottled {
        frequency: f32,
        seed: u32,
    },
}

impl Fill {
    /// - radius: of the object, in pixels; stripes are no finer than four pixels
    pub fn draw(dice: &mut Dice, radius: f32) -> Self {
        let first = dice.pick(NUM_INKS);
        let second = (first + 1 + dice.pick(NUM_INKS - 1)) % NUM_INKS;
        let tint = std::array::from_fn(|_| dice.range(-0.06, 0.06));
        let pattern = match dice.pick(6) {
            0 | 1 => Pattern::Flat,
            2 | 3 => Pattern::Shaded { amount: dice.range(0.3, 0.9) },
            4 => Pattern::Striped { frequency: dice.range(0.8, 2.5).min(0.25 * radius), phase: dice.angle() },
            _ => Pattern::Mottled { frequency: dice.range(1.0, 2.5), seed: dice.bits() },
        };
        Self { inks: [first, second], tint, pattern }
    }

    /// The colour at a point in units of the radius; may leave 0 to 1.
    ///
    /// - radius: of the object, in pixels
    pub fn at(&self, palette: &Palette, (x, y): (f32, f32), radius: f32) -> Rgb {
        let amount = match self.pattern {
            Pattern::Flat => 0.0,
            Pattern::Shaded { amount } => amount * (0.5 + 0.5 * y).clamp(0.0, 1.0),
            Pattern::Striped { frequency, phase } => 0.5 + 0.5 * (TAU * frequency * x + phase).sin(),
            Pattern::Mottled { frequency, seed } => {
                0.4 + 0.4 * fractal(x * frequency, y * frequency, octaves_for(frequency, radius), seed)
            }
        };
        let base = mix(palette.inks[self.inks[0]], palette.inks[self.inks[1]], amount);
        std::array::from_fn(|c| base[c] + self.tint[c])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey};

    #[test]
    fn colours_lie_between_the_two_inks_but_for_the_tint() {
        for frame in 0..200 {
            let mut dice = Dice::new(RngKey::new(4).stream(Purpose::Scene, frame, 0));
            let palette = Palette::draw(&mut dice);
            let fill = Fill::draw(&mut dice, 10.0);
            assert_ne!(fill.inks[0], fill.inks[1]);
            for k in 0..50 {
                let found = fill.at(&palette, (k as f32 / 25.0 - 1.0, 0.4), 10.0);
                for (c, value) in found.iter().enumerate() {
                    let (a, b) = (palette.inks[fill.inks[0]][c], palette.inks[fill.inks[1]][c]);
                    assert!((a.min(b) - 0.061..=a.max(b) + 0.061).contains(value));
                }
            }
        }
    }
}
