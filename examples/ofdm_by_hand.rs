//! The downlink over samples, wired by hand: OFDM bursts through echoes, a wrong carrier and noise, to a receiver that
//! knows nothing of them.
//!
//! `cargo run --release --example ofdm_by_hand`: expect 32.75 dB PSNR at 15 dB per carrier, in a fade of
//! TDL-D.

use sememe::adapters::{Collect, DemodulatorBlock, Graph, ModulatorBlock, StreamBlock};
use sememe_blocks::Decibel;
use sememe_blocks::access::{Clusterer, FeatureDemapper, FeatureMapper, Mapping, PowerNorm, Strategy};
use sememe_blocks::equalizer::Equalizer;
use sememe_blocks::framing::{
    Audience, BurstReader, BurstWriter, Content, FrameCollector, FrameDemodulator, FrameModulator, SlotBursts,
};
use sememe_blocks::impairment::{CarrierOffset, DelayProfile, Multipath, MultipathConfig, SampleNoise};
use sememe_blocks::kernel::FrameSource;
use sememe_blocks::metric::QualityTally;
use sememe_blocks::ofdm::{Numerology, ResourceGrid};
use sememe_blocks::rng::RngKey;
use sememe_blocks::source::{BatchSource, SceneConfig, SceneSet};
use sememe_models::transceiver::kernels::{CommonEncoder, SemanticDecoder, SemanticEncoder};
use sememe_models::weights::shipped;
use std::error::Error;
use std::sync::Arc;

const USERS: usize = 50;
const GROUPS: usize = 10;
const SIZE: (usize, usize) = (32, 32);

fn main() -> Result<(), Box<dyn Error>> {
    let model = shipped("spatial-compact")?;
    let (snr, key) = (Decibel(15.0), RngKey::new(1));
    let networks = model.architecture();
    let (private, common) = (networks.private_len(SIZE), networks.common_len(SIZE));
    let (mapping, signalling) = (Mapping::Iq, networks.punctured_features().unwrap_or(0) / 2);
    let scenes: Arc<SceneSet> =
        Arc::new(SceneSet::new(SceneConfig { len: USERS, ..SceneConfig::default() })?);
    let images = || BatchSource::new(scenes.clone(), USERS, 0, None);

    // What sender and receiver agree on, and nothing else: carriers, content, a number for the weights, users.
    let grid = ResourceGrid::new(Numerology::NARROW)?;
    let (content, number) = (Content::Analog, 7);
    let modulator =
        FrameModulator::new(SlotBursts::new(content, number), BurstWriter::new(&grid, None)?, 500);
    let collector = FrameCollector::new(Audience::All, content, number, USERS);
    let demodulator = FrameDemodulator::new(BurstReader::new(&grid, 0.1)?, collector);
    let echoes =
        MultipathConfig { profile: DelayProfile::TdlD, delay_spread: 1.0, ..MultipathConfig::default() };

    let mut graph = Graph::new();
    let decoded = graph
        .chain("scenes", images()?)
        .then_blocking("semantic encoder", SemanticEncoder::new(model.clone(), snr))
        .then("clusterer", Clusterer::new(Strategy::Balanced, USERS, GROUPS, key)?)
        .then_blocking("common encoder", CommonEncoder::new(model.clone(), snr))
        .then("mapper", FeatureMapper::new(mapping, signalling))
        .then("power norm", PowerNorm)
        .then_block("modulator", ModulatorBlock::new(modulator))
        .then_block("echoes", StreamBlock::new(Multipath::new(key, 0, echoes)?))
        .then_block("carrier", StreamBlock::new(CarrierOffset::new(0.02, 0.0)?))
        .then_block("noise", StreamBlock::new(SampleNoise::new(key, 0, snr.noise_variance())?))
        .then_block("demodulator", DemodulatorBlock::new(demodulator))
        .then("equalizer", Equalizer::Mmse)
        .then("demapper", FeatureDemapper::new(mapping, private, common, signalling)?)
        .then_blocking("semantic decoder", SemanticDecoder::new(model, snr, SIZE))
        .sink("decoded", Collect::new());
    graph.run()?;

    let mut tally = QualityTally::new();
    let mut originals = images()?;
    for received in decoded.take()?.into_frames() {
        if let Some(sent) = originals.next_frame()? {
            tally.add(&sent, &received, &[false; USERS])?;
        }
    }
    match tally.summary() {
        Some(quality) => println!("{} images at {snr}: PSNR {:.2} dB", quality.images, quality.psnr.mean),
        None => println!("no frame arrived"),
    }
    Ok(())
}
