//! The picture while it is painted: colours and labels.

use super::colour::{Rgb, mix};
use super::dice::Dice;

/// A picture of `height` x `width` pixels with a label each.
pub(super) struct Canvas {
    pub height: usize,
    pub width: usize,
    colours: Vec<Rgb>,
    labels: Vec<u8>,
}

/// A finished scene.
pub(super) struct Painted {
    /// `[H, W, 3]` in row order.
    pub pixels: Vec<u8>,
    /// `[H, W]` in row order; 0 is the backdrop.
    pub labels: Vec<u8>,
}

impl Canvas {
    /// Paints the backdrop: the colour of the point under the middle of each pixel.
    pub fn new(height: usize, width: usize, colour_at: impl Fn(f32, f32) -> Rgb) -> Self {
        let pixel = 1.0 / height.min(width) as f32;
        let at = |k: usize| ((k % width) as f32 + 0.5, (k / width) as f32 + 0.5);
        let colours = (0..height * width).map(|k| colour_at(at(k).0 * pixel, at(k).1 * pixel)).collect();
        Self { height, width, colours, labels: vec![0; height * width] }
    }

    /// Pixels per unit of length: the shorter side is one unit.
    pub fn scale(&self) -> f32 {
        self.height.min(self.width) as f32
    }

    /// Calls `paint(x, y, colour, label)` for the pixels within `reach` of a point, all in pixels.
    pub fn around(
        &mut self,
        centre: (f32, f32),
        reach: f32,
        mut paint: impl FnMut(f32, f32, &mut Rgb, &mut u8),
    ) {
        let span = |middle: f32, len: usize| {
            // Casts saturate, so that what lies outside gives an empty range.
            let (low, high) = ((middle - reach).floor().max(0.0), (middle + reach).ceil().max(0.0));
            (low as usize).min(len)..(high as usize).min(len)
        };
        for row in span(centre.1, self.height) {
            for column in span(centre.0, self.width) {
                let k = row * self.width + column;
                paint(column as f32 + 0.5, row as f32 + 0.5, &mut self.colours[k], &mut self.labels[k]);
            }
        }
    }

    /// Multiplies every colour.
    pub fn shade(&mut self, factor_at: impl Fn(f32, f32) -> f32) {
        let (pixel, width) = (1.0 / self.scale(), self.width);
        for (k, colour) in self.colours.iter_mut().enumerate() {
            let factor = factor_at(((k % width) as f32 + 0.5) * pixel, ((k / width) as f32 + 0.5) * pixel);
            *colour = colour.map(|channel| channel * factor);
        }
    }

    /// Adds sensor grain of the given standard deviation and rounds to 8 bits.
    pub fn finish(self, grain: f32, dice: &mut Dice) -> Painted {
        let byte = |channel: f32, noise: f32| ((channel + noise).clamp(0.0, 1.0) * 255.0).round() as u8;
        let pixels = self.colours.iter().flatten().map(|c| byte(*c, grain * dice.normal())).collect();
        Painted { pixels, labels: self.labels }
    }
}

/// Share of a pixel that lies inside an edge, for its signed distance and the edge's softness.
pub(super) fn coverage(distance: f32, softness: f32) -> f32 {
    (0.5 - distance / softness.max(1.0)).clamp(0.0, 1.0)
}

/// Lays a colour over another.
pub(super) fn lay(under: &mut Rgb, over: Rgb, opacity: f32) {
    *under = mix(*under, over, opacity);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey};

    fn dice() -> Dice {
        Dice::new(RngKey::new(1).stream(Purpose::Scene, 0, 0))
    }

    #[test]
    fn coordinates_are_pixel_middles_in_units_of_the_shorter_side() {
        let canvas = Canvas::new(2, 4, |x, y| [x, y, 0.0]);
        assert_eq!((canvas.colours[0], canvas.colours[7]), ([0.25, 0.25, 0.0], [1.75, 0.75, 0.0]));
        assert_eq!(canvas.scale(), 2.0);
        let painted = canvas.finish(0.0, &mut dice());
        assert_eq!(painted.pixels[..6], [64, 64, 0, 191, 64, 0]);
        assert_eq!(painted.labels, [0; 8]);
    }

    #[test]
    fn painting_around_a_point_stays_on_the_canvas() {
        let mut canvas = Canvas::new(4, 6, |_, _| [0.0; 3]);
        let mut count = |centre, reach| {
            let mut touched = 0;
            canvas.around(centre, reach, |_, _, _, _| touched += 1);
            touched
        };
        assert_eq!(count((3.0, 2.0), 1.0), 4);
        assert_eq!(count((0.0, 0.0), 2.0), 4);
        assert_eq!(count((0.0, 0.0), 1e9), 24);
        assert_eq!(count((-50.0, 90.0), 3.0), 0);
        assert_eq!(count((f32::NAN, 0.0), 1.0), 0);
    }

    #[test]
    fn an_edge_covers_half_a_pixel_in_its_middle() {
        assert_eq!([coverage(-1.0, 1.0), coverage(0.0, 1.0), coverage(0.25, 1.0)], [1.0, 0.5, 0.25]);
        assert_eq!(coverage(0.5, 4.0), 0.375);
        let mut colour = [0.0, 1.0, 0.5];
        lay(&mut colour, [1.0, 0.0, 0.5], 0.25);
        assert_eq!(colour, [0.25, 0.75, 0.5]);
    }
}
