//! Divides transmit power among coefficients of different variance.

/// Powers that minimise the summed error of least-mean-square estimation.
///
/// With noise s, a coefficient of variance lambda sent at power P is estimated with error
/// lambda s / (P + s); under a fixed total, the minimum is P = max(0, sqrt(lambda s / theta) - s)
/// with the level theta that spends the total exactly (reverse water-filling). Noise 0 gives the
/// limit, P proportional to sqrt(lambda).
///
/// - variances: descending; counts: how many coefficients share each variance and get its power
/// - noise: variance of the noise per real value; total: the sum of all powers, weighted by counts
/// - returns: the power of each; all 0 where no coefficient has variance
///
/// Source: Lee and Petersen 1976, "Optimal linear coding for vector channels".
pub fn reverse_water_fill(variances: &[f64], counts: &[usize], noise: f64, total: f64) -> Vec<f64> {
    // With level = sqrt(s / theta), P = level sqrt(lambda) - s is linear in the level, so for a given
    // set of active coefficients the total fixes it; weaker ones join while they would get power.
    let (mut roots, mut active, mut level) = (0.0, 0.0, 0.0);
    for (variance, &count) in variances.iter().zip(counts).filter(|(_, count)| **count > 0) {
        let joined = roots + count as f64 * variance.sqrt();
        let next = (total + noise * (active + count as f64)) / joined;
        // False for NaN too, which a variance of 0 gives without noise.
        let worth_sending = next * variance.sqrt() > noise;
        if !worth_sending {
            break;
        }
        (roots, active, level) = (joined, active + count as f64, next);
    }
    let power = |(variance, &count): (&f64, &usize)| {
        if count > 0 { (level * variance.sqrt() - noise).max(0.0) } else { 0.0 }
    };
    variances.iter().zip(counts).map(power).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIANCES: [f64; 5] = [90.0, 20.0, 4.0, 0.5, 0.0];
    const COUNTS: [usize; 5] = [3, 3, 3, 2, 1];

    fn total_error(powers: &[f64], noise: f64) -> f64 {
        let terms = VARIANCES.iter().zip(COUNTS).zip(powers);
        terms.map(|((variance, count), power)| count as f64 * variance * noise / (power + noise)).sum()
    }

    fn spent(powers: &[f64]) -> f64 {
        powers.iter().zip(COUNTS).map(|(power, count)| power * count as f64).sum()
    }

    #[test]
    fn all_power_is_spent_and_no_exchange_helps() {
        for noise in [0.01, 0.3, 2.0, 50.0] {
            let powers = reverse_water_fill(&VARIANCES, &COUNTS, noise, 12.0);
            assert!((spent(&powers) - 12.0).abs() < 1e-9, "{powers:?}");
            let error = total_error(&powers, noise);
            for from in 0..5 {
                for to in 0..5 {
                    let mut moved = powers.clone();
                    let amount = 0.01f64.min(powers[from] * COUNTS[from] as f64);
                    moved[from] -= amount / COUNTS[from] as f64;
                    moved[to] += amount / COUNTS[to] as f64;
                    assert!(total_error(&moved, noise) >= error - 1e-9, "noise {noise}: {from} to {to}");
                }
            }
        }
    }

    #[test]
    fn powers_worked_by_hand() {
        // Level (6 + 2) / (3 + 1) = 2: powers 2 * 3 - 1 and 2 * 1 - 1.
        assert_eq!(reverse_water_fill(&[9.0, 1.0], &[1, 1], 1.0, 6.0), [5.0, 1.0]);
        // Level (1 + 1) / 3 for the first alone leaves the second 2 / 3 - 1 < 0.
        let powers = reverse_water_fill(&[9.0, 1.0], &[1, 1], 1.0, 1.0);
        assert!((powers[0] - 1.0).abs() < 1e-12 && powers[1] == 0.0, "{powers:?}");
    }

    #[test]
    fn without_noise_power_follows_the_root_of_the_variance() {
        assert_eq!(reverse_water_fill(&[4.0, 1.0], &[1, 2], 0.0, 8.0), [4.0, 2.0]);
    }

    #[test]
    fn nothing_to_send_takes_no_power() {
        assert_eq!(reverse_water_fill(&[0.0, 0.0], &[1, 1], 0.1, 8.0), [0.0, 0.0]);
        assert_eq!(reverse_water_fill(&[0.0], &[1], 0.0, 8.0), [0.0]);
        assert_eq!(reverse_water_fill(&[5.0], &[0], 0.1, 8.0), [0.0]);
        assert!(reverse_water_fill(&[], &[], 0.1, 8.0).is_empty());
    }
}
