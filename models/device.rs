//! Where tensors are computed: the processor or a GPU.

use crate::tensor_error::in_one_line;
use candle_core::Device;

/// The device of a name: `cpu`, `cuda` for the first GPU, `cuda:1` for the second and so on.
///
/// - errors: another name, a GPU that is not there, a program without the feature `cuda`; one line that says
///   what to do
pub fn named(name: &str) -> Result<Device, String> {
    let ordinal = match name.split_once(':') {
        None if name == "cpu" => return Ok(Device::Cpu),
        None if name == "cuda" => Some(0),
        Some(("cuda", ordinal)) => ordinal.parse().ok(),
        _ => None,
    };
    match ordinal {
        Some(ordinal) => gpu(ordinal),
        None => Err(format!("device \"{name}\" is not known: allowed are cpu, cuda and cuda:N")),
    }
}

#[cfg(feature = "cuda")]
fn gpu(ordinal: usize) -> Result<Device, String> {
    crate::cuda::open(ordinal).map_err(|error| {
        format!("GPU {ordinal} cannot be opened (nvidia-smi lists them): {}", in_one_line(&error))
    })
}

#[cfg(not(feature = "cuda"))]
fn gpu(ordinal: usize) -> Result<Device, String> {
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
        for name in ["gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", ""] {
            assert!(named(name).unwrap_err().contains("cpu, cuda and cuda:N"), "{name}");
        }
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_gpu_needs_the_feature() {
        assert!(named("cuda").unwrap_err().contains("--features cuda"));
    }
}
