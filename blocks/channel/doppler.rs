//! Fading correlated in time as Doppler spread makes it: a sum of sinusoids with Clarke's
//! autocorrelation E[h(t) h*(t + d)] = J0(2 pi f_d d).
//! Source: Clarke 1968, "A statistical theory of mobile-radio reception"; Jakes 1974,
//! "Microwave mobile communications" (the spectrum that bears his name).

use crate::rng::{KeyedRng, complex_normal};
use num_complex::{Complex, Complex32};
use rand::RngExt;
use std::f64::consts::TAU;

/// Number of plane waves in the sum.
const NUM_WAVES: usize = 32;

/// Diffuse fading of unit power whose correlation in time is that of a moving receiver.
///
/// h(t) = sum_m a_m exp(j 2 pi f_d t cos(alpha_m)), a_m ~ CN(0, 1 / M), and one angle alpha_m
/// drawn uniformly from each of M equal sectors. Gaussian amplitudes make h(t) exactly CN(0, 1) at
/// every t for any M, and the uniform angles make the ensemble autocorrelation exactly J0.
///
/// - time is counted in channel uses; f_d is the normalised Doppler frequency f_D T_s
#[derive(Clone, Debug)]
pub struct JakesProcess {
    waves: Vec<Wave>,
}

#[derive(Clone, Debug)]
struct Wave {
    amplitude: Complex<f64>,
    /// Phase advance per channel use, in radians.
    step_rad: f64,
}

impl JakesProcess {
    /// Draws one realisation.
    ///
    /// - doppler: f_D T_s, the maximum Doppler frequency in cycles per channel use
    pub fn new(rng: &mut KeyedRng, doppler: f32) -> Self {
        let amplitudes = complex_normal(rng, 1.0 / NUM_WAVES as f32, NUM_WAVES);
        let waves = amplitudes.into_iter().enumerate().map(|(sector, amplitude)| {
            let angle = TAU * (sector as f64 + rng.random::<f64>()) / NUM_WAVES as f64;
            Wave {
                amplitude: Complex::new(amplitude.re.into(), amplitude.im.into()),
                step_rad: TAU * f64::from(doppler) * angle.cos(),
            }
        });
        Self { waves: waves.collect() }
    }

    /// The fades of `len` consecutive channel uses from `start` on.
    pub fn fades(&self, start: usize, len: usize) -> Vec<Complex32> {
        let mut sum = vec![Complex::<f64>::default(); len];
        for wave in &self.waves {
            let step = Complex::from_polar(1.0, wave.step_rad);
            let mut value = wave.amplitude * Complex::from_polar(1.0, wave.step_rad * start as f64);
            for fade in &mut sum {
                *fade += value;
                value *= step;
            }
        }
        sum.into_iter().map(|fade| Complex32::new(fade.re as f32, fade.im as f32)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey};

    /// J0(x) = 1 / pi times the integral of cos(x sin a) over a from 0 to pi, by the midpoint
    /// rule, which converges faster than any power for periodic integrands.
    fn bessel_j0(x: f64) -> f64 {
        let points = 400;
        let angle = |i: usize| std::f64::consts::PI * (i as f64 + 0.5) / points as f64;
        (0..points).map(|i| (x * angle(i).sin()).cos()).sum::<f64>() / points as f64
    }

    #[test]
    fn the_oracle_knows_the_bessel_function() {
        // Tabulated values (Abramowitz and Stegun, table 9.1) and the first zero.
        assert!((bessel_j0(1.0) - 0.765_197_686_6).abs() < 1e-9);
        assert!((bessel_j0(10.0) + 0.245_935_764_5).abs() < 1e-9);
        assert!(bessel_j0(2.404_825_557_7).abs() < 1e-9);
    }

    #[test]
    fn autocorrelation_is_j0() {
        // 20,000 independent realisations: each correlation has a standard error below
        // sqrt(2 / 20,000) = 0.01 per real dimension; 4 sigma.
        let (doppler, lags, runs) = (0.05f32, 40, 20_000);
        let key = RngKey::new(11);
        let mut sums = vec![Complex::<f64>::default(); lags];
        for run in 0..runs {
            let mut rng = key.stream(Purpose::Fading, run, 0);
            let fades = JakesProcess::new(&mut rng, doppler).fades(1000, lags);
            for (sum, fade) in sums.iter_mut().zip(&fades) {
                let product = fade * fades[0].conj();
                *sum += Complex::new(f64::from(product.re), f64::from(product.im));
            }
        }
        for (lag, sum) in sums.iter().enumerate() {
            let found = sum / runs as f64;
            let expected = bessel_j0(TAU * f64::from(doppler) * lag as f64);
            assert!((found.re - expected).abs() < 0.04, "lag {lag}: {found} against {expected}");
            assert!(found.im.abs() < 0.04, "lag {lag}: imaginary part {}", found.im);
        }
    }

    #[test]
    fn any_cut_of_time_gives_the_same_process() {
        let make = || JakesProcess::new(&mut RngKey::new(5).stream(Purpose::Fading, 3, 1), 0.013);
        let whole = make().fades(0, 3000);
        let late = make().fades(2900, 100);
        let worst = whole[2900..].iter().zip(&late).map(|(a, b)| (a - b).norm()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "{worst}");
        assert!(make().fades(7, 0).is_empty());
    }

    #[test]
    fn a_receiver_at_rest_meets_one_fade() {
        let process = JakesProcess::new(&mut RngKey::new(5).stream(Purpose::Fading, 0, 0), 0.0);
        let fades = process.fades(0, 50);
        assert!(fades.iter().all(|fade| (fade - fades[0]).norm() < 1e-6));
    }
}
