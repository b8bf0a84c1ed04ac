//! Power normalisation: unit average power per channel use, of every transmitted vector or of a whole frame.

use crate::frame::{Destination, Phase, Slot, SymbolFrame};
use crate::kernel::FrameKernel;
use crate::{BlockError, Result};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

/// Over what the average power is 1.
///
/// - errors: NaN or infinity, and zeros in all that is averaged over, naming the user or group
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// Every slot over its own n channel uses: x = sqrt(n) v / |v|.
    #[default]
    Vector,
    /// All slots of a frame over all their channel uses, with one factor: images of a batch keep their
    /// powers relative to each other, and a silent one stays silent.
    Batch,
}

/// [`Normalization::Vector`]: scales every slot to unit average power.
#[derive(Clone, Copy, Debug, Default)]
pub struct PowerNorm;

impl FrameKernel for PowerNorm {
    type In = SymbolFrame;
    type Out = SymbolFrame;

    fn process(&mut self, frame: SymbolFrame) -> Result<SymbolFrame> {
        Normalization::Vector.process(frame)
    }
}

impl FrameKernel for Normalization {
    type In = SymbolFrame;
    type Out = SymbolFrame;

    fn process(&mut self, mut frame: SymbolFrame) -> Result<SymbolFrame> {
        match self {
            Self::Vector => frame.slots.iter_mut().try_for_each(normalize)?,
            Self::Batch => normalize_all(&mut frame.slots)?,
        }
        Ok(frame)
    }
}

fn normalize(slot: &mut Slot) -> Result<()> {
    check_finite(slot)?;
    // Squares of f32 values neither overflow nor vanish in f64.
    let power = mean_power(&slot.symbols);
    if power == 0.0 {
        let len = slot.symbols.len();
        return Err(BlockError::Silent { what: kind(slot), who: name(slot.destination), len });
    }
    scale(slot, 1.0 / power.sqrt());
    Ok(())
}

fn normalize_all(slots: &mut [Slot]) -> Result<()> {
    slots.iter().try_for_each(check_finite)?;
    let len: usize = slots.iter().map(|slot| slot.symbols.len()).sum();
    let energy: f64 = slots.iter().map(|slot| energy(&slot.symbols)).sum();
    if energy == 0.0 && !slots.is_empty() {
        return Err(BlockError::Silent { what: "batch", who: name(Destination::All), len });
    }
    let gain = (len as f64 / energy).sqrt();
    slots.iter_mut().for_each(|slot| scale(slot, gain));
    Ok(())
}

fn check_finite(slot: &Slot) -> Result<()> {
    let Some((position, symbol)) = slot.symbols.iter().enumerate().find(|(_, symbol)| !symbol.is_finite())
    else {
        return Ok(());
    };
    let value = if symbol.re.is_finite() { symbol.im } else { symbol.re };
    Err(BlockError::NotFinite { what: kind(slot), who: name(slot.destination), position, value })
}

fn scale(slot: &mut Slot, gain: f64) {
    let scaled = |value: f32| (f64::from(value) * gain) as f32;
    slot.symbols.iter_mut().for_each(|symbol| *symbol = Complex32::new(scaled(symbol.re), scaled(symbol.im)));
}

/// Mean of |x|^2, 0 for an empty slice.
pub fn mean_power(symbols: &[Complex32]) -> f64 {
    energy(symbols) / symbols.len().max(1) as f64
}

/// Sum of |x|^2.
pub fn energy(symbols: &[Complex32]) -> f64 {
    symbols.iter().map(|symbol| f64::from(symbol.re).powi(2) + f64::from(symbol.im).powi(2)).sum()
}

fn kind(slot: &Slot) -> &'static str {
    match slot.phase {
        Phase::Common => "common vector",
        Phase::Private => "private vector",
    }
}

fn name(destination: Destination) -> String {
    match destination {
        Destination::User(user) => format!("user {user}"),
        Destination::Group(group) => format!("group {group}"),
        Destination::All => "all users".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grouping;

    fn frame(private: Vec<Complex32>) -> SymbolFrame {
        let common = vec![Complex32::new(3.0, 4.0), Complex32::new(0.0, 0.0)];
        SymbolFrame {
            frame: 0,
            grouping: Grouping::new(vec![1], 2).unwrap(),
            slots: vec![
                Slot { destination: Destination::Group(1), phase: Phase::Common, symbols: common },
                Slot { destination: Destination::User(0), phase: Phase::Private, symbols: private },
            ],
        }
    }

    #[test]
    fn every_slot_gets_unit_power_and_keeps_its_direction() {
        for scale in [1e-44, 1e-20, 1.0, 1e38] {
            let private = vec![Complex32::new(scale, -scale), Complex32::new(scale, 0.0)];
            let normed = PowerNorm.process(frame(private)).unwrap();
            let common = &normed.slots[0].symbols;
            assert!((common[0] - Complex32::new(3.0, 4.0) * (2f32.sqrt() / 5.0)).norm() < 1e-6);
            let private = &normed.slots[1].symbols;
            assert!((mean_power(private) - 1.0).abs() < 1e-6);
            assert!((private[0].re + private[0].im).abs() < 1e-6 && private[1].im == 0.0);
        }
    }

    #[test]
    fn silence_and_what_is_not_finite_are_named() {
        let error = |private| PowerNorm.process(frame(private)).unwrap_err().to_string();
        assert_eq!(
            error(vec![Complex32::default(); 3]),
            "the private vector of user 0 is silent: all 3 values are zero"
        );
        assert!(error(vec![]).contains("silent"));
        let nan = error(vec![Complex32::new(1.0, 0.0), Complex32::new(0.0, f32::NAN)]);
        assert!(nan.contains("private vector of user 0 holds NaN at position 1"), "{nan}");
        let mut group = frame(vec![Complex32::new(1.0, 0.0)]);
        group.slots[0].symbols[0].re = f32::INFINITY;
        assert!(
            PowerNorm.process(group).unwrap_err().to_string().contains("common vector of group 1 holds inf")
        );
    }

    #[test]
    fn a_batch_has_unit_power_and_its_vectors_keep_their_ratio() {
        let private = vec![Complex32::new(1.0, -1.0); 6];
        let normed = Normalization::Batch.process(frame(private)).unwrap();
        let [common, private] = [0, 1].map(|slot| &normed.slots[slot].symbols);
        // 25 and 0, then six times 2: mean 37 / 8.
        assert!((energy(common) + energy(private) - 8.0).abs() < 1e-5);
        assert!((energy(common) / energy(private) - 25.0 / 12.0).abs() < 1e-5);
        assert!((private[3] - Complex32::new(1.0, -1.0) * (8.0f32 / 37.0).sqrt()).norm() < 1e-6);
    }

    #[test]
    fn a_batch_bears_a_silent_vector_but_no_silent_batch() {
        let normed = Normalization::Batch.process(frame(vec![Complex32::ZERO; 2])).unwrap();
        assert_eq!(normed.slots[1].symbols, [Complex32::ZERO; 2]);
        let mut silent = frame(vec![Complex32::ZERO; 2]);
        silent.slots[0].symbols.fill(Complex32::ZERO);
        let error = Normalization::Batch.process(silent).unwrap_err().to_string();
        assert_eq!(error, "the batch of all users is silent: all 4 values are zero");
        let nan = frame(vec![Complex32::new(f32::NAN, 0.0)]);
        assert!(Normalization::Batch.process(nan).unwrap_err().to_string().contains("user 0 holds NaN"));
        let nothing = SymbolFrame { slots: vec![], ..frame(vec![]) };
        assert!(Normalization::Batch.process(nothing).unwrap().slots.is_empty());
    }
}
