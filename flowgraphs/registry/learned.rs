//! The blocks whose kernels are networks: one line each.

use super::{Entry, specimens};
use ndarray::Axis;
use sememe_blocks::frame::{Features, GroupedUsers, ReceivedFeatures};
use sememe_blocks::kernel::FrameKernel;
use sememe_blocks::{BlockError, Decibel, Grouping, Result};
use sememe_models::transceiver::Model;
use sememe_models::transceiver::kernels::{CommonEncoder, SemanticDecoder, SemanticEncoder};
use sememe_models::weights::{SHIPPED, load, shipped};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

/// The table of an encoder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EncoderParams {
    /// Name of shipped weights, or path of a file.
    weights: String,
    /// Mean SNR the network is told.
    snr_db: f32,
}

/// The table of a decoder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DecoderParams {
    weights: String,
    snr_db: f32,
    /// Size of the images.
    height: usize,
    width: usize,
}

/// Names, summaries, specimens and constructors.
#[rustfmt::skip]
pub(super) fn entries() -> Vec<Entry> {
    vec![
        Entry::frame("semantic_encoder", "network: images to semantic and private features", specimens::images, |p: EncoderParams| Ok(SemanticEncoder::new(model(&p.weights)?, Decibel(p.snr_db)))).example(ENCODER).blocking(),
        Entry::frame("common_encoder", "network: users of a group to its common feature", grouped, |p: EncoderParams| Ok(CommonEncoder::new(model(&p.weights)?, Decibel(p.snr_db)))).example(ENCODER).blocking(),
        Entry::frame("semantic_decoder", "network: received features to images", received, |p: DecoderParams| Ok(SemanticDecoder::new(model(&p.weights)?, Decibel(p.snr_db), (p.height, p.width)))).example(DECODER).blocking(),
    ]
}

const ENCODER: &str = "weights = \"spatial-compact\"\nsnr_db = 10.0";
const DECODER: &str = "weights = \"spatial-compact\"\nsnr_db = 10.0\nheight = 16\nwidth = 16";

/// Shipped weights by name, others by path.
fn model(weights: &str) -> Result<Arc<Model>> {
    let found = if SHIPPED.contains(&weights) { shipped(weights) } else { load(Path::new(weights)) };
    found.map_err(|error| BlockError::file(weights, error))
}

/// The specimen images behind the encoder, in their groups.
fn grouped() -> Vec<GroupedUsers> {
    let encoder = model("spatial-compact").map(|model| SemanticEncoder::new(model, Decibel(10.0)));
    let mut encoder = encoder.expect("shipped weights load");
    let of_user: Vec<usize> = (0..specimens::NUM_USERS).map(|user| user % specimens::NUM_GROUPS).collect();
    let grouping = Grouping::new(of_user, specimens::NUM_GROUPS).expect("every user modulo G is below G");
    let encode = |images| GroupedUsers {
        users: encoder.process(images).expect("specimen images have sides that are multiples of 4"),
        grouping: grouping.clone(),
    };
    specimens::images().into_iter().map(encode).collect()
}

/// What the users would receive without noise.
fn received() -> Vec<ReceivedFeatures> {
    let encoder = model("spatial-compact").map(|model| CommonEncoder::new(model, Decibel(10.0)));
    let mut encoder = encoder.expect("shipped weights load");
    let receive = |grouped: GroupedUsers| {
        let Features { frame, private, common, grouping } =
            encoder.process(grouped).expect("specimen users fit the encoder that made them");
        let users = private.nrows();
        ReceivedFeatures {
            frame,
            private,
            common: common.select(Axis(0), grouping.as_slice()),
            snr: vec![10.0; users],
            common_snr: vec![10.0; users],
            lost: vec![false; users],
        }
    };
    grouped().into_iter().map(receive).collect()
}
