//! The font of figures and sheets: embedded, so that pictures are equal on every machine.

use plotters::style::{FontStyle, register_font};
use std::sync::Once;

/// Name under which the embedded font is known to the drawing library, and the fallback in SVG files.
pub const FONT: &str = "sans-serif";

/// Makes the embedded font known; further calls do nothing.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It fails only for bytes that are no font; then text is left out of bitmaps, which the
        // test below would show.
        let _ = register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use plotters::style::IntoFont;

    #[test]
    fn the_embedded_font_is_usable() {
        register();
        let (width, height) = (FONT, 20).into_font().box_size("PSNR 30 dB").unwrap();
        assert!(width > 40 && height > 10, "{width} x {height}");
    }
}
