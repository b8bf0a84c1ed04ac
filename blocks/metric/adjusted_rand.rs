//! Adjusted Rand index: how well two groupings of the same users agree.

use crate::{BlockError, Grouping, Result};

/// Agreement of two groupings: 1 if they are equal up to the names of groups, 0 on average for chance,
/// down to -0.5 at worst.
///
/// (pairs together in both - expected) / (mean pairs together - expected)
/// - errors: groupings of different numbers of users
///
/// Source: Hubert and Arabie, "Comparing partitions", 1985.
pub fn adjusted_rand(first: &Grouping, second: &Grouping) -> Result<f64> {
    if first.num_users() != second.num_users() {
        return Err(BlockError::shape("users of two groupings", first.num_users(), second.num_users()));
    }
    // Sorted pairs count the cells of the contingency table without building it.
    let mut cells: Vec<(usize, usize)> =
        first.as_slice().iter().copied().zip(second.as_slice().iter().copied()).collect();
    cells.sort_unstable();
    let both: f64 = cells.chunk_by(|a, b| a == b).map(|cell| pairs(cell.len())).sum();
    let in_first: f64 = first.sizes().into_iter().map(pairs).sum();
    let in_second: f64 = second.sizes().into_iter().map(pairs).sum();
    let all = pairs(first.num_users());
    // Everything is multiplied by the number of all pairs, so that counts stay whole numbers.
    let expected = in_first * in_second;
    let most = (in_first + in_second) / 2.0 * all;
    // Both all together, or both all alone: equal, and chance could do no other.
    if most == expected {
        return Ok(1.0);
    }
    Ok((both * all - expected) / (most - expected))
}

/// Number of pairs among `count`.
fn pairs(count: usize) -> f64 {
    count as f64 * (count as f64 - 1.0) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey};
    use rand::RngExt;

    fn index(first: &[usize], second: &[usize]) -> f64 {
        let grouping =
            |groups: &[usize]| Grouping::new(groups.to_vec(), 1 + groups.iter().max().unwrap_or(&0));
        adjusted_rand(&grouping(first).unwrap(), &grouping(second).unwrap()).unwrap()
    }

    #[test]
    fn known_values() {
        // The examples in scikit-learn's documentation of adjusted_rand_score.
        assert_eq!(index(&[0, 0, 1, 1], &[0, 0, 1, 1]), 1.0);
        assert_eq!(index(&[0, 0, 1, 1], &[1, 1, 0, 0]), 1.0);
        assert!((index(&[0, 0, 1, 2], &[0, 0, 1, 1]) - 0.571_428_57).abs() < 1e-8);
        assert!((index(&[0, 0, 1, 1], &[0, 0, 1, 2]) - 0.571_428_57).abs() < 1e-8);
        assert_eq!(index(&[0, 0, 0, 0], &[0, 1, 2, 3]), 0.0);
        assert_eq!(index(&[0, 0, 1, 1], &[0, 1, 0, 1]), -0.5);
    }

    #[test]
    fn counts_pairs() {
        // By definition, over all pairs of users.
        let mut rng = RngKey::new(2).stream(Purpose::Scene, 0, 0);
        let mut draw =
            |groups: usize| -> Vec<usize> { (0..40).map(|_| rng.random_range(0..groups)).collect() };
        let (first, second) = (draw(4), draw(6));
        let (mut both, mut in_first, mut in_second, mut all) = (0.0, 0.0, 0.0, 0.0);
        for a in 0..40 {
            for b in 0..a {
                let (f, s) = (first[a] == first[b], second[a] == second[b]);
                both += f64::from(f && s);
                in_first += f64::from(f);
                in_second += f64::from(s);
                all += 1.0;
            }
        }
        let expected = in_first * in_second / all;
        let direct = (both - expected) / ((in_first + in_second) / 2.0 - expected);
        assert!((index(&first, &second) - direct).abs() < 1e-12);
    }

    #[test]
    fn chance_scores_zero_on_average() {
        // 400 draws of 50 users in 10 groups: the index of one draw has a deviation of about 0.03.
        let mut rng = RngKey::new(3).stream(Purpose::Scene, 0, 0);
        let mut draw = || -> Vec<usize> { (0..50).map(|_| rng.random_range(0..10)).collect() };
        let mean = (0..400).map(|_| index(&draw(), &draw())).sum::<f64>() / 400.0;
        assert!(mean.abs() < 0.006, "{mean}");
    }

    #[test]
    fn degenerate_groupings() {
        assert_eq!(index(&[], &[]), 1.0);
        assert_eq!(index(&[0], &[0]), 1.0);
        assert_eq!(index(&[0, 0, 0], &[0, 0, 0]), 1.0);
        assert_eq!(index(&[0, 1, 2], &[2, 1, 0]), 1.0);
        let unequal = adjusted_rand(&Grouping::singletons(2), &Grouping::singletons(3));
        assert!(unequal.unwrap_err().to_string().contains("expected 2, found 3"));
    }
}
