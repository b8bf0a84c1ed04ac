//! How long the JPEG line takes over the whole grid of modulations and code rates at one SNR: every image is
//! compressed, encoded, sent, demapped, decoded and scored once for each of the 34 schemes, none left out.
//!
//! Bar: 8000 CIFAR-10 test images at N = 1024 in under 60 s on two cores.
//!
//! Run with `SEMEME_CIFAR10=FOLDER cargo bench --bench digital_line`; without the folder it sends scenes. Numbers
//! behind `--` are the SNR in dB (9) and the number of images (8000); a word is the codec (`jpeg` or `webp`).

use ndarray::Array3;
use sememe::adapters::RunOptions;
use sememe::experiment::Reporter;
use sememe::links::{Digital, Downlink, Images, LinkOutput, Receiver, Scoring, Setting, in_flowgraph};
use sememe_blocks::Decibel;
use sememe_blocks::channel::{ChannelConfig, FadingModel};
use sememe_blocks::coding::{BlockPlan, CodedModulation, Recipients, TransportFormat};
use sememe_blocks::kernel::FrameSource;
use sememe_blocks::picture::{LadderStore, Packing, PictureCodec, PictureCoder};
use sememe_blocks::rng::RngKey;
use sememe_blocks::source::{Cifar10, Cifar10Split, ImageSet, SceneConfig, SceneSet};
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

const USERS: usize = 50;
const USES: usize = 1024;

fn main() -> Result<(), Box<dyn Error>> {
    // Under `cargo test` benches only prove that they run.
    let testing = !std::env::args().any(|argument| argument == "--bench");
    let arguments: Vec<String> = std::env::args().skip(1).filter(|text| !text.starts_with("--")).collect();
    let numbers: Vec<f32> = arguments.iter().filter_map(|text| text.parse().ok()).collect();
    let snr = Decibel(numbers.first().copied().unwrap_or(9.0));
    let count = if testing { USERS } else { numbers.get(1).map_or(8000, |count| *count as usize) };
    let webp = arguments.iter().any(|text| text == "webp");
    let codec = if webp { PictureCodec::Webp } else { PictureCodec::Jpeg };

    let set: Arc<dyn ImageSet> = match std::env::var_os("SEMEME_CIFAR10") {
        Some(folder) if !testing => Arc::new(Cifar10::open(folder.as_ref(), Cifar10Split::Test)?),
        _ => Arc::new(SceneSet::new(SceneConfig { len: count, ..SceneConfig::default() })?),
    };
    println!("{}; {count} images, {codec:?}, AWGN {snr}, N = {USES}", set.name());
    let size = set.size();
    let images = Images { set, first: 0, limit: Some(count) };
    let formats = CodedModulation::grid().into_iter().map(|scheme| TransportFormat::new(scheme, USES));
    let formats = formats.collect::<Result<Vec<_>, _>>()?;
    let coder = PictureCoder::new(codec, Packing::Shared, size, 1)?;
    let ladders = Arc::new(LadderStore::new(coder, 8 * USES));

    let start = Instant::now();
    search(&ladders, &images)?;
    let searched = start.elapsed().as_secs_f64();
    let mut progress = Reporter::new(formats.len() as u64, 0, "schemes");
    let mut table =
        format!("{:>20} {:>8} {:>8} {:>10} {:>9}\n", "scheme", "payload", "seconds", "lost", "PSNR (dB)");
    for (done, format) in formats.into_iter().enumerate() {
        let begin = Instant::now();
        let (name, payload) = (format.scheme().to_string(), format.payload_len());
        let plan = Arc::new(BlockPlan::fixed(format, Recipients::Each));
        let link = Digital { ladders: Arc::clone(&ladders), plan, receiver: Receiver::default() };
        let output = run(&link, &images, snr, size)?;
        let scores: Vec<_> = output.scores.iter().flat_map(|frame| &frame.images).collect();
        let psnr = scores.iter().map(|score| score.psnr_db()).sum::<f64>() / scores.len() as f64;
        let lost = scores.iter().filter(|score| score.lost).count();
        let seconds = begin.elapsed().as_secs_f64();
        table.push_str(&format!("{name:>20} {payload:>8} {seconds:>8.2} {lost:>10} {psnr:>9.2}\n"));
        progress.advance(done as u64 + 1, &name);
    }
    progress.finish();
    print!("{table}");
    println!("pictures searched in {searched:.2} s; all in {:.2} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// All ladders, ahead of the first scheme.
fn search(ladders: &LadderStore, images: &Images) -> Result<(), Box<dyn Error>> {
    use rayon::prelude::*;
    let mut frames = images.frames(USERS)?;
    let mut progress = Reporter::new((frames.num_frames() * USERS) as u64, 0, "pictures searched");
    while let Some(batch) = frames.next_frame()? {
        let views: Vec<_> = batch.pixels.outer_iter().collect();
        views.par_iter().try_for_each(|view| ladders.ladder(&[*view]).map(drop))?;
        progress.advance((batch.frame + 1) * USERS as u64, "");
    }
    progress.finish();
    Ok(())
}

fn run(
    link: &Digital,
    images: &Images,
    snr: Decibel,
    size: (usize, usize),
) -> Result<LinkOutput, Box<dyn Error>> {
    let downlink = Downlink { users: USERS, uses: USES, ..Downlink::default() };
    let channel = ChannelConfig::new(FadingModel::Awgn);
    let setting = Setting { key: RngKey::new(1), downlink, channel, snr, told_snr: snr, size };
    let mean_image = Arc::new(Array3::from_elem((size.0, size.1, 3), 128));
    let scoring = Scoring { ms_ssim: false, lpips: None, stop: None, kept_frames: 0, mean_image };
    Ok(in_flowgraph(link, images, &setting, &scoring, &RunOptions::default())?)
}
