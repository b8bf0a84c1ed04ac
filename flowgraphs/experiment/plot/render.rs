//! Drawings as SVG text and as PNG files.

use super::canvas::{Canvas, Drawn};
use super::register_fonts;
use plotters::prelude::{BitMapBackend, DrawingBackend, IntoDrawingArea, SVGBackend};
use plotters::style::RGBColor;

const WHITE: RGBColor = RGBColor(255, 255, 255);

/// What can be drawn, in device-independent units.
pub(super) trait Drawing {
    /// Width and height.
    fn size(&self) -> (i32, i32);

    /// Draws on white.
    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Drawn<DB>;
}

/// As SVG text of the drawing's own size.
pub(super) fn svg(drawing: &impl Drawing) -> Result<String, String> {
    register_fonts();
    let (width, height) = drawing.size();
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (width as u32, height as u32)).into_drawing_area();
        paint(drawing, &Canvas { area: &area, scale: 1.0 }).map_err(|error| error.to_string())?;
        area.present().map_err(|error| error.to_string())?;
    }
    Ok(text)
}

/// As a PNG file of twice the drawing's size in pixels.
pub(super) fn png(drawing: &impl Drawing) -> Result<Vec<u8>, String> {
    // Drawn at twice the resolution and reduced: the bitmap backend does not smooth thick lines.
    const SCALE: u32 = 2;
    const SMOOTHING: u32 = 2;
    register_fonts();
    let (width, height) = drawing.size();
    let size = [width, height].map(|side| side as u32 * SCALE * SMOOTHING);
    let mut pixels = vec![255u8; size[0] as usize * size[1] as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (size[0], size[1])).into_drawing_area();
        let canvas = Canvas { area: &area, scale: f64::from(SCALE * SMOOTHING) };
        paint(drawing, &canvas).map_err(|error| error.to_string())?;
        area.present().map_err(|error| error.to_string())?;
    }
    let large = image::RgbImage::from_raw(size[0], size[1], pixels).ok_or("the drawing has a wrong size")?;
    let image = image::imageops::thumbnail(&large, size[0] / SMOOTHING, size[1] / SMOOTHING);
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).map_err(|error| error.to_string())?;
    Ok(bytes.into_inner())
}

fn paint<DB: DrawingBackend>(drawing: &impl Drawing, canvas: &Canvas<'_, DB>) -> Drawn<DB> {
    let (width, height) = drawing.size();
    canvas.rectangle([(0, 0), (width, height)], WHITE)?;
    drawing.draw(canvas)
}
