//! The colours of one scene.

use super::colour::{Rgb, from_oklch};
use super::dice::Dice;

/// Number of colours for objects.
pub(super) const NUM_INKS: usize = 4;

/// Two related ground colours, and inks that stand out from them.
pub(super) struct Palette {
    pub ground: [Rgb; 2],
    pub inks: [Rgb; NUM_INKS],
}

impl Palette {
    /// Draws hues in a scheme (neighbours, triad, complement); most colours are muted, as in
    /// photographs.
    pub fn draw(dice: &mut Dice) -> Self {
        let lightness = dice.range(0.25, 0.92);
        let hue = dice.angle();
        let chroma = 0.15 * dice.unit().powf(1.3);
        let step = dice.range(0.1, 0.38) * if lightness > 0.58 { -1.0 } else { 1.0 };
        let second_hue = hue + dice.range(-0.8, 0.8);
        let second_chroma = 0.15 * dice.unit().powf(1.3);
        let scheme = [0.5, 2.1, std::f32::consts::PI][dice.pick(3)];
        let inks = std::array::from_fn(|i| {
            // The last ink may have any lightness; the others keep their distance from the ground.
            let ink_lightness = match lightness > 0.58 {
                _ if i + 1 == NUM_INKS => dice.range(0.12, 0.95),
                true => dice.range(0.12, lightness - 0.2),
                false => dice.range(lightness + 0.2, 0.97),
            };
            let ink_hue = hue + scheme * (i + 1) as f32 + dice.range(-0.3, 0.3);
            from_oklch(ink_lightness, dice.range(0.02, 0.19), ink_hue)
        });
        Self {
            ground: [
                from_oklch(lightness, chroma, hue),
                from_oklch(lightness + step, second_chroma, second_hue),
            ],
            inks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::colour::luma;
    use super::*;
    use crate::rng::{Purpose, RngKey};

    #[test]
    fn inks_stand_out_from_the_ground() {
        for frame in 0..500 {
            let palette = Palette::draw(&mut Dice::new(RngKey::new(1).stream(Purpose::Scene, frame, 0)));
            let ground = luma(palette.ground[0]);
            let colours = palette.ground.iter().chain(&palette.inks);
            assert!(colours.flatten().all(|v| (0.0..=1.0).contains(v)));
            // Chroma moves luma a little; a lightness of 0.2 is at least 0.1 of luma after that.
            assert!(palette.inks[..3].iter().all(|ink| (luma(*ink) - ground).abs() > 0.1), "frame {frame}");
        }
    }
}
