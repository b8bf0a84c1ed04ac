//! How the values of a variable are laid down in PyTorch: in which tensors, and in which order.
//!
//! | here | in PyTorch |
//! |---|---|
//! | affine `[in + 1, out]`, the last row the bias | `weight [out, in]`, `bias [out]` |
//! | convolution `[k k in + 1, out]` | `weight [out, in, k, k]`, `bias [out]` |
//! | transposed convolution `[in, k k out]` | `weight [in, out, k, k]` |
//! | scale and shift `[2, width]` | `weight [width]`, `bias [width]` |
//! | anything else | a tensor of the same name and shape |

use candle_core::{Result, Tensor, bail};
use std::collections::BTreeMap;

/// A tensor of PyTorch that stands one after the other with others in a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What follows the variable's place in the tree of names; empty: the variable's own name.
    pub suffix: &'static str,
    /// Its shape in PyTorch.
    pub shape: Vec<usize>,
    /// Which of its axes come first, second and so on here.
    pub order: Vec<usize>,
}

impl Piece {
    /// A tensor that is laid down here as there.
    pub fn same(suffix: &'static str, shape: &[usize]) -> Self {
        Self { suffix, shape: shape.to_vec(), order: (0..shape.len()).collect() }
    }

    /// `[in, out]` here.
    pub fn matrix(suffix: &'static str, inputs: usize, outputs: usize) -> Self {
        Self { suffix, shape: vec![outputs, inputs], order: vec![1, 0] }
    }

    /// `[k, k, in, out]` here.
    pub fn kernel(suffix: &'static str, side: usize, inputs: usize, outputs: usize) -> Self {
        Self { suffix, shape: vec![outputs, inputs, side, side], order: vec![2, 3, 1, 0] }
    }

    /// `[in, k, k, out]` here.
    pub fn transposed_kernel(suffix: &'static str, side: usize, inputs: usize, outputs: usize) -> Self {
        Self { suffix, shape: vec![inputs, outputs, side, side], order: vec![0, 2, 3, 1] }
    }

    /// Weight and bias of an affine map.
    pub fn affine(inputs: usize, outputs: usize) -> Vec<Self> {
        vec![Self::matrix("weight", inputs, outputs), Self::same("bias", &[outputs])]
    }

    /// Scale and shift of a norm.
    pub fn scale_shift(width: usize) -> Vec<Self> {
        vec![Self::same("weight", &[width]), Self::same("bias", &[width])]
    }

    /// The name in PyTorch of a piece of the variable `name` in the scope `prefix`.
    ///
    /// A variable called `weight` or `weights` takes its scope's name.
    pub fn full_name(&self, prefix: &str, name: &str) -> String {
        let own = match name {
            "weight" | "weights" if !self.suffix.is_empty() => "",
            name => name,
        };
        let parts: Vec<&str> =
            [prefix, own, self.suffix].into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(".")
    }

    /// The values of a tensor of PyTorch in the order of this crate, flat.
    ///
    /// - errors: a tensor of another shape; axes of one at the end may be more or fewer, so that a linear layer
    ///   and a 1 x 1 convolution are the same
    fn take(&self, name: &str, tensor: &Tensor) -> Result<Tensor> {
        let bare = |dims: &[usize]| {
            let len = dims.iter().rposition(|dim| *dim != 1).map_or(0, |at| at + 1);
            dims[..len].to_vec()
        };
        if bare(tensor.dims()) != bare(&self.shape) {
            bail!("tensor {name} has shape {:?}, expected {:?}", tensor.dims(), self.shape)
        }
        tensor.reshape(self.shape.as_slice())?.permute(self.order.as_slice())?.contiguous()?.flatten_all()
    }
}

/// A variable from tensors of PyTorch; their names are added to `used`.
///
/// - errors: a tensor that is missing or has another shape; its name stands in the error
pub fn assemble(
    tensors: &BTreeMap<String, Tensor>,
    (prefix, name): (&str, &str),
    pieces: &[Piece],
    used: &mut Vec<String>,
) -> Result<Tensor> {
    let mut parts = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let name = piece.full_name(prefix, name);
        let Some(found) = tensors.get(&name) else {
            bail!("tensor {name} of shape {:?} is missing", piece.shape)
        };
        parts.push(piece.take(&name, found)?);
        used.push(name);
    }
    Tensor::cat(&parts, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use candle_core::Device;

    fn counted(shape: &[usize]) -> Tensor {
        let len: usize = shape.iter().product();
        Tensor::from_vec((0..len).map(|v| v as f32).collect::<Vec<_>>(), shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn axes_go_where_this_crate_has_them() {
        let affine = Piece::affine(3, 2);
        let tensors = BTreeMap::from([
            ("head.weight".to_owned(), counted(&[2, 3, 1, 1])),
            ("head.bias".to_owned(), counted(&[2])),
        ]);
        let mut used = vec![];
        let found = assemble(&tensors, ("", "head"), &affine, &mut used).unwrap();
        assert_eq!(to_vec(&found).unwrap(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0, 0.0, 1.0]);
        assert_eq!(used, ["head.weight", "head.bias"]);
        let kernel = Piece::kernel("weight", 3, 4, 5);
        let taken = to_vec(&kernel.take("w", &counted(&[5, 4, 3, 3])).unwrap()).unwrap();
        // Tap (1, 2), input 3, output 4.
        assert_eq!(taken[((3 + 2) * 4 + 3) * 5 + 4], ((4 * 4 + 3) * 9 + 5) as f32);
        let grown = Piece::transposed_kernel("weight", 3, 4, 5);
        let taken = to_vec(&grown.take("w", &counted(&[4, 5, 3, 3])).unwrap()).unwrap();
        assert_eq!(taken[(3 * 9 + 5) * 5 + 4], ((3 * 5 + 4) * 9 + 5) as f32);
    }

    #[test]
    fn names_follow_the_tree_and_errors_carry_them() {
        let piece = |suffix| Piece::same(suffix, &[2]);
        assert_eq!(piece("bias").full_name("encoder.0", "weight"), "encoder.0.bias");
        assert_eq!(piece("grn.gamma").full_name("a.block.1", "weights"), "a.block.1.grn.gamma");
        assert_eq!(piece("bias").full_name("encoder", "private"), "encoder.private.bias");
        assert_eq!(piece("").full_name("encoder.0", "slope"), "encoder.0.slope");
        let mut used = vec![];
        let error = assemble(&BTreeMap::new(), ("a", "b"), &[piece("bias")], &mut used).unwrap_err();
        assert!(error.to_string().contains("a.b.bias"), "{error}");
        let error = piece("bias").take("a.b.bias", &counted(&[3])).unwrap_err().to_string();
        assert!(error.contains("a.b.bias has shape [3], expected [2]"), "{error}");
    }
}
