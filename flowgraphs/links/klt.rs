//! The linear baseline: every user its own Karhunen-Loeve coefficients, nothing in common.
//!
//! ```text
//! images > KLT encoder > air > KLT decoder > images
//! ```

use super::Setting;
use super::air::{Lengths, built, emit, land, send};
use super::ends::{Arrived, Ends};
use super::run::{Delivered, Link};
use super::wiring::{Result, Wiring};
use sememe_blocks::Result as BlockResult;
use sememe_blocks::baseline::klt::{KltCode, KltDecoder, KltEncoder, KltFit, KltTransform};
use sememe_blocks::frame::{ImageBatch, ReceivedFrame, SymbolFrame};
use sememe_blocks::source::ImageSet;
use std::sync::Arc;

/// Training images that a basis is fitted on, at most.
pub const FIT_IMAGES: usize = 4096;

/// The KLT link, with its fitted basis.
#[derive(Clone)]
pub struct Klt {
    transform: Arc<KltTransform>,
}

impl Klt {
    /// A link over a fitted basis.
    pub fn new(transform: Arc<KltTransform>) -> Self {
        Self { transform }
    }

    /// Fits the basis to training images, evenly spaced over the set, [`FIT_IMAGES`] at most.
    pub fn fit(training: &dyn ImageSet) -> BlockResult<Self> {
        const IMAGES_PER_READ: usize = 64;
        let count = training.len().min(FIT_IMAGES);
        let spaced: Vec<usize> =
            (0..count).map(|i| (i as u128 * training.len() as u128 / count as u128) as usize).collect();
        let mut fit = KltFit::new();
        for indices in spaced.chunks(IMAGES_PER_READ) {
            fit.add(&training.batch(0, indices)?)?;
        }
        Ok(Self::new(Arc::new(fit.finish()?)))
    }

    /// Lengths of the vectors sent: all uses are private.
    pub fn lengths(setting: &Setting) -> Lengths {
        let private = setting.downlink.uses * setting.downlink.mapping.reals_per_use();
        Lengths { private, common: 0, signalling_uses: 0 }
    }
}

impl Klt {
    fn code(&self, setting: &Setting) -> Result<Arc<KltCode>> {
        let len = Self::lengths(setting).private;
        let code = KltCode::new(Arc::clone(&self.transform), setting.size, len, setting.told_snr);
        Ok(Arc::new(built("klt encoder", code)?))
    }
}

impl Link for Klt {
    fn wire<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        setting: &Setting,
    ) -> Result<Delivered<W>> {
        let code = self.code(setting)?;
        let features = wiring.then_blocking(images, "klt encoder", KltEncoder::new(Arc::clone(&code)))?;
        let (received, reports) = send(wiring, features, setting, Self::lengths(setting))?.parted();
        let images = wiring.then_blocking(received, "klt decoder", KltDecoder::new(code))?;
        Ok(Delivered { images, reports })
    }
}

impl Ends for Klt {
    fn to_symbols<W: Wiring>(
        &self,
        wiring: &mut W,
        images: W::Port<ImageBatch>,
        setting: &Setting,
    ) -> Result<W::Port<SymbolFrame>> {
        let features = wiring.then_blocking(images, "klt encoder", KltEncoder::new(self.code(setting)?))?;
        emit(wiring, features, setting, Self::lengths(setting))
    }

    fn to_images<W: Wiring>(
        &self,
        wiring: &mut W,
        received: W::Port<ReceivedFrame>,
        setting: &Setting,
    ) -> Result<Arrived<W>> {
        let (features, loss) = land(wiring, received, setting, Self::lengths(setting))?;
        let images = wiring.then_blocking(features, "klt decoder", KltDecoder::new(self.code(setting)?))?;
        Ok(Arrived { images, loss })
    }
}
