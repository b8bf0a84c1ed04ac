//! Outlines of objects as signed distances: negative inside, in units of the object's radius.

use super::dice::Dice;
use super::distance::{Point, length, to_box, to_polygon, to_segment};
use super::strokes::Writing;
use std::f32::consts::{PI, TAU};

/// Names of the classes; the numbers of labels and of label maps are positions in this list.
pub const CLASSES: [&str; 10] =
    ["background", "disc", "ring", "box", "triangle", "star", "cross", "bar", "leaf", "sign"];

/// An outline inside the unit disc.
pub(super) enum Shape {
    /// An ellipse with half axes 1 and `squeeze`.
    Disc { squeeze: f32 },
    /// Between two circles.
    Ring { inner: f32 },
    /// A rectangle with rounded corners.
    Box { half: (f32, f32), corner: f32 },
    /// Any outline of straight lines; `class` tells which.
    Polygon { class: u8, points: Vec<Point> },
    /// A straight line with round ends.
    Bar { half_length: f32, thickness: f32 },
    /// Where two discs overlap.
    Leaf { offset: f32 },
    /// A panel with writing on it.
    Sign { half: (f32, f32), writing: Writing },
}

impl Shape {
    /// Draws one of the first `classes` classes after the background, 1 to 9.
    pub fn draw(dice: &mut Dice, classes: usize) -> Self {
        match 1 + dice.pick(classes) {
            1 => Self::Disc { squeeze: dice.range(0.6, 1.0) },
            2 => Self::Ring { inner: dice.range(0.35, 0.65) },
            3 => {
                let half = (0.85, dice.range(0.4, 0.85));
                Self::Box { half, corner: dice.range(0.0, 0.3) }
            }
            4 => Self::Polygon { class: 4, points: spokes(3, |_| 1.0) },
            5 => {
                let (tips, inner) = (4 + dice.pick(3), dice.range(0.38, 0.55));
                Self::Polygon { class: 5, points: spokes(2 * tips, |k| if k % 2 == 0 { 1.0 } else { inner }) }
            }
            6 => Self::Polygon { class: 6, points: cross(dice.range(0.2, 0.35)) },
            7 => {
                let thickness = dice.range(0.12, 0.28);
                Self::Bar { half_length: 1.0 - thickness, thickness }
            }
            8 => Self::Leaf { offset: dice.range(0.35, 0.8) },
            _ => {
                let half = (0.9, dice.range(0.4, 0.75));
                Self::Sign { half, writing: Writing::draw(dice, half.0 - 0.1, half.1 - 0.1) }
            }
        }
    }

    /// Position in [`CLASSES`].
    pub fn class(&self) -> u8 {
        match self {
            Self::Disc { .. } => 1,
            Self::Ring { .. } => 2,
            Self::Box { .. } => 3,
            Self::Polygon { class, .. } => *class,
            Self::Bar { .. } => 7,
            Self::Leaf { .. } => 8,
            Self::Sign { .. } => 9,
        }
    }

    /// Distance from a point to the outline; exact but for squeezed discs, where it is a bound.
    pub fn distance(&self, x: f32, y: f32) -> f32 {
        match self {
            Self::Disc { squeeze } => (length(x, y / squeeze) - 1.0) * squeeze,
            Self::Ring { inner } => (length(x, y) - 0.5 * (1.0 + inner)).abs() - 0.5 * (1.0 - inner),
            Self::Box { half, corner } => to_box((x, y), *half, *corner),
            Self::Polygon { points, .. } => to_polygon((x, y), points),
            Self::Bar { half_length, thickness } => {
                to_segment((x, y), [(-half_length, 0.0), (*half_length, 0.0)]) - thickness
            }
            Self::Leaf { offset } => {
                // Both discs pass through (0, 1) and (0, -1).
                let radius = length(1.0, *offset);
                length(x - offset, y).max(length(x + offset, y)) - radius
            }
            Self::Sign { half, .. } => to_box((x, y), *half, 0.08),
        }
    }

    /// Distance to the writing on a sign.
    pub fn writing_distance(&self, x: f32, y: f32) -> Option<f32> {
        match self {
            Self::Sign { writing, .. } => Some(writing.distance(x, y)),
            _ => None,
        }
    }
}

/// `count` points around the origin, the first at the top, at the radius of each.
fn spokes(count: usize, radius: impl Fn(usize) -> f32) -> Vec<Point> {
    let point = |k: usize| {
        let (angle, r) = (TAU * k as f32 / count as f32 - 0.5 * PI, radius(k));
        (r * angle.cos(), r * angle.sin())
    };
    (0..count).map(point).collect()
}

/// An upright cross with arms of half width `w`.
fn cross(w: f32) -> Vec<Point> {
    let quarter = [(w, -w), (w, -0.95), (-w, -0.95)];
    // The quarter turned by 0, -90, -180 and -270 degrees.
    [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)]
        .iter()
        .flat_map(|(cos, sin)| quarter.map(|(x, y)| (x * cos + y * sin, y * cos - x * sin)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey};

    #[test]
    fn distances_of_simple_outlines() {
        let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-5, "{a} {b}");
        near(Shape::Disc { squeeze: 1.0 }.distance(3.0, 4.0), 4.0);
        near(Shape::Ring { inner: 0.5 }.distance(0.75, 0.0), -0.25);
        near(Shape::Box { half: (0.8, 0.4), corner: 0.1 }.distance(0.0, 0.0), -0.4);
        near(Shape::Box { half: (0.8, 0.4), corner: 0.0 }.distance(1.1, 0.8), 0.5);
        near(Shape::Leaf { offset: 0.5 }.distance(0.0, 1.0), 0.0);
    }

    #[test]
    fn every_class_is_drawn_and_keeps_inside_the_unit_disc() {
        let mut seen = [0usize; CLASSES.len()];
        for frame in 0..400 {
            let mut dice = Dice::new(RngKey::new(1).stream(Purpose::Scene, frame, 0));
            let shape = Shape::draw(&mut dice, CLASSES.len() - 1);
            seen[usize::from(shape.class())] += 1;
            let grid = (0..60 * 60).map(|k| ((k % 60) as f32 / 25.0 - 1.2, (k / 60) as f32 / 25.0 - 1.2));
            let inside: Vec<_> = grid.filter(|(x, y)| shape.distance(*x, *y) < 0.0).collect();
            // A sign's corners reach 1.17; nothing else leaves the disc. A grid cell is 0.0016.
            let reach = inside.iter().map(|(x, y)| x.hypot(*y)).fold(0.0, f32::max);
            assert!(reach < 1.21, "class {} reaches {reach}", shape.class());
            assert!(inside.len() as f32 * 0.0016 > 0.3, "class {} is too thin", shape.class());
        }
        assert!(seen[0] == 0 && seen[1..].iter().all(|n| *n > 20), "{seen:?}");
    }
}
