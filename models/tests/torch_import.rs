//! Networks of PyTorch, imported with their weights, make of the same images what they make there.
//!
//! `torch/oracle.py` makes the files and holds the networks.

use candle_core::{Device, Tensor};
use sememe_blocks::Grouping;
use sememe_models::deep_jscc::DeepJsccConfig;
use sememe_models::group_splitting::{ModelConfig, Stem};
use sememe_models::transceiver::{Architecture, Reception};
use sememe_models::vit_jscc::VitJsccConfig;
use sememe_models::weights::tensor_file::{Tensors, read};
use sememe_models::weights::{from_state, torch_names};
use std::path::Path;

const SNR: f32 = 5.0;
const USERS: usize = 4;

fn oracle(name: &str) -> (Tensors, Tensors) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torch").join(format!("{name}.safetensors"));
    let (tensors, _) = read(&path).unwrap();
    let (mut state, mut rest) = (Tensors::new(), Tensors::new());
    for (name, tensor) in tensors {
        match name.strip_prefix("state.") {
            Some(name) => state.insert(name.to_owned(), tensor),
            None => rest.insert(name, tensor),
        };
    }
    (state, rest)
}

/// PyTorch's [B, C, H, W] as ours.
fn channels_last(x: &Tensor) -> Tensor {
    x.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap()
}

fn close(what: &str, found: &Tensor, expected: &Tensor) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let values = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let (found, expected) = (values(found), values(expected));
    let scale = expected.iter().fold(0f32, |most, v| most.max(v.abs()));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() <= 2e-5 * scale, "{what}: {found} {expected}, scale {scale}");
    }
}

fn check(name: &str, architecture: Architecture) {
    let (state, expected) = oracle(name);
    let model = from_state(architecture, state).unwrap();
    let encoded = model.encode(&channels_last(&expected["images"]), SNR).unwrap();
    close("private", &encoded.private, &expected["private"]);
    let grouping = Grouping::new(vec![0, 0, 1, 1], 2).unwrap();
    let common = model.common(&encoded.maps, &grouping, SNR).unwrap().vectors;
    if common.elem_count() > 0 {
        close("common", &common, &expected["common"]);
    }
    let of_user = Tensor::new(&[0u32, 0, 1, 1], &Device::Cpu).unwrap();
    let received = Reception {
        private: &encoded.private,
        common: &common.index_select(&of_user, 0).unwrap(),
        mean_snr: SNR,
        snr: &[SNR; USERS],
        common_snr: &[SNR; USERS],
        true_scales: None,
    };
    let decoded = model.decode(&received, (32, 32)).unwrap();
    close("decoded", &decoded, &channels_last(&expected["decoded"]));
}

fn adjscc() -> DeepJsccConfig {
    let kernels = [9, 5, 5, 5, 5];
    let tiny = DeepJsccConfig::preset("deep-jscc-tiny", 6).unwrap();
    DeepJsccConfig { kernels, gdn: true, snr_attention: true, ..tiny }
}

#[test]
fn the_spatial_family_of_group_splitting() {
    let config = ModelConfig::preset("spatial-tiny", 6, 4).unwrap();
    check("spatial", ModelConfig { heads: 2, gain_code: false, ..config }.into());
}

#[test]
fn the_paper_family_of_group_splitting() {
    let config = ModelConfig::preset("paper-tiny", 96, 64).unwrap();
    for (name, stem) in [
        ("paper", Stem::Reshape),
        ("paper-upsample", Stem::Upsample),
        ("paper-bottleneck-reshape", Stem::BottleneckReshape),
    ] {
        check(name, ModelConfig { heads: 2, stem, ..config.clone() }.into());
    }
}

#[test]
fn deep_jscc() {
    check("deep-jscc", DeepJsccConfig::preset("deep-jscc-tiny", 6).unwrap().into());
}

#[test]
fn adaptive_deep_jscc() {
    check("adjscc", adjscc().into());
}

#[test]
fn vit_jscc() {
    check("vit-jscc", VitJsccConfig::preset("vit-jscc-tiny", 4).unwrap().into());
}

#[test]
fn names_and_shapes_can_be_listed_and_are_demanded() {
    let (state, _) = oracle("adjscc");
    let names = torch_names(adjscc().into()).unwrap();
    assert_eq!(names.len(), state.len());
    for (name, shape) in names {
        assert_eq!(state[&name].dims(), shape, "{name}");
    }
    let refused = |state: Tensors| from_state(adjscc().into(), state).err().unwrap().to_string();
    let mut missing = state.clone();
    missing.remove("decoder.2.gdn.beta_root");
    assert!(refused(missing).contains("decoder.2.gdn.beta_root of shape [8] is missing"));
    let mut wrong = state.clone();
    wrong.insert("encoder.0.bias".into(), state["encoder.1.bias"].clone());
    assert!(refused(wrong).contains("encoder.0.bias has shape [8], expected [4]"));
    let mut more = state.clone();
    more.insert("head.bias".into(), state["encoder.1.bias"].clone());
    assert!(refused(more).contains("head.bias has no place"));
}
