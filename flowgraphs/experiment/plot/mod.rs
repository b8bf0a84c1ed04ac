//! Figures: lines over a number, and panels of points and matrices, as SVG and PNG.

mod canvas;
mod draw;
mod figure;
mod fonts;
mod marker;
mod panels;
mod render;
mod scale;

pub use figure::{Axis, Figure, Line};
pub use fonts::FONT;
pub use fonts::register as register_fonts;
pub use panels::{Panel, Panels};

/// A figure as SVG text, 760 x 470 units.
pub fn to_svg(figure: &Figure) -> Result<String, String> {
    render::svg(figure)
}

/// A figure as a PNG file of 1520 x 940 pixels.
pub fn to_png(figure: &Figure) -> Result<Vec<u8>, String> {
    render::png(figure)
}

/// Panels as SVG text.
pub fn panels_to_svg(panels: &Panels) -> Result<String, String> {
    render::svg(panels)
}

/// Panels as a PNG file.
pub fn panels_to_png(panels: &Panels) -> Result<Vec<u8>, String> {
    render::png(panels)
}
