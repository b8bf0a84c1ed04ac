//! Multi-scale structural similarity of 8-bit images.
//!
//! Source: Wang, Simoncelli and Bovik, "Multi-scale structural similarity for image quality assessment",
//! 2003: a Gaussian window of 11 x 11, sigma 1.5, wholly inside the image; K1 = 0.01, K2 = 0.03; five
//! scales, halved by averages of 2 x 2. As is usual for colour, each of R, G and B is measured on its own
//! and the three values are averaged, and a negative mean contrast term counts as 0. Small images get as
//! many scales as fit the window, with their weights renormalised; an odd last row or column is dropped
//! where a scale is halved.

use crate::{BlockError, Result};
use ndarray::{ArrayView3, Axis};

/// Width of the window.
const WINDOW: usize = 11;
/// Exponents of the five scales, finest first.
const WEIGHTS: [f64; 5] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
/// (K1 L)^2 and (K2 L)^2 with L = 255.
const C1: f64 = 6.5025;
const C2: f64 = 58.5225;

/// MS-SSIM and what it was measured with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MsSsim {
    /// From 0 to 1, 1 for equal images.
    pub value: f64,
    /// Number of scales, 1 to 5.
    pub scales: usize,
}

/// As many scales as keep the shorter side at least 11 pixels, at most 5: two at 32 x 32. Zero if the
/// image is smaller than the window.
pub fn num_scales(height: usize, width: usize) -> usize {
    (0..WEIGHTS.len()).take_while(|scale| height.min(width) >> scale >= WINDOW).count()
}

/// Measures the similarity of two images.
///
/// - images: `[H, W, 3]` (any number of channels)
/// - errors: different shapes, no channel, or a side below 11 pixels
pub fn ms_ssim(original: ArrayView3<'_, u8>, received: ArrayView3<'_, u8>) -> Result<MsSsim> {
    let (height, width, channels) = original.dim();
    if original.dim() != received.dim() || channels == 0 {
        let expected = format!("{:?}, at least one channel", original.dim());
        return Err(BlockError::shape("a received image", expected, format!("{:?}", received.dim())));
    }
    let scales = num_scales(height, width);
    if scales == 0 {
        return Err(BlockError::invalid(
            "image size for MS-SSIM",
            format!("{height} x {width}"),
            format!("at least {WINDOW} x {WINDOW} pixels"),
        ));
    }
    let planes = original.axis_iter(Axis(2)).zip(received.axis_iter(Axis(2)));
    let sum: f64 = planes
        .map(|(a, b)| {
            let plane = |view: ndarray::ArrayView2<'_, u8>| Plane {
                width,
                values: view.iter().map(|value| f64::from(*value)).collect(),
            };
            similarity(plane(a), plane(b), scales, separable_terms)
        })
        .sum();
    Ok(MsSsim { value: sum / channels as f64, scales })
}

/// One channel of an image.
struct Plane {
    width: usize,
    /// Row by row.
    values: Vec<f64>,
}

/// Means over all window positions of one scale.
#[derive(Clone, Copy, Debug)]
struct Terms {
    contrast: f64,
    /// Luminance times contrast.
    similarity: f64,
}

/// The product over scales; `terms` measures one scale.
fn similarity(mut a: Plane, mut b: Plane, scales: usize, terms: fn(&Plane, &Plane) -> Terms) -> f64 {
    let total: f64 = WEIGHTS[..scales].iter().sum();
    let mut product = 1.0;
    for (scale, weight) in WEIGHTS[..scales].iter().enumerate() {
        let here = terms(&a, &b);
        let is_last = scale + 1 == scales;
        let term = if is_last { here.similarity } else { here.contrast };
        product *= term.max(0.0).powf(weight / total);
        if !is_last {
            (a, b) = (a.halved(), b.halved());
        }
    }
    product
}

/// The window in one dimension; sums to 1.
fn gaussian() -> [f64; WINDOW] {
    let bell: [f64; WINDOW] = std::array::from_fn(|place| (-(place as f64 - 5.0).powi(2) / 4.5).exp());
    let sum: f64 = bell.iter().sum();
    bell.map(|value| value / sum)
}

/// Terms from moments about the mean, filtered along rows, then along columns.
fn separable_terms(a: &Plane, b: &Plane) -> Terms {
    let filtered = |value: fn(f64, f64) -> f64| {
        let values = a.values.iter().zip(&b.values).map(|(a, b)| value(*a, *b)).collect();
        Plane { width: a.width, values }.blurred().values
    };
    let (mean_a, mean_b) = (filtered(|a, _| a), filtered(|_, b| b));
    let (square_a, square_b) = (filtered(|a, _| a * a), filtered(|_, b| b * b));
    let product = filtered(|a, b| a * b);
    let mut sums = Terms { contrast: 0.0, similarity: 0.0 };
    for place in 0..mean_a.len() {
        let (ma, mb) = (mean_a[place], mean_b[place]);
        let variances = square_a[place] - ma * ma + square_b[place] - mb * mb;
        sums.add(ma, mb, variances, product[place] - ma * mb);
    }
    sums.mean_of(mean_a.len())
}

impl Terms {
    fn add(&mut self, mean_a: f64, mean_b: f64, sum_of_variances: f64, covariance: f64) {
        let contrast = (2.0 * covariance + C2) / (sum_of_variances + C2);
        let luminance = (2.0 * mean_a * mean_b + C1) / (mean_a * mean_a + mean_b * mean_b + C1);
        self.contrast += contrast;
        self.similarity += luminance * contrast;
    }

    fn mean_of(self, count: usize) -> Self {
        Self { contrast: self.contrast / count as f64, similarity: self.similarity / count as f64 }
    }
}

impl Plane {
    /// Averages of 2 x 2.
    fn halved(&self) -> Self {
        let width = self.width / 2;
        let row_pairs = self.values.chunks_exact(2 * self.width);
        let values = row_pairs.flat_map(|pair| {
            let (upper, lower) = pair.split_at(self.width);
            upper.chunks_exact(2).zip(lower.chunks_exact(2)).map(|(u, l)| (u[0] + u[1] + l[0] + l[1]) / 4.0)
        });
        Self { width, values: values.collect() }
    }

    /// Filtered by the window, where it lies wholly inside.
    fn blurred(&self) -> Self {
        let bell = gaussian();
        let width = self.width + 1 - WINDOW;
        let mut along_rows = vec![0.0; self.values.len() / self.width * width];
        for (out, row) in along_rows.chunks_exact_mut(width).zip(self.values.chunks_exact(self.width)) {
            for (offset, weight) in bell.iter().enumerate() {
                out.iter_mut().zip(&row[offset..]).for_each(|(sum, value)| *sum += weight * value);
            }
        }
        let mut values = vec![0.0; along_rows.len() - (WINDOW - 1) * width];
        for (offset, weight) in bell.iter().enumerate() {
            let shifted = &along_rows[offset * width..];
            values.iter_mut().zip(shifted).for_each(|(sum, value)| *sum += weight * value);
        }
        Self { width, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array3;

    /// The slow oracle: weighted central moments at every window position, by definition.
    fn direct_terms(a: &Plane, b: &Plane) -> Terms {
        let bell = gaussian();
        let rows = a.values.len() / a.width + 1 - WINDOW;
        let columns = a.width + 1 - WINDOW;
        let mut sums = Terms { contrast: 0.0, similarity: 0.0 };
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let weighted = |value: &dyn Fn(f64, f64) -> f64| {
                let mut sum = 0.0;
                for (y, x) in (0..WINDOW).flat_map(|y| (0..WINDOW).map(move |x| (y, x))) {
                    let place = (row + y) * a.width + column + x;
                    sum += bell[y] * bell[x] * value(a.values[place], b.values[place]);
                }
                sum
            };
            let (ma, mb) = (weighted(&|a, _| a), weighted(&|_, b| b));
            let variances = weighted(&|a, b| (a - ma).powi(2) + (b - mb).powi(2));
            sums.add(ma, mb, variances, weighted(&|a, b| (a - ma) * (b - mb)));
        }
        sums.mean_of(rows * columns)
    }

    fn images(height: usize, width: usize) -> (Array3<u8>, Array3<u8>) {
        let a = Array3::from_shape_fn((height, width, 3), |(y, x, c)| {
            (7 * y + 3 * x + 29 * c + x * y % 17 * 5) as u8
        });
        let b = Array3::from_shape_fn((height, width, 3), |(y, x, c)| {
            (i32::from(a[[y, x, c]]) + ((3 * x + 5 * y + c) % 81) as i32 - 40).clamp(0, 255) as u8
        });
        (a, b)
    }

    #[test]
    fn known_values() {
        // import numpy as np
        // g = np.exp(-np.arange(-5, 6) ** 2 / 4.5); g /= g.sum(); g = np.outer(g, g)
        // def images(h, w):
        //     y, x, c = np.mgrid[:h, :w, :3]
        //     a = (7 * y + 3 * x + 29 * c + x * y % 17 * 5) % 256
        //     return a, np.clip(a + (3 * x + 5 * y + c) % 81 - 40, 0, 255)
        // def blur(p):
        //     return np.einsum("hwij,ij->hw", np.lib.stride_tricks.sliding_window_view(p, (11, 11)), g)
        // def ms_ssim(a, b):  # one channel, as floats
        //     scales, value = sum(min(a.shape) >> s >= 11 for s in range(5)), 1.0
        //     weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[:scales]
        //     for s, weight in enumerate(weights / weights.sum()):
        //         ma, mb = blur(a), blur(b)
        //         va, vb, vab = blur(a * a) - ma**2, blur(b * b) - mb**2, blur(a * b) - ma * mb
        //         cs = (2 * vab + 58.5225) / (va + vb + 58.5225)
        //         l = (2 * ma * mb + 6.5025) / (ma**2 + mb**2 + 6.5025)
        //         value *= max((cs * l if s == scales - 1 else cs).mean(), 0) ** weight
        //         h, w = (n // 2 * 2 for n in a.shape)
        //         a, b = (p[:h, :w].reshape(h // 2, 2, w // 2, 2).mean((1, 3)) for p in (a, b))
        //     return value
        for (height, width, scales, value) in [
            (32, 32, 2, 0.900_287_855_231_903_6),
            (47, 61, 3, 0.892_022_934_100_453_4),
            (180, 177, 5, 0.920_425_219_691_370_4),
        ] {
            let (a, b) = images(height, width);
            let found = ms_ssim(a.view(), b.view()).unwrap();
            assert_eq!(found.scales, scales);
            assert!((found.value - value).abs() < 1e-10, "{found:?}");
        }
    }

    #[test]
    fn separable_and_direct_agree() {
        let (a, b) = images(25, 38);
        let plane = |image: &Array3<u8>| Plane {
            width: 38,
            values: image.index_axis(Axis(2), 1).iter().map(|value| f64::from(*value)).collect(),
        };
        let fast = similarity(plane(&a), plane(&b), 2, separable_terms);
        let slow = similarity(plane(&a), plane(&b), 2, direct_terms);
        assert!((fast - slow).abs() < 1e-10, "{fast} {slow}");
    }

    #[test]
    fn flat_images_differ_in_luminance_alone() {
        let flat = |value: u8| Array3::from_elem((32, 32, 3), value);
        let found = ms_ssim(flat(100).view(), flat(140).view()).unwrap();
        let luminance: f64 = (2.0 * 100.0 * 140.0 + C1) / (100.0 * 100.0 + 140.0 * 140.0 + C1);
        assert!((found.value - luminance.powf(0.2856 / 0.3304)).abs() < 1e-9);
    }

    #[test]
    fn equal_images_score_one_and_negatives_zero() {
        let (a, _) = images(40, 40);
        assert!((ms_ssim(a.view(), a.view()).unwrap().value - 1.0).abs() < 1e-12);
        let negative = a.mapv(|value| 255 - value);
        assert_eq!(ms_ssim(a.view(), negative.view()).unwrap().value, 0.0);
    }

    #[test]
    fn scales_follow_the_shorter_side() {
        for (side, scales) in
            [(10, 0), (11, 1), (21, 1), (22, 2), (32, 2), (44, 3), (128, 4), (176, 5), (4000, 5)]
        {
            assert_eq!(num_scales(side, 5000), scales);
        }
        let small = Array3::<u8>::zeros((10, 64, 3));
        let error = ms_ssim(small.view(), small.view()).unwrap_err().to_string();
        assert!(error.contains("10 x 64") && error.contains("11 x 11"), "{error}");
        assert!(ms_ssim(small.view(), Array3::zeros((64, 10, 3)).view()).is_err());
    }
}
