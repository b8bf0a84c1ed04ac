//! The two ends of a scheme, apart: what stands before an antenna and what stands behind another.

use super::Setting;
use super::tap::LossReport;
use super::wiring::{Result, Wiring};
use sememe_blocks::frame::{ImageBatch, ReceivedFrame, SymbolFrame};

/// A scheme whose ends may stand at different antennas. Between them is any air: the channel of symbols of an
/// experiment, samples, or radios.
pub trait Ends {
    /// Wires images to the symbols of all slots.
    fn to_symbols<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        setting: &Setting,
    ) -> Result<W::Port<SymbolFrame>>;

    /// Wires what was heard to images.
    fn to_images<W: Wiring>(
        &self,
        wiring: &mut W,
        received: W::Port<ReceivedFrame>,
        setting: &Setting,
    ) -> Result<Arrived<W>>;
}

/// Images at a receiver.
pub struct Arrived<W: Wiring> {
    /// As they were decoded.
    pub images: W::Port<ImageBatch>,
    /// Of which of them nothing was heard.
    pub loss: W::Port<LossReport>,
}
