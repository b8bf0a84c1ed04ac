//! The way from features to features that all links share.
//!
//! ```text
//! Features > mapper > power norm > multiplexer > fading > awgn > csi error > equalizer
//!     |                                 |                    > demultiplexer > demapper > ReceivedFeatures
//!  groups                         uses, energy                                    |
//!                                                                               lost
//! ```

use super::Setting;
use super::tap::{AirReport, CommonReport, LossReport, Tap, observe_air, observe_common, observe_loss};
use super::wiring::{Result, Wiring};
use crate::adapters::GraphError;
use sememe_blocks::BlockError;
use sememe_blocks::access::{Demultiplexer, FeatureDemapper, FeatureMapper, Multiplexer};
use sememe_blocks::frame::{Features, ReceivedFeatures, ReceivedFrame, SymbolFrame};

/// Lengths of the vectors that a link sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// Private features per user, L_p.
    pub private: usize,
    /// Common features per group, L_c.
    pub common: usize,
    /// Private symbols that are not sent, for the group's number is sent instead.
    pub signalling_uses: usize,
}

/// What comes out on the other side.
pub struct Landed<W: Wiring> {
    /// The features as each user received them.
    pub features: W::Port<ReceivedFeatures>,
    /// Uses and energy of each frame.
    pub air: W::Port<AirReport>,
    /// Groups of each frame.
    pub common: W::Port<CommonReport>,
    /// Lost users of each frame.
    pub loss: W::Port<LossReport>,
}

/// Sends features through the channel.
///
/// - errors: parameters that a block refuses, under the block's name; a downlink that the channel's profile
///   cannot be combined with
pub fn send<W: Wiring>(
    wiring: &mut W,
    features: W::Port<Features>,
    setting: &Setting,
    lengths: Lengths,
) -> Result<Landed<W>> {
    let (features, common) = wiring.split(features, "watch groups", Tap::new(observe_common))?;
    let symbols = emit(wiring, features, setting, lengths)?;
    let (symbols, air) = wiring.split(symbols, "watch air", Tap::new(observe_air))?;
    let received = pass(wiring, symbols, setting)?;
    let (features, loss) = land(wiring, received, setting, lengths)?;
    Ok(Landed { features, air, common, loss })
}

/// Features to the symbols of all slots: what stands before the channel.
pub fn emit<W: Wiring>(
    wiring: &mut W,
    features: W::Port<Features>,
    setting: &Setting,
    lengths: Lengths,
) -> Result<W::Port<SymbolFrame>> {
    let Setting { downlink, channel, .. } = setting;
    let possible = channel.check_features(downlink.equalizer, downlink.mapping, downlink.access);
    built("channel", possible)?;
    let mapper = FeatureMapper::new(downlink.mapping, lengths.signalling_uses);
    let symbols = wiring.then(features, "mapper", mapper)?;
    let symbols = wiring.then(symbols, "power norm", channel.power_kernel())?;
    wiring.then(symbols, "multiplexer", Multiplexer::new(downlink.access))
}

/// The channel of symbols, for features and coded bits alike.
pub fn pass<W: Wiring>(
    wiring: &mut W,
    symbols: W::Port<SymbolFrame>,
    setting: &Setting,
) -> Result<W::Port<ReceivedFrame>> {
    let Setting { key, channel, snr, .. } = setting;
    let fading = built("fading", channel.fading_kernel(*key))?;
    let awgn = built("awgn", channel.noise_kernel(*key, *snr))?;
    let csi_error = built("csi error", channel.csi_kernel(*key))?;
    let received = wiring.then(symbols, "fading", fading)?;
    let received = wiring.then(received, "awgn", awgn)?;
    wiring.then(received, "csi error", csi_error)
}

/// What was heard to features: what stands behind the channel.
#[allow(clippy::type_complexity, reason = "a name for the pair would hide that it is one")]
pub fn land<W: Wiring>(
    wiring: &mut W,
    received: W::Port<ReceivedFrame>,
    setting: &Setting,
    lengths: Lengths,
) -> Result<(W::Port<ReceivedFeatures>, W::Port<LossReport>)> {
    let downlink = &setting.downlink;
    let Lengths { private, common, signalling_uses } = lengths;
    let demapper =
        built("demapper", FeatureDemapper::new(downlink.mapping, private, common, signalling_uses))?;
    let equalized = wiring.then(received, "equalizer", downlink.equalizer)?;
    let own = wiring.then(equalized, "demultiplexer", Demultiplexer::new(downlink.access))?;
    let features = wiring.then(own, "demapper", demapper)?;
    wiring.split(features, "watch losses", Tap::new(observe_loss))
}

/// A kernel, or its refusal under the name of its block.
pub fn built<T>(block: &str, kernel: Result<T, BlockError>) -> Result<T> {
    kernel.map_err(|reason| GraphError::Block { block: block.to_owned(), reason })
}
