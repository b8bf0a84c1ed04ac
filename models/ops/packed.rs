//! Gradients of both arguments from one pass.
//!
//! A backward operation returns one tensor, and the gradients of an input and of its weight share most of
//! their work, so operations write both into one flat vector.

use super::backward::deliver;
use candle_core::{CustomOp3, Result, Tensor};

/// The gradients of x and of the weight.
///
/// - op: takes x, weight and the gradient of the result to a flat vector, that of x first; it may leave that of x
///   out where nothing asks for it
pub fn gradients<C: CustomOp3>(
    x: &Tensor,
    weight: &Tensor,
    gradient: &Tensor,
    op: &C,
) -> Result<(Option<Tensor>, Option<Tensor>)> {
    let packed = x.contiguous()?.apply_op3_no_bwd(&weight.contiguous()?, &gradient.contiguous()?, op)?;
    let of_weight = weight.elem_count();
    let of_x = packed.elem_count() - of_weight;
    let gradient = packed.narrow(0, of_x, of_weight)?.reshape(weight.shape())?;
    let of_x = match of_x == x.elem_count() {
        true => Some(packed.narrow(0, 0, of_x)?.reshape(x.shape())?),
        false => None,
    };
    Ok((of_x, deliver(weight, gradient)))
}
