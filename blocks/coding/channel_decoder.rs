//! The kernel that turns soft bits into payloads: descrambling, soft buffers, LDPC decoding, CRC.

use super::ldpc::decoder::{DecoderConfig, LdpcDecoder};
use super::scrambler::descramble_llrs;
use super::transport_format::scrambling_seed;
use super::{BlockPlan, Recipients, TransportFormat};
use crate::frame::{DecodedFrame, DecodedPayload, Destination, LlrFrame};
use crate::kernel::FrameKernel;
use crate::{BlockError, Result};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Decodes the block of every user; the CRC has the last word.
///
/// - llrs `[K][G]` -> payloads `[K]` of A bits, with what their checks say
/// - NaN is an erasure, infinite LLRs saturate
/// - errors: another number of LLRs than the user's format sends
pub struct ChannelDecoder {
    plan: Arc<BlockPlan>,
    config: DecoderConfig,
    /// For each format one decoder for each thread, made when first needed.
    decoders: Vec<Vec<LdpcDecoder>>,
}

impl ChannelDecoder {
    /// A decoder for a plan.
    ///
    /// - errors: what the LDPC decoder refuses
    pub fn new(plan: Arc<BlockPlan>, config: DecoderConfig) -> Result<Self> {
        // One is made at once, so that a refusal comes before the first frame.
        if let Some(format) = plan.formats().first() {
            decoder(format, &config)?;
        }
        let decoders = plan.formats().iter().map(|_| Vec::new()).collect();
        Ok(Self { plan, config, decoders })
    }
}

fn decoder(format: &TransportFormat, config: &DecoderConfig) -> Result<LdpcDecoder> {
    LdpcDecoder::new(format.code(), format.parity_rows()?, *config)
}

impl FrameKernel for ChannelDecoder {
    type In = LlrFrame;
    type Out = DecodedFrame;

    fn process(&mut self, frame: LlrFrame) -> Result<DecodedFrame> {
        let LlrFrame { frame, users } = frame;
        let mut by_format: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for user in 0..users.len() {
            by_format.entry(self.plan.index_of(frame, user)).or_default().push(user);
        }
        let mut decoded: Vec<Option<DecodedPayload>> = vec![None; users.len()];
        for (index, members) in by_format {
            let (format, pool) = (&self.plan.formats()[index], &mut self.decoders[index]);
            let share = members.len().div_ceil(rayon::current_num_threads());
            while pool.len() < members.len().div_ceil(share) {
                pool.push(decoder(format, &self.config)?);
            }
            let recipients = self.plan.recipients();
            // A user's result does not depend on who shares its decoder.
            let parts = members
                .par_chunks(share)
                .zip(pool.par_iter_mut())
                .map(|(members, decoder)| decode(format, recipients, decoder, members, &users))
                .collect::<Result<Vec<Vec<DecodedPayload>>>>()?;
            for (user, payload) in members.into_iter().zip(parts.into_iter().flatten()) {
                decoded[user] = Some(payload);
            }
        }
        // Every user belongs to one format.
        Ok(DecodedFrame { frame, users: decoded.into_iter().flatten().collect() })
    }
}

/// Decodes some users of one format.
fn decode(
    format: &TransportFormat,
    recipients: Recipients,
    decoder: &mut LdpcDecoder,
    members: &[usize],
    users: &[Vec<f32>],
) -> Result<Vec<DecodedPayload>> {
    let block = format.block();
    let mut soft_blocks = Vec::with_capacity(members.len());
    for &user in members {
        if users[user].len() != format.coded_len() {
            return Err(BlockError::shape("LLRs of a user", format.coded_len(), users[user].len()));
        }
        let destination = match recipients {
            Recipients::Each => Destination::User(user),
            Recipients::All => Destination::All,
        };
        let mut llrs = users[user].clone();
        descramble_llrs(scrambling_seed(destination)?, &mut llrs);
        let mut soft = block.soft_blocks();
        block.combine(&llrs, 0, &mut soft)?;
        soft_blocks.push(soft);
    }
    let llrs: Vec<&[f32]> = soft_blocks.iter().flat_map(|soft| soft.blocks()).collect();
    let len = decoder.information_len();
    let mut bits = vec![0; llrs.len() * len];
    let outcomes = decoder.decode_many(&llrs, &mut bits)?;
    let code_blocks: Vec<&[u8]> = bits.chunks_exact(len).collect();
    let num_blocks = block.segmentation().num_blocks();
    code_blocks
        .chunks_exact(num_blocks)
        .zip(outcomes.chunks_exact(num_blocks))
        .map(|(blocks, outcomes)| {
            let decoded = block.assemble(blocks)?;
            let passed = decoded.passed && outcomes.iter().all(|outcome| outcome.decided);
            Ok(DecodedPayload { bits: decoded.payload, passed })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::block_plan::tests::from_thresholds;
    use super::super::channel_encoder::tests::{payloads, plan};
    use super::*;
    use crate::channel::FadingModel;
    use crate::coding::FadeTable;
    use crate::frame::SymbolFrame;
    use crate::kernel::FrameKernel;
    use crate::modem::{Demapping, SoftDemapper};
    use crate::rng::{Purpose, RngKey, complex_normal};
    use crate::{Decibel, channel::ChannelConfig};
    use num_complex::Complex32;

    /// LLRs of every user over white noise.
    fn llrs(plan: &BlockPlan, sent: &SymbolFrame, noise: f32) -> LlrFrame {
        let hear = |user: usize| {
            let slot = &sent.slots[user.min(sent.slots.len() - 1)];
            let mut rng = RngKey::new(9).stream(Purpose::NoisePrivate, sent.frame, user);
            let added = complex_normal(&mut rng, noise, slot.symbols.len());
            let received: Vec<Complex32> = slot.symbols.iter().zip(added).map(|(x, n)| x + n).collect();
            let modulation = plan.format_of(sent.frame, user).scheme().modulation();
            let demapper = SoftDemapper::new(modulation, Demapping::Exact);
            demapper.demap(&received, &[Complex32::ONE], &[noise]).unwrap()
        };
        LlrFrame { frame: sent.frame, users: (0..3).map(hear).collect() }
    }

    #[test]
    fn payloads_come_back_where_the_noise_allows_and_fail_their_check_where_not() {
        for name in ["bpsk-1/3", "qpsk-1/2", "64qam-2/3"] {
            let plan = plan(name, Recipients::Each);
            let sent = payloads(plan.formats()[0].payload_len());
            let symbols = super::super::ChannelEncoder::new(plan.clone()).process(sent.clone()).unwrap();
            let mut decoder = ChannelDecoder::new(plan.clone(), DecoderConfig::default()).unwrap();
            let good = decoder.process(llrs(&plan, &symbols, 0.005)).unwrap();
            for (found, sent) in good.users.iter().zip(&sent.payloads) {
                assert!(found.passed && found.bits == sent.bits, "{name}");
            }
            let bad = decoder.process(llrs(&plan, &symbols, 100.0)).unwrap();
            assert!(
                bad.users.iter().all(|user| !user.passed && user.bits.len() == sent.payloads[0].bits.len())
            );
        }
    }

    #[test]
    fn blocks_never_fail_again_as_the_noise_falls() {
        let format = |name: &str| TransportFormat::new(name.parse().unwrap(), 1024).unwrap();
        for (name, from_db) in [("bpsk-1/5", -4), ("qpsk-1/2", 3), ("64qam-719/1024", 16)] {
            let plan = Arc::new(BlockPlan::fixed(format(name), Recipients::Each));
            let mut decoder = ChannelDecoder::new(plan.clone(), DecoderConfig::default()).unwrap();
            let mut sent = payloads(plan.formats()[0].payload_len());
            for (snr, frame) in (from_db..from_db + 16).step_by(2).zip(0..) {
                sent.frame = frame;
                let symbols = super::super::ChannelEncoder::new(plan.clone()).process(sent.clone()).unwrap();
                let noise = 10f32.powf(-snr as f32 / 10.0);
                let found = decoder.process(llrs(&plan, &symbols, noise)).unwrap();
                assert!(found.users.iter().all(|user| user.passed), "{name} at {snr} dB");
            }
        }
    }

    #[test]
    fn one_block_for_everyone_is_decoded_by_everyone() {
        let plan = plan("qpsk-1/2", Recipients::All);
        let mut sent = payloads(256);
        sent.payloads.truncate(1);
        sent.payloads[0].destination = Destination::All;
        let symbols = super::super::ChannelEncoder::new(plan.clone()).process(sent.clone()).unwrap();
        let mut decoder = ChannelDecoder::new(plan.clone(), DecoderConfig::default()).unwrap();
        let found = decoder.process(llrs(&plan, &symbols, 0.1)).unwrap();
        assert_eq!(found.users.len(), 3);
        assert!(found.users.iter().all(|user| user.passed && user.bits == sent.payloads[0].bits));
    }

    #[test]
    fn users_of_different_formats_keep_their_places() {
        let formats = ["bpsk-1/3", "16qam-1/2"]
            .map(|name| TransportFormat::new(name.parse().unwrap(), 256).unwrap())
            .to_vec();
        let channel = ChannelConfig::new(FadingModel::Rayleigh);
        let (key, snr) = (RngKey::new(12), Decibel(10.0));
        let fades = FadeTable { key, channel, snr, promises: from_thresholds(&[0.0, 10.0]) };
        let plan = Arc::new(BlockPlan::per_fade(formats, fades).unwrap());
        let indices = |frame: u64| (0..3).map(|user| plan.index_of(frame, user)).collect::<Vec<_>>();
        let frame = (0..).find(|frame| indices(*frame) == [1, 0, 1]).unwrap();
        let mut sent = payloads(0);
        sent.frame = frame;
        for (user, payload) in sent.payloads.iter_mut().enumerate() {
            payload.bits = vec![(user % 2) as u8; plan.format_of(frame, user).payload_len()];
        }
        let symbols = super::super::ChannelEncoder::new(plan.clone()).process(sent.clone()).unwrap();
        let mut decoder = ChannelDecoder::new(plan.clone(), DecoderConfig::default()).unwrap();
        let found = decoder.process(llrs(&plan, &symbols, 0.01)).unwrap();
        assert!(found.users.iter().zip(&sent.payloads).all(|(found, sent)| found.bits == sent.bits));
    }

    #[test]
    fn erasures_fail_and_wrong_lengths_are_refused() {
        let plan = plan("qpsk-1/2", Recipients::Each);
        let mut decoder = ChannelDecoder::new(plan, DecoderConfig::default()).unwrap();
        let nothing = LlrFrame { frame: 0, users: vec![vec![f32::NAN; 512], vec![0.0; 512]] };
        let found = decoder.process(nothing).unwrap();
        assert_eq!(found.users.len(), 2);
        let short = LlrFrame { frame: 0, users: vec![vec![0.0; 511]] };
        assert!(decoder.process(short).unwrap_err().to_string().contains("expected 512, found 511"));
        assert!(decoder.process(LlrFrame { frame: 0, users: vec![] }).unwrap().users.is_empty());
    }
}
