//! The same link as a flowgraph and by direct calls, with the linear code and with stand-in networks.

mod profiles;

use super::*;
use crate::adapters::RunOptions;
use ndarray::{Array2, Array3, Array4};
use sememe_blocks::access::{Access, Strategy};
use sememe_blocks::channel::{ChannelConfig, FadingModel};
use sememe_blocks::frame::{EncodedUsers, Features, GroupedUsers, ImageBatch, ReceivedFeatures, Truth};
use sememe_blocks::kernel::FrameKernel;
use sememe_blocks::rng::RngKey;
use sememe_blocks::source::{SceneConfig, SceneSet};
use sememe_blocks::{BlockError, Decibel, Result};
use std::sync::Arc;

/// Networks that learn nothing: the private feature is a coarse copy of the image, the common one its
/// mean over the group, and the decoder shows the coarse copy.
struct StandIn {
    fails_at: Option<u64>,
}

/// Sides of the coarse copy; its pixels are 4 x 4 pixels of the image.
const COARSE: usize = 8;

struct Encoder(Option<u64>);
struct Common;
struct Decoder;

impl FrameKernel for Encoder {
    type In = ImageBatch;
    type Out = EncodedUsers;

    fn process(&mut self, batch: ImageBatch) -> Result<EncodedUsers> {
        if self.0 == Some(batch.frame) {
            return Err(BlockError::Kernel("the stand-in was told to fail".into()));
        }
        let private = Array2::from_shape_fn((batch.len(), COARSE * COARSE), |(user, place)| {
            f32::from(batch.pixels[[user, place / COARSE * 4, place % COARSE * 4, 1]]) - 127.5
        });
        Ok(EncodedUsers { frame: batch.frame, maps: Array4::zeros((batch.len(), 0, 0, 0)), private })
    }
}

impl FrameKernel for Common {
    type In = GroupedUsers;
    type Out = Features;

    fn process(&mut self, GroupedUsers { users, grouping }: GroupedUsers) -> Result<Features> {
        let mut common = Array2::zeros((grouping.num_groups(), 16));
        for (group, members) in grouping.members().into_iter().enumerate() {
            for (place, value) in common.row_mut(group).iter_mut().enumerate() {
                *value = members.iter().map(|user| users.private[[*user, place]]).sum::<f32>() + 1.0;
            }
        }
        Ok(Features { frame: users.frame, private: users.private, common, grouping })
    }
}

impl FrameKernel for Decoder {
    type In = ReceivedFeatures;
    type Out = ImageBatch;

    fn process(&mut self, received: ReceivedFeatures) -> Result<ImageBatch> {
        let users = received.private.nrows();
        let pixels = Array4::from_shape_fn((users, 32, 32, 3), |(user, row, column, _)| {
            (60.0 * received.private[[user, row / 4 * COARSE + column / 4]] + 127.5).clamp(0.0, 255.0) as u8
        });
        Ok(ImageBatch { frame: received.frame, pixels, truth: Truth::default() })
    }
}

impl Networks for StandIn {
    type Encoder = Encoder;
    type Common = Common;
    type Decoder = Decoder;

    fn kernels(&self, _: &Setting) -> Result<(Encoder, Common, Decoder)> {
        Ok((Encoder(self.fails_at), Common, Decoder))
    }
}

fn stand_in(fails_at: Option<u64>) -> GroupSplitting<StandIn> {
    let lengths = Lengths { private: COARSE * COARSE, common: 16, signalling_uses: 4 };
    GroupSplitting { networks: StandIn { fails_at }, lengths }
}

fn setting(access: Access, fading: FadingModel) -> Setting {
    let downlink = Downlink { users: 10, groups: 3, uses: 256, access, ..Downlink::default() };
    Setting {
        key: RngKey::new(5),
        downlink,
        channel: ChannelConfig::new(fading),
        snr: Decibel(12.0),
        told_snr: Decibel(12.0),
        size: (32, 32),
    }
}

fn images() -> Images {
    let set = SceneSet::new(SceneConfig { len: 35, seed: 1, ..SceneConfig::default() }).unwrap();
    Images { set: Arc::new(set), first: 0, limit: None }
}

fn scoring() -> Scoring {
    let mean_image = Arc::new(Array3::from_elem((32, 32, 3), 128));
    Scoring { ms_ssim: true, lpips: None, stop: None, kept_frames: 3, mean_image }
}

fn both(link: &impl Link, setting: &Setting) -> LinkOutput {
    let options = RunOptions::default();
    let flowgraph = in_flowgraph(link, &images(), setting, &scoring(), &options).unwrap();
    let direct = directly(link, &images(), setting, &scoring()).unwrap();
    assert_eq!(flowgraph, direct, "the flowgraph and direct calls differ");
    flowgraph
}

#[test]
fn flowgraph_and_direct_calls_give_the_same_bytes() {
    for access in [Access::Orthogonal, Access::Superposed] {
        for fading in [FadingModel::Awgn, FadingModel::Rayleigh] {
            let output = both(&stand_in(None), &setting(access, fading));
            // 35 images are three whole frames of ten.
            assert_eq!(output.scores.len(), 3);
            assert!(output.scores.iter().all(|score| score.received.is_some() && score.ms_ssim.len() == 10));
            assert_eq!(output.common[0].grouping.sizes().iter().sum::<usize>(), 10);
            // Ten private vectors of 32 uses less 4, three common vectors of 8.
            assert_eq!(output.air[0].uses, 10 * 28 + 3 * 8);
        }
    }
}

#[test]
fn the_linear_link_sends_what_it_is_given_and_gains_with_snr() {
    let training = SceneSet::new(SceneConfig { len: 256, seed: 2, ..SceneConfig::default() }).unwrap();
    let link = Klt::fit(&training).unwrap();
    let mean_psnr = |snr| {
        let at = Decibel(snr);
        let setting = Setting { snr: at, told_snr: at, ..setting(Access::Orthogonal, FadingModel::Awgn) };
        let output = both(&link, &setting);
        assert_eq!(output.air[0].uses, 10 * 256);
        assert!((output.air[0].energy - 2560.0).abs() < 0.1, "{}", output.air[0].energy);
        assert_eq!(output.common[0].mean_cosine, None);
        output.scores.iter().flat_map(|score| &score.images).map(|image| image.psnr_db()).sum::<f64>() / 30.0
    };
    let (low, high) = (mean_psnr(0.0), mean_psnr(15.0));
    assert!(low > 14.0 && high > low + 4.0, "{low} dB at 0 dB, {high} dB at 15 dB");
}

#[test]
fn a_failing_kernel_is_named_in_the_same_words_by_both() {
    let at = setting(Access::Orthogonal, FadingModel::Awgn);
    let link = stand_in(Some(1));
    let graph = in_flowgraph(&link, &images(), &at, &scoring(), &RunOptions::default()).unwrap_err();
    let direct = directly(&link, &images(), &at, &scoring()).unwrap_err();
    assert_eq!(graph.to_string(), "block 'semantic encoder': the stand-in was told to fail");
    assert_eq!(direct.to_string(), graph.to_string());
}

#[test]
fn impossible_parameters_are_refused_before_anything_runs() {
    let mut at = setting(Access::Orthogonal, FadingModel::Awgn);
    at.downlink.clustering = Strategy::Balanced;
    at.downlink.groups = 11;
    let error = directly(&stand_in(None), &images(), &at, &scoring()).unwrap_err().to_string();
    assert!(error.contains("groups = 11") && error.contains("1 to 10"), "{error}");
}
