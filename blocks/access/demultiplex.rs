//! Demultiplexing: what each user takes from a superposed frame as its own.

use super::Access;
use super::multiplex::num_vectors;
use crate::frame::{Destination, EqualizedFrame, EqualizedSlot, Phase};
use crate::kernel::FrameKernel;
use crate::{BlockError, Grouping, Result};
use num_complex::Complex32;

/// Undoes [`super::Multiplexer`] for every user.
///
/// Orthogonal frames pass. Of a superposed slot with M vectors the M repeats are averaged and scaled by
/// sqrt(M), and the slot becomes the user's own or its group's. Its symbols are the wanted vector plus the
/// M - 1 others plus noise of the power it has in orthogonal access, so its SNR becomes the signal to
/// interference and noise ratio 1 / (M - 1 + 1 / SNR), all vectors having unit power and nothing in common.
#[derive(Clone, Copy, Debug)]
pub struct Demultiplexer {
    access: Access,
}

impl Demultiplexer {
    /// A demultiplexer for one kind of access.
    pub fn new(access: Access) -> Self {
        Self { access }
    }
}

impl FrameKernel for Demultiplexer {
    type In = EqualizedFrame;
    type Out = EqualizedFrame;

    fn process(&mut self, mut frame: EqualizedFrame) -> Result<EqualizedFrame> {
        if self.access == Access::Orthogonal {
            return Ok(frame);
        }
        if frame.users.len() != frame.grouping.num_users() {
            return Err(BlockError::shape(
                "users of a received frame",
                frame.grouping.num_users(),
                frame.users.len(),
            ));
        }
        for (user, slots) in frame.users.iter_mut().enumerate() {
            slots.iter_mut().try_for_each(|slot| take_own(slot, user, &frame.grouping))?;
        }
        Ok(frame)
    }
}

fn take_own(slot: &mut EqualizedSlot, user: usize, grouping: &Grouping) -> Result<()> {
    if slot.destination != Destination::All {
        let found = format!("{:?}", slot.destination);
        return Err(BlockError::shape("destination of a superposed slot", "All", found));
    }
    let num_vectors = num_vectors(grouping, slot.phase);
    if !slot.symbols.len().is_multiple_of(num_vectors) {
        let expected = format!("a multiple of the {num_vectors} vectors");
        return Err(BlockError::shape("symbols of a superposed slot", expected, slot.symbols.len()));
    }
    slot.symbols = average_of_repeats(&slot.symbols, num_vectors);
    slot.snr = with_interference(slot.snr, num_vectors);
    slot.destination = match slot.phase {
        Phase::Common => Destination::Group(grouping.group_of(user)),
        Phase::Private => Destination::User(user),
    };
    Ok(())
}

/// The mean of the repeats, times the square root of their number.
fn average_of_repeats(symbols: &[Complex32], num_repeats: usize) -> Vec<Complex32> {
    let len = symbols.len() / num_repeats;
    let mut sum = vec![Complex32::default(); len];
    for repeat in symbols.chunks_exact(len.max(1)) {
        sum.iter_mut().zip(repeat).for_each(|(total, symbol)| *total += symbol);
    }
    let scale = 1.0 / (num_repeats as f32).sqrt();
    sum.iter_mut().for_each(|symbol| *symbol *= scale);
    sum
}

/// Signal to interference and noise ratio beside `num_vectors - 1` others of equal power.
fn with_interference(snr: f32, num_vectors: usize) -> f32 {
    if snr > 0.0 { 1.0 / ((num_vectors as f32 - 1.0) + 1.0 / snr) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::Multiplexer;
    use super::*;
    use crate::frame::{Slot, SymbolFrame};
    use crate::rng::{Purpose, RngKey, complex_normal};

    const LEN: usize = 4000;

    fn sent() -> SymbolFrame {
        let key = RngKey::new(21);
        let vector = |destination, phase, index| Slot {
            destination,
            phase,
            symbols: complex_normal(&mut key.stream(Purpose::Scene, phase as u64, index), 1.0, LEN),
        };
        let common = [1, 3].map(|group| vector(Destination::Group(group), Phase::Common, group));
        let private = (0..5).map(|user| vector(Destination::User(user), Phase::Private, user));
        let grouping = Grouping::new(vec![3, 1, 3, 3, 1], 4).unwrap();
        SymbolFrame { frame: 1, grouping, slots: common.into_iter().chain(private).collect() }
    }

    /// What all users hear, each with its own noise.
    fn heard(frame: &SymbolFrame, noise_variance: f32) -> EqualizedFrame {
        let hears = |user: usize| {
            let mut rng = RngKey::new(22).stream(Purpose::NoisePrivate, 0, user);
            let mut slots = vec![];
            for slot in &frame.slots {
                let noise = complex_normal(&mut rng, noise_variance, slot.symbols.len());
                let symbols = slot.symbols.iter().zip(noise).map(|(symbol, noise)| symbol + noise).collect();
                let (destination, phase) = (slot.destination, slot.phase);
                slots.push(EqualizedSlot { destination, phase, symbols, snr: 1.0 / noise_variance });
            }
            slots
        };
        let users = (0..frame.grouping.num_users()).map(hears).collect();
        EqualizedFrame { frame: frame.frame, grouping: frame.grouping.clone(), users }
    }

    #[test]
    fn without_noise_every_user_gets_the_sum_under_its_own_name() {
        let sent = sent();
        let on_air = Multiplexer::new(Access::Superposed).process(sent.clone()).unwrap();
        let got = Demultiplexer::new(Access::Superposed).process(heard(&on_air, 1e-12)).unwrap();
        for (user, slots) in got.users.iter().enumerate() {
            assert_eq!(slots[0].destination, Destination::Group(sent.grouping.group_of(user)));
            assert_eq!(slots[1].destination, Destination::User(user));
            for ((slot, range), on_air) in slots.iter().zip([0..2, 2..7]).zip(&on_air.slots) {
                let scale = (on_air.symbols.len() as f64 / LEN as f64).sqrt() as f32;
                for (place, symbol) in slot.symbols.iter().enumerate() {
                    let sum: Complex32 = sent.slots[range.clone()].iter().map(|s| s.symbols[place]).sum();
                    assert!((symbol - on_air.symbols[place] * scale).norm() < 1e-3);
                    // The factor deviates from 1 by what independent vectors correlate: 4 sigma.
                    assert!((symbol - sum).norm() < 0.07 * sum.norm() + 1e-3, "{symbol} {sum}");
                }
            }
        }
    }

    #[test]
    fn the_reported_ratio_is_what_is_measured() {
        // 5 users x 4,000 symbols: the error power has a standard error below 0.8 %; 5 %.
        let sent = sent();
        let on_air = Multiplexer::new(Access::Superposed).process(sent.clone()).unwrap();
        let got = Demultiplexer::new(Access::Superposed).process(heard(&on_air, 0.5)).unwrap();
        let mut power = 0.0;
        for (user, slots) in got.users.iter().enumerate() {
            let own = &sent.slots[2 + user].symbols;
            power +=
                slots[1].symbols.iter().zip(own).map(|(y, x)| f64::from((y - x).norm_sqr())).sum::<f64>();
        }
        let measured = (5 * LEN) as f64 / power;
        // Four others and noise of variance 0.5.
        assert_eq!(got.users[0][1].snr, 1.0 / 4.5);
        assert!((measured * 4.5 - 1.0).abs() < 0.05, "{measured}");
        assert_eq!((with_interference(0.0, 3), with_interference(8.0, 1)), (0.0, 8.0));
    }

    #[test]
    fn orthogonal_passes_and_broken_frames_are_errors() {
        let frame = heard(&sent(), 0.1);
        assert_eq!(Demultiplexer::new(Access::Orthogonal).process(frame.clone()).unwrap(), frame);
        let error = |frame| Demultiplexer::new(Access::Superposed).process(frame).unwrap_err().to_string();
        assert!(error(frame).contains("expected All, found Group(1)"));
        let on_air = Multiplexer::new(Access::Superposed).process(sent()).unwrap();
        let mut short = heard(&on_air, 0.1);
        short.users[0][1].symbols.pop();
        assert!(error(short).contains("multiple of the 5 vectors"));
        let mut few = heard(&on_air, 0.1);
        few.users.pop();
        assert!(error(few).contains("expected 5, found 4"));
    }
}
