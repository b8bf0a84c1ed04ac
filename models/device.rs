//! Where tensors are computed: the processor or a GPU.

use crate::tensor_error::in_one_line;
pub use candle_core::Device;
use std::str::FromStr;

/// A device by its name, not yet opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `cpu`: the processor.
    Processor,
    /// `cuda` for the first GPU, `cuda:1` for the second and so on.
    Gpu(u16),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let digits = |ordinal: &&str| !ordinal.is_empty() && ordinal.bytes().all(|b| b.is_ascii_digit());
        let ordinal = match name.split_once(':') {
            None if name == "cpu" => return Ok(Self::Processor),
            None if name == "cuda" => Some(0),
            Some(("cuda", ordinal)) => Some(ordinal).filter(digits).and_then(|ordinal| ordinal.parse().ok()),
            _ => None,
        };
        match ordinal {
            Some(ordinal) => Ok(Self::Gpu(ordinal)),
            None => Err(format!("{name:?} is not known: allowed are cpu, cuda and cuda:N")),
        }
    }
}

impl Place {
    /// Opens it.
    ///
    /// - errors: a GPU that is not there, a program without the feature `cuda`; one line that says what to do
    pub fn open(self) -> Result<Device, String> {
        match self {
            Self::Processor => Ok(Device::Cpu),
            Self::Gpu(ordinal) => gpu(ordinal),
        }
    }
}

/// Opens the device of a name; see [`Place`].
pub fn named(name: &str) -> Result<Device, String> {
    name.parse::<Place>()?.open()
}

#[cfg(feature = "cuda")]
fn gpu(ordinal: u16) -> Result<Device, String> {
    crate::cuda::open(usize::from(ordinal)).map_err(|error| {
        format!("GPU {ordinal} cannot be opened (nvidia-smi lists them): {}", in_one_line(&error))
    })
}

#[cfg(not(feature = "cuda"))]
fn gpu(ordinal: u16) -> Result<Device, String> {
    let reason = candle_core::Error::NotCompiledWithCudaSupport;
    Err(format!(
        "GPU {ordinal} cannot be used: {}: build with cargo build --release --features cuda",
        in_one_line(&reason)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(named("cpu").unwrap().is_cpu());
        assert_eq!("cuda:3".parse(), Ok(Place::Gpu(3)));
        for name in ["gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:+1", "cuda:70000", "cpu:0", "", "a\nb"] {
            let error = named(name).unwrap_err();
            assert!(error.contains("cpu, cuda and cuda:N") && !error.contains('\n'), "{name}");
        }
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_gpu_needs_the_feature() {
        assert!(named("cuda").unwrap_err().contains("--features cuda"));
    }
}
