//! Access of custom operations to tensor memory, with the checks that make it sound.

use candle_core::{CpuStorage, Layout, Result, Tensor, bail};

/// The f32 values behind a contiguous layout.
///
/// - errors: another type than f32, or a layout with gaps (call `contiguous()` before the operation)
pub fn values<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let data = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&data[start..end]),
        None => bail!("{op}: input of shape {:?} is not contiguous", layout.shape()),
    }
}

/// The f32 values behind a contiguous layout, to be changed in place.
pub fn values_mut<'a>(op: &str, storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(data), Some((start, end))) => Ok(&mut data[start..end]),
        _ => bail!("{op}: needs contiguous f32 values, found shape {:?}", layout.shape()),
    }
}

/// Fails with both shapes where they differ.
pub fn expect_shape(op: &str, what: &str, found: &[usize], expected: &[usize]) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    bail!("{op}: {what} has shape {found:?}, expected {expected:?}")
}

/// Copies a tensor's f32 values out, row by row.
pub fn to_vec(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1::<f32>()
}
