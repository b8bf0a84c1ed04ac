//! Spreads the symbols of a payload over its burst: neighbours go to places far apart.
//!
//! Networks put much power into some features, which follow each other; spread, they make no symbol of OFDM stronger
//! than others, so that peaks are those of Gaussian noise. What fades, or is lost in a gap, is spread as well.
//!
//! Symbol i goes to place i s mod n, with a step s near the golden section of n that has no divisor in common with it:
//! of all steps these leave no two neighbours of neighbours close.

/// The permutation of payloads of one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolInterleaver {
    len: usize,
    step: usize,
}

impl SymbolInterleaver {
    /// - len: symbols of the payload
    pub fn new(len: usize) -> Self {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let wanted = (len as f64 * GOLDEN).round() as usize;
        // 1 divides everything, so there is always one.
        let step = (wanted.max(1)..).find(|step| greatest_divisor(*step, len.max(1)) == 1).unwrap_or(1);
        Self { len, step }
    }

    /// Puts symbols to their places.
    ///
    /// - symbols: `[len]`; others are left as they are
    pub fn spread<T: Copy>(&self, symbols: &[T]) -> Vec<T> {
        let mut spread = symbols.to_vec();
        if symbols.len() == self.len {
            self.places().zip(symbols).for_each(|(place, symbol)| spread[place] = *symbol);
        }
        spread
    }

    /// Undoes [`Self::spread`].
    pub fn gather<T: Copy>(&self, spread: &[T]) -> Vec<T> {
        match spread.len() == self.len {
            true => self.places().map(|place| spread[place]).collect(),
            false => spread.to_vec(),
        }
    }

    fn places(&self) -> impl Iterator<Item = usize> {
        let Self { len, step } = *self;
        let mut place = 0;
        (0..len).map(move |_| {
            let now = place;
            // The step is below the length, or both are 1.
            place += step;
            place -= if place >= len { len } else { 0 };
            now
        })
    }
}

fn greatest_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_any_number_come_back() {
        for len in (0..400).chain([832, 1024, 40_000, 1_336_720]) {
            let symbols: Vec<u32> = (0..len as u32).collect();
            let interleaver = SymbolInterleaver::new(len);
            let spread = interleaver.spread(&symbols);
            let mut sorted = spread.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, symbols, "{len}");
            assert_eq!(interleaver.gather(&spread), symbols, "{len}");
        }
    }

    #[test]
    fn a_stretch_goes_evenly_over_the_burst() {
        for len in [300, 832, 1024, 3080] {
            let strong = 64;
            let symbols: Vec<u32> = (0..len).map(|n| u32::from((100..100 + strong).contains(&n))).collect();
            let spread = SymbolInterleaver::new(len).spread(&symbols);
            let most = spread.windows(32).map(|window| window.iter().sum::<u32>()).max().unwrap();
            let mean = 32.0 * strong as f64 / len as f64;
            // 64 neighbours fill 32 places of one symbol where nothing is spread.
            assert!(f64::from(most) < 2.0 * mean + 3.0, "{len}: {most}, {mean} in the mean");
        }
    }
}
