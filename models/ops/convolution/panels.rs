//! Matrices in panels of columns as wide as registers.

/// Registers beside each other in a panel at most.
const REGISTERS: usize = 2;

/// Some columns of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panel {
    /// The first of its columns.
    pub first: usize,
    /// How many columns there are.
    pub used: usize,
    /// Values of a row: one or two registers.
    pub width: usize,
    /// Where its rows begin.
    pub start: usize,
}

/// A matrix, panel by panel, in each row by row; zeros beyond the last column.
#[derive(Clone, Debug, Default)]
pub struct Panels {
    /// In the order of the columns.
    pub panels: Vec<Panel>,
    /// All values.
    pub values: Vec<f32>,
}

impl Panels {
    /// A matrix of zeros.
    ///
    /// - lanes: values of a register
    pub fn zeros(rows: usize, columns: usize, lanes: usize) -> Self {
        let mut panels = Panels::default();
        panels.reset(rows, columns, lanes);
        panels
    }

    /// The same in memory that is there.
    pub fn reset(&mut self, rows: usize, columns: usize, lanes: usize) {
        self.panels.clear();
        let (mut first, mut start) = (0, 0);
        while first < columns {
            let used = (columns - first).min(REGISTERS * lanes);
            let width = used.next_multiple_of(lanes);
            self.panels.push(Panel { first, used, width, start });
            (first, start) = (first + used, start + rows * width);
        }
        self.values.clear();
        self.values.resize(start, 0.0);
    }

    /// Writes a row whose columns lie `stride` apart in `from`.
    pub fn put(&mut self, row: usize, from: &[f32], stride: usize) {
        for panel in &self.panels {
            let to = &mut self.values[panel.start + row * panel.width..][..panel.used];
            match stride {
                1 => to.copy_from_slice(&from[panel.first..][..panel.used]),
                _ => {
                    let from = from[panel.first * stride..].iter().step_by(stride);
                    to.iter_mut().zip(from).for_each(|(to, value)| *to = *value);
                }
            }
        }
    }

    /// Reads a row into columns that lie `stride` apart in `to`.
    pub fn get(&self, row: usize, to: &mut [f32], stride: usize) {
        for panel in &self.panels {
            let from = &self.values[panel.start + row * panel.width..][..panel.used];
            let to = to[panel.first * stride..].iter_mut().step_by(stride);
            from.iter().zip(to).for_each(|(value, to)| *to = *value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_at_any_stride() {
        for (columns, lanes, widths) in
            [(3, 8, vec![8]), (16, 8, vec![16]), (37, 8, vec![16, 16, 8]), (41, 16, vec![32, 16])]
        {
            let mut panels = Panels::zeros(2, columns, lanes);
            assert_eq!(panels.panels.iter().map(|panel| panel.width).collect::<Vec<_>>(), widths);
            for stride in [1, 3] {
                let values: Vec<f32> = (0..columns * stride).map(|value| value as f32).collect();
                panels.put(1, &values, stride);
                let mut back = vec![0.0; columns * stride];
                panels.get(1, &mut back, stride);
                for column in 0..columns {
                    assert_eq!(back[column * stride], values[column * stride]);
                }
                panels.get(0, &mut back, stride);
                assert!((0..columns).all(|column| back[column * stride] == 0.0));
            }
        }
    }
}
