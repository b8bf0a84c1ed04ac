//! The blocks of this project: one line each.

use super::params::*;
use super::{Entry, SaveImages, specimens};
use crate::adapters::Discard;
use sememe_blocks::access::{Clusterer, Demultiplexer, FeatureDemapper, FeatureMapper, Multiplexer};
use sememe_blocks::baseline::klt::{KltCode, KltDecoder, KltEncoder, KltFit};
use sememe_blocks::channel::{CsiError, Fading};
use sememe_blocks::frame::ImageBatch;
use sememe_blocks::kernel::Tee;
use sememe_blocks::rng::RngKey;
use sememe_blocks::source::{BatchSource, Cifar10, ImageFolder, ImageSet, SceneConfig, SceneSet};
use sememe_blocks::{Decibel, Result};
use std::path::Path;
use std::sync::Arc;

/// Names, summaries, specimens and constructors.
#[rustfmt::skip]
pub(super) fn entries() -> Vec<Entry> {
    use specimens::*;
    vec![
        Entry::source("scenes", "procedural scenes", |p: ScenesParams| walk(p.walk, SceneSet::new(p.scenes)?)).example(SCENES),
        Entry::source("image_folder", "pictures of a folder", |p: FolderParams| walk(p.walk, ImageFolder::open(&p.folder)?)).fixture(a_folder),
        Entry::source("cifar10", "CIFAR-10 in its binary layout", |p: Cifar10Params| walk(p.walk, Cifar10::open(&p.path, p.split)?)).fixture(a_cifar_file),
        Entry::frame("clusterer", "puts users into groups", encoded, |p: ClustererParams| Clusterer::new(p.strategy, p.users, p.groups, RngKey::new(p.seed))).example("users = 6\ngroups = 2"),
        Entry::frame("feature_mapper", "features to symbols", features, |p: MapperParams| Ok(FeatureMapper::new(p.mapping, p.signalling_uses))).example("signalling_uses = 1"),
        Entry::frame("feature_demapper", "symbols to features", equalized, |p: DemapperParams| FeatureDemapper::new(p.mapping, p.private_len, p.common_len, p.signalling_uses)).example("private_len = 64\ncommon_len = 8"),
        Entry::frame("power_norm", "unit power for every vector, or over the batch", symbols, |p: PowerParams| Ok(p.over)).example("over = \"batch\""),
        Entry::frame("multiplexer", "vectors one after the other or all at once", symbols, |p: AccessParams| Ok(Multiplexer::new(p.access))).example("access = \"superposed\""),
        Entry::frame("demultiplexer", "undoes the multiplexer for every user", equalized_superposed, |p: AccessParams| Ok(Demultiplexer::new(p.access))).example("access = \"superposed\""),
        Entry::frame("fading", "y = h x", symbols, |p: FadingParams| Fading::new(RngKey::new(p.seed), p.gains()?)).example(FADING),
        Entry::frame("awgn", "adds receiver noise", received, |p: AwgnParams| p.channel()?.noise_kernel(RngKey::new(p.seed), Decibel(p.snr_db))).example("snr_db = 10.0\nspread_db = 3.0"),
        Entry::frame("csi_error", "imperfect channel knowledge", received, |p: CsiErrorParams| CsiError::new(RngKey::new(p.seed), p.variance)).example("variance = 0.1"),
        Entry::frame("equalizer", "none, zf or mmse", received, |p: EqualizerParams| Ok(p.method)).example("method = \"mmse\""),
        Entry::frame("klt_encoder", "linear code: images to features", images, |p: KltParams| Ok(KltEncoder::new(klt(p)?))).example(KLT),
        Entry::frame("klt_decoder", "linear code: features to images", received_features, |p: KltParams| Ok(KltDecoder::new(klt(p)?))).example(KLT),
        Entry::splitter("tee_images", "copies images to two outputs", images, |_: NoParams| Ok(Tee::<ImageBatch>::new())),
        Entry::splitter("tee_features", "copies features to two outputs", features, |_: NoParams| Ok(Tee::new())),
        Entry::splitter("tee_symbols", "copies symbols to two outputs", symbols, |_: NoParams| Ok(Tee::new())),
        Entry::splitter("tee_received", "copies received frames to two outputs", received, |_: NoParams| Ok(Tee::new())),
        Entry::sink("save_images", "writes images as PNG files", images, |p: SaveImagesParams| SaveImages::new(&p.folder), files_of).fixture(a_target),
        Entry::sink("discard_images", "reads images and drops them", images, |_: NoParams| Ok(Discard::new()), |_| String::new()),
        Entry::sink("discard_features", "reads features and drops them", received_features, |_: NoParams| Ok(Discard::new()), |_| String::new()),
    ]
}

const SCENES: &str = "walk = { users = 6 }\nscenes = { height = 16, width = 16, len = 40 }";
const FADING: &str = "fading = { model = \"rician\", k_factor = 4.0 }\nvariation = \"per_symbol\"\nseed = 3";
const KLT: &str = "height = 16\nwidth = 16\nprivate_len = 64\nsnr_db = 10.0\nfit_images = 60";

fn walk(walk: Walk, set: impl ImageSet + 'static) -> Result<BatchSource> {
    BatchSource::new(Arc::new(set), walk.users, walk.first, walk.images)
}

/// The code of [`KltParams`]: encoder and decoder with equal parameters have equal codes.
fn klt(params: KltParams) -> Result<Arc<KltCode>> {
    let KltParams { height, width, private_len, snr_db, fit_images, fit_seed } = params;
    let scenes = SceneConfig { height, width, len: fit_images, seed: fit_seed, correlation: None };
    let mut source = BatchSource::new(Arc::new(SceneSet::new(scenes)?), 1, 0, None)?;
    let mut fit = KltFit::new();
    while let Some(batch) = sememe_blocks::kernel::FrameSource::next_frame(&mut source)? {
        fit.add(&batch)?;
    }
    let code = KltCode::new(Arc::new(fit.finish()?), (height, width), private_len, Decibel(snr_db))?;
    Ok(Arc::new(code))
}

fn a_folder(folder: &Path) -> std::io::Result<String> {
    for (number, batch) in specimens::images().into_iter().enumerate() {
        let mut sink = SaveImages::new(&folder.join(number.to_string())).map_err(std::io::Error::other)?;
        let batch = ImageBatch { frame: number as u64, ..batch };
        sememe_blocks::kernel::FrameSink::consume(&mut sink, batch).map_err(std::io::Error::other)?;
    }
    let all = folder.join("all");
    std::fs::create_dir(&all)?;
    for number in 0..specimens::NUM_FRAMES {
        for file in std::fs::read_dir(folder.join(number.to_string()))? {
            let file = file?;
            std::fs::rename(file.path(), all.join(file.file_name()))?;
        }
    }
    Ok(format!("walk = {{ users = 6 }}\nfolder = {{ path = {} }}", quoted(&all)))
}

fn a_cifar_file(folder: &Path) -> std::io::Result<String> {
    let records = (0..24u32).flat_map(|image| {
        let pixels = (0..3072).map(move |n| (n * (image + 1) % 251) as u8);
        std::iter::once((image % 10) as u8).chain(pixels)
    });
    let file = folder.join("records.bin");
    std::fs::write(&file, records.collect::<Vec<u8>>())?;
    Ok(format!("walk = {{ users = 6 }}\nsplit = \"test\"\npath = {}", quoted(&file)))
}

fn a_target(folder: &Path) -> std::io::Result<String> {
    Ok(format!("folder = {}", quoted(&folder.join("images"))))
}

fn quoted(path: &Path) -> toml::Value {
    toml::Value::String(path.to_string_lossy().into_owned())
}

/// Names and bytes of all files, in order.
fn files_of(sink: SaveImages) -> String {
    let entries = std::fs::read_dir(sink.folder()).map(|entries| entries.flatten().collect::<Vec<_>>());
    let mut files: Vec<_> = entries.unwrap_or_default().into_iter().map(|entry| entry.path()).collect();
    files.sort();
    let line = |path: &std::path::PathBuf| format!("{:?} {:?}", path.file_name(), std::fs::read(path));
    files.iter().map(line).collect::<Vec<_>>().join("\n")
}
