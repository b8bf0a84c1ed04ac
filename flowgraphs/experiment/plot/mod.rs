//! Figures: lines over a number, as SVG and PNG.

mod canvas;
mod draw;
mod figure;
mod fonts;
mod marker;
mod scale;

pub use draw::{to_png, to_svg};
pub use figure::{Axis, Figure, Line};
pub use fonts::FONT;
pub use fonts::register as register_fonts;
