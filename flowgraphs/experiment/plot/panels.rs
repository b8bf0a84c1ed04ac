//! Panels side by side: above points in a plane, coloured by their group, below the matrix of their cosines.

use super::canvas::{Canvas, Drawn, FAINT, INK, Look};
use super::marker::{colour, outline};
use super::render::Drawing;
use super::scale::{Scale, label, range};
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;
use plotters::style::text_anchor::HPos;

const SIDE: i32 = 210;
const GAP: i32 = 26;
const LEFT: i32 = 30;
const TOP: i32 = 108;
/// Space between the two rows, for a caption.
const BETWEEN: i32 = 46;
const BOTTOM: i32 = 70;
const FRAME: RGBColor = RGBColor(200, 204, 210);
const RADIUS: f64 = 2.6;
/// Steps of the colour bar.
const BAR_STEPS: i32 = 40;

/// One panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// Place and group of each point.
    pub points: Vec<([f64; 2], usize)>,
    /// A square matrix of values from -1 to 1, row by row.
    pub cosines: Vec<Vec<f64>>,
    /// Line below the matrix.
    pub caption: String,
}

/// Panels under one title.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panels {
    /// First line.
    pub title: String,
    /// Smaller line below it.
    pub subtitle: String,
    /// The panels, from left to right.
    pub panels: Vec<Panel>,
}

/// Blue at -1, white at 0, orange at 1.
fn diverging(value: f64) -> RGBColor {
    let (end, share) = match value {
        v if v < 0.0 => ((0.0, 114.0, 178.0), (-v).min(1.0)),
        v => ((213.0, 94.0, 0.0), v.min(1.0)),
    };
    let mix = |end: f64| (255.0 + (end - 255.0) * share).round() as u8;
    RGBColor(mix(end.0), mix(end.1), mix(end.2))
}

impl Drawing for Panels {
    fn size(&self) -> (i32, i32) {
        let panels = self.panels.len().max(2) as i32;
        (2 * LEFT + panels * SIDE + (panels - 1) * GAP, TOP + 2 * SIDE + BETWEEN + BOTTOM)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Drawn<DB> {
        canvas.text(&self.title, (LEFT, 26), Look::level(20.0, INK, HPos::Left))?;
        canvas.text(&self.subtitle, (LEFT, 50), Look::level(13.0, FAINT, HPos::Left))?;
        for (index, panel) in self.panels.iter().enumerate() {
            let left = LEFT + index as i32 * (SIDE + GAP);
            canvas.text(&panel.title, (left, TOP - 18), Look::level(14.0, INK, HPos::Left))?;
            scatter(canvas, panel, (left, TOP))?;
            let below = TOP + SIDE + BETWEEN;
            matrix(canvas, panel, (left, below))?;
            canvas.text(&panel.caption, (left, below - 16), Look::level(13.0, FAINT, HPos::Left))?;
        }
        colour_bar(canvas, (LEFT, TOP + 2 * SIDE + BETWEEN + 26))
    }
}

fn frame<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, (left, top): (i32, i32)) -> Drawn<DB> {
    let (right, bottom) = (left + SIDE, top + SIDE);
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    canvas.line(&corners, FRAME, 1.0)
}

fn scatter<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, panel: &Panel, at: (i32, i32)) -> Drawn<DB> {
    frame(canvas, at)?;
    // One scale for both axes: distances mean the same in all directions.
    let all = || panel.points.iter().flat_map(|(place, _)| place.iter().copied());
    let (low, high) = range(all(), 0.06);
    let scale = |from: i32| Scale { low, high, from: f64::from(from), to: f64::from(from + SIDE) };
    for ([x, y], group) in &panel.points {
        let centre = (scale(at.0).pixel(*x), scale(at.1).pixel(*y));
        canvas.marker(centre, &outline(*group, RADIUS * canvas.scale), colour(*group))?;
    }
    Ok(())
}

fn matrix<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, panel: &Panel, (left, top): (i32, i32)) -> Drawn<DB> {
    let count = panel.cosines.len().max(1) as i32;
    for (row, values) in panel.cosines.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            let edge = |index: usize| SIDE * index as i32 / count;
            let corner = |row: usize, column: usize| (left + edge(column), top + edge(row));
            canvas.rectangle([corner(row, column), corner(row + 1, column + 1)], diverging(*value))?;
        }
    }
    frame(canvas, (left, top))
}

fn colour_bar<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, (left, top): (i32, i32)) -> Drawn<DB> {
    const STEP: i32 = 4;
    for step in 0..BAR_STEPS {
        let value = 2.0 * (f64::from(step) + 0.5) / f64::from(BAR_STEPS) - 1.0;
        let at = left + step * STEP;
        canvas.rectangle([(at, top), (at + STEP, top + 10)], diverging(value))?;
    }
    for value in [-1.0, 0.0, 1.0] {
        let at = left + (BAR_STEPS as f64 * f64::from(STEP) * (value + 1.0) / 2.0) as i32;
        canvas.text(&label(value), (at, top + 22), Look::level(12.0, FAINT, HPos::Center))?;
    }
    let beside = left + BAR_STEPS * STEP + 14;
    canvas.text(
        "cosine between the common features of two groups",
        (beside, top + 5),
        Look::level(12.0, FAINT, HPos::Left),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_meet_their_ends_and_white_in_the_middle() {
        assert_eq!(diverging(0.0), RGBColor(255, 255, 255));
        assert_eq!(diverging(-1.0), RGBColor(0, 114, 178));
        assert_eq!(diverging(3.0), RGBColor(213, 94, 0));
    }

    #[test]
    fn every_panel_has_its_place() {
        let panel = Panel {
            title: "epoch 1".into(),
            points: vec![([0.0, 0.0], 0), ([1.0, -1.0], 1)],
            cosines: vec![vec![1.0, -0.5], vec![-0.5, 1.0]],
            caption: "mean -0.5".into(),
        };
        let panels = Panels { title: "t".into(), subtitle: "s".into(), panels: vec![panel; 3] };
        let text = super::super::render::svg(&panels).unwrap();
        assert_eq!(text.matches("epoch 1").count(), 3);
        let png = super::super::render::png(&panels).unwrap();
        assert_eq!(&png[1..4], b"PNG");
    }
}
