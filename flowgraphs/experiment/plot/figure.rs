//! What a figure shows, independent of how it is drawn.

/// One line of a figure.
///
/// Up to 40 points are marked; more make a smooth curve without markers. Two points at one x make a limit: a
/// thin upright line with its name along it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// The label at its end.
    pub name: String,
    /// Points (x, y) in ascending x; those that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// Half length of the error bar at each point; empty for none.
    pub error: Vec<f64>,
    /// Drawn dashed and without markers: a bound, no measurement.
    pub dashed: bool,
    /// Number of its colour and marker, the same in all figures of a run; without one, its place in the figure.
    pub look: Option<usize>,
}

/// How values are laid out along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// Equal steps are equally long.
    #[default]
    Linear,
    /// Equal factors are equally long; values of 0 and below are left out.
    Logarithmic,
}

impl Axis {
    /// The value that is laid out linearly; NaN where there is none.
    pub(super) fn position(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic if value > 0.0 => value.log10(),
            Self::Logarithmic => f64::NAN,
        }
    }
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
    /// Layout of the horizontal and the vertical axis.
    pub axes: [Axis; 2],
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line as positions along the axes.
pub(super) struct Course {
    /// Points (x, y) that can be drawn.
    pub points: Vec<(f64, f64)>,
    /// Ends of the error bar of each point; the lower one is not finite where it lies beyond the axis.
    pub bars: Vec<Option<(f64, f64)>>,
    /// Whether it is a bound.
    pub dashed: bool,
    /// Number of its colour and marker.
    pub look: usize,
}

impl Course {
    /// Whether it is a limit.
    pub fn is_limit(&self) -> bool {
        matches!(self.points[..], [(low, _), (high, _)] if low == high)
    }

    /// Whether its points are marked.
    pub fn is_marked(&self) -> bool {
        const MOST: usize = 40;
        self.points.len() <= MOST
    }
}

impl Figure {
    /// All lines as positions along the axes.
    pub(super) fn courses(&self) -> Vec<Course> {
        let [x, y] = self.axes;
        let course = |(place, line): (usize, &Line)| {
            let (mut points, mut bars) = (Vec::new(), Vec::new());
            for (index, point) in line.points.iter().enumerate() {
                let at = (x.position(point.0), y.position(point.1));
                if at.0.is_finite() && at.1.is_finite() {
                    points.push(at);
                    let half = line.error.get(index).filter(|half| half.is_finite() && **half > 0.0);
                    bars.push(half.map(|half| (y.position(point.1 - half), y.position(point.1 + half))));
                }
            }
            Course { points, bars, dashed: line.dashed, look: line.look.unwrap_or(place) }
        };
        self.lines.iter().enumerate().map(course).collect()
    }
}
