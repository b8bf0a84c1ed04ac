//! Affine maps and their gradients: see [`crate::ops::affine`].

use super::rows::{column_sums, start};
use crate::cuda::queue::{Address, Matrix, Queue, Stored, multiply};
use candle_core::Result;

/// Sizes of y = x W + b over `rows` rows.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Rows of x.
    pub rows: usize,
    /// Values of a row of x.
    pub inputs: usize,
    /// Values of a row of y.
    pub outputs: usize,
    /// Whether the weight has a last row that is added.
    pub bias: bool,
    /// Whether products may round their operands.
    pub may_round: bool,
}

impl Sizes {
    fn product(&self) -> [usize; 3] {
        [self.rows, self.inputs, self.outputs]
    }

    fn bias_of(&self, weight: Address) -> Address {
        if self.bias { weight.at(self.inputs * self.outputs) } else { Address::NONE }
    }
}

/// y = x W + b + residual; the residual may be [`Address::NONE`].
pub fn forward<Q: Queue>(
    queue: &Q,
    s: Sizes,
    [x, weight, residual]: [Address; 3],
    out: Address,
) -> Result<()> {
    let adds = s.bias || residual != Address::NONE;
    if adds {
        start(queue, (s.bias_of(weight), residual), (out, Stored::F32), (s.rows, s.outputs))?;
    }
    multiply(queue, s.product(), (Matrix::new(x), Matrix::new(weight)), out, (adds, s.may_round))
}

/// The gradient of x.
pub fn input_gradient<Q: Queue>(
    queue: &Q,
    s: Sizes,
    [gradient, weight]: [Address; 2],
    out: Address,
) -> Result<()> {
    let operands = (Matrix::new(gradient), Matrix::new(weight).transposed());
    multiply(queue, [s.rows, s.outputs, s.inputs], operands, out, (false, s.may_round))
}

/// The gradient of the weight, that of the bias in its last row.
pub fn weight_gradient<Q: Queue>(
    queue: &Q,
    s: Sizes,
    [x, gradient]: [Address; 2],
    out: Address,
) -> Result<()> {
    let operands = (Matrix::new(x).transposed(), Matrix::new(gradient));
    multiply(queue, [s.inputs, s.rows, s.outputs], operands, out, (false, s.may_round))?;
    if s.bias {
        let bias = out.at(s.inputs * s.outputs);
        column_sums(queue, (gradient, Stored::F32), (s.rows, s.outputs), bias)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::emulator::{Emulator, agree, gradients_of};
    use crate::ops::testing::noise_var;
    use crate::ops::{affine, affine_residual};

    #[test]
    fn equals_the_operation() {
        let Some(emulator) = Emulator::shared() else { return };
        for (rows, inputs, outputs) in [(3, 5, 4), (150, 40, 33), (70, 1, 3)] {
            let (x, w) = (noise_var(&[rows, inputs], 1), noise_var(&[inputs + 1, outputs], 2));
            let r = noise_var(&[rows, outputs], 3);
            let s = Sizes { rows, inputs, outputs, bias: true, may_round: false };
            let [at_x, at_w, at_r] = [&x, &w, &r].map(|var| emulator.upload(var));
            let out = emulator.run(rows * outputs, |queue, out| {
                forward(queue, s, [at_x.address(), at_w.address(), at_r.address()], out)
            });
            let y = affine_residual(x.as_tensor(), w.as_tensor(), r.as_tensor()).unwrap();
            agree(&out, &y);
            let plain = emulator.run(rows * outputs, |queue, out| {
                forward(queue, s, [at_x.address(), at_w.address(), Address::NONE], out)
            });
            let y = affine(x.as_tensor(), w.as_tensor()).unwrap();
            agree(&plain, &y);
            let (g, expected) = gradients_of(&y, &[&x, &w]);
            let at_g = emulator.upload(&g);
            let of_x = emulator.run(rows * inputs, |queue, out| {
                input_gradient(queue, s, [at_g.address(), at_w.address()], out)
            });
            agree(&of_x, &expected[0]);
            let of_w = emulator.run((inputs + 1) * outputs, |queue, out| {
                weight_gradient(queue, s, [at_x.address(), at_g.address()], out)
            });
            agree(&of_w, &expected[1]);
        }
    }
}
