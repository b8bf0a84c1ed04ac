//! Loss and gradients of every network, channel included.

use super::{distance, gpu, noise};
use candle_core::{Device, Tensor};
use sememe_blocks::access::Mapping;
use sememe_blocks::channel::{FadeProcess, FadingModel};
use sememe_blocks::equalizer::Equalizer;
use sememe_blocks::rng::RngKey;
use sememe_blocks::{Decibel, Grouping};
use sememe_models::layers::Parameters;
use sememe_models::losses::{Reconstruction, Repulsion};
use sememe_models::ops::{Precision, backward};
use sememe_models::transceiver::{Architecture, Downlink, Model, Reception};
use std::collections::BTreeMap;

const USERS: usize = 10;
const GROUPS: usize = 2;

/// Loss, image and gradients by name.
struct Passed {
    loss: f32,
    images: Tensor,
    gradients: BTreeMap<String, Tensor>,
}

fn pass(model: &Model) -> Passed {
    let device = model.parameters().device();
    let images = (noise(&[USERS, 32, 32, 3], 5).as_tensor() * 0.2).unwrap();
    let images = (images + 0.5).unwrap().to_device(device).unwrap();
    let of_user: Vec<usize> = (0..USERS).map(|user| user * GROUPS / USERS).collect();
    let grouping = Grouping::new(of_user.clone(), GROUPS).unwrap();
    let encoded = model.encode(&images, 10.0).unwrap();
    let common = model.common(&encoded.maps, &grouping, 10.0).unwrap();
    let downlink = Downlink {
        mapping: Mapping::Iq,
        equalizer: Equalizer::Mmse,
        punctured_uses: 0,
        snr_spread_db: 3.0,
        key: RngKey::new(1),
    };
    let process = FadeProcess::block(FadingModel::Rayleigh);
    let snr = Decibel(10.0);
    let received = downlink.send(&encoded.private, &common.vectors, &grouping, process, 7, snr).unwrap();
    let of_user = Tensor::new(of_user.iter().map(|g| *g as u32).collect::<Vec<_>>(), device).unwrap();
    let scales = encoded.scale.map(|private| {
        let common = match common.scale {
            Some(scale) => scale.index_select(&of_user, 0).unwrap(),
            None => private.detach(),
        };
        [private, common]
    });
    let reception = Reception {
        private: &received.private,
        common: &received.common,
        mean_snr: 10.0,
        snr: &received.snr,
        common_snr: &received.common_snr,
        true_scales: scales.as_ref().map(|[private, common]| [private, common]),
    };
    let decoded = model.decode(&reception, (32, 32)).unwrap();
    let mut loss = Reconstruction::Charbonnier.loss(&images, &decoded).unwrap();
    if model.architecture().shares() {
        loss = (loss + Repulsion::default().terms(&common.features).unwrap().total).unwrap();
    }
    let gradients = backward(&loss).unwrap();
    let named = model.parameters().named();
    let gradients = named.iter().map(|(name, v)| (name.clone(), gradients.get(v).unwrap().clone())).collect();
    Passed { loss: loss.to_scalar().unwrap(), images: decoded.detach(), gradients }
}

/// The same model with the same weights, none of them zero, on both devices.
fn models(preset: &str, common: usize, gpu: &Device) -> [Model; 2] {
    let private = if preset.starts_with("paper") { 400 } else { 26 };
    let architecture = Architecture::preset(preset, private, common).unwrap();
    let random = Model::random(architecture.clone(), 1, &Device::Cpu).unwrap();
    let tensors: BTreeMap<String, Tensor> = random
        .parameters()
        .named()
        .into_iter()
        .zip(10..)
        .map(|((name, v), seed)| {
            let moved = (v.as_tensor() + (noise(v.dims(), seed).as_tensor() * 0.02).unwrap()).unwrap();
            (name, moved.detach())
        })
        .collect();
    [&Device::Cpu, gpu]
        .map(|device| Model::new(architecture.clone(), Parameters::stored(tensors.clone(), device)).unwrap())
}

/// The worst of all distances, and where.
fn worst(found: &Passed, expected: &Passed) -> (f64, String) {
    let loss = f64::from((found.loss - expected.loss).abs() / expected.loss);
    let mut all = vec![(loss, "loss".into()), (distance(&found.images, &expected.images), "images".into())];
    let total = expected
        .gradients
        .values()
        .map(|g| f64::from(g.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()))
        .sum::<f64>()
        .sqrt();
    for (name, gradient) in &expected.gradients {
        let length = f64::from(gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()).sqrt();
        // What hardly adds to the step may be less exact.
        let weight = (length / (1e-3 * total)).min(1.0);
        all.push((weight * distance(&found.gradients[name], gradient), name.clone()));
    }
    all.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
}

#[test]
fn every_network_has_the_processors_loss_and_gradients() {
    let Some(gpu) = gpu() else { return };
    for (preset, common) in [
        ("spatial-compact", 30),
        ("spatial-compact", 0),
        ("spatial", 30),
        ("paper-compact", 500),
        ("deep-jscc", 0),
        ("adjscc-compact", 0),
        ("vit-jscc-compact", 0),
    ] {
        let [here, there] = models(preset, common, &gpu);
        let (expected, found) = (pass(&here), pass(&there));
        let (error, place) = worst(&found, &expected);
        println!(
            "{preset}, {common} common: loss {} {}, worst {error:.1e} in {place}",
            expected.loss, found.loss
        );
        assert!(error < 1e-3, "{preset}: {place} differs by {error:.1e}");
        let mixed = Precision::Mixed.within(|| pass(&there));
        let (error, place) = worst(&mixed, &expected);
        println!("{preset}, mixed: loss {}, worst {error:.1e} in {place}", mixed.loss);
        assert!(error < 0.15, "{preset}, mixed: {place} differs by {error:.1e}");
    }
}
