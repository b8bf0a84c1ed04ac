//! Every quality of one picture, with the size of its stream and the picture it decodes to.

use super::analysis::Coefficients;
use super::frame::Frame;
use super::quantizer::Quantizer;
use super::stream::write;
use super::synthesis::Synthesis;
use crate::picture::planar::PlanarImage;
use crate::picture::{Packing, Rung, Setting, Subsampling};
use std::sync::LazyLock;

const QUALITIES: std::ops::RangeInclusive<u8> = 1..=100;

/// Tables of all qualities, the first for quality 1.
static QUANTIZERS: LazyLock<Vec<[Quantizer; 2]>> = LazyLock::new(|| QUALITIES.map(Quantizer::pair).collect());

/// Appends all settings of one colour resolution whose stream fits.
///
/// - longest: streams with more bytes are left out, which saves decoding them
/// - psnr_db: quality of a decoded picture
pub(in crate::picture) fn search(
    image: &PlanarImage,
    subsampling: Subsampling,
    packing: Packing,
    longest: usize,
    psnr_db: impl Fn(&PlanarImage) -> f64,
    found: &mut Vec<Rung>,
) {
    let frame = Frame { height: image.height, width: image.width, subsampling };
    let coefficients = Coefficients::new(image, frame);
    let mut synthesis = Synthesis::new(frame);
    let (mut blocks, mut stream) = (Vec::new(), Vec::new());
    for (quality, quantizers) in QUALITIES.zip(QUANTIZERS.iter()) {
        coefficients.quantize(quantizers, &mut blocks);
        stream.clear();
        if write(&blocks, &frame, (quality, quantizers), packing, longest, &mut stream) {
            let [luminance, chrominance] = quantizers;
            let decoded = synthesis.run(&blocks, [luminance, chrominance, chrominance]);
            let setting = Setting::Jpeg { quality, subsampling };
            found.push(Rung { setting, bytes: stream.len(), psnr_db: psnr_db(decoded) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream::{decode, encode};
    use super::*;
    use crate::metric::psnr_db;
    use crate::picture::test_pictures::scene;

    #[test]
    fn what_is_promised_is_what_streams_give() {
        let image = PlanarImage::from_interleaved(20, 28, scene(20, 28, 6).as_slice().unwrap());
        let score = |decoded: &PlanarImage| psnr_db(image.error_in(decoded, 0, 0, (20, 28)));
        for packing in [Packing::Shared, Packing::File] {
            for subsampling in Subsampling::ALL {
                let mut found = Vec::new();
                search(&image, subsampling, packing, usize::MAX, score, &mut found);
                assert_eq!(found.len(), 100);
                for rung in &found {
                    let Setting::Jpeg { quality, subsampling } = rung.setting else { panic!("{rung:?}") };
                    let stream = encode(&image, quality, subsampling, packing);
                    assert_eq!(stream.len(), rung.bytes);
                    assert_eq!(score(&decode(&stream, packing, |_| (20, 28)).unwrap().0), rung.psnr_db);
                }
                let longest = found[40].bytes;
                let mut short = Vec::new();
                search(&image, subsampling, packing, longest, score, &mut short);
                found.retain(|rung| rung.bytes <= longest);
                assert_eq!(short, found);
            }
        }
    }
}
