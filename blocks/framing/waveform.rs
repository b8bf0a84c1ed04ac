//! What of the time and energy of bursts carries data.

use super::HeaderCode;
use crate::Result;
use crate::ofdm::{Preamble, ResourceGrid};

/// Preamble, header, prefixes, pilots and guards of one grid: what each burst costs beside its channel uses. The same for
/// analog and coded payloads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waveform {
    preamble_len: usize,
    /// Energy of the preamble; a carrier of one symbol has 1.
    preamble_energy: f64,
    header_symbols: usize,
    symbol_len: usize,
    fft_len: usize,
    data: usize,
    pilots: usize,
    sample_rate_hz: f64,
}

impl Waveform {
    /// - errors: those of [`Preamble::new`]
    pub fn new(grid: &ResourceGrid) -> Result<Self> {
        let preamble = Preamble::new(grid)?;
        let numerology = grid.numerology();
        Ok(Self {
            preamble_len: preamble.samples().len(),
            preamble_energy: preamble.samples().iter().map(|sample| f64::from(sample.norm_sqr())).sum(),
            header_symbols: HeaderCode::new(grid)?.num_symbols(),
            symbol_len: numerology.symbol_len(),
            fft_len: numerology.fft_len,
            data: grid.data().len(),
            pilots: grid.pilots().len(),
            sample_rate_hz: numerology.sample_rate_hz,
        })
    }

    /// OFDM symbols of a payload.
    pub fn payload_symbols(&self, uses: usize) -> usize {
        uses.div_ceil(self.data)
    }

    /// Samples of a burst.
    pub fn samples(&self, uses: usize) -> usize {
        self.preamble_len + (self.header_symbols + self.payload_symbols(uses)) * self.symbol_len
    }

    /// Length of a burst in seconds.
    pub fn seconds(&self, uses: usize) -> f64 {
        self.samples(uses) as f64 / self.sample_rate_hz
    }

    /// Channel uses of the payload over the samples of the burst.
    pub fn time_efficiency(&self, uses: usize) -> f64 {
        uses as f64 / self.samples(uses) as f64
    }

    /// Energy of the payload's channel uses over that of the whole burst: prefixes, pilots, header and the stronger preamble
    /// all count.
    pub fn energy_efficiency(&self, uses: usize) -> f64 {
        let symbol = (self.data + self.pilots) as f64 * self.symbol_len as f64 / self.fft_len as f64;
        // What the last symbol does not carry is silent.
        let silent = self.payload_symbols(uses) * self.data - uses;
        let prefixed = silent as f64 * self.symbol_len as f64 / self.fft_len as f64;
        let symbols = (self.header_symbols + self.payload_symbols(uses)) as f64 * symbol - prefixed;
        uses as f64 / (symbols + self.preamble_energy)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Burst, Header};
    use super::super::{BurstWriter, header::tests::header};
    use super::*;
    use crate::kernel::Modulator;
    use crate::ofdm::Numerology;
    use crate::rng::{Purpose, RngKey, complex_normal};
    use num_complex::Complex32;

    #[test]
    fn lengths_and_energies_are_those_of_bursts() {
        for (name, numerology) in Numerology::PRESETS {
            let grid = ResourceGrid::new(numerology).unwrap();
            let waveform = Waveform::new(&grid).unwrap();
            let uses = 40 * grid.data().len() - 3;
            let symbols = complex_normal(&mut RngKey::new(3).stream(Purpose::Payload, 0, 0), 1.0, uses);
            let mut writer = BurstWriter::new(&grid, None).unwrap();
            writer.load(Burst { header: Header { length: uses, ..header() }, symbols }).unwrap();
            let mut samples = vec![Complex32::ZERO; waveform.samples(uses) + 10];
            let written = writer.write(&mut samples).unwrap();
            assert_eq!(written, waveform.samples(uses), "{name}");
            let energy: f64 = samples[..written].iter().map(|sample| f64::from(sample.norm_sqr())).sum();
            let found = uses as f64 / energy;
            // Energies of prefixes vary with what they hold.
            let expected = waveform.energy_efficiency(uses);
            assert!((found / expected - 1.0).abs() < 0.02, "{name}: {found} {expected}");
            assert!(waveform.time_efficiency(uses) < grid.efficiency());
        }
        let wide = Waveform::new(&ResourceGrid::new(Numerology::WIDE).unwrap()).unwrap();
        assert_eq!(wide.samples(770), 3584 + 2 * 1152);
        assert!((wide.seconds(770) - 5888.0 / 20e6).abs() < 1e-12);
    }
}
