//! Primitives in device-independent units: lines, polygons and text, scaled to the resolution.

use super::fonts::FONT;
use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::{DrawingArea, DrawingBackend, IntoFont, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, RGBColor, ShapeStyle, TextStyle};

/// Text that is to be read first, and what explains it.
pub(super) const INK: RGBColor = RGBColor(40, 44, 52);
pub(super) const FAINT: RGBColor = RGBColor(110, 116, 126);

/// What drawing may raise.
pub(super) type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// A drawing area whose units are 1 / scale pixels.
pub(super) struct Canvas<'a, DB: DrawingBackend> {
    pub area: &'a DrawingArea<DB, Shift>,
    pub scale: f64,
}

impl<DB: DrawingBackend> Canvas<'_, DB> {
    fn at(&self, (x, y): (i32, i32)) -> (i32, i32) {
        ((f64::from(x) * self.scale).round() as i32, (f64::from(y) * self.scale).round() as i32)
    }

    fn stroke(&self, colour: RGBColor, width: f64) -> ShapeStyle {
        ShapeStyle {
            color: colour.to_rgba(),
            filled: false,
            stroke_width: (width * self.scale).round().max(1.0) as u32,
        }
    }

    pub fn line(&self, points: &[(i32, i32)], colour: RGBColor, width: f64) -> Drawn<DB> {
        let points: Vec<_> = points.iter().map(|p| self.at(*p)).collect();
        self.area.draw(&PathElement::new(points, self.stroke(colour, width)))
    }

    /// A line through places between units, without steps.
    pub fn smooth_line(&self, points: &[(f64, f64)], colour: RGBColor, width: f64) -> Drawn<DB> {
        let place = |value: f64| (value * self.scale).round() as i32;
        let points: Vec<_> = points.iter().map(|(x, y)| (place(*x), place(*y))).collect();
        self.area.draw(&PathElement::new(points, self.stroke(colour, width)))
    }

    /// A broken line; a single point becomes one dash.
    pub fn dashes(&self, points: &[(i32, i32)], colour: RGBColor, width: f64) -> Drawn<DB> {
        for (from, to) in dashes(points) {
            // In device pixels at once: rounding to whole units would bend short pieces.
            let ends =
                [from, to].map(|(x, y)| ((x * self.scale).round() as i32, (y * self.scale).round() as i32));
            self.area.draw(&PathElement::new(ends.to_vec(), self.stroke(colour, width)))?;
        }
        Ok(())
    }

    /// A filled shape with a thin white rim, which keeps crossing lines apart.
    pub fn marker(&self, centre: (i32, i32), outline: &[(i32, i32)], colour: RGBColor) -> Drawn<DB> {
        let centre = self.at(centre);
        let points: Vec<_> = outline.iter().map(|(dx, dy)| (centre.0 + dx, centre.1 + dy)).collect();
        self.area.draw(&Polygon::new(points.clone(), colour.filled()))?;
        let closed = points.iter().chain(points.first()).copied().collect::<Vec<_>>();
        self.area.draw(&PathElement::new(closed, self.stroke(RGBColor(255, 255, 255), 0.8)))
    }

    pub fn rectangle(&self, corners: [(i32, i32); 2], colour: RGBColor) -> Drawn<DB> {
        self.area.draw(&Rectangle::new(corners.map(|c| self.at(c)), colour.filled()))
    }

    pub fn text(&self, text: &str, at: (i32, i32), look: Look) -> Drawn<DB> {
        let font = (FONT, look.size * self.scale).into_font().transform(match look.upwards {
            true => FontTransform::Rotate270,
            false => FontTransform::None,
        });
        let style = TextStyle::from(font).color(&look.colour).pos(Pos::new(look.anchor, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), self.at(at), style))
    }
}

/// How text looks: height in units, colour, which end stands at the point, and whether it runs upwards.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub size: f64,
    pub colour: RGBColor,
    pub anchor: HPos,
    pub upwards: bool,
}

impl Look {
    /// Text that runs from left to right.
    pub fn level(size: f64, colour: RGBColor, anchor: HPos) -> Self {
        Self { size, colour, anchor, upwards: false }
    }
}

/// Width of horizontal text in units.
pub(super) fn text_width(text: &str, size: f64) -> i32 {
    // Measured large, so that rounding to whole pixels does not matter.
    (FONT, size * 8.0).into_font().box_size(text).map_or(0, |(width, _)| (width / 8) as i32)
}

/// A point in units, between whole ones.
type Place = (f64, f64);

/// The pieces of a broken line, from corner to corner, with gaps carried on around corners.
fn dashes(points: &[(i32, i32)]) -> Vec<(Place, Place)> {
    const DASH: f64 = 7.0;
    const PERIOD: f64 = 12.0;
    let places: Vec<Place> = points.iter().map(|(x, y)| (f64::from(*x), f64::from(*y))).collect();
    if let [(x, y)] = places[..] {
        return vec![((x - DASH / 2.0, y), (x + DASH / 2.0, y))];
    }
    let (mut pieces, mut walked) = (Vec::new(), 0.0);
    for pair in places.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let len = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |walk: f64| (from.0 + (to.0 - from.0) * walk / len, from.1 + (to.1 - from.1) * walk / len);
        let mut start = -(walked % PERIOD);
        while start < len {
            let (first, last) = (start.max(0.0), (start + DASH).min(len));
            if last > first {
                pieces.push((at(first), at(last)));
            }
            start += PERIOD;
        }
        walked += len;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_on_around_corners() {
        let pieces = dashes(&[(0, 0), (10, 0), (10, 20)]);
        let expected = [((0.0, 0.0), (7.0, 0.0)), ((10.0, 2.0), (10.0, 9.0)), ((10.0, 14.0), (10.0, 20.0))];
        assert_eq!(pieces, expected);
        assert_eq!(dashes(&[(5, 5)]), [((1.5, 5.0), (8.5, 5.0))]);
        assert!(dashes(&[]).is_empty() && dashes(&[(3, 3), (3, 3)]).is_empty());
    }
}
