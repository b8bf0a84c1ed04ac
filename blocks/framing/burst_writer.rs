//! Bursts to samples: header and payload on the same carriers, behind a preamble.

use super::peaks::{Clipper, peak_to_average, scramble_signs, sign_seed};
use super::{Burst, Content, Header, HeaderCode, SymbolInterleaver};
use crate::access::mean_power;
use crate::kernel::Modulator;
use crate::ofdm::{BurstModulator, ResourceGrid};
use crate::{BlockError, Decibel, LinearPower, Result};
use num_complex::Complex32;

/// Longest burst in seconds.
pub const LONGEST_SECONDS: f64 = 0.1;

/// Writes bursts of one grid.
///
/// - symbols of any power -> samples in which every data carrier has unit mean power
/// - analog payloads get pseudo-random signs against peaks
/// - errors: fields of the header out of range; symbols that are silent or not finite; a burst of more than 100 ms
#[derive(Clone, Debug)]
pub struct BurstWriter {
    grid: ResourceGrid,
    code: HeaderCode,
    modulator: BurstModulator,
    clipper: Option<Clipper>,
    /// Header and payload on their way to samples.
    values: Vec<Complex32>,
    samples: Vec<Complex32>,
    written: usize,
    clipped: usize,
}

impl BurstWriter {
    /// - clipper: cuts the peaks of header and payload off
    pub fn new(grid: &ResourceGrid, clipper: Option<Clipper>) -> Result<Self> {
        let (code, modulator) = (HeaderCode::new(grid)?, BurstModulator::new(grid)?);
        let grid = grid.clone();
        Ok(Self { grid, code, modulator, clipper, values: vec![], samples: vec![], written: 0, clipped: 0 })
    }

    /// Peak power over mean power of header and payload of the loaded burst.
    pub fn peak_to_average(&self) -> Option<Decibel> {
        peak_to_average(&self.samples[self.modulator.burst_len(0).min(self.samples.len())..])
    }

    /// Samples of the loaded burst that were clipped.
    pub fn clipped(&self) -> usize {
        self.clipped
    }

    /// Whether all samples of the loaded burst are written.
    pub fn is_written(&self) -> bool {
        self.written == self.samples.len()
    }

    /// All samples of the loaded burst.
    pub fn samples(&self) -> &[Complex32] {
        &self.samples
    }
}

impl Modulator for BurstWriter {
    type In = Burst;

    fn load(&mut self, burst: Burst) -> Result<()> {
        let Burst { header, symbols } = burst;
        let most = most_uses(&self.grid, self.code.num_symbols());
        if symbols.len() > most {
            let allowed = format!("1 to {most} symbols, 100 ms");
            return Err(BlockError::invalid("length of a burst", symbols.len(), allowed));
        }
        let power = mean_power(&symbols);
        if power == 0.0 {
            let (what, len) = ("payload", symbols.len());
            return Err(BlockError::Silent { what, who: format!("frame {}", header.frame), len });
        }
        let scale = LinearPower(power as f32).to_decibel();
        let header = Header { length: symbols.len(), scale, ..header };
        // What the header says, rounding included, is what receivers undo.
        let gain = (1.0 / stepped(scale).to_linear().0).sqrt();
        let spread = SymbolInterleaver::new(symbols.len()).spread(&symbols);
        let start = self.code.num_values();
        self.values.clear();
        self.values.reserve(start + spread.len());
        self.values.extend(self.code.encode(&header)?);
        self.values.extend(spread.iter().map(|symbol| symbol * gain));
        if header.content == Content::Analog {
            scramble_signs(sign_seed(header.frame, header.destination), &mut self.values[start..]);
        }
        // A burst that fails leaves none to write.
        self.written = 0;
        if let Err(error) = self.modulator.modulate_into(&self.values, &mut self.samples) {
            self.samples.clear();
            return Err(error);
        }
        let body = self.modulator.burst_len(0);
        let numerology = self.grid.numerology();
        let mean = self.grid.occupied().len() as f32 / numerology.fft_len as f32;
        self.clipped = self.clipper.map_or(0, |clipper| clipper.clip(mean, &mut self.samples[body..]));
        Ok(())
    }

    fn write(&mut self, output: &mut [Complex32]) -> Result<usize> {
        let rest = &self.samples[self.written..];
        let len = rest.len().min(output.len());
        output[..len].copy_from_slice(&rest[..len]);
        self.written += len;
        Ok(len)
    }
}

/// Most channel uses of a burst of 100 ms.
pub(super) fn most_uses(grid: &ResourceGrid, header_symbols: usize) -> usize {
    let numerology = grid.numerology();
    let symbols = (LONGEST_SECONDS * numerology.sample_rate_hz) as usize / numerology.symbol_len();
    symbols.saturating_sub(header_symbols).max(1) * grid.data().len()
}

/// A scale as headers carry it.
fn stepped(scale: Decibel) -> Decibel {
    Decibel((scale.0 * 256.0).round() / 256.0)
}
