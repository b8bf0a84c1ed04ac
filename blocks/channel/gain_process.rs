//! What fades do to symbols: turn and scale them, scale them alone, or scale I and Q apart.
//!
//! | form | heard | coefficients |
//! |---|---|---|
//! | `Complex` | h x | [`FadeProcess`] of the user |
//! | `Magnitude` | abs(h) x | the same |
//! | `BatchRails` | g0 I + j g1 Q | two real gains for all users of a frame |
//! | `BatchHalves` | g0 on the first half of the vector, g1 on the second | two real gains for all users of a frame |
//!
//! The last three are no channel that a radio meets; they are how some published results were made, see
//! [`super::Profile`].

use super::fade_process::{FadeProcess, UserFades};
use super::fading_model::FadingModel;
use crate::Result;
use crate::frame::Phase;
use crate::rng::{Purpose, RngKey, complex_normal};
use num_complex::Complex32;

/// What a fading coefficient does to a symbol x = I + j Q.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GainForm {
    /// h x: amplitude and phase.
    #[default]
    Complex,
    /// |h| x: no phase.
    Magnitude,
    /// A real gain on I and another on Q, sqrt(K / (K + 1)) + N(0, 1 / 2) / sqrt(K + 1) each. Rayleigh is K = 0.
    BatchRails,
    /// A real gain on the first half of a vector's real values and another on the second, N(0, 1) each.
    BatchHalves,
}

/// What makes the gains of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GainProcess {
    /// What makes the coefficients; of batch gains only the model counts.
    pub fades: FadeProcess,
    /// What they do to a symbol.
    pub form: GainForm,
    /// Whether receivers know them. Batch gains are no complex coefficient, so they never do.
    pub is_known: bool,
}

/// The gains of one user in one frame.
#[derive(Clone, Debug)]
pub struct UserGains {
    process: GainProcess,
    fades: UserFades,
    batch: [f32; 2],
}

impl From<FadeProcess> for GainProcess {
    /// Complex fades that the receiver knows.
    fn from(fades: FadeProcess) -> Self {
        Self { fades, form: GainForm::Complex, is_known: true }
    }
}

impl GainProcess {
    /// Checks what makes the coefficients.
    pub fn check(&self) -> Result<()> {
        self.fades.check()
    }

    /// The gains of one user in one frame.
    pub fn of_user(self, key: RngKey, frame: u64, user: usize) -> UserGains {
        let batch = match self.form {
            GainForm::Complex | GainForm::Magnitude => [1.0; 2],
            form => batch_gains(key, form, self.fades.model, frame),
        };
        UserGains { process: self, fades: self.fades.of_user(key, frame, user), batch }
    }
}

impl GainForm {
    /// Mean over fading of received power, the sent power being 1 and equal on I and Q.
    pub fn mean_power(self, model: FadingModel) -> f32 {
        let (mean, variance) = model.mean_and_variance();
        match self {
            Self::Complex | Self::Magnitude | Self::BatchHalves => mean * mean + variance,
            Self::BatchRails => mean * mean + variance / 2.0,
        }
    }
}

impl UserGains {
    /// One slot as the user hears it without noise, and what it knows of the gains.
    ///
    /// - start: channel uses of the frame sent before the slot, as for [`UserFades::slot`]
    /// - returns: symbols `[n]`; csi, one value or `[n]`, 1 where the receiver knows nothing
    pub fn hear(
        &mut self,
        phase: Phase,
        start: usize,
        sent: &[Complex32],
    ) -> (Vec<Complex32>, Vec<Complex32>) {
        let GainProcess { form, is_known, .. } = self.process;
        let (heard, known) = match form {
            GainForm::BatchRails => (over_rails(sent, self.batch), None),
            GainForm::BatchHalves => (over_halves(sent, self.batch), None),
            GainForm::Complex | GainForm::Magnitude => {
                let mut fades = self.fades.slot(phase, start, sent.len());
                if form == GainForm::Magnitude {
                    fades.iter_mut().for_each(|h| *h = Complex32::new(h.norm(), 0.0));
                }
                let heard = sent.iter().zip(fades.iter().cycle()).map(|(x, h)| h * x).collect();
                (heard, is_known.then_some(fades))
            }
        };
        (heard, known.unwrap_or_else(|| vec![Complex32::ONE]))
    }
}

/// The two real gains that all users of a frame share, on both phases.
///
/// - depends on nothing but the arguments: every SNR, link and user meets the same
/// - `Complex` and `Magnitude` forms have none: 1 and 1
pub fn batch_gains(key: RngKey, form: GainForm, model: FadingModel, frame: u64) -> [f32; 2] {
    let (mean, variance) = model.mean_and_variance();
    let scale = match form {
        GainForm::Complex | GainForm::Magnitude => return [1.0; 2],
        // A part of CN(0, 1) has variance 1/2: enough for rails, half of what halves have.
        GainForm::BatchRails => variance.sqrt(),
        GainForm::BatchHalves => (2.0 * variance).sqrt(),
    };
    let diffuse = complex_normal(&mut key.stream(Purpose::BatchFading, frame, 0), 1.0, 1)[0];
    [diffuse.re, diffuse.im].map(|part| mean + scale * part)
}

/// g0 I + j g1 Q.
fn over_rails(sent: &[Complex32], [first, second]: [f32; 2]) -> Vec<Complex32> {
    sent.iter().map(|x| Complex32::new(first * x.re, second * x.im)).collect()
}

/// g0 on the first half of the values I, Q, I, Q, ..., g1 on the second: where the number of symbols is odd,
/// the border runs through the middle one.
fn over_halves(sent: &[Complex32], [first, second]: [f32; 2]) -> Vec<Complex32> {
    let half = sent.len();
    let gain = |place: usize| if place < half { first } else { second };
    let scaled = |(n, x): (usize, &Complex32)| Complex32::new(gain(2 * n) * x.re, gain(2 * n + 1) * x.im);
    sent.iter().enumerate().map(scaled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Phases;
    use crate::channel::{Variation, block_fade};

    const KEY: RngKey = RngKey::new(61);

    fn process(form: GainForm, model: FadingModel, is_known: bool) -> GainProcess {
        GainProcess { fades: FadeProcess::block(model), form, is_known }
    }

    fn ones(len: usize) -> Vec<Complex32> {
        vec![Complex32::new(1.0, 1.0); len]
    }

    fn heard(process: GainProcess, frame: u64, user: usize, len: usize) -> Vec<Complex32> {
        process.of_user(KEY, frame, user).hear(Phase::Private, 0, &ones(len)).0
    }

    #[test]
    fn complex_gains_are_the_fades_and_known() {
        let process = GainProcess::from(FadeProcess::block(FadingModel::Rayleigh));
        let (symbols, csi) = process.of_user(KEY, 3, 5).hear(Phase::Private, 0, &ones(4));
        let h = block_fade(KEY, FadingModel::Rayleigh, Phases::Shared, 3, 5, Phase::Private);
        assert_eq!((csi, symbols), (vec![h], vec![h * ones(1)[0]; 4]));
        let hidden = GainProcess { is_known: false, ..process };
        assert_eq!(hidden.of_user(KEY, 3, 5).hear(Phase::Private, 0, &ones(4)).1, [Complex32::ONE]);
    }

    #[test]
    fn magnitudes_do_not_turn() {
        let rician = FadingModel::Rician { k_factor: 1.0 };
        let (symbols, csi) =
            process(GainForm::Magnitude, rician, true).of_user(KEY, 3, 5).hear(Phase::Common, 0, &ones(2));
        let h = block_fade(KEY, rician, Phases::Shared, 3, 5, Phase::Common);
        assert_eq!(csi, [Complex32::new(h.norm(), 0.0)]);
        assert!(symbols.iter().all(|y| y.re == h.norm() && y.im == h.norm()));
    }

    #[test]
    fn batch_gains_are_shared_by_users_and_phases_and_new_in_every_frame() {
        for form in [GainForm::BatchRails, GainForm::BatchHalves] {
            let process = process(form, FadingModel::Rayleigh, false);
            assert_eq!(heard(process, 2, 0, 6), heard(process, 2, 9, 6), "{form:?}");
            assert_ne!(heard(process, 2, 0, 6), heard(process, 3, 0, 6), "{form:?}");
            let (common, csi) = process.of_user(KEY, 2, 0).hear(Phase::Common, 40, &ones(6));
            assert_eq!((common, csi), (heard(process, 2, 0, 6), vec![Complex32::ONE]));
            let [g0, g1] = batch_gains(KEY, form, FadingModel::Rayleigh, 2);
            assert_ne!(g0, g1);
        }
    }

    #[test]
    fn rails_have_a_gain_for_i_and_one_for_q() {
        let rician = FadingModel::Rician { k_factor: 2.0 };
        let [g0, g1] = batch_gains(KEY, GainForm::BatchRails, rician, 1);
        assert_eq!(heard(process(GainForm::BatchRails, rician, false), 1, 0, 3), [Complex32::new(g0, g1); 3]);
    }

    #[test]
    fn halves_part_in_the_middle_of_the_real_values() {
        let process = process(GainForm::BatchHalves, FadingModel::Rayleigh, false);
        let [g0, g1] = batch_gains(KEY, GainForm::BatchHalves, FadingModel::Rayleigh, 1);
        let [first, second] = [g0, g1].map(|gain| Complex32::new(gain, gain));
        assert_eq!(heard(process, 1, 0, 4), [first, first, second, second]);
        assert_eq!(heard(process, 1, 0, 3), [first, Complex32::new(g0, g1), second]);
        assert!(heard(process, 1, 0, 0).is_empty());
    }

    #[test]
    fn batch_gains_have_the_stated_power_and_no_correlation() {
        // 40,000 frames: a squared normal gain has a relative standard error of 0.71 %, the mean product of
        // two one of 0.5 %; 4 sigma.
        let rician = FadingModel::Rician { k_factor: 2.0 };
        for (form, model) in [
            (GainForm::BatchHalves, FadingModel::Rayleigh),
            (GainForm::BatchRails, FadingModel::Rayleigh),
            (GainForm::BatchRails, rician),
        ] {
            let gains: Vec<_> = (0..40_000).map(|frame| batch_gains(KEY, form, model, frame)).collect();
            let mean = |of: &dyn Fn(&[f32; 2]) -> f32| {
                gains.iter().map(|pair| f64::from(of(pair))).sum::<f64>() / gains.len() as f64
            };
            let power = f64::from(form.mean_power(model));
            for part in [0, 1] {
                let ratio = mean(&|pair| pair[part] * pair[part]) / power;
                assert!((ratio - 1.0).abs() < 0.029, "{form:?} {model:?}: {ratio}");
            }
            let (mu, _) = model.mean_and_variance();
            assert!(mean(&|pair| (pair[0] - mu) * (pair[1] - mu)).abs() < 0.02, "{form:?} {model:?}");
        }
    }

    #[test]
    fn without_fading_every_form_passes_symbols() {
        for form in [GainForm::Complex, GainForm::Magnitude, GainForm::BatchRails, GainForm::BatchHalves] {
            let mut per_symbol = process(form, FadingModel::Awgn, true);
            per_symbol.fades.variation = Variation::PerSymbol;
            let (symbols, csi) = per_symbol.of_user(KEY, 0, 0).hear(Phase::Private, 0, &ones(3));
            assert_eq!((symbols, csi), (ones(3), vec![Complex32::ONE]), "{form:?}");
            assert_eq!(form.mean_power(FadingModel::Awgn), 1.0);
        }
    }
}
