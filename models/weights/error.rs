//! Why weights cannot be read or written.

use crate::tensor_error::in_one_line;

/// Errors of weights files.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file system refuses.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The bytes are no safetensors file.
    #[error("not a valid safetensors file: {0}")]
    Format(#[from] safetensors::SafeTensorError),
    /// A tensor of another type than f32 or f16.
    #[error("tensor {tensor} has type {found}: allowed are F32 and F16")]
    Type {
        /// Name of the tensor.
        tensor: String,
        /// Its type.
        found: String,
    },
    /// A tensor holds a value that cannot be stored or used.
    #[error("tensor {tensor} holds {value}")]
    Value {
        /// Name of the tensor.
        tensor: String,
        /// The value.
        value: f32,
    },
    /// The metadata says nothing usable.
    #[error("metadata: {0}")]
    Metadata(String),
    /// Tensors that do not fit the architecture, or a failed operation.
    #[error("{}", in_one_line(.0))]
    Tensor(#[from] candle_core::Error),
    /// No weights of this name ship with the program.
    #[error("no weights named \"{name}\": shipped are {known}; or give the path of a file")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names known.
        known: String,
    },
}
