//! The three one-tap equalisers.

use super::slot_snr::effective_snr;
use crate::frame::{EqualizedFrame, EqualizedSlot, ReceivedFrame, ReceivedSlot};
use crate::kernel::FrameKernel;
use crate::{BlockError, Result};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

/// Fades of less power than this (-120 dB) cannot be inverted: the estimate is 0 instead.
const MIN_POWER: f32 = 1e-12;

/// Estimates the sent symbols from y = h x + n.
///
/// - uses the slot's csi (one coefficient, or one per symbol) and noise variance (may be 0)
/// - a fade below -120 dB gives 0 with `Zf`, and with `Mmse` where there is no noise either:
///   nothing arrived, and dividing would give infinities
/// - reports for every slot [`effective_snr`], whichever equaliser is used
/// - errors: csi that is neither one coefficient nor one per symbol; a negative or NaN noise variance
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Equalizer {
    /// y as it is; the channel's gain and phase stay in the estimate.
    None,
    /// Zero forcing, y / h.
    Zf,
    /// Least mean square error for symbols of unit power: conj(h) y / (|h|^2 + noise variance).
    Mmse,
}

impl Equalizer {
    /// The factor that turns y into the estimate of x.
    pub fn weight(self, h: Complex32, noise_variance: f32) -> Complex32 {
        match self {
            Self::None => Complex32::ONE,
            Self::Zf if h.norm_sqr() < MIN_POWER => Complex32::ZERO,
            Self::Zf => h.conj() / h.norm_sqr(),
            Self::Mmse => {
                let power = h.norm_sqr() + noise_variance;
                if power < MIN_POWER { Complex32::ZERO } else { h.conj() / power }
            }
        }
    }

    fn equalize(self, slot: ReceivedSlot) -> Result<EqualizedSlot> {
        let ReceivedSlot { destination, phase, mut symbols, csi, noise_variance } = slot;
        if csi.len() != 1 && csi.len() != symbols.len() {
            let expected = format!("1 or {}", symbols.len());
            return Err(BlockError::shape("coefficients of channel knowledge", expected, csi.len()));
        }
        if noise_variance.is_nan() || noise_variance < 0.0 {
            return Err(BlockError::invalid("noise variance", noise_variance, "a number, at least 0"));
        }
        let snr = effective_snr(&csi, noise_variance);
        let weights = csi.into_iter().map(|h| self.weight(h, noise_variance)).cycle();
        symbols.iter_mut().zip(weights).for_each(|(symbol, weight)| *symbol *= weight);
        Ok(EqualizedSlot { destination, phase, symbols, snr })
    }
}

impl FrameKernel for Equalizer {
    type In = ReceivedFrame;
    type Out = EqualizedFrame;

    fn process(&mut self, frame: ReceivedFrame) -> Result<EqualizedFrame> {
        let user = |slots: Vec<ReceivedSlot>| slots.into_iter().map(|slot| self.equalize(slot)).collect();
        let users = frame.users.into_iter().map(user).collect::<Result<_>>()?;
        Ok(EqualizedFrame { frame: frame.frame, grouping: frame.grouping, users })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grouping;
    use crate::channel::{FadingModel, Phases, block_fade};
    use crate::frame::{Destination, Phase};
    use crate::rng::{Purpose, RngKey, complex_normal};

    fn slot(symbols: Vec<Complex32>, csi: Vec<Complex32>, noise_variance: f32) -> ReceivedSlot {
        ReceivedSlot {
            destination: Destination::User(0),
            phase: Phase::Private,
            symbols,
            csi,
            noise_variance,
        }
    }

    fn samples(frame: u64, variance: f32, len: usize) -> Vec<Complex32> {
        complex_normal(&mut RngKey::new(40).stream(Purpose::NoisePrivate, frame, 0), variance, len)
    }

    fn error_power(estimates: &[Complex32], sent: &[Complex32]) -> f64 {
        estimates.iter().zip(sent).map(|(a, b)| f64::from((a - b).norm_sqr())).sum::<f64>()
            / sent.len() as f64
    }

    #[test]
    fn without_noise_zf_and_mmse_return_what_was_sent() {
        let sent = samples(0, 1.0, 64);
        for csi in [samples(1, 1.0, 1), samples(2, 1.0, 64)] {
            let received: Vec<_> = sent.iter().zip(csi.iter().cycle()).map(|(x, h)| h * x).collect();
            for equalizer in [Equalizer::Zf, Equalizer::Mmse] {
                let equalized = equalizer.equalize(slot(received.clone(), csi.clone(), 0.0)).unwrap();
                assert!(error_power(&equalized.symbols, &sent) < 1e-10, "{equalizer:?}");
            }
            let untouched = Equalizer::None.equalize(slot(received.clone(), csi, 0.0)).unwrap();
            assert_eq!(untouched.symbols, received);
        }
    }

    #[test]
    fn mmse_error_is_the_closed_form_and_the_least_of_all() {
        // 100,000 symbols per fade: the relative standard error of the mean is 0.32 %; 4 sigma.
        let (len, noise) = (100_000, 0.25);
        for fade in 0..3 {
            let sent = samples(10 * fade, 1.0, len);
            let h = samples(10 * fade + 1, 1.0, 1)[0];
            let received: Vec<_> =
                sent.iter().zip(samples(10 * fade + 2, noise, len)).map(|(x, n)| h * x + n).collect();
            let error = |equalizer: Equalizer| {
                let slot = equalizer.equalize(slot(received.clone(), vec![h], noise)).unwrap();
                (error_power(&slot.symbols, &sent), f64::from(slot.snr))
            };
            let (mmse, snr) = error(Equalizer::Mmse);
            assert!((snr / f64::from(h.norm_sqr() / noise) - 1.0).abs() < 1e-5);
            assert!((mmse * (1.0 + snr) - 1.0).abs() < 0.013, "{mmse} at snr {snr}");
            let (zf, _) = error(Equalizer::Zf);
            assert!((zf * snr - 1.0).abs() < 0.013, "{zf} at snr {snr}");
            assert!(mmse < zf && mmse < error(Equalizer::None).0);
        }
    }

    #[test]
    fn reported_snr_predicts_the_error_over_changing_fades() {
        // As above, but every symbol fades on its own: error 1 / (1 + s); |x| and |h| both vary,
        // so the relative standard error is somewhat larger: 0.5 %; 4 sigma.
        let (len, noise) = (100_000, 0.1);
        let (sent, csi) = (samples(50, 1.0, len), samples(51, 1.0, len));
        let products = sent.iter().zip(&csi).map(|(x, h)| h * x);
        let received = products.zip(samples(52, noise, len)).map(|(x, n)| x + n).collect();
        let slot = Equalizer::Mmse.equalize(slot(received, csi, noise)).unwrap();
        let error = error_power(&slot.symbols, &sent);
        assert!((error * f64::from(1.0 + slot.snr) - 1.0).abs() < 0.02, "{error}, snr {}", slot.snr);
    }

    #[test]
    fn mean_snr_over_a_million_fades_is_the_channel_snr() {
        // Standard error 0.0043 dB for Rayleigh block fading.
        let (noise, key) = (0.05, RngKey::new(41));
        let fade =
            |frame, user| block_fade(key, FadingModel::Rayleigh, Phases::Shared, frame, user, Phase::Private);
        let sum = (0..20_000u64).flat_map(|frame| (0..50).map(move |user| (frame, user)));
        let sum: f64 = sum.map(|(frame, user)| f64::from(effective_snr(&[fade(frame, user)], noise))).sum();
        let mean_db = 10.0 * (sum / 1e6).log10();
        assert!((mean_db - 10.0 * 20f64.log10()).abs() < 0.05, "{mean_db} dB");
    }

    #[test]
    fn deep_fades_give_zeros_not_nan() {
        for h in [Complex32::ZERO, Complex32::new(1e-30, -1e-30)] {
            for equalizer in [Equalizer::Zf, Equalizer::Mmse] {
                for noise in [0.0, 0.1] {
                    let equalized =
                        equalizer.equalize(slot(vec![Complex32::ONE; 2], vec![h], noise)).unwrap();
                    assert!(equalized.symbols.iter().all(|x| x.norm() < 1e-6), "{equalizer:?} {h} {noise}");
                    assert!(equalized.snr.is_finite());
                }
            }
        }
    }

    #[test]
    fn frames_keep_their_form_and_bad_slots_are_refused() {
        let frame = |slots| ReceivedFrame { frame: 2, grouping: Grouping::singletons(1), users: vec![slots] };
        let good = slot(vec![Complex32::ONE; 3], vec![Complex32::I], 0.1);
        let out = Equalizer::Zf.process(frame(vec![good.clone(), good])).unwrap();
        assert_eq!((out.frame, out.users[0].len()), (2, 2));
        assert_eq!(out.users[0][0].symbols, [-Complex32::I; 3]);
        let error = |csi, noise| {
            let bad = slot(vec![Complex32::ONE; 3], vec![Complex32::ONE; csi], noise);
            Equalizer::Mmse.process(frame(vec![bad])).unwrap_err().to_string()
        };
        assert!(error(2, 0.1).contains("expected 1 or 3, found 2"));
        assert!(error(0, 0.1).contains("found 0"));
        assert!(error(1, f32::NAN).contains("NaN"));
        assert!(error(1, -1.0).contains("at least 0"));
    }
}
