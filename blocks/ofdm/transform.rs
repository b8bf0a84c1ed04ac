//! Carriers to samples and back: Fourier transforms of unit energy, and the cyclic prefix.

use super::Numerology;
use crate::{BlockError, Result};
use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Both transforms of a numerology. Energy is kept: a carrier of unit power adds 1 / N to the power of samples, and
/// noise of variance v per sample has variance v on every carrier.
#[derive(Clone)]
pub struct Transform {
    numerology: Numerology,
    to_samples: Arc<dyn Fft<f32>>,
    to_carriers: Arc<dyn Fft<f32>>,
    scratch: Vec<Complex32>,
    scale: f32,
}

impl Transform {
    /// - errors: those of [`Numerology::check`]
    pub fn new(numerology: Numerology) -> Result<Self> {
        numerology.check()?;
        let len = numerology.fft_len;
        let mut planner = FftPlanner::new();
        let (to_samples, to_carriers) = (planner.plan_fft_inverse(len), planner.plan_fft_forward(len));
        let room = to_samples.get_inplace_scratch_len().max(to_carriers.get_inplace_scratch_len());
        let scale = 1.0 / (len as f32).sqrt();
        Ok(Self { numerology, to_samples, to_carriers, scratch: vec![Complex32::ZERO; room], scale })
    }

    /// One symbol with its prefix.
    ///
    /// - carriers: `[N]`
    /// - samples: `[prefix + N]`; what it held is replaced
    /// - errors: other lengths
    pub fn modulate(&mut self, carriers: &[Complex32], samples: &mut [Complex32]) -> Result<()> {
        let Numerology { fft_len, prefix_len, .. } = self.numerology;
        check("carriers of a symbol", fft_len, carriers.len())?;
        check("samples of a symbol", prefix_len + fft_len, samples.len())?;
        samples[prefix_len..].copy_from_slice(carriers);
        self.modulate_in_place(samples)
    }

    /// One symbol with its prefix, where its carriers stand in its place.
    ///
    /// - samples: `[prefix + N]`, of which the last N hold the carriers
    /// - errors: another length
    pub fn modulate_in_place(&mut self, samples: &mut [Complex32]) -> Result<()> {
        let Numerology { fft_len, prefix_len, .. } = self.numerology;
        check("samples of a symbol", prefix_len + fft_len, samples.len())?;
        let (prefix, body) = samples.split_at_mut(prefix_len);
        let scale = self.scale;
        body.iter_mut().for_each(|carrier| *carrier *= scale);
        self.to_samples.process_with_scratch(body, &mut self.scratch);
        prefix.copy_from_slice(&body[fft_len - prefix_len..]);
        Ok(())
    }

    /// The carriers of one symbol, from the samples behind its prefix.
    ///
    /// - samples: `[N]`, which become the carriers
    /// - errors: another length
    pub fn demodulate(&mut self, samples: &mut [Complex32]) -> Result<()> {
        check("samples of a symbol", self.numerology.fft_len, samples.len())?;
        self.to_carriers.process_with_scratch(samples, &mut self.scratch);
        let scale = self.scale;
        samples.iter_mut().for_each(|carrier| *carrier *= scale);
        Ok(())
    }
}

impl std::fmt::Debug for Transform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transform").field("numerology", &self.numerology).finish_non_exhaustive()
    }
}

fn check(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(BlockError::shape(what, expected, found)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey, complex_normal};
    use num_complex::Complex64;
    use std::f64::consts::TAU;

    fn carriers(len: usize) -> Vec<Complex32> {
        complex_normal(&mut RngKey::new(6).stream(Purpose::Scene, 0, 0), 1.0, len)
    }

    #[test]
    fn samples_are_those_of_the_definition() {
        let numerology = Numerology::NARROW;
        let (len, prefix) = (numerology.fft_len, numerology.prefix_len);
        let carriers = carriers(len);
        let mut samples = vec![Complex32::ONE; numerology.symbol_len()];
        Transform::new(numerology).unwrap().modulate(&carriers, &mut samples).unwrap();
        for (n, found) in samples.iter().enumerate() {
            let time = n as f64 - prefix as f64;
            let expected: Complex64 = carriers
                .iter()
                .enumerate()
                .map(|(k, x)| {
                    let turns = (k as f64 * time / len as f64).rem_euclid(1.0);
                    Complex64::new(x.re.into(), x.im.into()) * Complex64::cis(TAU * turns)
                })
                .sum();
            let expected = expected / (len as f64).sqrt();
            let found = Complex64::new(found.re.into(), found.im.into());
            assert!((found - expected).norm() < 1e-5, "{n}: {found} {expected}");
        }
    }

    #[test]
    fn carriers_come_back_with_their_energy() {
        for (_, numerology) in Numerology::PRESETS {
            let mut transform = Transform::new(numerology).unwrap();
            let sent = carriers(numerology.fft_len);
            let mut samples = vec![Complex32::ZERO; numerology.symbol_len()];
            transform.modulate(&sent, &mut samples).unwrap();
            let mut body = samples[numerology.prefix_len..].to_vec();
            let energy = |values: &[Complex32]| values.iter().map(|v| v.norm_sqr()).sum::<f32>();
            assert!((energy(&body) / energy(&sent) - 1.0).abs() < 1e-5);
            transform.demodulate(&mut body).unwrap();
            assert!(body.iter().zip(&sent).all(|(found, sent)| (found - sent).norm() < 1e-5));
            // Anywhere in the prefix, a delay turns carriers by their frequency.
            let delay = numerology.prefix_len / 2;
            let mut early = samples[numerology.prefix_len - delay..][..numerology.fft_len].to_vec();
            transform.demodulate(&mut early).unwrap();
            for (k, (found, sent)) in early.iter().zip(&sent).enumerate() {
                let turns = (k * delay) as f64 / numerology.fft_len as f64;
                let turned = Complex64::cis(-TAU * turns.fract());
                let expected = sent * Complex32::new(turned.re as f32, turned.im as f32);
                assert!((found - expected).norm() < 1e-4);
            }
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        let mut transform = Transform::new(Numerology::NARROW).unwrap();
        let mut samples = vec![Complex32::ZERO; 80];
        assert!(transform.modulate(&carriers(63), &mut samples).is_err());
        assert!(transform.modulate(&carriers(64), &mut samples[1..]).is_err());
        assert!(transform.demodulate(&mut samples).is_err());
    }
}
