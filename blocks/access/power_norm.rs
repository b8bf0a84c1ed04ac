//! Power normalisation: every transmitted vector gets unit average power per channel use.

use crate::frame::{Destination, Phase, Slot, SymbolFrame};
use crate::kernel::FrameKernel;
use crate::{BlockError, Result};
use num_complex::Complex32;

/// Scales every slot to unit average power over its n channel uses: x = sqrt(n) v / |v|.
///
/// - errors: a vector of zeros, NaN or infinity, naming the user or group
#[derive(Clone, Copy, Debug, Default)]
pub struct PowerNorm;

impl FrameKernel for PowerNorm {
    type In = SymbolFrame;
    type Out = SymbolFrame;

    fn process(&mut self, mut frame: SymbolFrame) -> Result<SymbolFrame> {
        frame.slots.iter_mut().try_for_each(normalize)?;
        Ok(frame)
    }
}

fn normalize(slot: &mut Slot) -> Result<()> {
    if let Some((position, symbol)) = slot.symbols.iter().enumerate().find(|(_, symbol)| !symbol.is_finite())
    {
        let value = if symbol.re.is_finite() { symbol.im } else { symbol.re };
        return Err(BlockError::NotFinite { what: kind(slot), who: name(slot.destination), position, value });
    }
    // Squares of f32 values neither overflow nor vanish in f64.
    let power = mean_power(&slot.symbols);
    if power == 0.0 {
        let len = slot.symbols.len();
        return Err(BlockError::Silent { what: kind(slot), who: name(slot.destination), len });
    }
    let gain = 1.0 / power.sqrt();
    let scaled = |value: f32| (f64::from(value) * gain) as f32;
    slot.symbols.iter_mut().for_each(|symbol| *symbol = Complex32::new(scaled(symbol.re), scaled(symbol.im)));
    Ok(())
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
}
