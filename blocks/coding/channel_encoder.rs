//! The kernel that turns payloads into symbols: CRC, LDPC, rate matching, scrambling, mapping.

use super::scrambler::scramble_bits;
use super::transport_format::scrambling_seed;
use super::{BlockPlan, Recipients, TransportBlock};
use crate::frame::{Payload, PayloadFrame, Slot, SymbolFrame};
use crate::kernel::FrameKernel;
use crate::{BlockError, Grouping, Result};
use num_complex::Complex32;
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

/// Encodes every payload into N symbols of unit mean power: one private slot, or one slot in each phase where the
/// plan's blocks span both.
///
/// - payloads of A bits -> slots, phase by phase in the order of the payloads; every user a group of its own
/// - errors: other payloads than the plan has, by number or length; a byte that is neither 0 nor 1
#[derive(Clone, Debug)]
pub struct ChannelEncoder {
    plan: Arc<BlockPlan>,
}

impl ChannelEncoder {
    /// An encoder for a plan.
    pub fn new(plan: Arc<BlockPlan>) -> Self {
        Self { plan }
    }

    fn encode(
        &self,
        blocks: &mut HashMap<usize, TransportBlock>,
        frame: u64,
        place: usize,
        payload: &Payload,
    ) -> Result<Vec<Complex32>> {
        let format = self.plan.format_of(frame, place);
        let block = blocks.entry(self.plan.index_of(frame, place)).or_insert_with(|| format.block().clone());
        let mut bits = block.encode(&payload.bits, 0)?;
        scramble_bits(scrambling_seed(payload.destination)?, &mut bits);
        format.scheme().modulation().map(&bits)
    }
}

impl FrameKernel for ChannelEncoder {
    type In = PayloadFrame;
    type Out = SymbolFrame;

    fn process(&mut self, frame: PayloadFrame) -> Result<SymbolFrame> {
        let PayloadFrame { frame, num_users, payloads } = frame;
        let expected = match self.plan.recipients() {
            Recipients::Each => num_users,
            Recipients::All => 1,
        };
        if payloads.len() != expected {
            return Err(BlockError::shape("payloads of a frame", expected, payloads.len()));
        }
        // Collected in order, so any number of threads gives the same frame.
        let blocks = payloads
            .par_iter()
            .enumerate()
            .map_init(HashMap::new, |blocks, (place, payload)| self.encode(blocks, frame, place, payload))
            .collect::<Result<Vec<Vec<Complex32>>>>()?;
        let span = self.plan.span();
        let slot = |phase| {
            let of_block = move |(payload, symbols): (&Payload, &Vec<Complex32>)| Slot {
                destination: payload.destination,
                phase,
                symbols: span.part(symbols, phase),
            };
            payloads.iter().zip(&blocks).map(of_block)
        };
        let slots = span.phases().flat_map(|(phase, _)| slot(phase)).collect();
        Ok(SymbolFrame { frame, grouping: Grouping::singletons(num_users), slots })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::coding::TransportFormat;
    use crate::frame::{Destination, Phase};
    use crate::picture::Setting;

    /// A plan of one format over 256 uses.
    pub(crate) fn plan(name: &str, recipients: Recipients) -> Arc<BlockPlan> {
        let format = TransportFormat::new(name.parse().unwrap(), 256).unwrap();
        Arc::new(BlockPlan::fixed(format, recipients))
    }

    /// Three users and payloads of some bits.
    pub(crate) fn payloads(len: usize) -> PayloadFrame {
        let payload = |user: usize| Payload {
            destination: Destination::User(user),
            bits: (0..len).map(|i| u8::from(i * i % 13 < 5 + user)).collect(),
            setting: Setting::MeanColour,
        };
        PayloadFrame { frame: 4, num_users: 3, payloads: (0..3).map(payload).collect() }
    }

    #[test]
    fn every_use_is_filled_at_unit_power_and_the_bits_are_those_of_the_chain() {
        for name in ["bpsk-1/3", "qpsk-1/2", "64qam-2/3"] {
            let plan = plan(name, Recipients::Each);
            let format = &plan.formats()[0];
            let sent = payloads(format.payload_len());
            let frame = ChannelEncoder::new(plan.clone()).process(sent.clone()).unwrap();
            assert_eq!((frame.frame, frame.grouping.sizes(), frame.slots.len()), (4, vec![1; 3], 3));
            for (slot, payload) in frame.slots.iter().zip(&sent.payloads) {
                let mut bits = format.block().clone().encode(&payload.bits, 0).unwrap();
                scramble_bits(scrambling_seed(slot.destination).unwrap(), &mut bits);
                assert_eq!(slot.symbols, format.scheme().modulation().map(&bits).unwrap());
                assert_eq!(slot.symbols.len(), 256);
                let power = slot.symbols.iter().map(|x| x.norm_sqr()).sum::<f32>() / 256.0;
                assert!((power - 1.0).abs() < 0.15, "{name}: {power}");
            }
        }
    }

    #[test]
    fn blocks_that_span_both_phases_send_the_same_symbols_in_two_slots() {
        let whole = plan("16qam-1/2", Recipients::Each);
        let span = Arc::new(whole.as_ref().clone().spanning(0.2).unwrap());
        let sent = payloads(whole.formats()[0].payload_len());
        let encoded =
            |plan: &Arc<BlockPlan>| ChannelEncoder::new(plan.clone()).process(sent.clone()).unwrap();
        let (one, two) = (encoded(&whole), encoded(&span));
        let phases: Vec<_> = two.slots.iter().map(|slot| (slot.phase, slot.symbols.len())).collect();
        assert_eq!(phases, [[(Phase::Common, 51); 3], [(Phase::Private, 205); 3]].concat());
        for (user, slot) in one.slots.iter().enumerate() {
            let [common, private] = [&two.slots[user], &two.slots[3 + user]];
            assert_eq!([common.destination, private.destination], [Destination::User(user); 2]);
            assert_eq!(span.span().join(&common.symbols, &private.symbols).unwrap(), slot.symbols);
        }
    }

    #[test]
    fn another_number_or_length_of_payloads_is_refused() {
        let mut encoder = ChannelEncoder::new(plan("qpsk-1/2", Recipients::Each));
        assert!(encoder.process(payloads(248)).unwrap_err().to_string().contains("expected 256"));
        let mut few = payloads(256);
        few.payloads.pop();
        assert!(encoder.process(few).unwrap_err().to_string().contains("expected 3, found 2"));
        let mut shared = ChannelEncoder::new(plan("qpsk-1/2", Recipients::All));
        assert!(shared.process(payloads(256)).unwrap_err().to_string().contains("expected 1, found 3"));
    }
}
