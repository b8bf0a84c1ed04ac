//! k-means: centroids of the users' features, with no bound on the size of a group.
//!
//! Seeding is greedy k-means++ (Arthur and Vassilvitskii 2007, section 4: the best of a few candidates
//! at each step), iteration is Lloyd's, repeated from a few seedings of which the tightest is kept.

use super::check_counts;
use super::geometry::{Direct, Geometry, Gram, Products};
use crate::Result;
use crate::rng::KeyedRng;
use ndarray::{Array2, ArrayView1};
use rand::RngExt;

/// Lloyd iterations per seeding at most. A run that has not settled after this many (10,000 users of
/// unrelated features settle after about 40) stops with the means of its last grouping.
pub const MAX_ITERATIONS: usize = 100;

/// Seedings at most. Where users share content but barely, the tightest of 16 runs finds the true groups
/// that a single run often misses.
pub const MAX_SEEDINGS: usize = 16;

/// Number of users over all seedings together: more users get fewer seedings, one at least.
const SEEDED_USERS: usize = 1600;

/// Users for whom all pairwise products may be kept at most: 16 MB.
const MAX_GRAM_USERS: usize = 2000;

/// What k-means found: a nearest centroid for every user.
#[derive(Clone, Debug)]
pub struct Clusters {
    nearest: Vec<usize>,
    products: Products,
    inertia: f64,
}

impl Clusters {
    /// The nearest centroid of each user, `[K]`; some centroids may be nobody's.
    pub fn nearest(&self) -> &[usize] {
        &self.nearest
    }

    /// Sum of squared distances of all users to their nearest centroids.
    pub fn inertia(&self) -> f64 {
        self.inertia
    }

    /// D[k, g] = 1 - cos(x_k, c_g), `[K, G]`, the costs of eq. 11; 1 where x_k or c_g is zero.
    pub fn cosine_costs(&self) -> Array2<f32> {
        let mut costs = self.products.of_rows.clone();
        let lengths: Vec<f32> = self.products.squared_norms.iter().map(|norm| norm.max(0.0).sqrt()).collect();
        for mut row in costs.rows_mut() {
            for (cost, &length) in row.iter_mut().zip(&lengths) {
                let cosine = if length > 0.0 { *cost / length } else { 0.0 };
                *cost = 1.0 - cosine.clamp(-1.0, 1.0);
            }
        }
        costs
    }
}

/// Groups rows around G centroids that are the means of their members.
///
/// - rows: `[K, L]` of unit length or zero ([`super::unit_rows`]), all finite
/// - num_groups: 1 to K; anything else is an error
/// - time: O(K G L) per iteration, or O(K^2 L) once and O(K^2) per iteration where that is less
pub fn kmeans(rows: &Array2<f32>, num_groups: usize, rng: &mut KeyedRng) -> Result<Clusters> {
    let (num_users, _) = rows.dim();
    check_counts(num_users, num_groups)?;
    // All seedings take a dozen passes of K G L operations and more; the pairwise products cost K^2 L
    // once, and K^2 values of memory.
    if num_users <= 12 * num_groups && num_users <= MAX_GRAM_USERS {
        Ok(best_of_seedings(rows, num_groups, &mut Gram::new(rows), rng))
    } else {
        Ok(best_of_seedings(rows, num_groups, &mut Direct::new(rows), rng))
    }
}

fn best_of_seedings(
    rows: &Array2<f32>,
    num_groups: usize,
    geometry: &mut impl Geometry,
    rng: &mut KeyedRng,
) -> Clusters {
    // |x|^2: one, or zero for a row of zeros.
    let squares: Vec<f32> =
        rows.rows().into_iter().map(|row| f32::from(row.iter().any(|value| *value != 0.0))).collect();
    let mut best = one_run(&squares, num_groups, geometry, rng);
    let seedings = if num_groups == 1 { 1 } else { (SEEDED_USERS / squares.len()).clamp(1, MAX_SEEDINGS) };
    for _ in 1..seedings {
        let next = one_run(&squares, num_groups, geometry, rng);
        if next.inertia < best.inertia {
            best = next;
        }
    }
    best
}

fn one_run(squares: &[f32], num_groups: usize, geometry: &mut impl Geometry, rng: &mut KeyedRng) -> Clusters {
    let seeds = seed(squares, num_groups, geometry, rng);
    let mut products = geometry.start(&seeds);
    let mut nearest = vec![usize::MAX; squares.len()];
    let mut sizes = vec![0; num_groups];
    for _ in 0..MAX_ITERATIONS {
        if !assign(&products, &mut nearest) {
            break;
        }
        sizes.fill(0);
        nearest.iter().for_each(|&group| sizes[group] += 1);
        geometry.recenter(&nearest, &sizes, &mut products);
    }
    let inertia = nearest.iter().enumerate().map(|(user, &group)| {
        let product = products.of_rows[[user, group]];
        f64::from((squares[user] + products.squared_norms[group] - 2.0 * product).max(0.0))
    });
    Clusters { inertia: inertia.sum(), nearest, products }
}

/// Puts every user to its nearest centroid, the first of equals; whether anyone moved.
fn assign(products: &Products, nearest: &mut [usize]) -> bool {
    let mut moved = false;
    for (row, group) in products.of_rows.rows().into_iter().zip(nearest) {
        let (mut best, mut least) = (0, f32::INFINITY);
        for (candidate, (product, norm)) in row.iter().zip(&products.squared_norms).enumerate() {
            let distance = norm - 2.0 * product;
            if distance < least {
                (best, least) = (candidate, distance);
            }
        }
        moved |= best != *group;
        *group = best;
    }
    moved
}

/// G rows far from each other: each is drawn with probability proportional to its squared distance to
/// the nearest row already chosen, and of 2 + ln G such draws the one that helps most is taken.
fn seed(squares: &[f32], num_groups: usize, geometry: &impl Geometry, rng: &mut KeyedRng) -> Vec<usize> {
    let first = rng.random_range(0..squares.len());
    let mut seeds = vec![first];
    let mut distances: Vec<f32> =
        distances_to(first, squares, geometry.products_with(first).view()).collect();
    let num_candidates = 2 + (num_groups as f64).ln() as usize;
    while seeds.len() < num_groups {
        let total = sum(distances.iter().copied());
        let candidates = (0..num_candidates).map(|_| {
            let candidate = draw(&distances, total, rng);
            let products = geometry.products_with(candidate);
            let nearer = distances_to(candidate, squares, products.view());
            (sum(distances.iter().zip(nearer).map(|(old, new)| old.min(new))), candidate, products)
        });
        // The first of equals, so that one draw settles it.
        let best = candidates.reduce(|best, next| if next.0 < best.0 { next } else { best });
        if let Some((_, candidate, products)) = best {
            let nearer = distances_to(candidate, squares, products.view());
            distances.iter_mut().zip(nearer).for_each(|(old, new)| *old = old.min(new));
            seeds.push(candidate);
        }
    }
    seeds
}

/// Squared distance of every row to row `chosen`, of which `products` are the inner products with all.
fn distances_to<'a>(
    chosen: usize,
    squares: &'a [f32],
    products: ArrayView1<'a, f32>,
) -> impl Iterator<Item = f32> + 'a {
    let own = squares[chosen];
    squares.iter().zip(products).map(move |(square, product)| (square + own - 2.0 * product).max(0.0))
}

fn sum(values: impl Iterator<Item = f32>) -> f64 {
    values.map(f64::from).sum()
}

/// An index drawn in proportion to weights of the given sum; uniformly where all are zero.
fn draw(weights: &[f32], total: f64, rng: &mut KeyedRng) -> usize {
    if total <= 0.0 {
        return rng.random_range(0..weights.len());
    }
    let mut remaining = rng.random::<f64>() * total;
    let mut last_possible = 0;
    for (index, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        remaining -= f64::from(weight);
        last_possible = index;
        if remaining < 0.0 {
            break;
        }
    }
    last_possible
}

#[cfg(test)]
mod tests {
    use super::super::unit_rows;
    use super::*;
    use crate::rng::{Purpose, RngKey, normal};

    fn rng(seed: u64) -> KeyedRng {
        RngKey::new(seed).stream(Purpose::Clustering, 0, 0)
    }

    /// K rows around `num_groups` random directions, user k near direction k mod G.
    fn clouds(num_users: usize, num_groups: usize, len: usize, spread: f32) -> Array2<f32> {
        let mut rng = RngKey::new(5).stream(Purpose::Scene, 0, 0);
        let centers = Array2::from_shape_fn((num_groups, len), |_| normal(&mut rng));
        let rows = Array2::from_shape_fn((num_users, len), |(user, place)| {
            centers[[user % num_groups, place]] + spread * normal(&mut rng)
        });
        unit_rows(rows.view()).unwrap()
    }

    #[test]
    fn separate_clouds_are_found_by_both_geometries() {
        // 120 users in 4 groups take the direct way, 20 in 4 the pairwise products.
        for num_users in [120, 20] {
            let rows = clouds(num_users, 4, 32, 0.2);
            let clusters = kmeans(&rows, 4, &mut rng(1)).unwrap();
            let nearest = clusters.nearest();
            for user in 4..num_users {
                assert_eq!(nearest[user], nearest[user % 4]);
            }
            let mut firsts = nearest[..4].to_vec();
            firsts.sort_unstable();
            assert_eq!(firsts, [0, 1, 2, 3]);
        }
    }

    #[test]
    fn settles_where_centroids_are_means_and_nobody_is_nearer_to_another() {
        let rows = clouds(90, 6, 10, 1.0);
        let clusters = kmeans(&rows, 6, &mut rng(2)).unwrap();
        let mut means = Array2::<f64>::zeros((6, 10));
        let mut sizes = [0f64; 6];
        for (row, &group) in rows.rows().into_iter().zip(clusters.nearest()) {
            sizes[group] += 1.0;
            means.row_mut(group).zip_mut_with(&row, |sum, value| *sum += f64::from(*value));
        }
        let mut inertia = 0.0;
        for (user, row) in rows.rows().into_iter().enumerate() {
            let distance = |group: usize| -> f64 {
                let mean = means.row(group);
                row.iter().zip(mean).map(|(x, sum)| (f64::from(*x) - sum / sizes[group]).powi(2)).sum()
            };
            let own = distance(clusters.nearest()[user]);
            assert!((0..6).all(|group| own <= distance(group) + 1e-5));
            inertia += own;
        }
        assert!((clusters.inertia() - inertia).abs() < 1e-3, "{} {inertia}", clusters.inertia());
    }

    #[test]
    fn costs_are_cosine_distances_and_one_for_a_zero_row() {
        let mut rows = clouds(12, 3, 8, 0.3);
        rows.row_mut(7).fill(0.0);
        let clusters = kmeans(&rows, 3, &mut rng(3)).unwrap();
        let costs = clusters.cosine_costs();
        assert!(costs.row(7).iter().all(|cost| *cost == 1.0));
        assert!(costs.iter().all(|cost| (0.0..=2.0).contains(cost)));
        // The mean of one's own cloud is close by, those of other clouds are not.
        assert!(costs[[0, clusters.nearest()[0]]] < 0.2);
    }

    #[test]
    fn equal_users_and_equal_seeds_are_handled() {
        let rows = unit_rows(Array2::<f32>::ones((9, 4)).view()).unwrap();
        let clusters = kmeans(&rows, 3, &mut rng(4)).unwrap();
        assert!(clusters.inertia() < 1e-5 && clusters.cosine_costs().iter().all(|cost| *cost < 1e-5));
        let zeros = kmeans(&Array2::zeros((5, 4)), 5, &mut rng(4)).unwrap();
        assert!(zeros.cosine_costs().iter().all(|cost| *cost == 1.0));
        assert_eq!(kmeans(&Array2::zeros((3, 0)), 2, &mut rng(4)).unwrap().nearest(), [0, 0, 0]);
    }

    #[test]
    fn equal_keys_give_equal_clusters() {
        let rows = clouds(60, 5, 16, 1.0);
        let first = kmeans(&rows, 5, &mut rng(9)).unwrap();
        let second = kmeans(&rows, 5, &mut rng(9)).unwrap();
        assert_eq!(first.nearest(), second.nearest());
        assert_eq!(first.cosine_costs(), second.cosine_costs());
    }

    #[test]
    fn draws_follow_the_weights() {
        // 20,000 draws: 0.25 has a standard error of 0.0031; 4 sigma.
        let mut rng = rng(6);
        let mut counts = [0usize; 4];
        (0..20_000).for_each(|_| counts[draw(&[1.0, 0.0, 2.0, 1.0], 4.0, &mut rng)] += 1);
        assert_eq!(counts[1], 0);
        assert!((counts[0] as f64 / 20_000.0 - 0.25).abs() < 0.0123, "{counts:?}");
        assert!((counts[2] as f64 / 20_000.0 - 0.5).abs() < 0.0142, "{counts:?}");
    }
}
