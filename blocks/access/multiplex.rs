//! Multiplexing: every vector on channel uses of its own, or all vectors of a phase at once.

use super::power_norm::energy;
use crate::frame::{Destination, Phase, Slot, SymbolFrame};
use crate::kernel::FrameKernel;
use crate::{BlockError, Grouping, Result};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

/// How vectors share the channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Each vector has channel uses of its own.
    #[default]
    Orthogonal,
    /// All groups' common vectors at once, then all users' private vectors at once: eqs. 4 and 5 of the
    /// group-splitting paper, interference included.
    Superposed,
}

/// Shares the channel among the vectors of a frame.
///
/// Orthogonal frames pass as they are. Superposed, the M vectors of a phase become one slot to all users:
///
/// ```text
/// a (v_1 + ... + v_M), M times over, with a such that M a^2 |v_1 + ... + v_M|^2 = |v_1|^2 + ... + |v_M|^2
/// ```
/// M vectors of n uses thus still take M n uses, and exactly as much energy (measure both with [`total_uses`]
/// and [`total_energy`]); a is 1 / sqrt(M) where they are uncorrelated, less where they add up, more where
/// they cancel. The receiver
/// averages the repeats and scales by sqrt(M): noise is back at its orthogonal power, and the M - 1 other
/// vectors remain as interference. Vectors that add up to nothing are sent as nothing.
/// Vectors shorter than the longest of their phase are padded with zeros.
#[derive(Clone, Copy, Debug)]
pub struct Multiplexer {
    access: Access,
}

impl Multiplexer {
    /// A multiplexer for one kind of access; [`super::Demultiplexer`] undoes it.
    pub fn new(access: Access) -> Self {
        Self { access }
    }
}

impl FrameKernel for Multiplexer {
    type In = SymbolFrame;
    type Out = SymbolFrame;

    fn process(&mut self, frame: SymbolFrame) -> Result<SymbolFrame> {
        if self.access == Access::Orthogonal {
            return Ok(frame);
        }
        let mut slots = vec![];
        for phase in [Phase::Common, Phase::Private] {
            let of_phase: Vec<&Slot> = frame.slots.iter().filter(|slot| slot.phase == phase).collect();
            let expected = num_vectors(&frame.grouping, phase);
            if of_phase.is_empty() {
                continue;
            }
            if of_phase.len() != expected {
                return Err(BlockError::shape("slots to superpose in one phase", expected, of_phase.len()));
            }
            slots.push(superpose(&of_phase, phase));
        }
        Ok(SymbolFrame { slots, ..frame })
    }
}

/// Vectors that one phase superposes: what the receiver knows from the grouping.
pub(super) fn num_vectors(grouping: &Grouping, phase: Phase) -> usize {
    match phase {
        Phase::Common => grouping.sizes().into_iter().filter(|size| *size > 0).count(),
        Phase::Private => grouping.num_users(),
    }
}

fn superpose(vectors: &[&Slot], phase: Phase) -> Slot {
    let longest = vectors.iter().map(|slot| slot.symbols.len()).max().unwrap_or(0);
    let mut sum = vec![Complex32::default(); longest];
    for slot in vectors {
        sum.iter_mut().zip(&slot.symbols).for_each(|(total, symbol)| *total += symbol);
    }
    let wanted: f64 = vectors.iter().map(|slot| energy(&slot.symbols)).sum();
    let found = energy(&sum) * vectors.len() as f64;
    let scale = if found > CANCELLED * wanted { (wanted / found).sqrt() as f32 } else { 0.0 };
    sum.iter_mut().for_each(|symbol| *symbol *= scale);
    Slot { destination: Destination::All, phase, symbols: sum.repeat(vectors.len()) }
}

/// A sum of less energy, relative to that of its vectors, is rounding.
const CANCELLED: f64 = 1e-12;

/// Complex channel uses of a frame.
pub fn total_uses(frame: &SymbolFrame) -> usize {
    frame.slots.iter().map(|slot| slot.symbols.len()).sum()
}

/// Energy of a frame: the sum of |x|^2 over all it sends.
pub fn total_energy(frame: &SymbolFrame) -> f64 {
    frame.slots.iter().map(|slot| energy(&slot.symbols)).sum()
}

#[cfg(test)]
mod tests {
    use super::super::PowerNorm;
    use super::*;
    use crate::rng::{Purpose, RngKey, complex_normal};

    fn slot(destination: Destination, phase: Phase, symbols: &[f32]) -> Slot {
        let symbols = symbols.iter().map(|value| Complex32::new(*value, -value)).collect();
        Slot { destination, phase, symbols }
    }

    fn frame() -> SymbolFrame {
        SymbolFrame {
            frame: 5,
            grouping: Grouping::new(vec![2, 0, 2, 0], 3).unwrap(),
            slots: vec![
                slot(Destination::Group(0), Phase::Common, &[1.0, 2.0]),
                slot(Destination::Group(2), Phase::Common, &[4.0, -2.0]),
                slot(Destination::User(0), Phase::Private, &[1.0, 0.0, 8.0]),
                slot(Destination::User(1), Phase::Private, &[2.0, 0.0, 8.0]),
                slot(Destination::User(2), Phase::Private, &[3.0]),
                slot(Destination::User(3), Phase::Private, &[4.0, 6.0, 8.0]),
            ],
        }
    }

    #[test]
    fn orthogonal_passes() {
        assert_eq!(Multiplexer::new(Access::Orthogonal).process(frame()).unwrap(), frame());
        assert_eq!(total_uses(&frame()), 14);
        assert_eq!(total_energy(&frame()), 2.0 * (25.0 + 65.0 + 68.0 + 9.0 + 116.0));
    }

    #[test]
    fn superposed_is_the_scaled_sum_repeated() {
        let sent = Multiplexer::new(Access::Superposed).process(frame()).unwrap();
        assert_eq!((sent.frame, sent.slots.len()), (5, 2));
        // Energies, halved: 5 + 20 of vectors whose sum has 25, sent twice; 258 whose sum has 712, sent four times.
        let scaled = |values: &[f32], scale: f32| values.iter().map(|v| v * scale).collect::<Vec<_>>();
        let common = scaled(&[5.0, 0.0].repeat(2), (25f32 / 50.0).sqrt());
        assert_eq!(sent.slots[0], slot(Destination::All, Phase::Common, &common));
        let private = scaled(&[10.0, 6.0, 24.0].repeat(4), (258f32 / (4.0 * 712.0)).sqrt());
        assert_eq!(sent.slots[1], slot(Destination::All, Phase::Private, &private));
        let nothing = [1.0, -1.0].map(|v| slot(Destination::User(0), Phase::Private, &[v]));
        assert_eq!(superpose(&nothing.each_ref(), Phase::Private).symbols, [Complex32::default(); 2]);
    }

    #[test]
    fn uses_and_energy_are_equal_however_alike_the_vectors_are() {
        let grouping = Grouping::new((0..50).map(|user| user % 10).collect(), 10).unwrap();
        let key = RngKey::new(8);
        for alike in [0.0, 0.5, 1.0] {
            let vector = |destination, phase, index| {
                let draw = |of| complex_normal(&mut key.stream(Purpose::Scene, phase as u64, of), 1.0, 2000);
                let (all, own) = (draw(99), draw(index));
                let symbols =
                    all.iter().zip(own).map(|(all, own)| all * alike + own * (1.0 - alike)).collect();
                Slot { destination, phase, symbols }
            };
            let common = (0..10).map(|group| vector(Destination::Group(group), Phase::Common, group));
            let private = (0..50).map(|user| vector(Destination::User(user), Phase::Private, user));
            let slots = common.chain(private).collect();
            let frame = SymbolFrame { frame: 0, grouping: grouping.clone(), slots };
            let orthogonal = PowerNorm.process(frame).unwrap();
            let superposed = Multiplexer::new(Access::Superposed).process(orthogonal.clone()).unwrap();
            assert_eq!(total_uses(&orthogonal), total_uses(&superposed));
            let ratio = total_energy(&superposed) / total_energy(&orthogonal);
            assert!((ratio - 1.0).abs() < 1e-5, "{alike}: {ratio}");
        }
    }

    #[test]
    fn a_missing_vector_is_noticed() {
        let mut short = frame();
        short.slots.pop();
        let error = Multiplexer::new(Access::Superposed).process(short).unwrap_err().to_string();
        assert!(error.contains("expected 4, found 3"), "{error}");
        let mut silent = frame();
        silent.slots.clear();
        assert!(Multiplexer::new(Access::Superposed).process(silent).unwrap().slots.is_empty());
    }
}
