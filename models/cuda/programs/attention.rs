//! Softmax attention over short sequences: see [`crate::ops::attention`].

use crate::cuda::queue::{Address, Grid, Queue, int};
use candle_core::Result;

/// Sequences of `len` tokens, `channels` in all heads together.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Sequences.
    pub sequences: usize,
    /// Tokens of each.
    pub len: usize,
    /// Channels of all heads.
    pub channels: usize,
    /// Heads.
    pub heads: usize,
}

impl Sizes {
    fn grid(&self) -> Grid {
        Grid([(self.sequences * self.heads).max(1) as u32, 1, 1])
    }

    fn weights(&self) -> usize {
        self.sequences * self.heads * self.len * self.len
    }
}

/// Attends within each sequence.
pub fn forward<Q: Queue>(queue: &Q, s: Sizes, qkv: Address, out: Address) -> Result<()> {
    let memory = queue.reserve(s.weights())?;
    let weights = queue.address(&memory);
    let [len, channels, heads] = [int(s.len)?, int(s.channels)?, int(s.heads)?];
    queue.launch("attention_weights", s.grid(), &[qkv.into(), weights.into(), len, channels, heads])?;
    let arguments = [qkv.into(), weights.into(), out.into(), len, channels, heads];
    queue.launch("attention_values", s.grid(), &arguments)
}

/// The gradient of queries, keys and values.
pub fn gradient<Q: Queue>(queue: &Q, s: Sizes, [qkv, gradient]: [Address; 2], of_qkv: Address) -> Result<()> {
    let memory = queue.reserve(2 * s.weights())?;
    let weights = queue.address(&memory);
    let of_scores = weights.at(s.weights());
    let [len, channels, heads] = [int(s.len)?, int(s.channels)?, int(s.heads)?];
    queue.launch("attention_weights", s.grid(), &[qkv.into(), weights.into(), len, channels, heads])?;
    let arguments = [qkv.into(), weights.into(), gradient.into(), of_scores.into(), len, channels, heads];
    queue.launch("attention_scores", s.grid(), &arguments)?;
    let arguments =
        [qkv.into(), weights.into(), of_scores.into(), gradient.into(), of_qkv.into(), len, channels, heads];
    queue.launch("attention_gradient", s.grid(), &arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::emulator::{Emulator, agree, gradients_of};
    use crate::ops::attention;
    use crate::ops::testing::noise_var;

    #[test]
    fn equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        for (sequences, len, channels, heads) in [(3, 5, 8, 2), (2, 40, 66, 1), (1, 1, 4, 4)] {
            let s = Sizes { sequences, len, channels, heads };
            let x = noise_var(&[sequences, len, 3 * channels], 1);
            let y = attention(x.as_tensor(), heads).unwrap();
            let (g, expected) = gradients_of(&y, &[&x]);
            let (at_x, at_g) = (emulator.upload(&x), emulator.upload(&g));
            let out = emulator.run(y.elem_count(), |queue, out| forward(queue, s, at_x.address(), out));
            agree(&out, &y);
            let out = emulator
                .run(x.elem_count(), |queue, out| gradient(queue, s, [at_x.address(), at_g.address()], out));
            agree(&out, &expected[0]);
        }
    }
}
