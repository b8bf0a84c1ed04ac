//! Turns what a link delivered into the row of its point.

use super::prepared::ReadyLink;
use super::results::Measurement;
use crate::links::{Images, LinkOutput};
use sememe_blocks::kernel::FrameSource;
use sememe_blocks::metric::{Confidence, ImageScore, adjusted_rand, psnr_db};
use sememe_blocks::{Grouping, Result};

/// The true groups of each frame, where the source knows them.
pub fn true_groups(images: &Images, users: usize) -> Result<Vec<Option<Grouping>>> {
    let mut frames = images.frames(users)?;
    let mut groups = Vec::new();
    while let Some(frame) = frames.next_frame()? {
        groups.push(frame.truth.groups);
    }
    Ok(groups)
}

/// Summarises a point.
///
/// - truth: of each frame, as [`true_groups`] gives it
/// - pictures: that each image was cut from; intervals take pictures to be independent
pub fn summarize(
    output: &LinkOutput,
    link: &ReadyLink,
    truth: &[Option<Grouping>],
    pictures: &[usize],
) -> Measurement {
    let scores: Vec<&ImageScore> = output.scores.iter().flat_map(|frame| &frame.images).collect();
    let images = scores.len();
    let all: Vec<f64> = scores.iter().map(|score| score.psnr_db()).collect();
    let received: Vec<f64> = scores.iter().filter(|score| !score.lost).map(|score| score.psnr_db()).collect();
    let lost = (images - received.len()) as u64;
    let psnr = Confidence::of_clusters(&all, pictures);
    let mean_error = scores.iter().map(|score| score.mean_square_error).sum::<f64>() / images as f64;
    let similarities: Vec<f64> =
        output.scores.iter().flat_map(|frame| frame.ms_ssim.iter().copied()).collect();
    let scales = output.scores.first().map_or(0, |frame| frame.ms_ssim_scales);
    // Signalling is counted as sent, at unit power, to every user.
    let signalling = link.signalling_uses as f64;
    let users: usize = output.air.iter().map(|air| air.users).sum();
    let per_image = |total: f64| total / users as f64 + signalling;
    let agreements = output.common.iter().zip(truth).filter_map(|(report, truth)| {
        // Groups mean something only where something is common.
        (link.effective_rho > 0.0).then_some(())?;
        adjusted_rand(&report.grouping, truth.as_ref()?).ok()
    });
    Measurement {
        images: images as u64,
        lost,
        psnr_db: psnr.mean,
        psnr_ci95_db: psnr.half_width.is_finite().then_some(psnr.half_width),
        psnr_of_mean_mse_db: psnr_db(mean_error),
        infinite: scores.iter().filter(|score| score.mean_square_error == 0.0).count() as u64,
        psnr_received_db: mean(received.into_iter()),
        ms_ssim: mean(similarities.into_iter()),
        ms_ssim_scales: (scales > 0).then_some(scales as u64),
        lpips: mean(output.scores.iter().flat_map(|frame| frame.lpips.iter().map(|d| f64::from(*d)))),
        common_cosine: mean(output.common.iter().filter_map(|report| report.mean_cosine)),
        adjusted_rand: mean(agreements),
        uses_per_image: per_image(output.air.iter().map(|air| air.uses as f64).sum()),
        signalling_per_image: signalling,
        uses_received: received_uses(output) + signalling,
        energy_per_image: per_image(output.air.iter().map(|air| air.energy).sum()),
        effective_rho: link.effective_rho,
        mcs: output.mcs.clone(),
        unfit: output.payloads.as_ref().map(|frames| frames.iter().map(|frame| frame.unfit as u64).sum()),
        outage: output.payloads.as_ref().map(|_| lost),
    }
}

/// Uses that a user listens to, on average: all slots that are addressed to it.
fn received_uses(output: &LinkOutput) -> f64 {
    let users: usize = output.air.iter().map(|air| air.users).sum();
    output.air.iter().map(|air| air.heard as f64).sum::<f64>() / users as f64
}

/// The mean, or nothing of nothing.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
