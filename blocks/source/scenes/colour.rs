//! Colours by lightness, chroma and hue as the eye orders them.
//!
//! Source: B. Ottosson, "A perceptual color space for image processing" (Oklab), 2020; the
//! transfer curve is that of IEC 61966-2-1 (sRGB).

/// Red, green, blue as sRGB stores them, 0 to 1.
pub(super) type Rgb = [f32; 3];

/// The sRGB colour of an Oklab lightness (0 to 1), chroma (0 to about 0.3) and hue (radians).
/// What no screen shows is clipped.
pub(super) fn from_oklch(lightness: f32, chroma: f32, hue: f32) -> Rgb {
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
    .map(|linear| match linear.clamp(0.0, 1.0) {
        dark if dark <= 0.003_130_8 => 12.92 * dark,
        light => 1.055 * light.powf(1.0 / 2.4) - 0.055,
    })
}

/// `from` at 0, `to` at 1, straight between.
pub(super) fn mix(from: Rgb, to: Rgb, amount: f32) -> Rgb {
    std::array::from_fn(|c| from[c] + (to[c] - from[c]) * amount)
}

/// Weighted sum of the channels that follows brightness (ITU-R BT.601).
pub(super) fn luma(rgb: Rgb) -> f32 {
    0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours() {
        let near = |found: Rgb, expected: Rgb| {
            assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 2e-3), "{found:?} {expected:?}");
        };
        near(from_oklch(1.0, 0.0, 0.0), [1.0, 1.0, 1.0]);
        near(from_oklch(0.0, 0.0, 0.0), [0.0, 0.0, 0.0]);
        // sRGB red is Oklab (0.627955, 0.224863, 0.125846).
        near(from_oklch(0.627_955, 0.257_683, 0.510_227), [1.0, 0.0, 0.0]);
        // Middle grey: Oklab lightness 0.5 is linear 0.125, stored as 0.3885.
        near(from_oklch(0.5, 0.0, 2.0), [0.3885; 3]);
    }

    #[test]
    fn mixtures_and_brightness() {
        assert_eq!(mix([0.0, 0.5, 1.0], [1.0, 0.5, 0.0], 0.25), [0.25, 0.5, 0.75]);
        assert!((luma([1.0; 3]) - 1.0).abs() < 1e-6 && luma([0.0, 1.0, 0.0]) > luma([1.0, 0.0, 0.0]));
    }
}
