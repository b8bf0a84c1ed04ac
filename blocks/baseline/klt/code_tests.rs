//! The linear code end to end, on made-up images with the spectrum of natural ones.

use super::{KltCode, KltDecoder, KltEncoder, KltFit};
use crate::access::GainCode;
use crate::frame::{Features, ImageBatch, ReceivedFeatures, Truth};
use crate::kernel::FrameKernel;
use crate::rng::{Purpose, RngKey, normal};
use crate::units::Decibel;
use ndarray::{Array2, Array3, Array4, Axis};
use std::f32::consts::TAU;
use std::sync::Arc;

/// `num` images: waves whose amplitude falls as frequency grows, tinted, with a little grain.
pub(super) fn smooth_images(frame: u64, num: usize, side: usize) -> ImageBatch {
    let mut pixels = Array4::zeros((num, side, side, 3));
    for (user, mut image) in pixels.axis_iter_mut(Axis(0)).enumerate() {
        let mut rng = RngKey::new(60).stream(Purpose::Scene, frame, user);
        let tint = [0; 3].map(|_| 110.0 + 30.0 * normal(&mut rng));
        let waves: Vec<[f32; 5]> = (1..=12)
            .map(|wave| {
                let (across, down) = (normal(&mut rng), normal(&mut rng));
                let colour = 0.3 * normal(&mut rng);
                [across * wave as f32, down * wave as f32, TAU * normal(&mut rng), 40.0 / wave as f32, colour]
            })
            .collect();
        for row in 0..side {
            for column in 0..side {
                let (x, y) = (column as f32 / side as f32, row as f32 / side as f32);
                for colour in 0..3 {
                    let wave = |[across, down, phase, height, tone]: &[f32; 5]| {
                        (TAU * (across * x + down * y) + phase).sin() * height * (1.0 + tone * colour as f32)
                    };
                    let level = tint[colour] + waves.iter().map(wave).sum::<f32>() + normal(&mut rng);
                    image[[row, column, colour]] = level.round() as u8;
                }
            }
        }
    }
    ImageBatch { frame, pixels, truth: Truth::default() }
}

fn code(side: usize, num_features: usize, snr_db: f32) -> Arc<KltCode> {
    let mut fit = KltFit::new();
    fit.add(&smooth_images(1000, 60, 32)).unwrap();
    let transform = Arc::new(fit.finish().unwrap());
    Arc::new(KltCode::new(transform, (side, side), num_features, Decibel(snr_db)).unwrap())
}

/// Scales each user's vector to unit power and adds noise, as an AWGN channel does.
fn transmit(features: Features, snr_db: f32) -> ReceivedFeatures {
    let Features { frame, mut private, common, .. } = features;
    let noise = Decibel(snr_db).noise_variance().sqrt();
    for (user, mut vector) in private.axis_iter_mut(Axis(0)).enumerate() {
        let norm = vector.dot(&vector).sqrt() / (vector.len() as f32).sqrt();
        let mut rng = RngKey::new(61).stream(Purpose::NoisePrivate, frame, user);
        vector.mapv_inplace(|value| value / norm + noise * normal(&mut rng));
    }
    let num_users = private.nrows();
    let snr = vec![Decibel(snr_db).to_linear().0; num_users];
    ReceivedFeatures { frame, private, common, common_snr: snr.clone(), snr, lost: vec![false; num_users] }
}

fn error(a: &ImageBatch, b: &ImageBatch) -> f64 {
    let square = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2);
    a.pixels.iter().zip(&b.pixels).map(square).sum::<f64>() / a.pixels.len() as f64
}

#[test]
fn the_error_is_the_one_the_design_promises() {
    // The promise is a mean over the statistics of the fit, without rounding and with the gain known;
    // 60 new images differ from the 60 fitted by a few percent, and pixels carry rounding as well.
    let images = smooth_images(0, 60, 32);
    for (snr_db, tolerance) in [(0.0, 0.15), (12.0, 0.15)] {
        let code = code(32, 2048, snr_db);
        let features = KltEncoder::new(code.clone()).process(images.clone()).unwrap();
        let decoded = KltDecoder::new(code.clone()).process(transmit(features, snr_db)).unwrap();
        let (found, promised) =
            (error(&decoded, &images), code.expected_error(10f64.powf(f64::from(snr_db) / 10.0)));
        assert!((found / promised - 1.0).abs() < tolerance, "{snr_db} dB: {found}, promised {promised}");
    }
}

#[test]
fn without_noise_all_coefficients_give_the_image_back() {
    let images = smooth_images(0, 4, 32);
    let code = code(32, 192 * 16 + GainCode::NUM_FEATURES, f32::INFINITY);
    let features = KltEncoder::new(code.clone()).process(images.clone()).unwrap();
    let decoded = KltDecoder::new(code).process(transmit(features, f32::INFINITY)).unwrap();
    assert!(error(&decoded, &images) < 0.1, "{}", error(&decoded, &images));
}

#[test]
fn vectors_leave_at_unit_power_with_nothing_in_common() {
    let code = code(32, 2048, 6.0);
    let features = KltEncoder::new(code.clone()).process(smooth_images(5, 3, 32)).unwrap();
    assert_eq!((features.frame, features.private.dim(), features.common.dim()), (5, (3, 2048), (3, 0)));
    assert_eq!(features.grouping.sizes(), [1, 1, 1]);
    for vector in features.private.axis_iter(Axis(0)) {
        assert!((vector.dot(&vector) / 2048.0 - 1.0).abs() < 1e-3);
    }
    assert!(code.num_coefficients() <= 2048 - GainCode::NUM_FEATURES);
}

#[test]
fn the_bias_of_an_equaliser_does_not_matter() {
    let images = smooth_images(0, 3, 32);
    let code = code(32, 2048, 3.0);
    let features = KltEncoder::new(code.clone()).process(images).unwrap();
    let received = transmit(features, 3.0);
    let mut biased = received.clone();
    biased.private *= 2.0 / 3.0;
    let mut decoder = KltDecoder::new(code);
    let (plain, biased) = (decoder.process(received).unwrap(), decoder.process(biased).unwrap());
    assert!(error(&plain, &biased) < 0.01, "only rounding may differ");
}

#[test]
fn flat_and_harsh_images_survive() {
    let code = code(32, 2048, 20.0);
    let flat = |level: u8| Array3::from_elem((32, 32, 3), level);
    let harsh =
        Array3::from_shape_fn((32, 32, 3), |(row, column, _)| if (row ^ column) & 1 == 0 { 0 } else { 255 });
    for (name, image, bound) in [("black", flat(0), 60.0), ("grey", flat(110), 2.0), ("harsh", harsh, 9e3)] {
        let sent = code.encode(image.view()).unwrap();
        let power: f32 = sent.iter().map(|value| value * value).sum::<f32>() / 2048.0;
        assert!((power - 1.0).abs() < 1e-3, "{name}: power {power}");
        let decoded = code.decode(&sent, 100.0).unwrap();
        let square = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2);
        let error = decoded.iter().zip(&image).map(square).sum::<f64>() / 3072.0;
        assert!(error < bound, "{name}: {error}");
    }
}

#[test]
fn lost_users_and_deep_fades_get_the_mean() {
    let code = code(32, 512, 10.0);
    let features = KltEncoder::new(code.clone()).process(smooth_images(0, 3, 32)).unwrap();
    let mut received = transmit(features, 10.0);
    received.lost[0] = true;
    received.snr[1] = 0.0;
    received.private.row_mut(2).fill(0.0);
    let decoded = KltDecoder::new(code).process(received).unwrap();
    assert_eq!(decoded.pixels.index_axis(Axis(0), 0), decoded.pixels.index_axis(Axis(0), 1));
    assert_eq!(decoded.pixels.index_axis(Axis(0), 0), decoded.pixels.index_axis(Axis(0), 2));
}

#[test]
fn sides_that_are_no_multiple_of_a_tile_are_possible() {
    let images = smooth_images(0, 2, 20);
    let code = code(20, 800, 15.0);
    let features = KltEncoder::new(code.clone()).process(images.clone()).unwrap();
    let decoded = KltDecoder::new(code).process(transmit(features, 15.0)).unwrap();
    assert_eq!(decoded.pixels.dim(), (2, 20, 20, 3));
    assert!(error(&decoded, &images) < 150.0, "{}", error(&decoded, &images));
}

#[test]
fn impossible_designs_and_frames_are_refused() {
    let code = code(32, 2048, 10.0);
    let transform = code.transform.clone();
    let design = |size, features, snr| {
        KltCode::new(transform.clone(), size, features, Decibel(snr)).map(|_| ()).map_err(|e| e.to_string())
    };
    assert!(design((32, 32), 16, 10.0).unwrap_err().contains("above 16"));
    assert!(design((32, 32), 2047, 10.0).unwrap_err().contains("even"));
    assert!(design((0, 32), 2048, 10.0).unwrap_err().contains("0 x 32"));
    assert!(design((32, 32), 2048, f32::NAN).unwrap_err().contains("NaN"));
    assert!(design((32, 32), 18, -300.0).is_ok() && design((4, 4), 4096, 10.0).is_ok());

    assert!(KltEncoder::new(code.clone()).process(smooth_images(0, 1, 24)).is_err());
    let mut decoder = KltDecoder::new(code);
    let received = |len, users| ReceivedFeatures {
        frame: 0,
        private: Array2::ones((1, len)),
        common: Array2::zeros((1, 0)),
        snr: vec![1.0; users],
        common_snr: vec![1.0; users],
        lost: vec![false; users],
    };
    assert!(decoder.process(received(2048, 1)).is_ok());
    assert!(decoder.process(received(2000, 1)).unwrap_err().to_string().contains("2048"));
    assert!(decoder.process(received(2048, 2)).is_err());
    let mut broken = received(2048, 1);
    broken.private[[0, 7]] = f32::INFINITY;
    assert!(decoder.process(broken).unwrap_err().to_string().contains("position 7"));
}
