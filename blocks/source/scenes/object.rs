//! One object: an outline somewhere in the picture, with a surface and perhaps a shadow.

use super::canvas::{Canvas, coverage, lay};
use super::colour::luma;
use super::dice::Dice;
use super::fill::Fill;
use super::palette::Palette;
use super::shape::{CLASSES, Shape};

/// Number of object places in a scene; the first is always taken, by the largest object.
pub(super) const NUM_OBJECTS: usize = 5;
/// Probability that one of the other places is taken.
const PRESENCE: f32 = 0.7;
/// Signs reach this far beyond their radius.
const REACH: f32 = 1.25;

/// An object in pixels.
pub(super) struct Object {
    shape: Shape,
    fill: Fill,
    centre: (f32, f32),
    radius: f32,
    /// Cosine and sine of the turn.
    turn: (f32, f32),
    /// Width of the edge; above one pixel it is out of focus.
    softness: f32,
    /// Offset and strength.
    shadow: Option<((f32, f32), f32)>,
}

impl Object {
    /// Draws the object of a place, `None` where the place stays empty.
    ///
    /// - size: height and width of the picture in pixels
    pub fn draw(dice: &mut Dice, place: usize, size: (usize, usize)) -> Option<Self> {
        if place == 0 {
            let radius = dice.range(0.18, 0.34);
            return Some(Self::with_radius(dice, radius, CLASSES.len() - 1, size));
        }
        if !dice.chance(PRESENCE) {
            return None;
        }
        // Density of radii proportional to r^-2 from 0.07 to 0.28: many small, few large.
        let radius = 1.0 / (1.0 / 0.07 + dice.unit() * (1.0 / 0.28 - 1.0 / 0.07));
        Some(Self::with_radius(dice, radius, CLASSES.len() - 1, size))
    }

    /// Draws the small detail that no other picture has. It bears no writing.
    pub fn draw_detail(dice: &mut Dice, size: (usize, usize)) -> Self {
        let radius = dice.range(0.05, 0.08);
        Self::with_radius(dice, radius, CLASSES.len() - 2, size)
    }

    fn with_radius(dice: &mut Dice, radius: f32, classes: usize, (height, width): (usize, usize)) -> Self {
        let scale = height.min(width) as f32;
        let radius = radius * scale;
        let centre = (dice.range(0.15, 0.85) * width as f32, dice.range(0.15, 0.85) * height as f32);
        let shape = Shape::draw(dice, classes);
        // Signs stand nearly upright, as writing does.
        let angle = if matches!(shape, Shape::Sign { .. }) { dice.range(-0.25, 0.25) } else { dice.angle() };
        let softness = 1.0 + 0.06 * scale * dice.unit().powi(4);
        let shadow = dice.chance(0.4).then(|| {
            let (angle, length) = (dice.range(0.2, 2.9), 0.18 * radius);
            ((length * angle.cos(), length * angle.sin()), dice.range(0.2, 0.5))
        });
        let fill = Fill::draw(dice, radius);
        Self { shape, fill, centre, radius, turn: (angle.cos(), angle.sin()), softness, shadow }
    }

    /// Paints shadow and object; a pixel is labelled where the object covers at least half of it.
    pub fn paint(&self, canvas: &mut Canvas, palette: &Palette) {
        if let Some(((dx, dy), strength)) = self.shadow {
            let blur = 0.25 * self.radius;
            let centre = (self.centre.0 + dx, self.centre.1 + dy);
            canvas.around(centre, REACH * self.radius + blur, |x, y, colour, _| {
                let (u, v) = self.local(x - dx, y - dy);
                let depth = strength * coverage(self.shape.distance(u, v) * self.radius, blur);
                lay(colour, [0.0; 3], depth);
            });
        }
        canvas.around(self.centre, REACH * self.radius + self.softness, |x, y, colour, label| {
            let (u, v) = self.local(x, y);
            let cover = coverage(self.shape.distance(u, v) * self.radius, self.softness);
            if cover == 0.0 {
                return;
            }
            let mut surface = self.fill.at(palette, (u, v), self.radius);
            if let Some(distance) = self.shape.writing_distance(u, v) {
                let letters = if luma(surface) > 0.5 { [0.05; 3] } else { [0.95; 3] };
                lay(&mut surface, letters, coverage(distance * self.radius, 1.0));
            }
            lay(colour, surface, cover);
            if cover >= 0.5 {
                *label = self.shape.class();
            }
        });
    }

    /// A point of the picture in the object's own coordinates, in units of its radius.
    fn local(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = ((x - self.centre.0) / self.radius, (y - self.centre.1) / self.radius);
        (dx * self.turn.0 + dy * self.turn.1, dy * self.turn.0 - dx * self.turn.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey};

    fn dice(frame: u64) -> Dice {
        Dice::new(RngKey::new(6).stream(Purpose::Scene, frame, 0))
    }

    #[test]
    fn the_first_place_is_always_taken_and_the_object_seen() {
        for frame in 0..300 {
            let mut dice = dice(frame);
            let palette = Palette::draw(&mut dice);
            let object = Object::draw(&mut dice, 0, (32, 48)).unwrap();
            let mut canvas = Canvas::new(32, 48, |_, _| [0.5; 3]);
            object.paint(&mut canvas, &palette);
            let painted = canvas.finish(0.0, &mut dice);
            let covered = painted.labels.iter().filter(|l| **l == object.shape.class()).count();
            assert!(covered >= 10, "frame {frame}: class {} covers {covered}", object.shape.class());
            assert!(painted.labels.iter().all(|l| *l == 0 || *l == object.shape.class()));
        }
    }

    #[test]
    fn a_disc_covers_its_area_and_hides_what_is_under_it() {
        let mut object = Object::draw_detail(&mut dice(0), (64, 64));
        (object.shape, object.radius, object.centre) = (Shape::Disc { squeeze: 1.0 }, 20.0, (32.0, 32.0));
        (object.softness, object.shadow) = (1.0, None);
        let mut canvas = Canvas::new(64, 64, |_, _| [9.0; 3]);
        object.paint(&mut canvas, &Palette::draw(&mut dice(1)));
        let labels = canvas.finish(0.0, &mut dice(2)).labels;
        let area = labels.iter().filter(|l| **l == 1).count() as f32;
        // Lattice points in a disc deviate from its area by less than its circumference.
        assert!((area - std::f32::consts::PI * 400.0).abs() < 20.0, "{area}");
        assert_eq!((labels[32 * 64 + 32], labels[0]), (1, 0));
    }

    #[test]
    fn the_other_places_are_taken_as_often_as_stated() {
        let taken = (0..2000).filter(|f| Object::draw(&mut dice(*f), 1, (32, 32)).is_some()).count();
        // 1,400 with a standard deviation of 20.5; 4 sigma.
        assert!(taken.abs_diff(1400) < 82, "{taken}");
    }
}
