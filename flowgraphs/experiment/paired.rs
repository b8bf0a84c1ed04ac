//! How sure a comparison of two lines is that sent the same images through the same fades and noise.

use super::image_scores::ImageScores;
use sememe_blocks::metric::Confidence;

/// Half widths of 95 % confidence intervals, over pictures: what one line gains over the other varies far less
/// from image to image than either line's quality does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedIntervals {
    /// Of the difference of mean PSNRs, in dB.
    pub psnr_db: f64,
    /// Of the ratio of mean squared errors; infinite where that of the reference is hardly known.
    pub mse_ratio: f64,
    /// Of the ratio of mean LPIPS distances, where they were measured.
    pub lpips_ratio: Option<f64>,
}

impl PairedIntervals {
    /// - returns: `None` where the two did not send the same number of images, or fewer than two
    pub fn of(line: &ImageScores, reference: &ImageScores) -> Option<Self> {
        if line.len() != reference.len() || line.len() < 2 {
            return None;
        }
        let differences: Vec<f64> =
            line.psnr_db.iter().zip(&reference.psnr_db).map(|(line, reference)| line - reference).collect();
        let pictures = &reference.pictures;
        let ratio =
            |line: &[f64], reference: &[f64]| Confidence::of_ratio(line, reference, pictures).half_width;
        let has_lpips = line.lpips.len() == line.len() && reference.lpips.len() == line.len();
        Some(Self {
            psnr_db: Confidence::of_clusters(&differences, pictures).half_width,
            mse_ratio: ratio(&line.mean_square_errors(), &reference.mean_square_errors()),
            lpips_ratio: has_lpips.then(|| ratio(&line.lpips, &reference.lpips)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(psnr_db: &[f64], lpips: &[f64]) -> ImageScores {
        let pictures = (0..psnr_db.len()).collect();
        ImageScores { pictures, psnr_db: psnr_db.to_vec(), lpips: lpips.to_vec(), ..ImageScores::default() }
    }

    #[test]
    fn images_of_different_quality_leave_a_constant_gain_certain() {
        let reference = scores(&[29.6, 29.8, 30.0, 30.2], &[0.21, 0.22, 0.2, 0.19]);
        let line = scores(&[30.6, 30.8, 31.0, 31.2], &[0.105, 0.11, 0.1, 0.095]);
        let found = PairedIntervals::of(&line, &reference).unwrap();
        assert!(found.psnr_db < 1e-9 && found.mse_ratio < 1e-9 && found.lpips_ratio.unwrap() < 1e-9);
        // Alone, the mean of the four is known to half a dB.
        assert!(Confidence::of(&line.psnr_db).half_width > 0.3);
        let mut tiles = (line, reference);
        (tiles.0.pictures, tiles.1.pictures) = (vec![0; 4], vec![0; 4]);
        let of_one = PairedIntervals::of(&tiles.0, &tiles.1).unwrap();
        assert_eq!(of_one.psnr_db, f64::INFINITY, "one picture says nothing about others");
    }

    #[test]
    fn an_interval_worked_by_hand() {
        // Differences 1, 2, 3: deviation 1, standard error 1 / sqrt(3), t(2) = 4.3027.
        let found = PairedIntervals::of(&scores(&[21.0, 32.0, 29.0], &[]), &scores(&[20.0, 30.0, 26.0], &[]));
        let found = found.unwrap();
        assert!((found.psnr_db - 4.3027 / 3f64.sqrt()).abs() < 1e-9);
        assert_eq!(found.lpips_ratio, None);
    }

    #[test]
    fn what_has_no_pairs_has_no_interval() {
        assert_eq!(PairedIntervals::of(&scores(&[1.0, 2.0], &[]), &scores(&[1.0], &[])), None);
        assert_eq!(PairedIntervals::of(&scores(&[1.0], &[]), &scores(&[1.0], &[])), None);
    }
}
