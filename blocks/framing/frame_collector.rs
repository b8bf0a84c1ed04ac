//! Bursts to frames: what one user, or all of them, heard of each frame; bursts that never came are lost slots.

use super::{Content, ReceivedBurst};
use crate::frame::{Destination, Phase, ReceivedFrame, ReceivedSlot};
use crate::{Grouping, Result};

/// Frames that may be missing between two that are heard; beyond, the sender counts anew.
const LONGEST_GAP: u32 = 1 << 8;

/// For whom a receiver stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every user of a frame, as a monitor.
    All,
    /// One user.
    One(usize),
}

/// What became of bursts and frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CollectorCounts {
    /// Frames delivered, lost ones among them.
    pub frames: u64,
    /// Slots of the audience that arrived.
    pub slots: u64,
    /// Private slots of the audience that did not, or group slots that came without them.
    pub lost: u64,
    /// Bursts of another model, another kind of payload, another number of users or another length.
    pub foreign: u64,
    /// Bursts of the audience that came again.
    pub repeated: u64,
}

/// Symbols of the slots that a link sends; `None`: it sends none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotLengths {
    /// To one user.
    pub user: Option<usize>,
    /// To a group.
    pub group: Option<usize>,
    /// To everyone.
    pub all: Option<usize>,
}

impl SlotLengths {
    fn of(&self, destination: Destination) -> Option<usize> {
        match destination {
            Destination::User(_) => self.user,
            Destination::Group(_) => self.group,
            Destination::All => self.all,
        }
    }
}

/// Puts the bursts of each frame together.
#[derive(Clone, Debug)]
pub struct FrameCollector {
    audience: Audience,
    content: Content,
    model: u32,
    num_users: usize,
    lengths: Option<SlotLengths>,
    current: Option<Current>,
    /// The frame that was delivered last.
    last: Option<u32>,
    counts: CollectorCounts,
}

/// A frame of which bursts may still come.
#[derive(Clone, Debug)]
struct Current {
    number: u32,
    bursts: Vec<ReceivedBurst>,
}

impl FrameCollector {
    /// - content, model, num_users: what bursts must say to be taken
    pub fn new(audience: Audience, content: Content, model: u32, num_users: usize) -> Self {
        let counts = CollectorCounts::default();
        Self { audience, content, model, num_users, lengths: None, current: None, last: None, counts }
    }

    /// Takes slots of these lengths only: what is behind it may rely on them.
    pub fn expecting(self, lengths: SlotLengths) -> Self {
        Self { lengths: Some(lengths), ..self }
    }

    /// What became of bursts and frames so far.
    pub fn counts(&self) -> CollectorCounts {
        self.counts
    }

    /// Takes the next burst.
    ///
    /// - found: gets the frames that are whole by now, or of which nothing more can come. All have K users; those of whom
    ///   nothing was heard, or who are not of the audience, have no slots
    pub fn take(&mut self, burst: ReceivedBurst, found: &mut Vec<ReceivedFrame>) -> Result<()> {
        let header = &burst.header;
        if (header.content, header.model, header.num_users) != (self.content, self.model, self.num_users) {
            self.counts.foreign += 1;
            return Ok(());
        }
        let is_expected = |lengths: SlotLengths| lengths.of(header.destination) == Some(header.length);
        if !self.lengths.is_none_or(is_expected) {
            self.counts.foreign += 1;
            return Ok(());
        }
        let number = header.frame;
        if self.current.as_ref().is_some_and(|current| current.number != number) {
            self.finish(found)?;
        }
        if self.current.is_none() {
            if self.last == Some(number) {
                // What is said again, or to others, changes nothing.
                let is_own = match self.audience {
                    Audience::All => true,
                    Audience::One(user) => header.destination == Destination::User(user),
                };
                self.counts.repeated += u64::from(is_own);
                return Ok(());
            }
            self.miss(number, found)?;
            self.current = Some(Current { number, bursts: vec![] });
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        if current.bursts.iter().any(|known| known.header.destination == burst.header.destination) {
            self.counts.repeated += 1;
            return Ok(());
        }
        current.bursts.push(burst);
        let is_own = |burst: &&ReceivedBurst| matches!(burst.header.destination, Destination::User(_));
        let has = |user: usize| {
            let heard = |burst: &ReceivedBurst| match burst.header.destination {
                Destination::User(other) => other == user,
                Destination::All => true,
                Destination::Group(_) => false,
            };
            current.bursts.iter().any(heard)
        };
        // Group slots come before private ones.
        let is_whole = match self.audience {
            Audience::One(user) => has(user),
            Audience::All => {
                current.bursts.iter().filter(is_own).count() >= self.num_users && (0..self.num_users).all(has)
                    || current.bursts.iter().any(|burst| burst.header.destination == Destination::All)
            }
        };
        if is_whole { self.finish(found) } else { Ok(()) }
    }

    /// Delivers what there is of the frame that was begun, at the end of a stream.
    pub fn finish(&mut self, found: &mut Vec<ReceivedFrame>) -> Result<()> {
        let Some(Current { number, bursts }) = self.current.take() else { return Ok(()) };
        self.deliver(number, bursts, found)
    }

    /// Delivers frames between the last and this one as lost.
    fn miss(&mut self, number: u32, found: &mut Vec<ReceivedFrame>) -> Result<()> {
        let Some(last) = self.last else { return Ok(()) };
        let missing = number.wrapping_sub(last).wrapping_sub(1);
        if missing < LONGEST_GAP {
            for step in 1..=missing {
                self.deliver(last.wrapping_add(step), vec![], found)?;
            }
        }
        Ok(())
    }

    fn deliver(
        &mut self,
        number: u32,
        bursts: Vec<ReceivedBurst>,
        found: &mut Vec<ReceivedFrame>,
    ) -> Result<()> {
        let mut groups = vec![0; self.num_users];
        let mut is_known = vec![false; self.num_users];
        for burst in &bursts {
            if let Destination::User(user) = burst.header.destination {
                (groups[user], is_known[user]) = (burst.header.group, true);
            }
        }
        let is_audience =
            |user: usize| self.audience == Audience::All || self.audience == Audience::One(user);
        let mut users: Vec<Vec<ReceivedSlot>> = vec![vec![]; self.num_users];
        for (user, slots) in users.iter_mut().enumerate().filter(|(user, _)| is_audience(*user)) {
            let hears = |burst: &&ReceivedBurst| match burst.header.destination {
                Destination::User(other) => other == user,
                // Who does not know its group cannot know which slot is its own.
                Destination::Group(group) => is_known[user] && groups[user] == group,
                Destination::All => true,
            };
            let mut heard: Vec<&ReceivedBurst> = bursts.iter().filter(hears).collect();
            heard.sort_by_key(|burst| matches!(burst.header.destination, Destination::User(_)));
            let has_own =
                is_known[user] || heard.iter().any(|burst| burst.header.destination == Destination::All);
            self.counts.slots += heard.len() as u64;
            self.counts.lost += u64::from(!has_own);
            slots.extend(heard.into_iter().map(slot_of));
        }
        let grouping = Grouping::new(groups, self.num_users)?;
        self.last = Some(number);
        self.counts.frames += 1;
        found.push(ReceivedFrame { frame: number.into(), grouping, users });
        Ok(())
    }
}

fn slot_of(burst: &ReceivedBurst) -> ReceivedSlot {
    ReceivedSlot {
        destination: burst.header.destination,
        phase: match burst.header.destination {
            Destination::Group(_) => Phase::Common,
            Destination::User(_) | Destination::All => Phase::Private,
        },
        symbols: burst.symbols.clone(),
        csi: burst.csi.clone(),
        noise_variance: burst.noise_variance,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reception;
    use super::super::header::tests::header;
    use super::super::{Header, SlotBursts};
    use super::*;
    use crate::frame::{Slot, SymbolFrame};
    use num_complex::Complex32;

    const MODEL: u32 = 0x0123_4567;

    /// The bursts of a frame of three users in two groups, as they are received without noise.
    fn bursts(frame: u64) -> Vec<ReceivedBurst> {
        let grouping = Grouping::new(vec![1, 0, 1], 2).unwrap();
        let symbols = |value: f32| vec![Complex32::new(value, frame as f32); 4];
        let group = |g: usize| Slot {
            destination: Destination::Group(g),
            phase: Phase::Common,
            symbols: symbols(10.0 + g as f32),
        };
        let user = |u: usize| Slot {
            destination: Destination::User(u),
            phase: Phase::Private,
            symbols: symbols(u as f32),
        };
        let slots = vec![group(0), group(1), user(0), user(1), user(2)];
        let sent =
            SlotBursts::new(Content::Analog, MODEL).split(SymbolFrame { frame, grouping, slots }).unwrap();
        let reception = Reception {
            start: 0,
            end: 0,
            snr: 10.0,
            carrier_offset: 0.0,
            clock_offset: 0.0,
            power: 1.0,
            erased: 0,
        };
        sent.into_iter()
            .map(|burst| ReceivedBurst {
                header: burst.header,
                csi: vec![Complex32::ONE; burst.symbols.len()],
                symbols: burst.symbols,
                noise_variance: 0.1,
                reception,
            })
            .collect()
    }

    fn collector(audience: Audience) -> FrameCollector {
        FrameCollector::new(audience, Content::Analog, MODEL, 3)
    }

    /// Number, and of each user the first value of each slot.
    fn seen(frames: &[ReceivedFrame]) -> Vec<(u64, Vec<Vec<f32>>)> {
        let of = |slots: &Vec<ReceivedSlot>| slots.iter().map(|slot| slot.symbols[0].re).collect();
        frames.iter().map(|frame| (frame.frame, frame.users.iter().map(of).collect())).collect()
    }

    #[test]
    fn every_user_hears_its_group_and_itself() {
        let mut all = collector(Audience::All);
        let mut found = vec![];
        for frame in 0..2 {
            bursts(frame).into_iter().for_each(|burst| all.take(burst, &mut found).unwrap());
        }
        let users = vec![vec![11.0, 0.0], vec![10.0, 1.0], vec![11.0, 2.0]];
        assert_eq!(seen(&found), [(0, users.clone()), (1, users)]);
        assert_eq!(found[0].grouping.as_slice(), [1, 0, 1]);
        let mut one = collector(Audience::One(2));
        found.clear();
        bursts(7).into_iter().for_each(|burst| one.take(burst, &mut found).unwrap());
        assert_eq!(seen(&found), [(7, vec![vec![], vec![], vec![11.0, 2.0]])]);
        assert_eq!(one.counts(), CollectorCounts { frames: 1, slots: 2, ..CollectorCounts::default() });
    }

    #[test]
    fn what_never_came_is_lost_and_counted() {
        let mut one = collector(Audience::One(0));
        let mut found = vec![];
        let mut take = |burst: &ReceivedBurst| one.take(burst.clone(), &mut found).unwrap();
        // Frame 0 without its own slot, frames 1 and 2 not at all, frame 3 without the group's.
        bursts(0).iter().filter(|burst| burst.header.destination != Destination::User(0)).for_each(&mut take);
        bursts(3)
            .iter()
            .filter(|burst| burst.header.destination != Destination::Group(1))
            .for_each(&mut take);
        let none: Vec<Vec<f32>> = vec![vec![]; 3];
        let last = vec![vec![0.0], vec![], vec![]];
        assert_eq!(seen(&found), [(0, none.clone()), (1, none.clone()), (2, none), (3, last)]);
        assert_eq!(
            one.counts(),
            CollectorCounts { frames: 4, slots: 1, lost: 3, ..CollectorCounts::default() }
        );
    }

    #[test]
    fn foreign_bursts_repetitions_and_new_counts_are_told_apart() {
        let mut all = collector(Audience::All);
        let mut found = vec![];
        let mut foreign = bursts(0)[3].clone();
        foreign.header = Header { model: 1, num_users: 3, ..header() };
        all.take(foreign, &mut found).unwrap();
        for frame in [4, 4, 4_000_000, 2] {
            bursts(frame).into_iter().for_each(|burst| all.take(burst, &mut found).unwrap());
        }
        assert_eq!(found.iter().map(|frame| frame.frame).collect::<Vec<_>>(), [4, 4_000_000, 2]);
        assert_eq!((all.counts().foreign, all.counts().repeated), (1, 5));
        let lengths = SlotLengths { user: Some(4), group: Some(3), all: None };
        let mut strict = collector(Audience::All).expecting(lengths);
        let mut none = vec![];
        bursts(0).into_iter().for_each(|burst| strict.take(burst, &mut none).unwrap());
        assert_eq!((strict.counts().foreign, none.len()), (2, 1), "group slots are of another length");
        // An end in the middle of a frame.
        found.clear();
        all.take(bursts(3)[0].clone(), &mut found).unwrap();
        assert!(found.is_empty());
        all.finish(&mut found).unwrap();
        assert_eq!((found.len(), all.counts().lost), (1, 3));
    }
}
