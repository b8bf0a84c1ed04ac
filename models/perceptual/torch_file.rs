//! A weights file with PyTorch's names and layouts, and errors that name file and tensor.

use super::PerceptualError;
use crate::weights::tensor_file::{self, Tensors};
use candle_core::Tensor;
use std::path::{Path, PathBuf};

/// Named tensors and where they came from.
pub struct TorchFile {
    path: PathBuf,
    tensors: Tensors,
}

impl TorchFile {
    /// Reads a safetensors file of f32 or f16 tensors.
    pub fn open(path: &Path) -> Result<Self, PerceptualError> {
        let read = tensor_file::read(path);
        let (tensors, _) = read.map_err(|source| PerceptualError::File { path: path.into(), source })?;
        Ok(Self { path: path.into(), tensors })
    }

    /// The tensor of this name, as f32.
    ///
    /// - errors: no such tensor, or another shape
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<&Tensor, PerceptualError> {
        let (path, tensor) = (self.path.clone(), name.to_string());
        match self.tensors.get(name) {
            None => Err(PerceptualError::Missing { path, tensor }),
            Some(found) if found.dims() != shape => Err(PerceptualError::Shape {
                path,
                tensor,
                found: found.dims().to_vec(),
                expected: shape.to_vec(),
            }),
            Some(found) => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::noise_var;
    use crate::weights::tensor_file::{Metadata, write_f16};

    #[test]
    fn errors_name_the_file_and_the_tensor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        let error = TorchFile::open(&path).err().unwrap().to_string();
        assert!(error.contains("net.safetensors"), "{error}");
        std::fs::write(&path, b"something else").unwrap();
        let error = TorchFile::open(&path).err().unwrap().to_string();
        assert!(error.contains("net.safetensors: not a valid safetensors file"), "{error}");

        let tensors = Tensors::from([("a.weight".to_string(), noise_var(&[2, 3], 1).as_tensor().clone())]);
        write_f16(&path, &tensors, Metadata::new()).unwrap();
        let file = TorchFile::open(&path).unwrap();
        assert_eq!(file.tensor("a.weight", &[2, 3]).unwrap().dims(), [2, 3]);
        let error = file.tensor("a.bias", &[2]).unwrap_err().to_string();
        assert!(error.contains("net.safetensors: no tensor a.bias"), "{error}");
        let error = file.tensor("a.weight", &[3, 2]).unwrap_err().to_string();
        assert!(
            error.contains("net.safetensors: tensor a.weight has shape [2, 3], expected [3, 2]"),
            "{error}"
        );
    }
}
