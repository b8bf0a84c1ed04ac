//! Paints one scene from its parts.

use super::backdrop::{Ground, Light, Texture, backdrop_at};
use super::canvas::{Canvas, Painted};
use super::object::{NUM_OBJECTS, Object};
use super::palette::Palette;
use super::parts::Part;
use super::shape::CLASSES;
use super::sharing::Cast;

/// Paints the picture of a cast.
///
/// - size: height and width in pixels
pub(super) fn compose(cast: &Cast, size: (usize, usize)) -> Painted {
    let (height, width) = size;
    let scale = height.min(width) as f32;
    let pixel = 1.0 / scale;
    let palette = Palette::draw(&mut cast.dice(Part::Palette));
    let ground = Ground::draw(&mut cast.dice(Part::Ground), (height as f32 / scale, width as f32 / scale));
    let texture = Texture::draw(&mut cast.dice(Part::Texture), pixel);
    let light = Light::draw(&mut cast.dice(Part::Light));
    let mut canvas =
        Canvas::new(height, width, |x, y| backdrop_at(&palette, &ground, &texture, (x, y), pixel));
    // The first and largest object is painted last: in front of the others.
    for place in (0..NUM_OBJECTS).rev() {
        if let Some(object) = Object::draw(&mut cast.dice(Part::Object(place)), place, size) {
            object.paint(&mut canvas, &palette);
        }
    }
    Object::draw_detail(&mut cast.dice(Part::Detail), size).paint(&mut canvas, &palette);
    canvas.shade(|x, y| light.at(x, y));
    let mut dice = cast.dice(Part::Grain);
    let grain = dice.range(0.5, 2.5) / 255.0;
    canvas.finish(grain, &mut dice)
}

/// The class that covers most pixels, the background apart; the smaller number among equals, and 0
/// where there is only background.
pub(super) fn dominant_class(labels: &[u8]) -> u16 {
    let mut counts = [0usize; CLASSES.len()];
    for label in labels {
        if let Some(count) = counts.get_mut(usize::from(*label)) {
            *count += 1;
        }
    }
    let most = counts[1..].iter().copied().max().unwrap_or(0);
    match most {
        0 => 0,
        _ => (1 + counts[1..].iter().position(|c| *c == most).unwrap_or(0)) as u16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dominant_class_is_the_largest_object() {
        assert_eq!(dominant_class(&[0, 0, 0, 0, 3, 5, 5]), 5);
        assert_eq!(dominant_class(&[4, 2, 2, 4]), 2);
        assert_eq!(dominant_class(&[0, 0]), 0);
        assert_eq!(dominant_class(&[]), 0);
    }
}
