//! Text-like strokes: rows of invented letters, each of a few straight lines on a lattice.

use super::dice::Dice;
use super::distance::{Segment, to_segment};

/// Letters inside a rectangle around the origin.
pub(super) struct Writing {
    half_width: f32,
    half_height: f32,
    rows: usize,
    columns: usize,
    /// Letter by letter, row by row. A letter keeps inside its cell.
    letters: Vec<Vec<Segment>>,
    stroke: f32,
}

impl Writing {
    /// Fills a rectangle of the given half extents with 1 to 3 rows of 2 to 5 letters.
    pub fn draw(dice: &mut Dice, half_width: f32, half_height: f32) -> Self {
        let (rows, columns) = (1 + dice.pick(3), 2 + dice.pick(4));
        let (cell_width, cell_height) = (2.0 * half_width / columns as f32, 2.0 * half_height / rows as f32);
        let mut letters = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            for column in 0..columns {
                let left = column as f32 * cell_width - half_width;
                let top = row as f32 * cell_height - half_height;
                // Two by three points a letter, kept away from the border of the cell.
                let point = |k: usize| {
                    let (u, v) = ((k % 2) as f32, (k / 2) as f32 / 2.0);
                    (left + cell_width * (0.22 + 0.56 * u), top + cell_height * (0.2 + 0.6 * v))
                };
                let segments = 2 + dice.pick(2);
                let letter = (0..segments).map(|_| {
                    let from = dice.pick(6);
                    let to = (from + 1 + dice.pick(5)) % 6;
                    [point(from), point(to)]
                });
                letters.push(letter.collect());
            }
        }
        let stroke = 0.09 * cell_width.min(cell_height);
        Self { half_width, half_height, rows, columns, letters, stroke }
    }

    /// Signed distance to the nearest stroke of the cell that holds the point; outside the
    /// rectangle and in blank cells a large positive number.
    pub fn distance(&self, x: f32, y: f32) -> f32 {
        const FAR: f32 = 1e3;
        let u = (x + self.half_width) / (2.0 * self.half_width);
        let v = (y + self.half_height) / (2.0 * self.half_height);
        if !(0.0..1.0).contains(&u) || !(0.0..1.0).contains(&v) {
            return FAR;
        }
        let (column, row) = ((u * self.columns as f32) as usize, (v * self.rows as f32) as usize);
        let letter = self.letters.get(row * self.columns + column).map_or(&[][..], Vec::as_slice);
        letter.iter().map(|s| to_segment((x, y), *s) - self.stroke).fold(FAR, f32::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey};

    #[test]
    fn letters_fill_part_of_their_rectangle() {
        for frame in 0..100 {
            let writing =
                Writing::draw(&mut Dice::new(RngKey::new(1).stream(Purpose::Scene, frame, 0)), 0.8, 0.4);
            let grid = (0..40 * 40).map(|k| ((k % 40) as f32 / 20.0 - 1.0, (k / 40) as f32 / 20.0 - 1.0));
            let inked: Vec<_> = grid.filter(|(x, y)| writing.distance(*x, *y) <= 0.0).collect();
            assert!(inked.iter().all(|(x, y)| x.abs() <= 0.8 && y.abs() <= 0.4));
            // The rectangle is 0.32 of the grid; strokes are thin.
            assert!((5..256).contains(&inked.len()), "{} points", inked.len());
        }
    }
}
