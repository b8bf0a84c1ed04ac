//! Swaps one block at a time - clustering, equaliser, channel - and prints what each swap costs.
//!
//! `cargo run --release --example swap_a_block`

use sememe::adapters::RunOptions;
use sememe::links::{Downlink, GroupSplitting, Images, Scoring, Setting, Trained, in_flowgraph};
use sememe_blocks::Decibel;
use sememe_blocks::access::Strategy;
use sememe_blocks::channel::{ChannelConfig, FadingModel};
use sememe_blocks::equalizer::Equalizer;
use sememe_blocks::rng::RngKey;
use sememe_blocks::source::{SceneConfig, SceneSet};
use sememe_models::weights::shipped;
use std::error::Error;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn Error>> {
    let setting = Setting {
        key: RngKey::new(1),
        downlink: Downlink::default(),
        channel: ChannelConfig::new(FadingModel::Rayleigh),
        snr: Decibel(12.0),
        told_snr: Decibel(12.0),
        size: (32, 32),
    };
    let with = |change: fn(&mut Setting)| {
        let mut changed = setting.clone();
        change(&mut changed);
        changed
    };
    let variants = [
        ("as designed: balanced, mmse, Rayleigh", setting.clone()),
        ("clustering: sequential", with(|s| s.downlink.clustering = Strategy::Sequential)),
        ("clustering: random", with(|s| s.downlink.clustering = Strategy::Random)),
        ("equalizer: zf", with(|s| s.downlink.equalizer = Equalizer::Zf)),
        ("equalizer: none", with(|s| s.downlink.equalizer = Equalizer::None)),
        ("channel: no fading", with(|s| s.channel = ChannelConfig::new(FadingModel::Awgn))),
        (
            "channel: Rician, K = 4",
            with(|s| {
                s.channel = ChannelConfig::new(FadingModel::Rician { k_factor: 4.0 });
            }),
        ),
    ];
    let reference = psnr(&variants[0].1)?;
    println!("{:<40} {:>9} {:>9}", "200 scenes at 12 dB", "PSNR dB", "change");
    for (name, setting) in &variants {
        let value = psnr(setting)?;
        println!("{name:<40} {value:>9.2} {:>+9.2}", value - reference);
    }
    Ok(())
}

/// Mean PSNR of 200 scenes over one link.
fn psnr(setting: &Setting) -> Result<f64, Box<dyn Error>> {
    let scenes = SceneSet::new(SceneConfig { len: 200, ..SceneConfig::default() })?;
    let images = Images { set: Arc::new(scenes), first: 0, limit: None };
    let scoring = Scoring {
        ms_ssim: false,
        lpips: None,
        stop: None,
        kept_frames: 0,
        mean_image: Arc::new(ndarray::Array3::from_elem((32, 32, 3), 128)),
    };
    let (networks, lengths, _) = Trained::new(shipped("spatial-compact")?, &setting.downlink, setting.size)?;
    let link = GroupSplitting { networks, lengths };
    let output = in_flowgraph(&link, &images, setting, &scoring, &RunOptions::default())?;
    let scores: Vec<f64> =
        output.scores.iter().flat_map(|frame| &frame.images).map(|image| image.psnr_db()).collect();
    Ok(scores.iter().sum::<f64>() / scores.len().max(1) as f64)
}
