//! Colours and markers that stay distinct for colour-blind readers and in grey.

use plotters::style::RGBColor;

/// The eight colours of Okabe and Ito (2008), without yellow, which vanishes on white; ordered so that
/// neighbours differ most.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(0, 0, 0),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// The colour of the n-th line.
pub(super) fn colour(line: usize) -> RGBColor {
    COLOURS[line % COLOURS.len()]
}

/// Whether lines before the n-th have all colours already, so that its marker must be seen to know it.
pub(super) fn repeats_a_colour(line: usize) -> bool {
    line >= COLOURS.len()
}

/// Corners of the n-th line's marker around its point, in pixels.
///
/// Shapes repeat after five and colours after seven: 35 lines differ.
pub(super) fn outline(line: usize, radius: f64) -> Vec<(i32, i32)> {
    let (corners, turn, size) = match line % 5 {
        0 => (24, 0.0, 1.0),
        1 => (4, 0.125, 1.25),
        2 => (3, 0.25, 1.35),
        3 => (4, 0.0, 1.3),
        _ => (3, -0.25, 1.35),
    };
    (0..corners)
        .map(|corner| {
            let angle = std::f64::consts::TAU * (corner as f64 / corners as f64 + turn);
            let (sin, cos) = angle.sin_cos();
            ((radius * size * cos).round() as i32, (-radius * size * sin).round() as i32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_first_35_lines_all_look_different() {
        let looks: BTreeSet<_> = (0..35)
            .map(|line| {
                let RGBColor(r, g, b) = colour(line);
                ((r, g, b), outline(line, 10.0))
            })
            .collect();
        assert_eq!(looks.len(), 35);
    }

    #[test]
    fn a_square_stands_on_its_side_and_a_triangle_points_up() {
        assert_eq!(outline(1, 8.0)[0], (7, -7));
        assert_eq!(outline(2, 10.0)[0], (0, -14));
    }
}
