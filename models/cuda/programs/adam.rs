//! The Adam step and exponential averages in place: see [`crate::ops::adam`].

use super::layers;
use crate::cuda::queue::{Address, Argument, Grid, Queue, int};
use candle_core::Result;

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
/// - beta1, beta2, scale: decays of the moments, factor on the gradients
/// - rate, root, epsilon: step size and factor on the root of the second moment, corrected for their bias
/// - part: of the way that averages go
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
    use crate::ops::adam::{AdamStep, Slot, average_into, step};
    use crate::ops::testing::noise_var;

    #[test]
    fn all_variables_at_once_move_as_the_processors() {
        let Some(emulator) = Emulator::shared() else { return };
        let lens = [1usize, 700, 5000];
        let tensors = lens.map(|len| {
            let moments = noise_var(&[2, len], 4).as_tensor().sqr().unwrap();
            let of = |seed| noise_var(&[len], seed).as_tensor().detach();
            [of(1), moments, of(2), of(3)]
        });
        let places = tensors.each_ref().map(|slot| slot.each_ref().map(|tensor| emulator.upload(tensor)));
        let mut words: Vec<u64> = Vec::new();
        for (slot, len) in places.iter().zip(lens) {
            words.extend(slot.each_ref().map(|memory| memory.address().0));
            words.push(len as u64);
        }
        let slots = Address(words.as_ptr() as u64);
        let sums = emulator.run(3 * SUMS, |queue, out| all_energies(queue, 3, slots, out));
        for (sums, [_, _, g, _]) in sums.chunks(SUMS).zip(&tensors) {
            let energy = g.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
            assert!((sums.iter().sum::<f32>() - energy).abs() < 1e-4 * energy);
        }
        let adam = AdamStep {
            learning_rate: 0.01,
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            step: 1,
            gradient_scale: 0.5,
        };
        all_steps(&emulator, (3, 5000), slots, [0.9, 0.99, 0.5], adam.factors(), 0.25).unwrap();
        for ([parameter, moments, gradient, average], places) in tensors.iter().zip(&places) {
            step(&[Slot { parameter, moments, gradient, average }], adam, 0.75).unwrap();
            for (tensor, place) in [parameter, moments, gradient, average].into_iter().zip(places) {
                agree(&place.values(), tensor);
            }
        }
    }

    #[test]
    fn averages_go_a_part_of_the_way_or_all_of_it() {
        let Some(emulator) = Emulator::shared() else { return };
        let (a, v) = (noise_var(&[700], 3), noise_var(&[700], 1));
        let (at_a, at_v) = (emulator.upload(&a), emulator.upload(&v));
        average_into(&a.as_tensor().detach(), &v, 0.75).unwrap();
        average(&emulator, 700, [at_a.address(), at_v.address()], 0.25).unwrap();
        agree(&at_a.values(), &a);
        average(&emulator, 700, [at_a.address(), at_v.address()], 1.0).unwrap();
        assert_eq!(at_a.values(), at_v.values());
    }
}
