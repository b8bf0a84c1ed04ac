//! Received symbols to log-likelihood ratios, exact or max-log, with channel knowledge per symbol.
//!
//! ```text
//! r, h, N0 > rails: slope, curve > max-log > [log-MAP] > cut to +-LLR_LIMIT > b0 b1 b2 ... of each symbol
//! ```
//!
//! The widest vector instructions of the machine are used; every width gives the same bits, because each
//! runs the same operations in the same order on each value, without fused multiply-adds.

use super::blockwise::{Demap, Observed};
use super::constellation::Modulation;
use crate::isa::Isa;
use crate::{BlockError, Result};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The largest size of an LLR that a demapper gives: what is beyond, or infinite, is cut to it.
///
/// It says e^-10000; a decoder that scales to 8 bits cuts far below it.
pub const LLR_LIMIT: f32 = 1e4;

/// How likelihoods of many symbols become one number per bit; written `exact` or `max_log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Demapping {
    /// Log-MAP: ln of the sum of likelihoods of symbols whose bit is 0 over that of those whose bit is 1.
    Exact,
    /// The same with only the largest term of each sum. Equal to `Exact` for BPSK and QPSK.
    MaxLog,
}

impl Demapping {
    /// The name as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Demapping::Exact => "exact",
            Demapping::MaxLog => "max_log",
        }
    }
}

impl fmt::Display for Demapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Demapping {
    type Err = BlockError;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "exact" => Ok(Demapping::Exact),
            "max_log" => Ok(Demapping::MaxLog),
            _ => Err(BlockError::invalid("demapping", format!("{name:?}"), "exact, max_log")),
        }
    }
}

/// Computes LLR(b) = ln(P(b = 0 | r) / P(b = 1 | r)) from r = h x + n, n ~ CN(0, N0), equally likely x.
///
/// - accuracy: 2e-5 + 1e-6 |LLR| + 3e-7 (|h|^2 + |h r|) / N0, the last term being what f32 leaves of r
///   itself; where |LLR| is 150 or more, `Exact` gives the max-log value, which is less than 1 away
/// - scale: any, as long as the sizes of h and r lie between 1e-12 and 1e15
/// - a NaN in r or h, an |h|^2 that overflows, an N0 that is NaN or negative: LLR 0, an erasure
/// - h = 0 or infinite N0: LLR 0
/// - infinite r or N0 = 0: +-[`LLR_LIMIT`], but 0 for a bit whose two hypotheses are equally near
/// - symbols equalised without bias (zero forcing, unbiased MMSE, whose LLRs are the same for one perfectly
///   known h) have h = 1 and N0 = 1 / SNR behind the equaliser
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftDemapper {
    modulation: Modulation,
    method: Demapping,
    isa: Isa,
}

impl SoftDemapper {
    /// A demapper for the widest vectors of this machine.
    pub fn new(modulation: Modulation, method: Demapping) -> Self {
        Self { modulation, method, isa: Isa::detect() }
    }

    /// The constellation.
    pub fn modulation(&self) -> Modulation {
        self.modulation
    }

    /// Replaces what `llrs` held by the LLRs of all bits, in the order in which they were mapped.
    ///
    /// - received: `[n]`; csi: `[n]` or `[1]`, h; noise: `[n]` or `[1]`, N0 per complex symbol
    ///   -> llrs: `[n * bits_per_symbol]`, finite
    /// - errors: csi or noise of another length
    pub fn demap_into(
        &self,
        received: &[Complex32],
        csi: &[Complex32],
        noise: &[f32],
        llrs: &mut Vec<f32>,
    ) -> Result<()> {
        let len = received.len();
        let expected = |other: usize| (other != 1 && other != len).then(|| format!("1 or {len}"));
        if let Some(expected) = expected(csi.len()) {
            return Err(BlockError::shape("coefficients of channel knowledge", expected, csi.len()));
        }
        if let Some(expected) = expected(noise.len()) {
            return Err(BlockError::shape("noise variances", expected, noise.len()));
        }
        llrs.resize(len * self.modulation.bits_per_symbol(), 0.0);
        if len > 0 {
            let observed = Observed { received, csi, noise };
            let (modulation, method) = (self.modulation, self.method);
            self.isa.run(Demap { modulation, method, observed: &observed, llrs });
        }
        Ok(())
    }

    /// As [`SoftDemapper::demap_into`], in a new vector.
    pub fn demap(&self, received: &[Complex32], csi: &[Complex32], noise: &[f32]) -> Result<Vec<f32>> {
        let mut llrs = Vec::new();
        self.demap_into(received, csi, noise, &mut llrs)?;
        Ok(llrs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, RngKey, complex_normal};

    /// The definition, over all points in f64.
    fn brute_force(
        modulation: Modulation,
        method: Demapping,
        r: Complex32,
        h: Complex32,
        noise: f32,
    ) -> Vec<f64> {
        let wide = |z: Complex32| num_complex::Complex64::new(z.re.into(), z.im.into());
        let num_bits = modulation.bits_per_symbol();
        let metric: Vec<f64> = exact_points(modulation)
            .into_iter()
            .map(|x| -(wide(r) - wide(h) * x).norm_sqr() / f64::from(noise))
            .collect();
        let side = |bit: usize, value: usize| {
            let of_value = |label: &usize| (label >> (num_bits - 1 - bit)) & 1 == value;
            let terms = (0..metric.len()).filter(of_value).map(|label| metric[label]);
            let largest = terms.clone().fold(f64::NEG_INFINITY, f64::max);
            match method {
                Demapping::MaxLog => largest,
                Demapping::Exact => largest + terms.map(|term| (term - largest).exp()).sum::<f64>().ln(),
            }
        };
        (0..num_bits).map(|bit| side(bit, 0) - side(bit, 1)).collect()
    }

    /// Points free of the rounding to f32.
    fn exact_points(modulation: Modulation) -> Vec<num_complex::Complex64> {
        let part = |x: f32| match modulation {
            Modulation::Bpsk => f64::from(x).signum() * std::f64::consts::FRAC_1_SQRT_2,
            _ => (f64::from(x) / modulation.half_step()).round() * modulation.half_step(),
        };
        modulation.points().iter().map(|x| num_complex::Complex64::new(part(x.re), part(x.im))).collect()
    }

    /// Faded symbols of one SNR: r, h.
    fn faded(modulation: Modulation, noise: f32, len: usize) -> (Vec<Complex32>, Vec<Complex32>) {
        let key = RngKey::new(60);
        let draw = |purpose, variance| complex_normal(&mut key.stream(purpose, 0, 0), variance, len);
        let points = modulation.points();
        let h = draw(Purpose::Fading, 1.0);
        let n = draw(Purpose::NoisePrivate, noise);
        let r = (0..len).map(|i| h[i] * points[(i * 389 + i / 7) % points.len()] + n[i]).collect();
        (r, h)
    }

    #[test]
    fn llrs_are_those_of_the_definition() {
        for modulation in Modulation::ALL {
            for method in [Demapping::Exact, Demapping::MaxLog] {
                for snr_db in [-10.0, 0.0, 8.0, 15.0, 25.0, 35.0] {
                    let noise = 10f32.powf(-snr_db / 10.0);
                    let (r, h) = faded(modulation, noise, 130);
                    let llrs = SoftDemapper::new(modulation, method).demap(&r, &h, &[noise]).unwrap();
                    let per_symbol = llrs.chunks(modulation.bits_per_symbol());
                    for ((llrs, r), h) in per_symbol.zip(&r).zip(&h) {
                        let expected = brute_force(modulation, method, *r, *h, noise);
                        for (llr, expected) in llrs.iter().zip(expected) {
                            let expected = expected.clamp(-1e4, 1e4);
                            let scale = f64::from(h.norm() * (h.norm() + r.norm()) / noise);
                            let near = 2e-5 + 1e-6 * expected.abs() + 3e-7 * scale;
                            let error = (f64::from(*llr) - expected).abs();
                            let stays = method == Demapping::Exact && expected.abs() > 149.0;
                            let allowed = if stays { 1.0 } else { near };
                            assert!(
                                error < allowed,
                                "{modulation} {method} {snr_db} dB: {llr}, not {expected}: {error}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_received_value_worked_by_hand() {
        // 16-QAM on its rail: amplitudes -3, -1, 1, 3 times 1 / sqrt(10) carry bits 11, 10, 00, 01.
        let r = Complex32::new(2.5, -0.5) / 10f32.sqrt();
        let demapper = SoftDemapper::new(Modulation::Qam16, Demapping::MaxLog);
        let llrs = demapper.demap(&[r], &[Complex32::ONE], &[0.1]).unwrap();
        // 10 N0 = 1, so that an LLR is the difference of two squared distances in half steps, bit 1 first:
        // 3.5^2 - 0.5^2, 0.5^2 - 1.5^2, 0.5^2 - 1.5^2, 2.5^2 - 0.5^2.
        for (llr, expected) in llrs.iter().zip([12.0, -2.0, -2.0, 6.0]) {
            assert!((llr - expected).abs() < 1e-4, "{llrs:?}");
        }
    }

    #[test]
    fn every_width_of_vectors_gives_the_same_bits() {
        for modulation in Modulation::ALL {
            for method in [Demapping::Exact, Demapping::MaxLog] {
                for noise in [3.0, 0.05, 1e-4, 0.0] {
                    let (mut r, mut h) = faded(modulation, noise, 1000);
                    r[3] = Complex32::new(f32::NAN, 0.0);
                    r[70] = Complex32::new(f32::NEG_INFINITY, 1.0);
                    h[5] = Complex32::ZERO;
                    h[71] = Complex32::new(1.0, f32::NAN);
                    let llrs = |isa| {
                        let demapper = SoftDemapper { modulation, method, isa };
                        let llrs = demapper.demap(&r, &h, &[noise]).unwrap();
                        llrs.into_iter().map(f32::to_bits).collect::<Vec<_>>()
                    };
                    let reference = Isa::available().last().map(llrs);
                    for isa in Isa::available() {
                        assert_eq!(Some(llrs(isa)), reference, "{modulation} {method} {noise} {isa}");
                    }
                }
            }
        }
    }

    #[test]
    fn blocks_of_any_length_and_shared_knowledge_give_the_same_llrs() {
        let (r, _) = faded(Modulation::Qam64, 0.1, 200);
        let h = Complex32::new(0.6, -0.7);
        for method in [Demapping::Exact, Demapping::MaxLog] {
            let demapper = SoftDemapper::new(Modulation::Qam64, method);
            let whole = demapper.demap(&r, &[h], &[0.1]).unwrap();
            let mut llrs = vec![7.0; 5];
            for len in [0, 1, 2, 63, 64, 65, 128, 199] {
                demapper.demap_into(&r[..len], &vec![h; len], &vec![0.1; len], &mut llrs).unwrap();
                assert_eq!(llrs, whole[..6 * len], "{len}");
            }
        }
    }

    #[test]
    fn a_common_scale_of_signal_and_noise_does_not_matter() {
        let (r, h) = faded(Modulation::Qam256, 0.002, 100);
        let scaled = |x: &[Complex32], scale: f32| x.iter().map(|x| x * scale).collect::<Vec<_>>();
        for method in [Demapping::Exact, Demapping::MaxLog] {
            let demapper = SoftDemapper::new(Modulation::Qam256, method);
            let reference = demapper.demap(&r, &h, &[0.002]).unwrap();
            for scale in [2f32.powi(-40), 2f32.powi(50)] {
                let noise = 0.002 * scale * scale;
                let llrs = demapper.demap(&scaled(&r, scale), &scaled(&h, scale), &[noise]).unwrap();
                for (llr, expected) in llrs.iter().zip(&reference) {
                    assert!(
                        (llr - expected).abs() <= 1e-5 * expected.abs() + 1e-5,
                        "{scale}: {llr} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_is_an_erasure() {
        let (nan, inf, one) = (f32::NAN, f32::INFINITY, Complex32::ONE);
        let erased = [
            (Complex32::new(nan, 1.0), one, 0.1),
            (Complex32::new(1.0, nan), one, 0.1),
            (Complex32::new(inf, nan), one, 0.0),
            (one, Complex32::new(nan, 0.0), 0.1),
            (one, Complex32::new(0.0, inf), 0.1),
            (one, Complex32::new(1e30, 0.0), 0.1),
            (one, Complex32::ZERO, 0.1),
            (one, Complex32::ZERO, 0.0),
            (Complex32::new(inf, -inf), Complex32::ZERO, 0.0),
            (one, one, nan),
            (one, one, -0.1),
            (one, one, inf),
            (Complex32::new(inf, 0.0), one, inf),
        ];
        for modulation in Modulation::ALL {
            for method in [Demapping::Exact, Demapping::MaxLog] {
                for (r, h, noise) in erased {
                    let llrs = SoftDemapper::new(modulation, method).demap(&[r], &[h], &[noise]).unwrap();
                    assert!(llrs.iter().all(|llr| *llr == 0.0), "{modulation} {r} {h} {noise}: {llrs:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_infinite_or_without_noise_saturates() {
        let far = Complex32::new(f32::INFINITY, f32::NEG_INFINITY);
        for modulation in &Modulation::ALL[1..] {
            for method in [Demapping::Exact, Demapping::MaxLog] {
                let demapper = SoftDemapper::new(*modulation, method);
                // The label of the corner at the lower right.
                let corner = modulation.points().into_iter().position(|x| {
                    let largest = (1 << modulation.bits_per_rail()) as f32 - 1.5;
                    let place = x / modulation.half_step() as f32;
                    place.re > largest && place.im < -largest
                });
                let expected = |label: usize| -> Vec<f32> {
                    let bits = (0..modulation.bits_per_symbol()).rev();
                    bits.map(|place| if (label >> place) & 1 == 0 { LLR_LIMIT } else { -LLR_LIMIT }).collect()
                };
                for noise in [1.0, 0.0] {
                    let llrs = demapper.demap(&[far], &[Complex32::ONE], &[noise]).unwrap();
                    assert_eq!(llrs, expected(corner.unwrap()), "{modulation} {method} {noise}");
                }
                for (label, x) in modulation.points().into_iter().enumerate() {
                    for h in [Complex32::ONE, Complex32::new(0.3, -2.0), Complex32::new(-1e-9, 1e-9)] {
                        let llrs = demapper.demap(&[h * x], &[h], &[0.0]).unwrap();
                        assert_eq!(llrs, expected(label), "{modulation} {method} {h}");
                    }
                }
            }
        }
        let bpsk = SoftDemapper::new(Modulation::Bpsk, Demapping::Exact);
        let llrs = bpsk.demap(&[-Complex32::I, far, Complex32::I], &[Complex32::ONE], &[0.0]).unwrap();
        assert_eq!(llrs, [-LLR_LIMIT, 0.0, LLR_LIMIT]);
    }

    #[test]
    fn hostile_numbers_never_give_nan_or_infinity() {
        let values =
            [0.0, -1e-45, 1e-38, 1e-20, -1.0, 1e9, 3e18, -1e20, f32::MAX, f32::NEG_INFINITY, f32::NAN];
        let pairs: Vec<Complex32> =
            values.iter().flat_map(|re| values.iter().map(|im| Complex32::new(*re, *im))).collect();
        for modulation in Modulation::ALL {
            for method in [Demapping::Exact, Demapping::MaxLog] {
                let demapper = SoftDemapper::new(modulation, method);
                for h in &pairs {
                    for noise in [0.0, 1e-45, 1e-30, 1.0, f32::MAX] {
                        let llrs = demapper.demap(&pairs, &[*h], &[noise]).unwrap();
                        let within = llrs.iter().all(|llr| llr.abs() <= LLR_LIMIT);
                        assert!(within, "{modulation} {method} {h} {noise}");
                    }
                }
            }
        }
    }

    #[test]
    fn wrong_lengths_and_names_are_refused() {
        let demapper = SoftDemapper::new(Modulation::Qpsk, Demapping::Exact);
        let r = [Complex32::ONE; 3];
        let error = |h, noise| {
            demapper.demap(&r, &vec![Complex32::ONE; h], &vec![0.1; noise]).unwrap_err().to_string()
        };
        assert!(error(2, 1).contains("expected 1 or 3, found 2"));
        assert!(error(1, 0).contains("noise variances: expected 1 or 3, found 0"));
        assert!("log".parse::<Demapping>().unwrap_err().to_string().contains("exact, max_log"));
        assert_eq!("max_log".parse::<Demapping>().unwrap(), Demapping::MaxLog);
    }
}
