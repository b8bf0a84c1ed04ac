//! Originals and what each link made of them, side by side.

use super::figures::{channel_title, file_suffix};
use super::prepared::Prepared;
use super::run_error::RunError;
use super::sheet_canvas::SheetCanvas;
use crate::adapters::RunOptions;
use crate::links::Images;
use ndarray::{Array4, Axis, concatenate, s};
use sememe_blocks::channel::ChannelConfig;
use sememe_blocks::kernel::FrameSource;
use sememe_blocks::metric::{mean_square_error, psnr_db};
use std::sync::Arc;

/// Small images are enlarged until a side has about so many pixels.
const SHOWN_SIDE: usize = 96;
/// Widest row of images in pixels.
const MAX_WIDTH: usize = 2600;

/// A row of images under one label.
struct SheetRow {
    label: String,
    note: String,
    /// `[columns, H, W, 3]`.
    images: Array4<u8>,
}

/// Name of the sheet of a channel.
pub fn file_name(channel: &ChannelConfig, varied: &str) -> String {
    format!("sheet-{}{}.png", channel.name(), file_suffix(varied))
}

/// Runs every link on the first images at the chosen SNRs, and lays out what arrives.
///
/// - errors: a link that fails; memory for the picture
pub fn png(prepared: &Prepared, channel: &ChannelConfig, options: &RunOptions) -> Result<Vec<u8>, RunError> {
    let failed = |error: String| RunError::Failed(format!("contact sheet: {error}"));
    let (height, width) = prepared.source.images.set.size();
    let zoom = (SHOWN_SIDE / height.max(width)).max(1);
    let output = &prepared.experiment.output;
    let fitting = (MAX_WIDTH / (width * zoom + SheetCanvas::GAP)).max(1);
    let columns = output.sheet_images.min(fitting).min(prepared.source.sent);
    let users = prepared.experiment.downlink.users;
    let num_frames = columns.div_ceil(users);
    let all = &prepared.source.images;
    let images = Images { set: Arc::clone(&all.set), first: all.first, limit: Some(num_frames * users) };

    let originals = originals(&images, users, columns).map_err(|error| failed(error.to_string()))?;
    let mut groups = Vec::new();
    for snr_db in shown_snrs(&prepared.experiment.snr_db, &output.sheet_snr_db) {
        let mut rows = Vec::new();
        for link in &prepared.links {
            let result = prepared.run(link, channel, snr_db, Some(&images), num_frames as u64, options);
            let point = || format!("contact sheet, {}, {}, {snr_db} dB", link.name, channel.name());
            let result = result.map_err(|reason| RunError::link(point(), reason))?;
            let received: Vec<Array4<u8>> =
                result.scores.into_iter().filter_map(|score| Some(score.received?.pixels)).collect();
            let views: Vec<_> = received.iter().map(|frame| frame.view()).collect();
            // A link whose pictures are known by a table alone has none to show.
            let Ok(joined) = concatenate(Axis(0), &views) else { continue };
            let images = joined.slice(s![..columns.min(joined.dim().0), .., .., ..]).to_owned();
            let note = mean_psnr(&originals, &images).map_or(String::new(), |psnr| format!("{psnr:.1} dB"));
            rows.push(SheetRow { label: link.name.clone(), note, images });
        }
        groups.push((format!("SNR {snr_db} dB"), rows));
    }
    let first = SheetRow { label: "original".into(), note: String::new(), images: originals };
    render(&channel_title(channel), &first, &groups, zoom).map_err(failed)
}

/// The SNRs asked for; else lowest, middle and highest.
fn shown_snrs(all: &[f64], asked: &[f64]) -> Vec<f64> {
    if !asked.is_empty() {
        return asked.to_vec();
    }
    let mut chosen: Vec<f64> = [0, all.len() / 2, all.len().saturating_sub(1)].map(|i| all[i]).to_vec();
    chosen.dedup();
    chosen
}

fn originals(images: &Images, users: usize, columns: usize) -> sememe_blocks::Result<Array4<u8>> {
    let (height, width) = images.set.size();
    let mut frames = images.frames(users)?;
    let mut all = Array4::zeros((0, height, width, 3));
    while let Some(frame) = frames.next_frame()? {
        all.append(Axis(0), frame.pixels.view())
            .map_err(|error| sememe_blocks::BlockError::Kernel(error.to_string()))?;
    }
    Ok(all.slice(s![..columns, .., .., ..]).to_owned())
}

/// Mean PSNR of the images shown.
fn mean_psnr(originals: &Array4<u8>, received: &Array4<u8>) -> Option<f64> {
    let pairs = originals.axis_iter(Axis(0)).zip(received.axis_iter(Axis(0)));
    let psnrs: Vec<f64> =
        pairs.map(|(a, b)| mean_square_error(a, b).map(psnr_db)).collect::<Result<_, _>>().ok()?;
    (!psnrs.is_empty()).then(|| psnrs.iter().sum::<f64>() / psnrs.len() as f64)
}

fn render(
    title: &str,
    first: &SheetRow,
    groups: &[(String, Vec<SheetRow>)],
    zoom: usize,
) -> Result<Vec<u8>, String> {
    let labels = groups.iter().flat_map(|(_, rows)| rows).chain([first]).map(|row| row.label.as_str());
    let (columns, height, width, _) = first.images.dim();
    let num_rows = 1 + groups.iter().map(|(_, rows)| rows.len()).sum::<usize>();
    let mut canvas =
        SheetCanvas::new(labels, (columns, num_rows, groups.len()), (height * zoom, width * zoom))?;
    canvas.title(title)?;
    canvas.row(&first.label, &first.note, &first.images, zoom)?;
    for (heading, rows) in groups {
        canvas.heading(heading)?;
        for row in rows {
            canvas.row(&row.label, &row.note, &row.images, zoom)?;
        }
    }
    canvas.png()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowest_middle_and_highest_are_shown_unless_others_are_asked_for() {
        assert_eq!(shown_snrs(&[0.0, 3.0, 6.0, 9.0, 12.0], &[]), [0.0, 6.0, 12.0]);
        assert_eq!(shown_snrs(&[4.0], &[]), [4.0]);
        assert_eq!(shown_snrs(&[0.0, 3.0], &[]), [0.0, 3.0]);
        assert_eq!(shown_snrs(&[0.0, 3.0], &[3.0]), [3.0]);
    }

    #[test]
    fn every_pixel_of_an_image_is_shown_enlarged() {
        let images = Array4::from_shape_fn((2, 4, 4, 3), |(k, y, x, c)| (k * 100 + y * 16 + x * 4 + c) as u8);
        let row =
            |label: &str| SheetRow { label: label.into(), note: "30.0 dB".into(), images: images.clone() };
        let groups = [("SNR 0 dB".to_owned(), vec![row("klt"), row("ours")])];
        let png = render("AWGN", &row("original"), &groups, 3).unwrap();
        let sheet = image::load_from_memory(&png).unwrap().to_rgb8();
        // Each row shows the last pixel of the second image, 160 to 162, three times three.
        let found = sheet.pixels().filter(|pixel| pixel.0 == [160, 161, 162]).count();
        assert_eq!(found, 3 * 9);
    }
}
