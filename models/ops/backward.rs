//! Gradients of a loss, those of variables without a detour.
//!
//! candle's own backward pass starts the gradient of every tensor at zero and adds what the operation
//! returns: for the weights of a large layer that is three more passes over main memory. Within
//! [`backward`] the operations of this room lay down the gradients of variables themselves.

use candle_core::{Result, Tensor, backprop::GradStore};
use std::cell::RefCell;

thread_local! {
    /// Variables and their gradients, while a backward pass of this thread runs.
    static COLLECTED: RefCell<Option<Vec<(Tensor, Tensor)>>> = const { RefCell::new(None) };
}

/// Ends the collection, whatever the pass came to.
///
/// A thread of the pool that waits in one pass may take up another pass meanwhile: collections nest.
struct Collection {
    outer: Option<Vec<(Tensor, Tensor)>>,
}

impl Collection {
    fn begin() -> Self {
        Self { outer: COLLECTED.with_borrow_mut(|collected| collected.replace(Vec::new())) }
    }

    fn take(&self) -> Vec<(Tensor, Tensor)> {
        COLLECTED.with_borrow_mut(|collected| collected.as_mut().map(std::mem::take)).unwrap_or_default()
    }
}

impl Drop for Collection {
    fn drop(&mut self) {
        let outer = self.outer.take();
        COLLECTED.with_borrow_mut(|collected| *collected = outer);
    }
}

/// The gradients of a scalar loss, equal to those of `loss.backward()`.
pub fn backward(loss: &Tensor) -> Result<GradStore> {
    let collection = Collection::begin();
    let mut gradients = loss.backward()?;
    for (variable, gradient) in collection.take() {
        let sum = match gradients.remove(&variable) {
            Some(other) => (other + gradient)?,
            None => gradient,
        };
        gradients.insert(&variable, sum);
    }
    Ok(gradients)
}

/// Hands over the gradient of an operation's weight: to the running [`backward`] where the weight is a
/// variable, otherwise back, for candle.
pub(super) fn deliver(weight: &Tensor, gradient: Tensor) -> Option<Tensor> {
    if !weight.is_variable() {
        return Some(gradient);
    }
    COLLECTED.with_borrow_mut(|collected| match collected {
        Some(collected) => {
            collected.push((weight.clone(), gradient));
            None
        }
        None => Some(gradient),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise_var;
    use crate::ops::{affine, linear};

    #[test]
    fn equals_candles_pass_for_shared_reused_and_computed_weights() {
        let (x, w, v) = (noise_var(&[7, 4], 1), noise_var(&[5, 4], 2), noise_var(&[4, 4], 3));
        let y = affine(x.as_tensor(), w.as_tensor()).unwrap();
        let y = affine(&y, w.as_tensor()).unwrap(); // twice
        let y = linear(&y, v.as_tensor()).unwrap();
        let y = linear(&y, &(v.as_tensor() * 2.0).unwrap()).unwrap(); // not a variable itself
        let loss = (y.sqr().unwrap().sum_all().unwrap() + w.sqr().unwrap().sum_all().unwrap()).unwrap();
        let (ours, candles) = (backward(&loss).unwrap(), loss.backward().unwrap());
        for variable in [&x, &w, &v] {
            let a = to_vec(ours.get(variable).unwrap()).unwrap();
            let b = to_vec(candles.get(variable).unwrap()).unwrap();
            let scale = b.iter().fold(0f32, |most, v| most.max(v.abs()));
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= 1e-6 * scale), "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_pass_within_another_takes_nothing_from_it() {
        let (x, w) = (noise_var(&[7, 4], 1), noise_var(&[5, 4], 2));
        let outer = Collection::begin();
        assert!(deliver(w.as_tensor(), w.as_tensor().detach()).is_none());
        let loss = affine(x.as_tensor(), w.as_tensor()).unwrap().sum_all().unwrap();
        assert!(backward(&loss).unwrap().get(&w).is_some());
        assert!(deliver(x.as_tensor(), x.as_tensor().detach()).is_none());
        assert_eq!(outer.take().len(), 2);
        drop(outer);
        assert!(deliver(w.as_tensor(), w.as_tensor().detach()).is_some());
    }

    #[test]
    fn a_failed_pass_leaves_nothing_behind() {
        let (x, w) = (noise_var(&[7, 4], 1), noise_var(&[5, 4], 2));
        let y = affine(x.as_tensor(), w.as_tensor()).unwrap();
        drop(Collection::begin());
        let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        assert!(gradients.get(&w).is_some());
    }
}
