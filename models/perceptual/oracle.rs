//! Distances that PyTorch computed from the published weights and photographs.

use super::Lpips;
use ndarray::{Array4, ArrayView4, s};
use sememe_blocks::frame::{ImageBatch, Truth};
use sememe_blocks::metric::{mean_square_error, psnr_db};
use sememe_blocks::source::{Fit, FolderConfig, ImageFolder, ImageSet};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Case {
    image: String,
    /// Left, top, right, bottom.
    crop: [usize; 4],
    change: String,
    psnr_db: Option<f64>,
    lpips_squeeze: f32,
}

#[test]
fn agrees_with_pytorch_on_photographs() {
    let Some(data) = std::env::var_os("SEMEME_DATA") else {
        println!("skipped: SEMEME_DATA does not name a folder with perceptual/ and kodak/");
        return;
    };
    let (weights, images) = (Path::new(&data).join("perceptual"), Path::new(&data).join("kodak"));
    let Ok(cases) = std::fs::read_to_string(weights.join("lpips_squeeze_oracle.json")) else {
        println!("skipped: no lpips_squeeze_oracle.json in {}", weights.display());
        return;
    };
    let cases: Vec<Case> = serde_json::from_str(&cases).unwrap();
    assert!(!cases.is_empty());
    let lpips = Lpips::load(&weights).unwrap();
    let mut worst = 0f32;
    for case in &cases {
        let original = photograph(&images.join(&case.image), case.crop);
        let pixels = changed(original.pixels.view(), &case.change);
        let received = ImageBatch { pixels, ..original.clone() };
        let image = |batch: &ImageBatch| batch.pixels.index_axis(ndarray::Axis(0), 0).to_owned();
        let error = mean_square_error(image(&original).view(), image(&received).view()).unwrap();
        // Equal PSNR shows that the pair is the one PyTorch saw.
        match case.psnr_db {
            Some(psnr) => {
                assert!((psnr_db(error) - psnr).abs() < 1e-3, "{}: {}", case.change, psnr_db(error))
            }
            None => assert_eq!(error, 0.0),
        }
        let found = lpips.distance(&original, &received).unwrap()[0];
        let difference = (found - case.lpips_squeeze).abs();
        println!("{}, {}: {found}, PyTorch {}", case.image, case.change, case.lpips_squeeze);
        assert!(difference < 1e-5, "off by {difference}");
        worst = worst.max(difference);
    }
    println!("{} pairs, largest difference {worst:e}", cases.len());
}

fn photograph(path: &Path, [left, top, right, bottom]: [usize; 4]) -> ImageBatch {
    let config = FolderConfig { path: path.into(), size: None, fit: Fit::Exact, skip_bad: false };
    let whole = ImageFolder::open(&config).unwrap().batch(0, &[0]).unwrap();
    let pixels = whole.pixels.slice(s![.., top..bottom, left..right, ..]).to_owned();
    ImageBatch { frame: 0, pixels, truth: Truth::default() }
}

fn changed(image: ArrayView4<u8>, change: &str) -> Array4<u8> {
    match change {
        "identity" => image.to_owned(),
        "mirror" => image.slice(s![.., .., ..;-1, ..]).to_owned(),
        "posterise-mask-0xE0" => image.map(|v| v & 0xE0),
        "box-down4-nearest-up" => {
            // Each direction rounds to bytes, as image libraries do.
            let rounded = |sum: u32| (sum + 2) / 4;
            let across = |k, y, x, c| rounded((x..x + 4).map(|x| u32::from(image[[k, y, x, c]])).sum());
            Array4::from_shape_fn(image.dim(), |(k, y, x, c)| {
                let (top, left) = (y / 4 * 4, x / 4 * 4);
                rounded((top..top + 4).map(|y| across(k, y, left, c)).sum()) as u8
            })
        }
        other => panic!("unknown change {other}"),
    }
}
