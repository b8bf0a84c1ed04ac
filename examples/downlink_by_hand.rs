//! Wires system A's downlink by hand, block by block, and prints the PSNR of one frame of 50 users.
//!
//! `cargo run --release --example downlink_by_hand`: expect about 33.7 dB at 12 dB SNR.

use sememe::adapters::{Collect, Graph};
use sememe_blocks::Decibel;
use sememe_blocks::access::{Clusterer, FeatureDemapper, FeatureMapper, Mapping, PowerNorm, Strategy};
use sememe_blocks::channel::{Awgn, FadeProcess, Fading, FadingModel};
use sememe_blocks::equalizer::Equalizer;
use sememe_blocks::frame::ImageBatch;
use sememe_blocks::kernel::Tee;
use sememe_blocks::metric::QualityTally;
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
    let (snr, key) = (Decibel(12.0), RngKey::new(1));
    let networks = model.architecture();
    let (private, common) = (networks.private_len(SIZE), networks.common_len(SIZE));
    // Two values share a channel use; some uses pay for telling each user its group.
    let (mapping, signalling) = (Mapping::Iq, networks.punctured_features().unwrap_or(0) / 2);
    let scenes = SceneSet::new(SceneConfig { len: USERS, ..SceneConfig::default() })?;

    let mut graph = Graph::new();
    let (images, originals) = graph
        .chain("scenes", BatchSource::new(Arc::new(scenes), USERS, 0, None)?)
        .split("originals", Tee::new());
    let decoded = graph
        .resume(images)
        .then_blocking("semantic encoder", SemanticEncoder::new(model.clone(), snr))
        .then("clusterer", Clusterer::new(Strategy::Balanced, USERS, GROUPS, key)?)
        .then_blocking("common encoder", CommonEncoder::new(model.clone(), snr))
        .then("mapper", FeatureMapper::new(mapping, signalling))
        .then("power norm", PowerNorm)
        .then("fading", Fading::new(key, FadeProcess::block(FadingModel::Awgn))?)
        .then("noise", Awgn::new(key, snr, 0.0)?)
        .then("equalizer", Equalizer::Mmse)
        .then("demapper", FeatureDemapper::new(mapping, private, common, signalling)?)
        .then_blocking("semantic decoder", SemanticDecoder::new(model, snr, SIZE))
        .sink("decoded", Collect::new());
    let originals = graph.resume(originals).sink("originals kept", Collect::new());
    graph.run()?;

    let (sent, received): (Vec<ImageBatch>, Vec<ImageBatch>) =
        (originals.take()?.into_frames(), decoded.take()?.into_frames());
    let mut tally = QualityTally::new();
    for (sent, received) in sent.iter().zip(&received) {
        tally.add(sent, received, &[false; USERS])?;
    }
    if let Some(quality) = tally.summary() {
        println!("{} images at {snr}: PSNR {:.2} dB", quality.images, quality.psnr.mean);
    }
    Ok(())
}
