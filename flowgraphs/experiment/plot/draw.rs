//! Draws a figure: thin grid, markers, error bars, and every line labelled at its end.

use super::canvas::{Canvas, Drawn, FAINT, INK, Look, text_width};
use super::figure::{Axis, Course, Figure};
use super::marker::{colour, outline, repeats_a_colour};
use super::render::Drawing;
use super::scale::{Scale, decade_ticks, label, range, round_ticks, value_ticks};
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;
use plotters::style::text_anchor::HPos;

const WIDTH: i32 = 760;
const HEIGHT: i32 = 470;
const GRID: RGBColor = RGBColor(228, 230, 234);
const LABEL_SIZE: f64 = 14.0;
/// Smallest distance between the labels at the line ends.
const LABEL_STEP: i32 = 18;
const MARKER_RADIUS: f64 = 4.0;
/// Room for a line's marker before its label.
const MARK_WIDTH: i32 = 15;

impl Drawing for Figure {
    fn size(&self) -> (i32, i32) {
        (WIDTH, HEIGHT)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Drawn<DB> {
        draw(canvas, self)
    }
}

fn draw<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, figure: &Figure) -> Drawn<DB> {
    let courses = figure.courses();
    let labelled = figure.lines.iter().zip(&courses).filter(|(_, course)| !course.is_limit());
    let label_width = labelled.map(|(l, _)| text_width(&l.name, LABEL_SIZE)).max().unwrap_or(0);
    let marks = if courses.iter().any(|course| !course.is_limit() && repeats_a_colour(course.look)) {
        MARK_WIDTH
    } else {
        0
    };
    let (left, right) = (72, WIDTH - label_width.min(WIDTH / 3) - 36 - marks);
    let (top, bottom) = (74, HEIGHT - 62);
    let points = || courses.iter().flat_map(|course| course.points.iter().copied());
    let bars = courses.iter().flat_map(|course| course.bars.iter().flatten().flat_map(|(a, b)| [*a, *b]));
    let (x_low, x_high) = range(points().map(|p| p.0), 0.03);
    let heights = points().map(|p| p.1).chain(bars).filter(|y| y.is_finite());
    let (y_low, y_high) = range(heights, 0.06);
    let x = Scale { low: x_low, high: x_high, from: f64::from(left), to: f64::from(right) };
    let y = Scale { low: y_low, high: y_high, from: f64::from(bottom), to: f64::from(top) };
    titles(canvas, figure, left)?;
    axes(canvas, figure, &courses, (left, right, top, bottom), (x, y))?;
    for (course, line) in courses.iter().zip(&figure.lines).filter(|(course, _)| course.is_limit()) {
        limit(canvas, course, &line.name, (x, y))?;
    }
    for course in courses.iter().filter(|course| !course.is_limit()) {
        curve(canvas, course, (x, y))?;
    }
    for (index, end, at) in end_labels(&courses, y, (top, bottom)) {
        let (name, line) = (&figure.lines[index].name, courses[index].look);
        let look = Look::level(LABEL_SIZE, colour(line), HPos::Left);
        canvas.text(name, (right + 14 + marks, at), look)?;
        if marks > 0 && !courses[index].dashed {
            let marker = outline(line, MARKER_RADIUS * canvas.scale);
            canvas.marker((right + 14 + MARK_WIDTH / 3, at - 1), &marker, colour(line))?; // text sits a pixel high
        }
        let last = x.pixel(end.0);
        let joint = [(last + 7, y.pixel(end.1)), (right + 11, at)];
        canvas.line(&joint, GRID, 1.0)?;
    }
    Ok(())
}

fn labelled(ticks: Vec<f64>) -> Vec<(f64, String)> {
    ticks.into_iter().map(|tick| (tick, label(tick))).collect()
}

fn titles<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, figure: &Figure, left: i32) -> Drawn<DB> {
    canvas.text(&figure.title, (left, 26), Look::level(20.0, INK, HPos::Left))?;
    canvas.text(&figure.subtitle, (left, 50), Look::level(13.0, FAINT, HPos::Left))
}

fn axes<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    figure: &Figure,
    courses: &[Course],
    (left, right, top, bottom): (i32, i32, i32, i32),
    (x, y): (Scale, Scale),
) -> Drawn<DB> {
    let y_ticks = match figure.axes[1] {
        Axis::Linear => labelled(round_ticks(y.low, y.high, 8)),
        Axis::Logarithmic => decade_ticks(y.low, y.high, 8),
    };
    for (tick, text) in y_ticks {
        let at = y.pixel(tick);
        canvas.line(&[(left, at), (right, at)], GRID, 1.0)?;
        canvas.text(&text, (left - 10, at), Look::level(13.0, INK, HPos::Right))?;
    }
    let x_ticks = match figure.axes[0] {
        Axis::Linear => {
            let values = courses.iter().flat_map(|course| course.points.iter().map(|p| p.0));
            labelled(value_ticks(values, x.low, x.high, 12))
        }
        Axis::Logarithmic => decade_ticks(x.low, x.high, 12),
    };
    for (tick, text) in x_ticks {
        let at = x.pixel(tick);
        canvas.line(&[(at, top), (at, bottom)], GRID, 1.0)?;
        canvas.text(&text, (at, bottom + 16), Look::level(13.0, INK, HPos::Center))?;
    }
    canvas.line(&[(left, bottom), (right, bottom)], FAINT, 1.0)?;
    canvas.text(&figure.x_label, ((left + right) / 2, bottom + 42), Look::level(14.0, INK, HPos::Center))?;
    let upwards = Look { upwards: true, ..Look::level(14.0, INK, HPos::Center) };
    canvas.text(&figure.y_label, (24, (top + bottom) / 2), upwards)
}

fn curve<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, course: &Course, (x, y): (Scale, Scale)) -> Drawn<DB> {
    let colour = colour(course.look);
    if !course.is_marked() {
        let places: Vec<(f64, f64)> = course.points.iter().map(|p| (x.place(p.0), y.place(p.1))).collect();
        return canvas.smooth_line(&places, colour, 1.5);
    }
    let pixels: Vec<(i32, i32)> = course.points.iter().map(|p| (x.pixel(p.0), y.pixel(p.1))).collect();
    if course.dashed {
        return canvas.dashes(&pixels, colour, 1.5);
    }
    if pixels.len() > 1 {
        canvas.line(&pixels, colour, 2.0)?;
    }
    for (bar, at) in course.bars.iter().zip(&pixels) {
        if let Some((lower, upper)) = bar {
            let lower = if lower.is_finite() { *lower } else { y.low };
            canvas.line(&[(at.0, y.pixel(lower)), (at.0, y.pixel(*upper))], colour, 1.0)?;
        }
        canvas.marker(*at, &outline(course.look, MARKER_RADIUS * canvas.scale), colour)?;
    }
    Ok(())
}

/// An upright line, its name along its lower end.
fn limit<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    course: &Course,
    name: &str,
    (x, y): (Scale, Scale),
) -> Drawn<DB> {
    let ends: Vec<(i32, i32)> = course.points.iter().map(|p| (x.pixel(p.0), y.pixel(p.1))).collect();
    let foot = ends.iter().max_by_key(|end| end.1).copied().unwrap_or_default();
    canvas.line(&ends, FAINT, 1.0)?;
    let along = Look { upwards: true, ..Look::level(12.0, FAINT, HPos::Left) };
    canvas.text(name, (foot.0 + 8, foot.1), along)
}

/// The last point of each line and the height of its label, moved apart where lines end close together.
fn end_labels(courses: &[Course], y: Scale, (top, bottom): (i32, i32)) -> Vec<(usize, (f64, f64), i32)> {
    let mut labels: Vec<(usize, (f64, f64), i32)> = courses
        .iter()
        .enumerate()
        .filter(|(_, course)| !course.is_limit())
        .filter_map(|(index, course)| {
            let end = course.points.last()?;
            Some((index, *end, y.pixel(end.1)))
        })
        .collect();
    labels.sort_by_key(|label| label.2);
    let mut lowest = top - LABEL_STEP;
    for label in &mut labels {
        label.2 = label.2.max(lowest + LABEL_STEP);
        lowest = label.2;
    }
    let mut highest = bottom + LABEL_STEP;
    for label in labels.iter_mut().rev() {
        label.2 = label.2.min(highest - LABEL_STEP);
        highest = label.2;
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::super::Line;
    use super::super::{to_png, to_svg};
    use super::*;

    fn figure() -> Figure {
        let line = |name: &str, offset: f64| Line {
            name: name.into(),
            points: (0..7).map(|i| (3.0 * f64::from(i), 22.0 + offset + 2.2 * f64::from(i))).collect(),
            error: vec![0.6; 7],
            ..Line::default()
        };
        Figure {
            title: "AWGN".into(),
            subtitle: "procedural scenes, N = 1024".into(),
            x_label: "SNR (dB)".into(),
            y_label: "PSNR (dB)".into(),
            axes: [Axis::Linear; 2],
            lines: vec![line("group splitting", 1.0), line("private only", 0.9), line("KLT", -1.0)],
        }
    }

    #[test]
    fn both_files_are_made_and_repeat_byte_for_byte() {
        let svg = to_svg(&figure()).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(["AWGN", "group splitting", "SNR (dB)"].iter().all(|text| svg.contains(text)));
        let png = to_png(&figure()).unwrap();
        let image = image::load_from_memory(&png).unwrap();
        assert_eq!((image.width(), image.height()), (1520, 940));
        assert_eq!(png, to_png(&figure()).unwrap());
    }

    #[test]
    fn labels_of_lines_that_end_together_are_moved_apart() {
        let y = Scale { low: 20.0, high: 40.0, from: 400.0, to: 70.0 };
        let mut heights: Vec<i32> =
            end_labels(&figure().courses(), y, (70, 400)).iter().map(|l| l.2).collect();
        heights.sort_unstable();
        assert!(heights.windows(2).all(|pair| pair[1] - pair[0] >= LABEL_STEP), "{heights:?}");
    }

    #[test]
    fn labels_show_their_markers_where_colours_repeat() {
        let markers = |looks: [usize; 3]| {
            let mut figure = figure();
            figure.lines.iter_mut().zip(looks).for_each(|(line, look)| line.look = Some(look));
            to_svg(&figure).unwrap().matches("<polygon").count()
        };
        assert_eq!(markers([0, 3, 7]), markers([0, 3, 6]) + 3);
    }

    #[test]
    fn logarithmic_axes_are_labelled_with_the_values() {
        let mut rates = figure();
        rates.axes[1] = Axis::Logarithmic;
        rates.lines.truncate(1);
        rates.lines[0].points = vec![(0.0, 0.1), (1.0, 1e-4), (2.0, 0.0)];
        let svg = to_svg(&rates).unwrap();
        assert!([">\n0.1", ">\n0.001"].iter().all(|text| svg.contains(text)), "{svg}");
    }

    #[test]
    fn nothing_and_nonsense_are_drawn_without_failing() {
        let mut empty = figure();
        empty.lines.clear();
        to_png(&empty).unwrap();
        let mut odd = figure();
        odd.lines[0].points = vec![(0.0, f64::NAN), (f64::INFINITY, 3.0)];
        odd.lines[1].points = vec![(1.0, 3.0)];
        odd.lines[2].points.clear();
        to_svg(&odd).unwrap();
    }
}
