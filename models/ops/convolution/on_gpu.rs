//! Both convolutions on a GPU.

use super::call::Call;
use super::{Convolve, PatchGrid};
use crate::cuda::{self, programs::convolution::Pair};
use candle_core::{CudaStorage, Layout, Result, Shape};

type Input<'a> = (&'a CudaStorage, &'a Layout);

impl Convolve {
    fn pair(&self, call: &Call) -> Pair {
        Pair {
            grid: PatchGrid { batch: call.batch, ..call.pair.grid },
            channels: call.pair.channels,
            is_transposed: call.pair.is_transposed,
            may_round: self.precision.may_round(),
        }
    }

    pub(super) fn forward_on_gpu(&self, op: &str, inputs: [Input; 2]) -> Result<(CudaStorage, Shape)> {
        let call = self.call(op, inputs[0].1, inputs[1].1)?;
        let pair = self.pair(&call);
        cuda::run(op, inputs, call.shape.to_vec(), |queue, from, out| pair.forward(queue, from, out))
    }

    pub(super) fn gradients_on_gpu(&self, op: &str, inputs: [Input; 3]) -> Result<(CudaStorage, Shape)> {
        let [(_, x_at), (_, w_at), (_, g_at)] = inputs;
        let call = self.call(op, x_at, w_at)?;
        super::expect_shape(op, "the gradient", g_at.dims(), &call.shape)?;
        let pair = self.pair(&call);
        let (of_x, of_w) = (x_at.shape().elem_count(), w_at.shape().elem_count());
        cuda::run(op, inputs, of_x + of_w, |queue, from, out| {
            pair.gradients(queue, from, [out, out.at(of_x)])
        })
    }
}
