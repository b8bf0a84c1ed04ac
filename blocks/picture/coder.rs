//! The coder of one line: what both ends agree on before the first picture.

use super::codec::{Damaged, Packing, PictureCodec, Setting, Subsampling};
use super::ladder::{Ladder, Rung};
use super::mosaic::Mosaic;
use super::{jpeg, mean_colour, webp};
use crate::{BlockError, Result};
use ndarray::{Array3, ArrayView3};

/// Encoder and decoder for pictures of one size, compressed in one way.
///
/// ```
/// use sememe_blocks::picture::{Packing, PictureCodec, PictureCoder};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let image = ndarray::Array3::from_shape_fn((32, 32, 3), |(row, column, _)| (4 * row + column) as u8);
/// let coder = PictureCoder::new(PictureCodec::Jpeg, Packing::Shared, (32, 32), 1)?;
/// let ladder = coder.ladder(&[image.view()], 4096)?;
/// let best = ladder.best_within(2048)?;
/// let stream = coder.encode(&[image.view()], best.setting)?;
/// assert_eq!(stream.len(), best.bytes);
/// assert!(best.bytes <= 2048 / 8 && best.psnr_db > 30.0);
/// let received = coder.decode(&stream)?;
/// assert_eq!(received[0].dim(), (32, 32, 3));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PictureCoder {
    codec: PictureCodec,
    packing: Packing,
    size: (usize, usize),
    num_images: usize,
}

impl PictureCoder {
    /// Agrees on codec, packing and pictures.
    ///
    /// - size: height and width of each image in pixels
    /// - num_images: images in one stream; 1 unless they are packed in a mosaic
    /// - errors: no pixel, no image, several images without a mosaic, or more pixels than the codec takes
    pub fn new(
        codec: PictureCodec,
        packing: Packing,
        size: (usize, usize),
        num_images: usize,
    ) -> Result<Self> {
        let longest = codec.longest_side();
        if size.0 == 0 || size.1 == 0 || size.0 > longest || size.1 > longest {
            let found = format!("{} x {}", size.0, size.1);
            return Err(BlockError::invalid(
                "picture size",
                found,
                format!("sides of 1 to {longest} pixels"),
            ));
        }
        if num_images == 0 || packing != Packing::Mosaic && num_images != 1 {
            let allowed = if packing == Packing::Mosaic { "at least 1" } else { "1, or packing \"mosaic\"" };
            return Err(BlockError::invalid("images in one stream", num_images, allowed));
        }
        // Every image takes at least one tile, so this many cannot fit; and sizes cannot overflow.
        let many = num_images > longest * longest;
        let coder = Self { codec, packing, size, num_images };
        let widest = |subsampling| {
            let (height, width) = coder.mosaic(subsampling).size();
            height.max(width)
        };
        if many || Subsampling::ALL.map(widest).iter().any(|side| *side > longest) {
            let allowed = format!("as many as give a mosaic with sides of up to {longest} pixels");
            return Err(BlockError::invalid("images in one stream", num_images, allowed));
        }
        Ok(coder)
    }

    /// Height and width of each image in pixels.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    /// The codec.
    pub fn codec(&self) -> PictureCodec {
        self.codec
    }

    /// How much of a file is sent.
    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// Images in one stream.
    pub fn num_images(&self) -> usize {
        self.num_images
    }

    /// Compresses with every setting and keeps those worth taking.
    ///
    /// - images: `[H, W, 3]` each, as many as go in one stream
    /// - largest_payload_bits: the largest payload that will be asked for; longer streams are not kept
    /// - errors: images of another number or size
    pub fn ladder(&self, images: &[ArrayView3<'_, u8>], largest_payload_bits: usize) -> Result<Ladder> {
        self.check(images)?;
        let longest = largest_payload_bits / 8;
        let packing = self.packing;
        let mut found = Vec::new();
        match self.codec {
            PictureCodec::Jpeg => {
                for subsampling in Subsampling::ALL {
                    let mosaic = self.mosaic(subsampling);
                    let picture = mosaic.compose(images);
                    let score = |decoded: &_| mosaic.psnr_db(&picture, decoded);
                    jpeg::search(&picture, subsampling, packing, longest, score, &mut found);
                }
            }
            PictureCodec::Webp => {
                let mosaic = self.mosaic(Subsampling::S420);
                let picture = mosaic.compose(images);
                let score = |decoded: &_| mosaic.psnr_db(&picture, decoded);
                webp::search(&picture, packing, longest, score, &mut found)?;
            }
        }
        Ok(Ladder::new(self.mean_colour_rung(images)?, found, largest_payload_bits))
    }

    /// The stream of images under a setting, from a ladder or from elsewhere.
    ///
    /// - images: `[H, W, 3]` each, as many as go in one stream
    /// - errors: images of another number or size, a setting of another codec or with an impossible quality
    pub fn encode(&self, images: &[ArrayView3<'_, u8>], setting: Setting) -> Result<Vec<u8>> {
        self.check(images)?;
        let packing = self.packing;
        match (self.codec, setting) {
            (_, Setting::MeanColour) => Ok(mean_colour::encode(images)),
            (PictureCodec::Jpeg, Setting::Jpeg { quality: quality @ 1..=100, subsampling }) => {
                let picture = self.mosaic(subsampling).compose(images);
                Ok(jpeg::encode(&picture, quality, subsampling, packing))
            }
            (PictureCodec::Webp, Setting::Webp { quality: quality @ 0..=100, sharp }) => {
                webp::encode(&self.mosaic(Subsampling::S420).compose(images), quality, sharp, packing)
            }
            (codec, _) => {
                let allowed = match codec {
                    PictureCodec::Jpeg => "JPEG of quality 1 to 100, or the mean colour",
                    PictureCodec::Webp => "WebP of quality 0 to 100, or the mean colour",
                };
                Err(BlockError::invalid("setting", setting, allowed))
            }
        }
    }

    /// The images in a stream that may be damaged and may be followed by anything.
    ///
    /// - returns: `[H, W, 3]` each; the wrong ones where the damage gives a possible stream
    /// - errors: bytes that are no stream of this coder
    pub fn decode(&self, stream: &[u8]) -> Result<Vec<Array3<u8>>, Damaged> {
        if stream.first() == Some(&mean_colour::MARK) {
            let colours = mean_colour::decode(stream, self.num_images)?;
            return Ok(colours.into_iter().map(|colour| mean_colour::fill(self.size, colour)).collect());
        }
        let packing = self.packing;
        match self.codec {
            PictureCodec::Jpeg => {
                let (picture, subsampling) =
                    jpeg::decode(stream, packing, |subsampling| self.mosaic(subsampling).size())?;
                self.mosaic(subsampling).split(&picture)
            }
            PictureCodec::Webp => {
                let mosaic = self.mosaic(Subsampling::S420);
                mosaic.split(&webp::decode(stream, packing, mosaic.size())?)
            }
        }
    }

    /// Where the images lie; without a mosaic, one image is the whole picture.
    fn mosaic(&self, subsampling: Subsampling) -> Mosaic {
        let unit = if self.packing == Packing::Mosaic { subsampling.unit_side() } else { 1 };
        Mosaic::new(self.size, self.num_images, unit)
    }

    fn mean_colour_rung(&self, images: &[ArrayView3<'_, u8>]) -> Result<Rung> {
        let mosaic = Mosaic::new(self.size, self.num_images, 1);
        let filled: Vec<Array3<u8>> = images
            .iter()
            .map(|image| mean_colour::fill(self.size, mean_colour::mean_colour(image.view())))
            .collect();
        let filled: Vec<_> = filled.iter().map(|image| image.view()).collect();
        let psnr_db = mosaic.psnr_db(&mosaic.compose(images), &mosaic.compose(&filled));
        let bytes = mean_colour::stream_len(self.num_images);
        Ok(Rung { setting: Setting::MeanColour, bytes, psnr_db })
    }

    fn check(&self, images: &[ArrayView3<'_, u8>]) -> Result<()> {
        if images.len() != self.num_images {
            return Err(BlockError::shape("images in one stream", self.num_images, images.len()));
        }
        let expected = (self.size.0, self.size.1, 3);
        match images.iter().find(|image| image.dim() != expected) {
            Some(image) => {
                Err(BlockError::shape("an image", format!("{expected:?}"), format!("{:?}", image.dim())))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{mean_square_error, psnr_db};
    use crate::picture::test_pictures::{flat, noise, scene};

    fn coders() -> Vec<PictureCoder> {
        let packings = [(Packing::File, 1), (Packing::Shared, 1), (Packing::Mosaic, 5)];
        let coder =
            |codec| packings.map(|(packing, num)| PictureCoder::new(codec, packing, (20, 28), num).unwrap());
        [PictureCodec::Jpeg, PictureCodec::Webp].map(coder).concat()
    }

    fn views(images: &[Array3<u8>]) -> Vec<ArrayView3<'_, u8>> {
        images.iter().map(|image| image.view()).collect()
    }

    #[test]
    fn every_rung_keeps_its_promise() {
        for coder in coders() {
            let images: Vec<_> = (0..coder.num_images() as u64).map(|seed| scene(20, 28, seed)).collect();
            let ladder = coder.ladder(&views(&images), 40_000).unwrap();
            assert!(ladder.rungs().len() > 15, "{coder:?}");
            for rung in ladder.rungs().iter().step_by(9).chain([ladder.mean_colour()]) {
                let stream = coder.encode(&views(&images), rung.setting).unwrap();
                assert_eq!(stream.len(), rung.bytes, "{coder:?}");
                let received = coder.decode(&[&stream[..], &[0; 17]].concat()).unwrap();
                let psnrs = images
                    .iter()
                    .zip(&received)
                    .map(|(sent, got)| psnr_db(mean_square_error(sent.view(), got.view()).unwrap()));
                let mean = psnrs.sum::<f64>() / images.len() as f64;
                assert!((mean - rung.psnr_db).abs() < 1e-9, "{coder:?}: {mean} {rung:?}");
            }
        }
    }

    #[test]
    fn a_picture_that_does_not_fit_is_sent_as_its_mean_colour() {
        for coder in coders() {
            let images: Vec<_> = (0..coder.num_images() as u64).map(|seed| noise(20, 28, seed)).collect();
            let ladder = coder.ladder(&views(&images), 8 * 20).unwrap();
            let rung = ladder.best_within(8 * 20).unwrap();
            assert!(rung.unfit() && rung.bytes == 1 + 3 * images.len());
            let received = coder.decode(&coder.encode(&views(&images), rung.setting).unwrap()).unwrap();
            assert!(received.iter().all(|image| *image == flat(20, 28, [0, 1, 2].map(|c| image[[0, 0, c]]))));
        }
    }

    #[test]
    fn what_was_not_agreed_is_refused() {
        let new = |size, num, packing| PictureCoder::new(PictureCodec::Webp, packing, size, num).map(|_| ());
        assert!(new((0, 4), 1, Packing::File).is_err());
        assert!(new((16_384, 4), 1, Packing::File).is_err());
        assert!(new((16_383, 4), 1, Packing::File).is_ok());
        assert!(new((4, 4), 0, Packing::Mosaic).is_err());
        assert!(new((4, 4), usize::MAX, Packing::Mosaic).is_err());
        assert!(new((32, 32), 512 * 512, Packing::Mosaic).is_err());
        assert!(new((32, 32), 511 * 511, Packing::Mosaic).is_ok());
        let error = new((4, 4), 2, Packing::Shared).unwrap_err().to_string();
        assert!(error.contains("mosaic"), "{error}");

        let coder = &coders()[0];
        let image = flat(20, 28, [1, 2, 3]);
        for images in [&[][..], &[image.view(), image.view()], &[flat(28, 20, [1, 2, 3]).view()]] {
            assert!(coder.ladder(images, 1000).is_err());
            assert!(coder.encode(images, Setting::MeanColour).is_err());
        }
        for setting in [
            Setting::Webp { quality: 50, sharp: false },
            Setting::Jpeg { quality: 0, subsampling: Subsampling::S420 },
            Setting::Jpeg { quality: 101, subsampling: Subsampling::S420 },
        ] {
            assert!(coder.encode(&[image.view()], setting).unwrap_err().to_string().contains("1 to 100"));
        }
    }
}
