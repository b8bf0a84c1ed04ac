//! Lays out rows of images with labels on a white sheet.

use super::plot::{FONT, register_fonts};
use image::{ImageFormat, Rgb, RgbImage};
use ndarray::Array4;
use plotters::prelude::{BitMapBackend, IntoDrawingArea, IntoFont, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{RGBColor, TextStyle};
use std::io::Cursor;

const MARGIN: usize = 24;
const TITLE: usize = 56;
const HEADING: usize = 44;
const LABEL_SIZE: f64 = 20.0;
const INK: RGBColor = RGBColor(40, 44, 52);
const FAINT: RGBColor = RGBColor(110, 116, 126);
/// Largest sheet in pixels a side.
const MAX_SIDE: usize = 30_000;

/// A sheet under construction, filled from top to bottom.
pub struct SheetCanvas {
    pixels: RgbImage,
    label_width: usize,
    /// Height and width of a cell.
    cell: (usize, usize),
    top: usize,
}

impl SheetCanvas {
    /// Pixels between neighbouring images.
    pub const GAP: usize = 6;

    /// An empty sheet.
    ///
    /// - counts: columns, rows, headings; cell: height and width of an image as shown
    /// - errors: a sheet of more than 30,000 pixels a side
    pub fn new<'a>(
        labels: impl Iterator<Item = &'a str>,
        (columns, rows, headings): (usize, usize, usize),
        cell: (usize, usize),
    ) -> Result<Self, String> {
        register_fonts();
        let label_width = labels.map(label_width).max().unwrap_or(0) + 20;
        let width = 2 * MARGIN + label_width + columns * (cell.1 + Self::GAP);
        let height = 2 * MARGIN + TITLE + rows * (cell.0 + Self::GAP) + headings * HEADING;
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(format!("it would be {width} x {height} pixels: allowed are {MAX_SIDE} a side"));
        }
        let pixels = RgbImage::from_pixel(width as u32, height as u32, Rgb([255; 3]));
        Ok(Self { pixels, label_width, cell, top: MARGIN })
    }

    /// Writes the title.
    pub fn title(&mut self, text: &str) -> Result<(), String> {
        self.text(text, (MARGIN, self.top + TITLE / 2 - 8), 30.0, INK)?;
        self.top += TITLE;
        Ok(())
    }

    /// Writes the heading of a group of rows.
    pub fn heading(&mut self, text: &str) -> Result<(), String> {
        self.text(text, (MARGIN + self.label_width, self.top + HEADING / 2 + 2), 22.0, INK)?;
        self.top += HEADING;
        Ok(())
    }

    /// Adds a row of images, each pixel shown as `zoom` x `zoom` pixels.
    ///
    /// - images: `[columns, H, W, 3]`, of the cell's size when enlarged
    pub fn row(&mut self, label: &str, note: &str, images: &Array4<u8>, zoom: usize) -> Result<(), String> {
        let middle = self.top + self.cell.0 / 2;
        let up = if note.is_empty() { 0 } else { 12 };
        self.text(label, (MARGIN, middle - up), LABEL_SIZE, INK)?;
        self.text(note, (MARGIN, middle + 14), 18.0, FAINT)?;
        let (columns, height, width, _) = images.dim();
        let shown = (0..columns)
            .flat_map(|i| (0..height * zoom).flat_map(move |y| (0..width * zoom).map(move |x| (i, y, x))));
        for (column, y, x) in shown {
            let left = MARGIN + self.label_width + column * (self.cell.1 + Self::GAP);
            let rgb = [0, 1, 2].map(|colour| images[[column, y / zoom, x / zoom, colour]]);
            // Rows and columns were counted when the sheet was made; what does not fit is left out.
            if let Some(pixel) = self.pixels.get_pixel_mut_checked((left + x) as u32, (self.top + y) as u32) {
                *pixel = Rgb(rgb);
            }
        }
        self.top += self.cell.0 + Self::GAP;
        Ok(())
    }

    /// The sheet as a PNG file.
    pub fn png(self) -> Result<Vec<u8>, String> {
        let mut bytes = Cursor::new(Vec::new());
        self.pixels.write_to(&mut bytes, ImageFormat::Png).map_err(|error| error.to_string())?;
        Ok(bytes.into_inner())
    }

    fn text(
        &mut self,
        text: &str,
        (x, y): (usize, usize),
        size: f64,
        colour: RGBColor,
    ) -> Result<(), String> {
        let dimensions = self.pixels.dimensions();
        let area = BitMapBackend::with_buffer(&mut self.pixels, dimensions).into_drawing_area();
        let style =
            TextStyle::from((FONT, size).into_font()).color(&colour).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(text.to_owned(), (x as i32, y as i32), style))
            .map_err(|error| error.to_string())?;
        area.present().map_err(|error| error.to_string())
    }
}

fn label_width(text: &str) -> usize {
    (FONT, LABEL_SIZE).into_font().box_size(text).map_or(0, |(width, _)| width as usize)
}
