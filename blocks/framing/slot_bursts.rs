//! Slots of a frame to bursts: each for the user or the group that it is for.

use super::{Burst, Content, Header};
use crate::frame::{Destination, SymbolFrame};
use crate::{Decibel, Result};

/// Writes headers for all slots of frames.
#[derive(Clone, Copy, Debug)]
pub struct SlotBursts {
    content: Content,
    model: u32,
}

impl SlotBursts {
    /// - content: what the symbols of all slots are
    /// - model: the first 32 bits of a digest that sender and receivers agree on
    pub fn new(content: Content, model: u32) -> Self {
        Self { content, model }
    }

    /// One burst for every slot, in order.
    ///
    /// - errors: more users than a header can name
    pub fn split(&self, frame: SymbolFrame) -> Result<Vec<Burst>> {
        let SymbolFrame { frame, grouping, slots } = frame;
        let num_users = grouping.num_users();
        let burst = |slot: crate::frame::Slot| {
            let group = match slot.destination {
                Destination::User(user) => grouping.group_of(user),
                Destination::Group(group) => group,
                Destination::All => 0,
            };
            let header = Header {
                content: self.content,
                destination: slot.destination,
                group,
                num_users,
                // Headers count modulo 2^32.
                frame: frame as u32,
                model: self.model,
                length: slot.symbols.len(),
                scale: Decibel(0.0),
            };
            // What a header cannot say is refused here, before anything is sent.
            header.to_bits().map(|_| Burst { header, symbols: slot.symbols })
        };
        slots.into_iter().map(burst).collect()
    }
}
