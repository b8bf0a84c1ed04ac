//! t-SNE: points of many dimensions laid out in a plane so that neighbours stay neighbours.
//!
//! Exact, with gradients over all pairs: meant for some thousand points. Source: van der Maaten, Hinton,
//! "Visualizing data using t-SNE" (2008).

use crate::rng::{KeyedRng, normal};
use crate::{BlockError, Result};
use ndarray::ArrayView2;

/// Steps of the descent.
const STEPS: usize = 1000;
/// During the first steps attraction is stronger, so that clusters form.
const EARLY_STEPS: usize = 250;
const EARLY_ATTRACTION: f64 = 12.0;
/// Most points of a layout: its cost grows with their square.
pub const MOST_POINTS: usize = 5000;

/// A layout of rows `[n, d]` in a plane.
///
/// - perplexity: how many neighbours a point has, at most (n - 1) / 3
/// - returns: one place per row, the mean at the origin
/// - errors: fewer than 4 or more than 5000 rows; a value that is not finite; an impossible perplexity
pub fn tsne(rows: ArrayView2<'_, f32>, perplexity: f64, rng: &mut KeyedRng) -> Result<Vec<[f64; 2]>> {
    let n = rows.nrows();
    if !(4..=MOST_POINTS).contains(&n) {
        return Err(BlockError::invalid("points", n, format!("4 to {MOST_POINTS}")));
    }
    let most = (n - 1) as f64 / 3.0;
    if !(1.0..=most).contains(&perplexity) {
        return Err(BlockError::invalid("perplexity", perplexity, format!("1 to {most:.1} for {n} points")));
    }
    if let Some(value) = rows.iter().find(|value| !value.is_finite()) {
        return Err(BlockError::invalid("value of a point", value, "finite numbers"));
    }
    let affinities = affinities(rows, perplexity);
    let mut places: Vec<[f64; 2]> = (0..n).map(|_| [0, 1].map(|_| 1e-4 * f64::from(normal(rng)))).collect();
    let mut velocity = vec![[0.0; 2]; n];
    let mut gains = vec![[1.0f64; 2]; n];
    let rate = (n as f64 / EARLY_ATTRACTION / 4.0).max(50.0);
    for step in 0..STEPS {
        let (attraction, momentum) = if step < EARLY_STEPS { (EARLY_ATTRACTION, 0.5) } else { (1.0, 0.8) };
        let gradient = gradient(&places, &affinities, attraction);
        for (at, slope) in gradient.iter().enumerate() {
            for axis in 0..2 {
                let turned = slope[axis] * velocity[at][axis] > 0.0;
                let gain = &mut gains[at][axis];
                *gain = if turned { (*gain * 0.8).max(0.01) } else { *gain + 0.2 };
                velocity[at][axis] = momentum * velocity[at][axis] - rate * *gain * slope[axis];
                places[at][axis] += velocity[at][axis];
            }
        }
        centre(&mut places);
    }
    Ok(places)
}

fn centre(places: &mut [[f64; 2]]) {
    for axis in 0..2 {
        let mean = places.iter().map(|place| place[axis]).sum::<f64>() / places.len() as f64;
        places.iter_mut().for_each(|place| place[axis] -= mean);
    }
}

/// Symmetric joint probabilities of neighbours, `[n * n]`.
fn affinities(rows: ArrayView2<'_, f32>, perplexity: f64) -> Vec<f64> {
    let n = rows.nrows();
    let mut joint = vec![0.0; n * n];
    for (at, row) in rows.outer_iter().enumerate() {
        let square = |other: ndarray::ArrayView1<'_, f32>| -> f64 {
            row.iter().zip(other).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum()
        };
        let distances: Vec<f64> = rows.outer_iter().map(square).collect();
        for (other, p) in conditional(&distances, at, perplexity).into_iter().enumerate() {
            joint[at * n + other] += p / (2 * n) as f64;
            joint[other * n + at] += p / (2 * n) as f64;
        }
    }
    joint
}

/// Probabilities of the neighbours of a point, of a width that gives the perplexity.
fn conditional(distances: &[f64], own: usize, perplexity: f64) -> Vec<f64> {
    const HALVINGS: usize = 100;
    let others = || distances.iter().enumerate().filter(|(other, _)| *other != own).map(|(_, d)| *d);
    let nearest = others().fold(f64::INFINITY, f64::min);
    let weight = |distance: f64, precision: f64| (-(distance - nearest) * precision).exp();
    let entropy = |precision: f64| {
        let total: f64 = others().map(|d| weight(d, precision)).sum();
        let mean = others().map(|d| (d - nearest) * weight(d, precision)).sum::<f64>() / total;
        total.ln() + precision * mean
    };
    let scale = others().sum::<f64>() / (distances.len() - 1) as f64;
    // Equal points are all neighbours alike, whatever the width.
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut precision = if scale > 0.0 { 1.0 / scale } else { 1.0 };
    for _ in 0..HALVINGS {
        if entropy(precision) > perplexity.ln() {
            low = precision;
            precision = if high.is_finite() { (low + high) / 2.0 } else { precision * 2.0 };
        } else {
            high = precision;
            precision = (low + high) / 2.0;
        }
        if !precision.is_finite() || precision > 1e30 {
            precision = low.clamp(1e-30, 1e30);
            break;
        }
    }
    let total: f64 = others().map(|d| weight(d, precision)).sum();
    let of = |(other, d): (usize, &f64)| if other == own { 0.0 } else { weight(*d, precision) / total };
    distances.iter().enumerate().map(of).collect()
}

/// Of the Kullback-Leibler divergence, attraction multiplied.
fn gradient(places: &[[f64; 2]], affinities: &[f64], attraction: f64) -> Vec<[f64; 2]> {
    let n = places.len();
    let closeness = |a: [f64; 2], b: [f64; 2]| 1.0 / (1.0 + (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
    let total: f64 = (0..n)
        .flat_map(|a| (0..n).filter(move |b| *b != a).map(move |b| (a, b)))
        .map(|(a, b)| closeness(places[a], places[b]))
        .sum();
    let of = |a: usize| {
        let mut slope = [0.0; 2];
        for b in (0..n).filter(|b| *b != a) {
            let close = closeness(places[a], places[b]);
            let force = 4.0 * (attraction * affinities[a * n + b] - close / total) * close;
            slope[0] += force * (places[a][0] - places[b][0]);
            slope[1] += force * (places[a][1] - places[b][1]);
        }
        slope
    };
    (0..n).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey};
    use ndarray::Array2;

    fn rng() -> KeyedRng {
        RngKey::new(1).stream(Purpose::Embedding, 0, 0)
    }

    /// Three clouds, far apart in ten dimensions.
    fn clouds() -> Array2<f32> {
        let mut rng = RngKey::new(2).stream(Purpose::Embedding, 1, 0);
        Array2::from_shape_fn((60, 10), |(row, column)| {
            normal(&mut rng) + if column == row % 3 { 30.0 } else { 0.0 }
        })
    }

    #[test]
    fn clouds_stay_apart_and_the_seed_decides_the_layout() {
        let places = tsne(clouds().view(), 10.0, &mut rng()).unwrap();
        let distance = |a: usize, b: usize| (places[a][0] - places[b][0]).hypot(places[a][1] - places[b][1]);
        let within = (0..60).flat_map(|a| (0..60).map(move |b| (a, b))).filter(|(a, b)| a != b);
        let (own, other): (Vec<_>, Vec<_>) = within.partition(|(a, b)| a % 3 == b % 3);
        let most = own.iter().map(|(a, b)| distance(*a, *b)).fold(0.0, f64::max);
        let least = other.iter().map(|(a, b)| distance(*a, *b)).fold(f64::INFINITY, f64::min);
        assert!(least > most, "clouds of width {most} come as near as {least}");
        assert_eq!(tsne(clouds().view(), 10.0, &mut rng()).unwrap(), places);
    }

    #[test]
    fn neighbours_have_the_perplexity_asked_for() {
        let rows = clouds();
        let square =
            |b: usize| -> f64 { (0..10).map(|c| f64::from(rows[(0, c)] - rows[(b, c)]).powi(2)).sum() };
        let distances: Vec<f64> = (0..60).map(square).collect();
        for perplexity in [5.0, 15.0] {
            let p = conditional(&distances, 0, perplexity);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9 && p[0] == 0.0);
            let entropy: f64 = p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
            assert!((entropy.exp() - perplexity).abs() < 1e-3, "{}", entropy.exp());
        }
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let rows = clouds();
        let affinities = affinities(rows.slice(ndarray::s![..8, ..]), 2.0);
        let mut noise = rng();
        let places: Vec<[f64; 2]> = (0..8).map(|_| [0, 1].map(|_| f64::from(normal(&mut noise)))).collect();
        let divergence = |places: &[[f64; 2]]| -> f64 {
            let close = |a: usize, b: usize| {
                1.0 / (1.0 + (places[a][0] - places[b][0]).powi(2) + (places[a][1] - places[b][1]).powi(2))
            };
            let pairs = || (0..8).flat_map(|a| (0..8).map(move |b| (a, b))).filter(|(a, b)| a != b);
            let total: f64 = pairs().map(|(a, b)| close(a, b)).sum();
            let term = |(a, b): (usize, usize)| {
                let p = affinities[a * 8 + b];
                if p > 0.0 { p * (p / (close(a, b) / total)).ln() } else { 0.0 }
            };
            pairs().map(term).sum()
        };
        let slopes = gradient(&places, &affinities, 1.0);
        for (at, axis) in [(0, 0), (3, 1), (7, 0)] {
            let moved = |by: f64| {
                let mut places = places.clone();
                places[at][axis] += by;
                divergence(&places)
            };
            let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((numeric - slopes[at][axis]).abs() < 1e-6, "{numeric} {}", slopes[at][axis]);
        }
    }

    #[test]
    fn what_cannot_be_laid_out_is_refused() {
        let refused = |rows: Array2<f32>, perplexity: f64| {
            tsne(rows.view(), perplexity, &mut rng()).unwrap_err().to_string()
        };
        assert!(refused(Array2::zeros((3, 2)), 1.0).contains("4 to 5000"));
        assert!(refused(Array2::zeros((10, 2)), 8.0).contains("1 to 3.0 for 10 points"));
        assert!(refused(Array2::from_elem((10, 2), f32::NAN), 2.0).contains("finite"));
        // Equal points are no reason to fail.
        let places = tsne(Array2::zeros((10, 2)).view(), 2.0, &mut rng()).unwrap();
        assert!(places.iter().flatten().all(|v| v.is_finite()));
    }
}
