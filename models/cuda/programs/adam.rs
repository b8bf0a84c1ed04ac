//! The Adam step and exponential averages in place: see [`crate::ops::adam`].

use super::layers;
use crate::cuda::queue::{Address, Argument, Grid, Queue, int};
use candle_core::Result;

/// Moves the moments `[2, len]` towards a gradient.
pub fn moments<Q: Queue>(
    queue: &Q,
    len: usize,
    [moments, gradient]: [Address; 2],
    (beta1, beta2): (f32, f32),
    scale: f32,
) -> Result<()> {
    let arguments = [moments.into(), gradient.into(), int(len)?, beta1.into(), beta2.into(), scale.into()];
    queue.launch("adam_moments", Grid::flat(len), &arguments)
}

/// Moves a parameter down its moments.
///
/// - rate, root: step size and factor on the root of the second moment, corrected for their bias
pub fn descend<Q: Queue>(
    queue: &Q,
    len: usize,
    [parameter, moments]: [Address; 2],
    [rate, root, epsilon]: [f32; 3],
) -> Result<()> {
    let arguments = [parameter.into(), moments.into(), int(len)?, rate.into(), root.into(), epsilon.into()];
    queue.launch("adam_descend", Grid::flat(len), &arguments)
}

/// Moves an average a part of the way to a value.
pub fn average<Q: Queue>(queue: &Q, len: usize, [average, value]: [Address; 2], part: f32) -> Result<()> {
    queue.launch("average", Grid::flat(len), &[average.into(), value.into(), int(len)?, part.into()])
}

/// Words of a slot: addresses of parameter, moments, gradient and average, and the number of values.
pub const SLOT_WORDS: usize = 5;
/// Partial sums of a slot's energy.
pub const SUMS: usize = 16;
/// Most blocks that share a slot.
const MOST_BLOCKS: u32 = 256;

/// Energies of the gradients of some slots, `[slots, SUMS]` partial sums.
pub fn all_energies<Q: Queue>(queue: &Q, count: usize, slots: Address, out: Address) -> Result<()> {
    let grid = Grid([SUMS as u32, 1, layers(count)? as u32]);
    queue.launch("all_energies", grid, &[slots.into(), out.into()])
}

/// Moments, step and average of some slots, the largest of `most` values.
///
/// - betas, scale, factors, part: as of [`moments`], [`descend`] and [`average`]
pub fn all_steps<Q: Queue>(
    queue: &Q,
    (count, most): (usize, usize),
    slots: Address,
    [beta1, beta2, scale]: [f32; 3],
    [rate, root, epsilon]: [f32; 3],
    part: f32,
) -> Result<()> {
    let Grid([blocks, ..]) = Grid::flat(most);
    let grid = Grid([blocks.min(MOST_BLOCKS), 1, layers(count)? as u32]);
    let factors = [beta1, beta2, scale, rate, root, epsilon, part].map(Argument::from);
    let arguments: Vec<Argument> = std::iter::once(slots.into()).chain(factors).collect();
    queue.launch("all_steps", grid, &arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::emulator::{Emulator, agree};
    use crate::ops::adam::{AdamStep, average_into};
    use crate::ops::testing::noise_var;
    use candle_core::{DType, Tensor};

    #[test]
    fn equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        let len = 700;
        let (p, g, a) = (noise_var(&[len], 1), noise_var(&[len], 2), noise_var(&[len], 3));
        let m = Tensor::zeros((2, len), DType::F32, p.device()).unwrap();
        let [at_p, at_g, at_m, at_a] =
            [p.as_tensor(), g.as_tensor(), &m, a.as_tensor()].map(|t| emulator.upload(t));
        let adam = AdamStep {
            learning_rate: 0.01,
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            step: 1,
            gradient_scale: 0.5,
        };
        adam.apply(&p.as_tensor().detach(), &m, &g).unwrap();
        average_into(&a.as_tensor().detach(), &p, 0.75).unwrap();
        moments(&emulator, len, [at_m.address(), at_g.address()], (0.9, 0.99), 0.5).unwrap();
        let step = [(0.01 / (1.0 - 0.9)) as f32, (1.0 / (1.0 - 0.99f64)).sqrt() as f32, 1e-8];
        descend(&emulator, len, [at_p.address(), at_m.address()], step).unwrap();
        average(&emulator, len, [at_a.address(), at_p.address()], 0.25).unwrap();
        agree(&at_m.values(), &m);
        agree(&at_p.values(), &p);
        agree(&at_a.values(), &a);
        average(&emulator, len, [at_a.address(), at_p.address()], 1.0).unwrap();
        assert_eq!(at_a.values(), at_p.values());
    }

    #[test]
    fn all_variables_at_once_move_as_one_by_one() {
        let Some(emulator) = Emulator::shared() else { return };
        let lens = [1usize, 700, 5000];
        let tensors = lens.map(|len| {
            let moments = noise_var(&[2, len], 4).as_tensor().sqr().unwrap();
            [noise_var(&[len], 1).as_tensor().clone(), moments, noise_var(&[len], 2).as_tensor().clone()]
        });
        let mut places = Vec::new();
        let mut words: Vec<u64> = Vec::new();
        for ([p, m, g], len) in tensors.iter().zip(lens) {
            let memory = [p, m, g, p].map(|t| emulator.upload(t));
            words.extend(memory.each_ref().map(|memory| memory.address().0));
            words.push(len as u64);
            places.push(memory);
        }
        let slots = Address(words.as_ptr() as u64);
        let sums = emulator.run(3 * SUMS, |queue, out| all_energies(queue, 3, slots, out));
        for (sums, [_, _, g]) in sums.chunks(SUMS).zip(&tensors) {
            let energy = g.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
            assert!((sums.iter().sum::<f32>() - energy).abs() < 1e-4 * energy);
        }
        let (betas, factors) = ([0.9, 0.99, 0.5], [0.01, 1.5, 1e-8]);
        all_steps(&emulator, (3, 5000), slots, betas, factors, 0.25).unwrap();
        for ([p, m, g], (found, len)) in tensors.iter().zip(places.iter().zip(lens)) {
            let [at_p, at_m, at_g, at_a] = [p, m, g, p].map(|t| emulator.upload(t));
            moments(&emulator, len, [at_m.address(), at_g.address()], (0.9, 0.99), 0.5).unwrap();
            descend(&emulator, len, [at_p.address(), at_m.address()], factors).unwrap();
            average(&emulator, len, [at_a.address(), at_p.address()], 0.25).unwrap();
            assert_eq!(found[0].values(), at_p.values());
            assert_eq!(found[1].values(), at_m.values());
            assert_eq!(found[3].values(), at_a.values());
        }
    }
}
