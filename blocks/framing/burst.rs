//! What goes into samples, and what comes out of them.

use super::Header;
use num_complex::Complex32;

/// One slot on its way into samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    /// What it says of itself. `length` and `scale` are set by [`BurstWriter`](super::BurstWriter).
    pub header: Header,
    /// Symbols of the payload, of any power but none.
    pub symbols: Vec<Complex32>,
}

/// One slot as a receiver heard it: r = h x + n for every symbol of the payload.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedBurst {
    /// What it says of itself.
    pub header: Header,
    /// r of every symbol.
    pub symbols: Vec<Complex32>,
    /// h of every symbol; 0 where samples were missing.
    pub csi: Vec<Complex32>,
    /// Variance of n.
    pub noise_variance: f32,
    /// How it was received.
    pub reception: Reception,
}

/// How a burst was received.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reception {
    /// Number of the first sample of its preamble, counted from the first sample of the stream on.
    pub start: u64,
    /// Number of the sample behind its last one.
    pub end: u64,
    /// Es/N0 per data carrier, linear: from preamble and header.
    pub snr: f32,
    /// Carrier offset in cycles per sample: acquired, and corrected by what pilots show.
    pub carrier_offset: f64,
    /// The transmitter's sample clock over the receiver's, less one.
    pub clock_offset: f64,
    /// Mean power of the samples of its preamble.
    pub power: f32,
    /// Symbols of the payload that lie where samples were missing.
    pub erased: usize,
}
