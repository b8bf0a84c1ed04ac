//! Multiplies what is sent by fading coefficients, y = h x, and hands each user the slots it hears.

use super::gain_process::GainProcess;
use crate::frame::{Destination, ReceivedFrame, ReceivedSlot, Slot, SymbolFrame};
use crate::kernel::FrameKernel;
use crate::rng::RngKey;
use crate::{BlockError, Grouping, Result};

/// Lets every user hear its slots through its own fades.
///
/// y = h x; csi = h, exactly known, unless the process has gains of another form; noise variance 0
/// - hears: slots for the user itself, for its group and for everyone, in the order of
///   [`ReceivedFrame::users`]
/// - errors: a slot for a user or group that does not exist; a NaN or infinite symbol
#[derive(Clone, Debug)]
pub struct Fading {
    key: RngKey,
    process: GainProcess,
}

impl Fading {
    /// A fading channel.
    ///
    /// - process: complex fades ([`super::FadeProcess`]), or gains of any form
    /// - errors: those of [`GainProcess::check`]
    pub fn new(key: RngKey, process: impl Into<GainProcess>) -> Result<Self> {
        let process = process.into();
        process.check()?;
        Ok(Self { key, process })
    }
}

impl FrameKernel for Fading {
    type In = SymbolFrame;
    type Out = ReceivedFrame;

    fn process(&mut self, frame: SymbolFrame) -> Result<ReceivedFrame> {
        let SymbolFrame { frame, grouping, slots } = frame;
        let mut start = 0;
        let mut starts = Vec::with_capacity(slots.len());
        for slot in &slots {
            check_finite(slot)?;
            starts.push(start);
            start += slot.symbols.len();
        }
        let users = slots_heard(&grouping, &slots)?.into_iter().enumerate().map(|(user, heard)| {
            let mut gains = self.process.of_user(self.key, frame, user);
            let receive = |index: usize| {
                let Slot { destination, phase, ref symbols } = slots[index];
                let (symbols, csi) = gains.hear(phase, starts[index], symbols);
                ReceivedSlot { destination, phase, symbols, csi, noise_variance: 0.0 }
            };
            heard.into_iter().map(receive).collect()
        });
        Ok(ReceivedFrame { frame, users: users.collect(), grouping })
    }
}

/// The slots that each user hears, in sending order.
fn slots_heard(grouping: &Grouping, slots: &[Slot]) -> Result<Vec<Vec<usize>>> {
    let members = grouping.members();
    let mut heard = vec![Vec::new(); grouping.num_users()];
    for (index, slot) in slots.iter().enumerate() {
        match slot.destination {
            Destination::User(user) if user < heard.len() => heard[user].push(index),
            Destination::User(user) => {
                return Err(BlockError::shape("user of a slot", format!("below {}", heard.len()), user));
            }
            Destination::Group(group) if group < members.len() => {
                members[group].iter().for_each(|&user| heard[user].push(index));
            }
            Destination::Group(group) => {
                return Err(BlockError::shape("group of a slot", format!("below {}", members.len()), group));
            }
            Destination::All => heard.iter_mut().for_each(|slots| slots.push(index)),
        }
    }
    Ok(heard)
}

fn check_finite(slot: &Slot) -> Result<()> {
    let Some(position) = slot.symbols.iter().position(|symbol| !symbol.is_finite()) else {
        return Ok(());
    };
    let symbol = slot.symbols[position];
    let value = if symbol.re.is_finite() { symbol.im } else { symbol.re };
    let who = format!("{:?}", slot.destination);
    Err(BlockError::NotFinite { what: "transmitted slot", who, position, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::{FadeProcess, FadingModel, Phases, Variation, block_fade};
    use crate::frame::Phase;
    use num_complex::Complex32;

    fn slot(destination: Destination, phase: Phase, len: usize) -> Slot {
        let symbols = (0..len).map(|n| Complex32::new(n as f32 + 1.0, -(n as f32))).collect();
        Slot { destination, phase, symbols }
    }

    /// Three users; user 1 alone in group 0, users 0 and 2 in group 1.
    fn frame() -> SymbolFrame {
        let grouping = Grouping::new(vec![1, 0, 1], 2).unwrap();
        let mut slots = vec![
            slot(Destination::Group(0), Phase::Common, 2),
            slot(Destination::Group(1), Phase::Common, 3),
            slot(Destination::All, Phase::Common, 4),
        ];
        slots.extend((0..3).map(|user| slot(Destination::User(user), Phase::Private, 5 + user)));
        SymbolFrame { frame: 9, grouping, slots }
    }

    fn rayleigh(variation: Variation) -> Fading {
        let process = FadeProcess { variation, ..FadeProcess::block(FadingModel::Rayleigh) };
        Fading::new(RngKey::new(1), process).unwrap()
    }

    #[test]
    fn users_hear_their_group_everyone_and_themselves() {
        let received = rayleigh(Variation::Block).process(frame()).unwrap();
        let lens: Vec<Vec<_>> =
            received.users.iter().map(|slots| slots.iter().map(|s| s.symbols.len()).collect()).collect();
        assert_eq!(lens, [vec![3, 4, 5], vec![2, 4, 6], vec![3, 4, 7]]);
        assert!(received.users.iter().all(|slots| slots.last().unwrap().phase == Phase::Private));
        assert_eq!((received.frame, received.grouping), (9, frame().grouping));
    }

    #[test]
    fn received_is_exactly_fade_times_sent() {
        for variation in [Variation::Block, Variation::PerSymbol] {
            let received = rayleigh(variation).process(frame()).unwrap();
            for (user, slots) in received.users.iter().enumerate() {
                let own = &slots[2];
                let sent = &frame().slots[3 + user].symbols;
                for (n, (y, x)) in own.symbols.iter().zip(sent).enumerate() {
                    assert_eq!(*y, own.csi[n % own.csi.len()] * x);
                }
                let expected = if variation == Variation::Block { 1 } else { sent.len() };
                assert_eq!((own.csi.len(), own.noise_variance), (expected, 0.0));
            }
        }
    }

    #[test]
    fn fades_are_those_of_the_public_function() {
        let received = rayleigh(Variation::Block).process(frame()).unwrap();
        for (user, slots) in received.users.iter().enumerate() {
            let h =
                block_fade(RngKey::new(1), FadingModel::Rayleigh, Phases::Shared, 9, user, Phase::Private);
            assert!(slots.iter().all(|slot| slot.csi == [h]), "user {user}");
        }
    }

    #[test]
    fn empty_slots_and_frames_pass() {
        let none = SymbolFrame { frame: 0, grouping: Grouping::singletons(0), slots: vec![] };
        assert!(rayleigh(Variation::Block).process(none).unwrap().users.is_empty());
        let silent = SymbolFrame {
            frame: 0,
            grouping: Grouping::singletons(1),
            slots: vec![slot(Destination::User(0), Phase::Private, 0)],
        };
        let received = rayleigh(Variation::PerSymbol).process(silent).unwrap();
        assert!(received.users[0][0].symbols.is_empty());
    }

    #[test]
    fn strangers_and_nan_are_named() {
        let with = |slot| SymbolFrame { frame: 0, grouping: Grouping::singletons(2), slots: vec![slot] };
        let error = |slot| rayleigh(Variation::Block).process(with(slot)).unwrap_err().to_string();
        assert!(error(slot(Destination::User(2), Phase::Private, 1)).contains("below 2, found 2"));
        assert!(error(slot(Destination::Group(5), Phase::Common, 1)).contains("below 2, found 5"));
        let mut broken = slot(Destination::User(1), Phase::Private, 3);
        broken.symbols[2].im = f32::NAN;
        assert!(error(broken).contains("User(1) holds NaN at position 2"));
    }
}
