//! What a figure shows, independent of how it is drawn.

/// One line of a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The label at its end.
    pub name: String,
    /// Points (x, y) in ascending x; those that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// Half length of the error bar at each point; empty for none.
    pub error: Vec<f64>,
}

/// Lines over one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// First line above the figure.
    pub title: String,
    /// Smaller line below the title: data, channel uses.
    pub subtitle: String,
    /// Label of the horizontal axis, with unit.
    pub x_label: String,
    /// Label of the vertical axis, with unit.
    pub y_label: String,
    /// The lines, in the order of their colours.
    pub lines: Vec<Line>,
}

impl Figure {
    /// All points that can be drawn.
    pub(super) fn finite_points(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.lines
            .iter()
            .flat_map(|line| line.points.iter().copied())
            .filter(|(x, y)| x.is_finite() && y.is_finite())
    }
}
