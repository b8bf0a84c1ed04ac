//! Received images as files, and a table of them; scored where the originals are known.

use super::status::{Shared, Status};
use crate::links::{Images, ReceivedImages};
use crate::registry::save_image;
use ndarray::{ArrayView3, Axis};
use sememe_blocks::kernel::FrameSink;
use sememe_blocks::metric::{mean_square_error, psnr_db};
use sememe_blocks::{BlockError, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Name of the table.
pub const TABLE: &str = "received.csv";

/// Writes `frame-000012-user-003.png` and so on, and a line for each into `received.csv`.
pub struct PictureFolder {
    folder: PathBuf,
    table: File,
    /// Users of a frame, and the only one whose images come, where it is one.
    users: (usize, Option<usize>),
    originals: Option<Images>,
    status: Shared,
}

impl PictureFolder {
    /// Prepares a folder.
    ///
    /// - users: of a frame; user: the only one whose images come, if any
    /// - originals: what is sent: frame f holds the images from f K on, again and again
    /// - errors: a folder that cannot be written
    pub fn new(
        folder: &Path,
        users: usize,
        user: Option<usize>,
        originals: Option<Images>,
        status: Shared,
    ) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|error| BlockError::file(folder, error))?;
        let path = folder.join(TABLE);
        let mut table = File::create(&path).map_err(|error| BlockError::file(&path, error))?;
        writeln!(table, "frame,user,lost,psnr_db").map_err(|error| BlockError::file(&path, error))?;
        Ok(Self { folder: folder.to_owned(), table, users: (users, user), originals, status })
    }

    fn original_psnr(&self, frame: u64, user: usize, image: ArrayView3<'_, u8>) -> Result<Option<f64>> {
        let Some(originals) = &self.originals else { return Ok(None) };
        let users = self.users.0;
        let frames = originals.frames(users)?.num_frames() as u64;
        if frames == 0 {
            return Ok(None);
        }
        let place = originals.first + (frame % frames) as usize * users + user;
        let sent = originals.set.batch(frame, &[place])?;
        let sent = sent.pixels.index_axis(Axis(0), 0);
        // Images of another size were not the originals.
        if sent.dim() != image.dim() {
            return Ok(None);
        }
        Ok(Some(psnr_db(mean_square_error(sent, image)?)))
    }
}

impl FrameSink for PictureFolder {
    type In = ReceivedImages;

    fn consume(&mut self, received: ReceivedImages) -> Result<()> {
        let ReceivedImages { images, lost } = received;
        for (place, (image, lost)) in images.pixels.axis_iter(Axis(0)).zip(lost).enumerate() {
            let user = self.users.1.unwrap_or(place);
            save_image(&self.folder, images.frame, user, image)?;
            let psnr = self.original_psnr(images.frame, user, image)?;
            let text = psnr.map_or(String::new(), |value| format!("{value:.3}"));
            writeln!(self.table, "{},{user},{},{text}", images.frame, u8::from(lost))
                .map_err(|error| BlockError::file(self.folder.join(TABLE), error))?;
            Status::update(&self.status, |status| {
                status.images += 1;
                status.lost_images += u64::from(lost);
                if let Some(psnr) = psnr {
                    status.psnr_db = (status.psnr_db.0 + psnr, status.psnr_db.1 + 1);
                }
            });
        }
        Ok(())
    }
}
