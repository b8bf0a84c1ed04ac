//! One user's own view: of what was heard, and of pictures.

use crate::links::ReceivedImages;
use ndarray::Axis;
use sememe_blocks::frame::{Destination, ImageBatch, ReceivedFrame, Truth};
use sememe_blocks::kernel::FrameKernel;
use sememe_blocks::{BlockError, Grouping, Result};

/// Leaves what one user heard, as a frame of that user alone: its networks then compute for nobody else.
///
/// - errors: a frame without that user
#[derive(Clone, Copy, Debug)]
pub struct OwnSlots {
    user: usize,
}

impl OwnSlots {
    /// The slots of this user.
    pub fn new(user: usize) -> Self {
        Self { user }
    }
}

impl FrameKernel for OwnSlots {
    type In = ReceivedFrame;
    type Out = ReceivedFrame;

    fn process(&mut self, mut frame: ReceivedFrame) -> Result<ReceivedFrame> {
        let slots = frame.users.get_mut(self.user).map(std::mem::take);
        let mut slots = slots.ok_or_else(|| BlockError::shape("users of a frame", self.user + 1, "fewer"))?;
        for slot in &mut slots {
            slot.destination = match slot.destination {
                Destination::User(_) => Destination::User(0),
                Destination::Group(_) => Destination::Group(0),
                Destination::All => Destination::All,
            };
        }
        Ok(ReceivedFrame { frame: frame.frame, grouping: Grouping::singletons(1), users: vec![slots] })
    }
}

/// Leaves one user's image; of frames that hold one image alone, that.
#[derive(Clone, Copy, Debug)]
pub struct OwnImage {
    user: usize,
}

impl OwnImage {
    /// The image of this user.
    pub fn new(user: usize) -> Self {
        Self { user }
    }
}

impl FrameKernel for OwnImage {
    type In = ReceivedImages;
    type Out = ReceivedImages;

    fn process(&mut self, received: ReceivedImages) -> Result<ReceivedImages> {
        let ReceivedImages { images, lost } = received;
        let place = if images.len() == 1 { 0 } else { self.user };
        if place >= images.len() {
            return Err(BlockError::shape("images of a frame", format!("more than {place}"), images.len()));
        }
        let pixels = images.pixels.select(Axis(0), &[place]);
        let images = ImageBatch { frame: images.frame, pixels, truth: Truth::default() };
        Ok(ReceivedImages { images, lost: vec![lost[place]] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::specimens;

    #[test]
    fn a_user_keeps_its_slots_and_its_image() {
        let frame = specimens::received().remove(0);
        let own = OwnSlots::new(3).process(frame.clone()).unwrap();
        assert_eq!((own.users.len(), own.grouping.num_users()), (1, 1));
        let destinations: Vec<Destination> = own.users[0].iter().map(|slot| slot.destination).collect();
        assert_eq!(destinations, [Destination::Group(0), Destination::User(0)]);
        assert_eq!(own.users[0][1].symbols, frame.users[3][1].symbols);
        assert!(OwnSlots::new(6).process(frame).is_err());

        let images = specimens::images().remove(0);
        let lost = vec![false, true, false, false, false, false];
        let received = ReceivedImages { images: images.clone(), lost };
        let own = OwnImage::new(1).process(received).unwrap();
        assert_eq!(own.lost, [true]);
        assert_eq!(own.images.pixels.index_axis(Axis(0), 0), images.pixels.index_axis(Axis(0), 1));
        assert_eq!(OwnImage::new(4).process(own.clone()).unwrap(), own);
    }
}
