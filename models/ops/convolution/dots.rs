//! Vector kernels: many dot products at once, and many outer products.
//!
//! A block of a few places by a panel of columns stays in registers while the values under the taps pass by.

use super::geometry::Place;
use super::panels::{Panel, Panels};
use crate::ops::lanes::{LaneKernel, Lanes};

/// Values of a run that are passed at a time: their rows of a panel stay in the first cache.
const RUN: usize = 256;
/// Values of a panel's row at most: two of the widest registers.
const WIDEST: usize = 32;

/// Rows of taps, each over values that stand side by side in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Number of rows of taps.
    pub rows: usize,
    /// Values under one row.
    pub len: usize,
    /// Values from one row to the next in the source.
    pub step: usize,
}

impl Runs {
    /// Values that a place reads ahead, from its own.
    fn reach(&self) -> usize {
        self.rows.saturating_sub(1) * self.step + self.len
    }

    fn check(&self, places: &[Place], source: &[f32]) {
        let last = places.iter().map(|place| place.source).max().unwrap_or(0);
        assert!(places.is_empty() || last + self.reach() <= source.len(), "a place outside of its map");
    }
}

/// target[place] += source[place, runs] W for every place.
pub struct Dots<'a> {
    /// What each place reads.
    pub runs: Runs,
    /// Where.
    pub places: &'a [Place],
    /// The band of the source.
    pub source: &'a [f32],
    /// Weights, a row for each value under the taps.
    pub weights: &'a Panels,
    /// A sample of the target; each place has all columns of the weights there.
    pub target: *mut f32,
}

impl LaneKernel for Dots<'_> {
    type Output = ();

    // Safety: `target` must be valid at all places, with no other writer to them.
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        self.runs.check(self.places, self.source);
        let source = self.source.as_ptr();
        let most = if L::LEN == 16 { 8 } else { 6 };
        for panel in &self.weights.panels {
            assert!(panel.width == L::LEN || panel.width == 2 * L::LEN, "a panel for other registers");
            for (row, first) in pieces(self.runs) {
                let len = RUN.min(self.runs.len - first);
                let at = panel.start + (row * self.runs.len + first) * panel.width;
                let rows = &self.weights.values[at..][..len * panel.width];
                for places in self.places.chunks(most) {
                    // SAFETY: places were checked against the source, and the caller vouches for the target.
                    unsafe {
                        let from = source.add(row * self.runs.step + first);
                        let to = self.target.add(panel.first);
                        match panel.width == L::LEN {
                            true => dots::<L, 1>(from, rows, len, panel, places, to),
                            false => dots::<L, 2>(from, rows, len, panel, places, to),
                        }
                    }
                }
            }
        }
    }
}

/// Of each piece of a run, its row of taps and where in the row it begins.
fn pieces(runs: Runs) -> impl Iterator<Item = (usize, usize)> {
    (0..runs.rows).flat_map(move |row| (0..runs.len).step_by(RUN).map(move |first| (row, first)))
}

#[inline(always)]
unsafe fn dots<L: Lanes, const V: usize>(
    source: *const f32,
    weights: &[f32],
    len: usize,
    panel: &Panel,
    places: &[Place],
    target: *mut f32,
) {
    unsafe {
        match places.len() {
            8 => dots_of::<L, V, 8>(source, weights, len, panel, places, target),
            7 => dots_of::<L, V, 7>(source, weights, len, panel, places, target),
            6 => dots_of::<L, V, 6>(source, weights, len, panel, places, target),
            5 => dots_of::<L, V, 5>(source, weights, len, panel, places, target),
            4 => dots_of::<L, V, 4>(source, weights, len, panel, places, target),
            3 => dots_of::<L, V, 3>(source, weights, len, panel, places, target),
            2 => dots_of::<L, V, 2>(source, weights, len, panel, places, target),
            _ => dots_of::<L, V, 1>(source, weights, len, panel, places, target),
        }
    }
}

#[inline(always)]
unsafe fn dots_of<L: Lanes, const V: usize, const M: usize>(
    source: *const f32,
    weights: &[f32],
    len: usize,
    panel: &Panel,
    places: &[Place],
    target: *mut f32,
) {
    unsafe {
        let from: [*const f32; M] = std::array::from_fn(|at| source.add(places[at].source));
        let to: [*mut f32; M] = std::array::from_fn(|at| target.add(places[at].target));
        let mut sums: [[L; V]; M] = std::array::from_fn(|at| load_some(to[at], panel.used));
        let mut row = weights.as_ptr();
        for index in 0..len {
            let columns: [L; V] = std::array::from_fn(|v| L::load(row.add(v * L::LEN)));
            for (from, sums) in from.iter().zip(&mut sums) {
                let value = L::splat(*from.add(index));
                for (sum, columns) in sums.iter_mut().zip(columns) {
                    *sum = value.mul_add(columns, *sum);
                }
            }
            row = row.add(V * L::LEN);
        }
        for (to, sums) in to.into_iter().zip(sums) {
            store_some(sums, to, panel.used);
        }
    }
}

/// sums[runs] += source[place, runs]^T gradient[place], over all places.
///
/// Places are summed up apart and then added, so that the error of a long sum grows with the number of calls.
pub struct OuterProducts<'a> {
    /// What each place reads.
    pub runs: Runs,
    /// Where, one for each row of the gradient.
    pub places: &'a [Place],
    /// The band of the source.
    pub source: &'a [f32],
    /// A row for each place.
    pub gradient: &'a Panels,
    /// A row for each value under the taps, as many columns.
    pub sums: &'a mut Panels,
}

impl LaneKernel for OuterProducts<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        self.runs.check(self.places, self.source);
        let most = if L::LEN == 16 { 8 } else { 6 };
        for (panel, of) in self.gradient.panels.iter().zip(&self.sums.panels) {
            assert!(panel.width == L::LEN || panel.width == 2 * L::LEN, "a panel for other registers");
            assert_eq!(panel.width, of.width, "panels of a gradient and its sums");
            let gradient = &self.gradient.values[panel.start..][..self.places.len() * panel.width];
            for row in 0..self.runs.rows {
                for first in (0..self.runs.len).step_by(most) {
                    let count = most.min(self.runs.len - first);
                    let at = of.start + (row * self.runs.len + first) * of.width;
                    let sums = &mut self.sums.values[at..][..count * of.width];
                    // SAFETY: places were checked against the source.
                    unsafe {
                        let from = self.source.as_ptr().add(row * self.runs.step + first);
                        match panel.width == L::LEN {
                            true => outer::<L, 1>(from, self.places, gradient, count, sums),
                            false => outer::<L, 2>(from, self.places, gradient, count, sums),
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn outer<L: Lanes, const V: usize>(
    source: *const f32,
    places: &[Place],
    gradient: &[f32],
    count: usize,
    sums: &mut [f32],
) {
    unsafe {
        match count {
            8 => outer_of::<L, V, 8>(source, places, gradient, sums),
            7 => outer_of::<L, V, 7>(source, places, gradient, sums),
            6 => outer_of::<L, V, 6>(source, places, gradient, sums),
            5 => outer_of::<L, V, 5>(source, places, gradient, sums),
            4 => outer_of::<L, V, 4>(source, places, gradient, sums),
            3 => outer_of::<L, V, 3>(source, places, gradient, sums),
            2 => outer_of::<L, V, 2>(source, places, gradient, sums),
            _ => outer_of::<L, V, 1>(source, places, gradient, sums),
        }
    }
}

#[inline(always)]
unsafe fn outer_of<L: Lanes, const V: usize, const M: usize>(
    source: *const f32,
    places: &[Place],
    gradient: &[f32],
    sums: &mut [f32],
) {
    unsafe {
        let to = sums.as_mut_ptr();
        let mut kept = [[L::splat(0.0); V]; M];
        let mut row = gradient.as_ptr();
        for place in places {
            let columns: [L; V] = std::array::from_fn(|v| L::load(row.add(v * L::LEN)));
            let from = source.add(place.source);
            for (at, kept) in kept.iter_mut().enumerate() {
                let value = L::splat(*from.add(at));
                for (kept, columns) in kept.iter_mut().zip(columns) {
                    *kept = value.mul_add(columns, *kept);
                }
            }
            row = row.add(V * L::LEN);
        }
        for (at, kept) in kept.iter().enumerate() {
            for (v, kept) in kept.iter().enumerate() {
                let to = to.add((at * V + v) * L::LEN);
                L::load(to).add(*kept).store(to);
            }
        }
    }
}

/// `used` values and zeros behind them.
#[inline(always)]
unsafe fn load_some<L: Lanes, const V: usize>(from: *const f32, used: usize) -> [L; V] {
    unsafe {
        if used == V * L::LEN {
            return std::array::from_fn(|v| L::load(from.add(v * L::LEN)));
        }
        let mut values = [0.0; WIDEST];
        std::ptr::copy_nonoverlapping(from, values.as_mut_ptr(), used);
        std::array::from_fn(|v| L::load(values.as_ptr().add(v * L::LEN)))
    }
}

#[inline(always)]
unsafe fn store_some<L: Lanes, const V: usize>(values: [L; V], to: *mut f32, used: usize) {
    unsafe {
        if used == V * L::LEN {
            for (v, values) in values.iter().enumerate() {
                values.store(to.add(v * L::LEN));
            }
            return;
        }
        let mut all = [0.0; WIDEST];
        for (v, values) in values.iter().enumerate() {
            values.store(all.as_mut_ptr().add(v * L::LEN));
        }
        std::ptr::copy_nonoverlapping(all.as_ptr(), to, used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::noise;

    const RUNS: Runs = Runs { rows: 2, len: 300, step: 320 };

    /// As many places as blocks have, and some.
    fn places(columns: usize) -> Vec<Place> {
        (0..27).map(|at| Place { source: at * 7 % 50, target: (26 - at) * columns }).collect()
    }

    fn laid_down(rows: usize, columns: usize, values: &[f32], lanes: usize) -> Panels {
        let mut panels = Panels::zeros(rows, columns, lanes);
        (0..rows).for_each(|row| panels.put(row, &values[row * columns..], 1));
        panels
    }

    /// The value under tap value `row` of a place.
    fn under(source: &[f32], place: &Place, row: usize) -> f64 {
        f64::from(source[place.source + row / RUNS.len * RUNS.step + row % RUNS.len])
    }

    fn agree<L: Lanes>(columns: usize) {
        let (places, rows) = (places(columns), RUNS.rows * RUNS.len);
        let (source, weights) = (noise(50 + RUNS.step + RUNS.len, 1), noise(rows * columns, 2));
        let start = noise(places.len() * columns, 3);
        let panels = laid_down(rows, columns, &weights, L::LEN);
        let mut found = start.clone();
        let (source, target) = (&source[..], found.as_mut_ptr());
        // SAFETY: plain lanes need no instruction; `found` holds all places and is ours.
        unsafe { Dots { runs: RUNS, places: &places, source, weights: &panels, target }.run::<L>() };
        for place in &places {
            for column in 0..columns {
                let sum: f64 = (0..rows)
                    .map(|row| under(source, place, row) * f64::from(weights[row * columns + column]))
                    .sum();
                let at = place.target + column;
                assert!((f64::from(found[at]) - f64::from(start[at]) - sum).abs() < 1e-3, "{columns}");
            }
        }

        let gradient = noise(places.len() * columns, 4);
        let of_places = laid_down(places.len(), columns, &gradient, L::LEN);
        let mut sums = laid_down(rows, columns, &weights, L::LEN);
        let outer =
            OuterProducts { runs: RUNS, places: &places, source, gradient: &of_places, sums: &mut sums };
        // SAFETY: as above.
        unsafe { outer.run::<L>() };
        let mut row_of = vec![0.0; columns];
        for row in 0..rows {
            sums.get(row, &mut row_of, 1);
            for (column, found) in row_of.iter().enumerate() {
                let of_place =
                    |(at, place)| under(source, place, row) * f64::from(gradient[at * columns + column]);
                let sum: f64 = places.iter().enumerate().map(of_place).sum();
                let expected = f64::from(weights[row * columns + column]) + sum;
                assert!((f64::from(*found) - expected).abs() < 1e-3, "{columns}");
            }
        }
    }

    #[test]
    fn equal_the_definition_for_registers_of_every_width() {
        for columns in [1, 3, 8, 13, 16, 31, 32, 50] {
            agree::<[f32; 8]>(columns);
            agree::<[f32; 16]>(columns);
        }
    }

    #[test]
    #[should_panic(expected = "outside of its map")]
    fn places_outside_are_found() {
        let (places, source) = ([Place { source: 1, target: 0 }], noise(RUNS.reach(), 1));
        let (weights, mut target) = (Panels::zeros(600, 1, 8), [0.0]);
        let target = target.as_mut_ptr();
        // SAFETY: plain lanes need no instruction; the check comes first.
        unsafe {
            Dots { runs: RUNS, places: &places, source: &source, weights: &weights, target }
                .run::<[f32; 8]>();
        }
    }
}
