//! What lies behind the objects: a ground of two colours, a texture on it, light over it.
//!
//! Coordinates are in units of the picture's shorter side; (0, 0) is the upper left corner.

use super::colour::{Rgb, mix};
use super::dice::Dice;
use super::distance::length;
use super::noise::{fractal, octaves_for};
use super::palette::Palette;
use std::f32::consts::TAU;

/// How the two ground colours are laid out.
pub(super) enum Ground {
    /// Straight change along a direction over a length.
    Linear { direction: (f32, f32), start: f32, length: f32 },
    /// Change outwards from a point.
    Radial { centre: (f32, f32), radius: f32 },
    /// Sky and land: a tilted edge, sharp or hazy.
    Horizon { height: f32, slope: f32, haze: f32 },
}

/// What modulates the ground.
pub(super) enum Texture {
    /// Fractal noise: clouds, plaster, grass.
    Clouds { frequency: f32, seed: u32, amount: f32 },
    /// Bent stripes: water, cloth, planks.
    Waves { frequency: f32, direction: (f32, f32), bend: f32, seed: u32, amount: f32 },
    /// A soft chequer: tiles, windows.
    Checks { frequency: f32, turn: (f32, f32), amount: f32 },
}

/// Brightness that changes slowly over the whole picture.
pub(super) struct Light {
    direction: (f32, f32),
    slope: f32,
    level: f32,
}

impl Ground {
    /// - extent: height and width in units of the shorter side
    pub fn draw(dice: &mut Dice, extent: (f32, f32)) -> Self {
        let (height, width) = extent;
        let at = (dice.range(0.0, width), dice.range(0.0, height));
        let angle = dice.angle();
        match dice.pick(3) {
            0 => Self::Linear {
                direction: (angle.cos(), angle.sin()),
                start: dice.range(-0.3, 0.3),
                length: dice.range(0.5, 1.6),
            },
            1 => Self::Radial { centre: at, radius: dice.range(0.5, 1.3) },
            _ => Self::Horizon {
                height: dice.range(0.3, 0.75) * height,
                slope: dice.range(-0.25, 0.25),
                haze: dice.unit().powi(3) * 0.3,
            },
        }
    }

    /// 0 for the first ground colour, 1 for the second.
    fn blend(&self, x: f32, y: f32, pixel: f32) -> f32 {
        let raw = match *self {
            Self::Linear { direction, start, length } => {
                ((x - 0.5) * direction.0 + (y - 0.5) * direction.1 - start) / length + 0.5
            }
            Self::Radial { centre, radius } => length(x - centre.0, y - centre.1) / radius,
            Self::Horizon { height, slope, haze } => (y - height - slope * (x - 0.5)) / haze.max(pixel) + 0.5,
        };
        let t = raw.clamp(0.0, 1.0);
        t * t * (3.0 - 2.0 * t)
    }
}

impl Texture {
    /// - pixel: size of a pixel; nothing finer than four of them is drawn
    pub fn draw(dice: &mut Dice, pixel: f32) -> Self {
        let highest = 0.25 / pixel;
        let angle = dice.angle();
        let direction = (angle.cos(), angle.sin());
        let seed = dice.bits();
        match dice.pick(4) {
            0 | 1 => Self::Clouds {
                frequency: dice.range(1.5, 5.0),
                seed,
                amount: 0.05 + 0.3 * dice.unit().powi(2),
            },
            2 => Self::Waves {
                frequency: dice.range(2.0, 9.0).min(highest),
                direction,
                bend: dice.range(0.0, 0.12),
                seed,
                amount: dice.range(0.02, 0.12),
            },
            _ => Self::Checks {
                frequency: dice.range(1.0, 4.0).min(highest),
                turn: direction,
                amount: dice.range(0.02, 0.1),
            },
        }
    }

    /// What is added to every channel.
    fn value(&self, x: f32, y: f32, pixel: f32) -> f32 {
        match *self {
            Self::Clouds { frequency, seed, amount } => {
                amount * fractal(x * frequency, y * frequency, octaves_for(frequency, 1.0 / pixel), seed)
            }
            Self::Waves { frequency, direction, bend, seed, amount } => {
                let along = x * direction.0 + y * direction.1 + bend * fractal(x * 2.0, y * 2.0, 2, seed);
                amount * (TAU * frequency * along).sin()
            }
            Self::Checks { frequency, turn, amount } => {
                let (u, v) = (x * turn.0 + y * turn.1, y * turn.0 - x * turn.1);
                let product = 3.0 * (TAU * frequency * u).sin() * (TAU * frequency * v).sin();
                // Steepened towards a chequer, still smooth.
                amount * product / (1.0 + product * product).sqrt()
            }
        }
    }
}

impl Light {
    pub fn draw(dice: &mut Dice) -> Self {
        let angle = dice.angle();
        Self {
            direction: (angle.cos(), angle.sin()),
            slope: 0.35 * dice.unit(),
            level: dice.range(0.85, 1.08),
        }
    }

    /// The factor on all channels.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        self.level + self.slope * ((x - 0.5) * self.direction.0 + (y - 0.5) * self.direction.1)
    }
}

/// The colour of the backdrop at a point, before light; may leave 0 to 1.
pub(super) fn backdrop_at(
    palette: &Palette,
    ground: &Ground,
    texture: &Texture,
    (x, y): (f32, f32),
    pixel: f32,
) -> Rgb {
    let base = mix(palette.ground[0], palette.ground[1], ground.blend(x, y, pixel));
    let texture = texture.value(x, y, pixel);
    base.map(|channel| channel + texture)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey};

    #[test]
    fn values_stay_bounded_and_change_smoothly() {
        let pixel = 1.0 / 32.0;
        for frame in 0..200 {
            let mut dice = Dice::new(RngKey::new(2).stream(Purpose::Scene, frame, 0));
            let ground = Ground::draw(&mut dice, (1.0, 1.5));
            let texture = Texture::draw(&mut dice, pixel);
            let light = Light::draw(&mut dice);
            for step in 0..64 {
                let (x, y) = (step as f32 / 43.0, step as f32 / 64.0);
                assert!((0.0..=1.0).contains(&ground.blend(x, y, pixel)));
                let (here, there) = (texture.value(x, y, pixel), texture.value(x + pixel / 16.0, y, pixel));
                assert!(here.abs() <= 0.36 && (here - there).abs() < 0.06, "{here} {there}");
                assert!((0.4..1.6).contains(&light.at(x, y)));
            }
        }
    }

    #[test]
    fn a_horizon_parts_the_colours() {
        let ground = Ground::Horizon { height: 0.5, slope: 0.0, haze: 0.0 };
        assert_eq!(ground.blend(0.3, 0.4, 0.03), 0.0);
        assert_eq!(ground.blend(0.3, 0.5, 0.03), 0.5);
        assert_eq!(ground.blend(0.3, 0.6, 0.03), 1.0);
    }
}
