//! An oscillator whose phase walks at random: y = x exp(j phi), phi a Wiener process.

use super::InPlace;
use crate::rng::{KeyedRng, Purpose, RngKey, normal};
use crate::{BlockError, Result};
use num_complex::Complex32;
use std::f64::consts::TAU;

/// Turns samples by a Wiener process: phi grows by N(0, 2 pi B) per sample, which gives a carrier a Lorentzian line of
/// width B at half power.
///
/// Source: Demir, Mehrotra and Roychowdhury, "Phase noise in oscillators", IEEE Transactions on Circuits and Systems I
/// 47 (2000).
#[derive(Clone, Debug)]
pub struct PhaseNoise {
    rng: KeyedRng,
    deviation: f64,
    /// In radians, within half a turn of nothing.
    phase: f64,
}

impl PhaseNoise {
    /// - key, receiver: whose oscillator it is
    /// - linewidth: B, full width at half power, in cycles per sample
    /// - errors: a linewidth outside 0 to 1
    pub fn new(key: RngKey, receiver: usize, linewidth: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&linewidth) {
            return Err(BlockError::invalid("linewidth", linewidth, "0 to 1 cycles per sample"));
        }
        let rng = key.stream(Purpose::PhaseNoise, 0, receiver);
        Ok(Self { rng, deviation: (TAU * linewidth).sqrt(), phase: 0.0 })
    }
}

impl InPlace for PhaseNoise {
    fn apply(&mut self, samples: &mut [Complex32]) -> Result<()> {
        for sample in samples {
            let (sin, cos) = self.phase.sin_cos();
            *sample *= Complex32::new(cos as f32, sin as f32);
            let step = self.deviation * f64::from(normal(&mut self.rng));
            self.phase = (self.phase + step + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carrier_forgets_its_phase_at_the_rate_of_its_line() {
        // E[y(n) y*(n + d)] = exp(-pi B d): 400 walks apart, sampled 500 apart; the mean of 100,000 dependent values
        // has a standard error below 0.02.
        let linewidth = 0.001;
        for distance in [50, 200, 400] {
            let (mut sum, mut count) = (0.0, 0);
            for receiver in 0..400 {
                let mut samples = vec![Complex32::ONE; 2000];
                PhaseNoise::new(RngKey::new(8), receiver, linewidth).unwrap().apply(&mut samples).unwrap();
                for start in (0..2000 - distance).step_by(100) {
                    sum += f64::from((samples[start].conj() * samples[start + distance]).re);
                    count += 1;
                }
            }
            let (found, expected) =
                (sum / f64::from(count), (-std::f64::consts::PI * linewidth * distance as f64).exp());
            assert!((found - expected).abs() < 0.05, "{distance}: {found}, not {expected}");
        }
    }

    #[test]
    fn power_stays_and_no_line_changes_nothing() {
        let mut samples = vec![Complex32::new(0.6, 0.8); 1000];
        PhaseNoise::new(RngKey::new(1), 0, 0.01).unwrap().apply(&mut samples).unwrap();
        assert!(samples.iter().all(|y| (y.norm() - 1.0).abs() < 1e-6));
        let mut still = vec![Complex32::new(0.6, 0.8); 9];
        PhaseNoise::new(RngKey::new(1), 0, 0.0).unwrap().apply(&mut still).unwrap();
        assert_eq!(still, [Complex32::new(0.6, 0.8); 9]);
        assert!(PhaseNoise::new(RngKey::new(1), 0, -0.1).is_err());
    }
}
