//! Balanced clustering: groups of near-equal size whose users have similar private features.
//!
//! ```text
//! private features > unit rows > k-means > D[k,g] = 1 - cos(p_k, centroid_g) > balanced assignment
//! ```
//! Source: Algorithm 1 and eq. 11 of the group-splitting paper.

use super::{balanced_assignment, kmeans, unit_rows};
use crate::Result;
use crate::rng::KeyedRng;
use ndarray::ArrayView2;

/// Groups users by Algorithm 1: sizes floor(K/G) or ceil(K/G), exactly optimal for the cosine costs
/// to the centroids at any K.
///
/// - features: `[K, L]`; a row of zeros costs 1 in every group
/// - returns: the group of each user, `[K]`
/// - errors: NaN or infinity, naming the user; fewer users than groups; no group
pub fn balanced_clusters(
    features: ArrayView2<'_, f32>,
    num_groups: usize,
    rng: &mut KeyedRng,
) -> Result<Vec<usize>> {
    let rows = unit_rows(features)?;
    balanced_assignment(kmeans(&rows, num_groups, rng)?.cosine_costs().view())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grouping;
    use crate::metric::adjusted_rand;
    use crate::rng::{Purpose, RngKey, normal};
    use ndarray::Array2;

    fn shared_content(num_groups: usize, noise: f32, seed: u64) -> (Array2<f32>, Grouping) {
        let mut rng = RngKey::new(seed).stream(Purpose::Scene, 0, 0);
        let centers = Array2::from_shape_fn((num_groups, 100), |_| normal(&mut rng));
        let truth: Vec<usize> = (0..5 * num_groups).map(|user| user % num_groups).collect();
        let features = Array2::from_shape_fn((truth.len(), 100), |(user, place)| {
            centers[[truth[user], place]] + noise * normal(&mut rng)
        });
        (features, Grouping::new(truth, num_groups).unwrap())
    }

    #[test]
    fn true_groups_are_recovered() {
        for seed in 0..10 {
            let (features, truth) = shared_content(10, 1.0, seed);
            let mut rng = RngKey::new(seed).stream(Purpose::Clustering, 0, 0);
            let found = Grouping::new(balanced_clusters(features.view(), 10, &mut rng).unwrap(), 10).unwrap();
            assert_eq!(found.sizes(), [5; 10]);
            let agreement = adjusted_rand(&truth, &found).unwrap();
            assert!(agreement == 1.0, "seed {seed}: {agreement}");
        }
    }

    #[test]
    fn degenerate_features_still_balance() {
        let mut rng = RngKey::new(1).stream(Purpose::Clustering, 0, 0);
        for features in [Array2::zeros((7, 3)), Array2::ones((7, 3)), Array2::zeros((7, 0))] {
            let groups = balanced_clusters(features.view(), 3, &mut rng).unwrap();
            let mut sizes = Grouping::new(groups, 3).unwrap().sizes();
            sizes.sort_unstable();
            assert_eq!(sizes, [2, 2, 3]);
        }
        let alone = balanced_clusters(Array2::ones((4, 2)).view(), 4, &mut rng).unwrap();
        assert_eq!(Grouping::new(alone, 4).unwrap().sizes(), [1; 4]);
    }

    #[test]
    fn errors_name_the_user_or_the_counts() {
        let mut rng = RngKey::new(1).stream(Purpose::Clustering, 0, 0);
        let mut features = Array2::<f32>::ones((4, 2));
        assert!(balanced_clusters(features.view(), 5, &mut rng).is_err());
        assert!(balanced_clusters(features.view(), 0, &mut rng).is_err());
        features[[2, 1]] = f32::INFINITY;
        let error = balanced_clusters(features.view(), 2, &mut rng).unwrap_err().to_string();
        assert!(error.contains("user 2"), "{error}");
    }
}
