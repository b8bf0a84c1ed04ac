//! Looks at frames that pass, without touching them.

use sememe_blocks::Grouping;
use sememe_blocks::Result;
use sememe_blocks::access::{total_energy, total_uses};
use sememe_blocks::frame::{Destination, Features, PayloadFrame, ReceivedFeatures, SymbolFrame};
use sememe_blocks::kernel::FrameSplitter;
use sememe_blocks::metric::Separation;
use sememe_blocks::picture::Setting;

/// Passes frames on, and what a function makes of each to its second output.
pub struct Tap<F, R> {
    observe: fn(&F) -> R,
}

impl<F, R> Tap<F, R> {
    /// Observes with this function.
    pub fn new(observe: fn(&F) -> R) -> Self {
        Self { observe }
    }
}

impl<F: Send + 'static, R: Send + 'static> FrameSplitter for Tap<F, R> {
    type In = F;
    type First = F;
    type Second = R;

    fn split(&mut self, frame: F) -> Result<(F, R)> {
        let report = (self.observe)(&frame);
        Ok((frame, report))
    }
}

/// What a frame took on the air.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AirReport {
    /// Index of the frame.
    pub frame: u64,
    /// Users served.
    pub users: usize,
    /// Complex channel uses sent, without signalling.
    pub uses: usize,
    /// Channel uses that each user listens to, summed over the users.
    pub heard: usize,
    /// Transmitted energy.
    pub energy: f64,
}

/// What a frame's users have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct CommonReport {
    /// Index of the frame.
    pub frame: u64,
    /// The group of each user.
    pub grouping: Grouping,
    /// Mean cosine between the common features of different groups; `None` where fewer than two are sent.
    pub mean_cosine: Option<f64>,
}

/// Which users of a frame received nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct LossReport {
    /// Index of the frame.
    pub frame: u64,
    /// `[K]`.
    pub lost: Vec<bool>,
}

/// How the pictures of a frame fit their payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadReport {
    /// Index of the frame.
    pub frame: u64,
    /// Images that fell to their mean colour, since no setting of the codec fitted.
    pub unfit: usize,
}

/// Counts the images that do not fit.
pub fn observe_payloads(frame: &PayloadFrame) -> PayloadReport {
    let unfit = frame.payloads.iter().filter(|payload| payload.setting == Setting::MeanColour);
    let images = |payload: &sememe_blocks::frame::Payload| match payload.destination {
        Destination::User(_) => 1,
        _ => frame.num_users,
    };
    PayloadReport { frame: frame.frame, unfit: unfit.map(images).sum() }
}

/// The report of a link that sends nothing in common.
pub fn observe_no_groups(frame: &SymbolFrame) -> CommonReport {
    CommonReport { frame: frame.frame, grouping: frame.grouping.clone(), mean_cosine: None }
}

/// Counts uses and energy.
pub fn observe_air(frame: &SymbolFrame) -> AirReport {
    let sizes = frame.grouping.sizes();
    let listeners = |destination| match destination {
        Destination::User(_) => 1,
        Destination::Group(group) => sizes.get(group).copied().unwrap_or(0),
        Destination::All => frame.grouping.num_users(),
    };
    AirReport {
        frame: frame.frame,
        users: frame.grouping.num_users(),
        uses: total_uses(frame),
        heard: frame.slots.iter().map(|slot| slot.symbols.len() * listeners(slot.destination)).sum(),
        energy: total_energy(frame),
    }
}

/// Measures groups and the separation of their common features.
pub fn observe_common(features: &Features) -> CommonReport {
    CommonReport {
        frame: features.frame,
        grouping: features.grouping.clone(),
        // Fewer than two groups, or nothing in common, has no separation: that is no failure.
        mean_cosine: Separation::of(features).ok().map(|separation| separation.mean),
    }
}

/// Lists the users who received nothing.
pub fn observe_loss(features: &ReceivedFeatures) -> LossReport {
    LossReport { frame: features.frame, lost: features.lost.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex32;
    use sememe_blocks::frame::{Phase, Slot};

    #[test]
    fn the_frame_passes_and_its_uses_and_energy_are_counted() {
        let symbols = vec![Complex32::new(1.0, 1.0), Complex32::new(0.0, 2.0)];
        let slot = |destination, phase| Slot { destination, phase, symbols: symbols.clone() };
        let grouping = Grouping::new(vec![0, 0], 1).unwrap();
        let common = slot(Destination::Group(0), Phase::Common);
        let private = |user| slot(Destination::User(user), Phase::Private);
        let frame = SymbolFrame { frame: 7, grouping, slots: vec![common, private(0), private(1)] };
        let (passed, report) = Tap::new(observe_air).split(frame.clone()).unwrap();
        assert_eq!(passed, frame);
        assert_eq!(report, AirReport { frame: 7, users: 2, uses: 6, heard: 8, energy: 18.0 });
    }

    #[test]
    fn nothing_in_common_has_no_separation() {
        let features = |groups, len| Features {
            frame: 0,
            private: ndarray::Array2::zeros((4, 2)),
            common: ndarray::Array2::from_shape_fn((groups, len), |(g, l)| if g == l { 1.0 } else { 0.0 }),
            grouping: Grouping::new((0..4).map(|user| user % groups).collect(), groups).unwrap(),
        };
        assert_eq!(observe_common(&features(2, 0)).mean_cosine, None);
        assert_eq!(observe_common(&features(1, 3)).mean_cosine, None);
        assert_eq!(observe_common(&features(2, 3)).mean_cosine, Some(0.0));
    }
}
