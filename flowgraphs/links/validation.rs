//! The images on which digital lines choose: of the training side of a source, never those that are sent.

use ndarray::{Array3, ArrayView2, ArrayView3, Axis};
use rayon::prelude::*;
use sememe_blocks::frame::ImageBatch;
use sememe_blocks::metric::{mean_square_error, psnr_db};
use sememe_blocks::picture::{LadderStore, OutsideTable};
use sememe_blocks::source::ImageSet;
use sememe_blocks::{BlockError, Result};

/// Images to choose on, at most.
pub const VALIDATION_IMAGES: usize = 200;

/// Images to choose on, and what one of them is worth when it is lost.
pub struct Validation {
    images: ImageBatch,
    lost_psnr_db: f64,
}

impl Validation {
    /// Reads images evenly spaced over training images, [`VALIDATION_IMAGES`] at most.
    ///
    /// - mean_image: what stands in for a lost image
    /// - errors: no training image, or images of another size than those that are sent
    pub fn new(training: &dyn ImageSet, mean_image: &Array3<u8>) -> Result<Self> {
        let count = training.len().min(VALIDATION_IMAGES);
        let (height, width, _) = mean_image.dim();
        if training.size() != (height, width) || count == 0 {
            let found = format!("{count} of {:?}", training.size());
            return Err(BlockError::shape(
                "validation images",
                format!("some of {:?}", (height, width)),
                found,
            ));
        }
        // The middle of each part: a basis fitted to every n-th image meets others.
        let middle = |i: usize| ((2 * i as u128 + 1) * training.len() as u128 / (2 * count as u128)) as usize;
        let images = training.batch(0, &(0..count).map(middle).collect::<Vec<_>>())?;
        let lost = images
            .pixels
            .axis_iter(Axis(0))
            .map(|image| mean_square_error(image, mean_image.view()).map(psnr_db));
        let lost_psnr_db = lost.sum::<Result<f64>>()? / count as f64;
        Ok(Self { images, lost_psnr_db })
    }

    /// Mean PSNR in dB of the mean image.
    pub fn lost_psnr_db(&self) -> f64 {
        self.lost_psnr_db
    }

    /// Mean PSNR in dB of images that are sent as their mean colour, as those are that fit in no other way.
    ///
    /// - errors: an image that cannot be compared
    pub fn mean_colour_psnr_db(&self) -> Result<f64> {
        let errors = self.images.pixels.axis_iter(Axis(0)).map(error_of_mean_colour);
        Ok(errors.map(psnr_db).sum::<f64>() / self.images.len() as f64)
    }

    /// The images in groups of as many as go in one stream. Those left over go unused, unless all do.
    pub fn streams(&self, num_images: usize) -> Vec<Vec<ArrayView3<'_, u8>>> {
        let views: Vec<_> = self.images.pixels.axis_iter(Axis(0)).collect();
        if views.len() < num_images {
            return vec![views.into_iter().cycle().take(num_images).collect()];
        }
        views.chunks_exact(num_images).map(<[_]>::to_vec).collect()
    }

    /// Mean PSNR in dB of delivered pictures, for each payload.
    ///
    /// - errors: payloads that the ladders do not serve
    pub fn delivered(&self, ladders: &LadderStore, payloads: &[usize]) -> Result<Vec<f64>> {
        let streams = self.streams(ladders.coder().num_images());
        let ladders: Vec<_> =
            streams.par_iter().map(|images| ladders.ladder(images)).collect::<Result<_>>()?;
        let mean = |payload: &usize| {
            let sum: f64 = ladders
                .iter()
                .map(|ladder| ladder.best_within(*payload).map(|rung| rung.psnr_db))
                .sum::<Result<f64>>()?;
            Ok(sum / ladders.len() as f64)
        };
        payloads.iter().map(mean).collect()
    }
}

/// Squared error of an image against its mean colour in whole numbers.
pub fn error_of_mean_colour(image: ArrayView3<'_, u8>) -> f64 {
    let of_channel = |plane: ArrayView2<'_, u8>| {
        let mean = (plane.iter().map(|value| f64::from(*value)).sum::<f64>() / plane.len() as f64).round();
        plane.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / plane.len() as f64
    };
    image.axis_iter(Axis(2)).map(of_channel).sum::<f64>() / 3.0
}

/// As [`Validation::delivered`], from the table of an outside codec on images of its own.
///
/// - unfit_psnr_db: of an image without an entry that fits
pub fn delivered_by_table(table: &OutsideTable, unfit_psnr_db: f64, payloads: &[usize]) -> Result<Vec<f64>> {
    let mean = |payload: &usize| {
        let of_image = |image: &str| {
            Ok(table.best_within(image, *payload)?.map_or(unfit_psnr_db, |point| point.psnr_db))
        };
        let sum = table.images().map(of_image).sum::<Result<f64>>()?;
        Ok(sum / table.num_images() as f64)
    };
    payloads.iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sememe_blocks::picture::{Packing, PictureCodec, PictureCoder};
    use sememe_blocks::source::{SceneConfig, SceneSet};
    use std::path::Path;

    fn scenes(len: usize) -> SceneSet {
        SceneSet::new(SceneConfig { len, height: 16, width: 16, ..SceneConfig::default() }).unwrap()
    }

    #[test]
    fn larger_payloads_give_better_pictures_and_any_beats_the_mean_image() {
        let validation = Validation::new(&scenes(30), &Array3::from_elem((16, 16, 3), 128)).unwrap();
        let coder = PictureCoder::new(PictureCodec::Jpeg, Packing::Shared, (16, 16), 1).unwrap();
        let ladders = LadderStore::new(coder, 4000);
        let psnrs = validation.delivered(&ladders, &[100, 400, 1000, 4000]).unwrap();
        assert!(psnrs.is_sorted() && psnrs[0] > validation.lost_psnr_db(), "{psnrs:?}");
        assert!(psnrs[3] > psnrs[0] + 5.0, "{psnrs:?}");
        assert_eq!(ladders.len(), 30);
        assert!(validation.delivered(&ladders, &[4001]).is_err());
    }

    #[test]
    fn streams_of_many_images_are_whole() {
        let validation = Validation::new(&scenes(30), &Array3::zeros((16, 16, 3))).unwrap();
        let lens = |num| validation.streams(num).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!((lens(1).len(), lens(12), lens(50)), (30, vec![12, 12], vec![50]));
        assert!(Validation::new(&scenes(3), &Array3::zeros((16, 20, 3))).is_err());
    }

    #[test]
    fn a_table_is_judged_on_all_its_images() {
        let table = OutsideTable::parse(Path::new("t"), "a,10,30\nb,20,20\nb,40,26").unwrap();
        assert_eq!(delivered_by_table(&table, 10.0, &[0, 80, 160, 320]).unwrap(), [10.0, 20.0, 25.0, 28.0]);
    }
}
