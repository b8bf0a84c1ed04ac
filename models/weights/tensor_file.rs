//! Safetensors files with metadata, written in one piece.

use super::WeightsError;
use candle_core::{DType, Device, Tensor};
use half::f16;
use safetensors::tensor::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Data begin at a multiple of this many bytes.
const ALIGNMENT: usize = 8;

/// Named tensors.
pub type Tensors = BTreeMap<String, Tensor>;
/// Named texts.
pub type Metadata = BTreeMap<String, String>;

/// Writes tensors as f32.
pub fn write_f32(path: &Path, tensors: &Tensors, metadata: Metadata) -> Result<(), WeightsError> {
    write(path, tensors, metadata, Dtype::F32, |values, data| {
        values.iter().for_each(|value| data.extend_from_slice(&value.to_le_bytes()));
    })
}

/// Writes tensors as f16.
///
/// - errors: a value that f16 cannot hold, by tensor
pub fn write_f16(path: &Path, tensors: &Tensors, metadata: Metadata) -> Result<(), WeightsError> {
    write(path, tensors, metadata, Dtype::F16, |values, data| {
        values.iter().for_each(|value| data.extend_from_slice(&f16::from_f32(*value).to_le_bytes()));
    })
}

fn write(
    path: &Path,
    tensors: &Tensors,
    metadata: Metadata,
    dtype: Dtype,
    encode: fn(&[f32], &mut Vec<u8>),
) -> Result<(), WeightsError> {
    // The crate writes metadata in the order of a hash map; equal weights shall be equal files.
    let mut header = BTreeMap::new();
    header.insert("__metadata__".to_string(), serde_json::json!(metadata));
    let mut data = Vec::new();
    for (name, tensor) in tensors {
        let values = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        let fits = |v: &f32| v.is_finite() && (dtype != Dtype::F16 || f16::from_f32(*v).is_finite());
        if let Some(value) = values.iter().find(|v| !fits(v)) {
            return Err(WeightsError::Value { tensor: name.clone(), value: *value });
        }
        let start = data.len();
        encode(&values, &mut data);
        let entry = serde_json::json!({
            "dtype": format!("{dtype:?}"),
            "shape": tensor.dims(),
            "data_offsets": [start, data.len()],
        });
        header.insert(name.clone(), entry);
    }
    let mut header =
        serde_json::to_vec(&header).map_err(|error| WeightsError::Metadata(error.to_string()))?;
    header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    file.write_all(&data)?;
    file.sync_all()?;
    Ok(std::fs::rename(&temporary, path)?)
}

/// Reads a file of f32 or f16 tensors, as f32.
pub fn read(path: &Path) -> Result<(Tensors, Metadata), WeightsError> {
    parse(&std::fs::read(path)?)
}

/// Reads f32 or f16 tensors from memory, as f32.
pub fn parse(bytes: &[u8]) -> Result<(Tensors, Metadata), WeightsError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
    let file = SafeTensors::deserialize(bytes)?;
    let mut tensors = Tensors::new();
    for (name, view) in file.tensors() {
        let values: Vec<f32> = match view.dtype() {
            Dtype::F32 => {
                view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
            Dtype::F16 => {
                view.data().chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
            }
            other => return Err(WeightsError::Type { tensor: name, found: format!("{other:?}") }),
        };
        if let Some(value) = values.iter().find(|v| !v.is_finite()) {
            return Err(WeightsError::Value { tensor: name, value: *value });
        }
        tensors.insert(name, Tensor::from_vec(values, view.shape(), &Device::Cpu)?);
    }
    Ok((tensors, metadata))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise_var;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let tensors = Tensors::from([("x.y".to_string(), noise_var(&[3, 4], 1).as_tensor().clone())]);
        let metadata = Metadata::from([("step".to_string(), "7".to_string())]);
        write_f32(&path, &tensors, metadata.clone()).unwrap();
        let (found, found_metadata) = read(&path).unwrap();
        assert_eq!(found_metadata, metadata);
        assert_eq!(to_vec(&found["x.y"]).unwrap(), to_vec(&tensors["x.y"]).unwrap());
        write_f16(&path, &tensors, metadata).unwrap();
        for (a, b) in
            to_vec(&read(&path).unwrap().0["x.y"]).unwrap().iter().zip(to_vec(&tensors["x.y"]).unwrap())
        {
            assert!((a - b).abs() <= 1e-3 * b.abs() + 1e-6);
        }
    }

    #[test]
    fn damaged_files_and_values_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        for bytes in [&b""[..], b"not a tensor file", &[0xff; 64]] {
            assert!(parse(bytes).is_err());
        }
        let huge = Tensors::from([("big".to_string(), Tensor::new(&[1e9f32], &Device::Cpu).unwrap())]);
        assert!(write_f16(&path, &huge, Metadata::new()).unwrap_err().to_string().contains("big"));
        let nan = Tensors::from([("bad".to_string(), Tensor::new(&[f32::NAN], &Device::Cpu).unwrap())]);
        assert!(write_f32(&path, &nan, Metadata::new()).unwrap_err().to_string().contains("bad"));
    }
}
