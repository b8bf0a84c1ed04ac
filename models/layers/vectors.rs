//! Maps as vectors and back, channel by channel, so that what is taken from one end of a vector is spread
//! over the picture.

use candle_core::{Result, Tensor};

/// `[K, h, w, c]` -> `[K, c * h * w]`.
pub fn to_vectors(maps: &Tensor) -> Result<Tensor> {
    let (users, height, width, channels) = maps.dims4()?;
    let channel_first = maps.reshape((users, height * width, channels))?.transpose(1, 2)?.contiguous()?;
    channel_first.reshape((users, channels * height * width))
}

/// `[K, c * h * w]` -> `[K, h, w, c]`.
pub fn to_maps(vectors: &Tensor, (height, width): (usize, usize)) -> Result<Tensor> {
    let users = vectors.dim(0)?;
    let channel_first = vectors.reshape((users, (), height * width))?; // [K, c, P]
    channel_first.transpose(1, 2)?.contiguous()?.reshape((users, height, width, ()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::buffers::to_vec;
    use crate::ops::testing::noise_var;

    #[test]
    fn are_each_others_inverse_and_keep_channels_together() {
        let maps = noise_var(&[2, 3, 4, 5], 1);
        let vectors = to_vectors(maps.as_tensor()).unwrap();
        let (flat, values) = (to_vec(&vectors).unwrap(), to_vec(maps.as_tensor()).unwrap());
        assert_eq!(flat[1], values[5], "the second value is channel 0 of the second position");
        let back = to_maps(&vectors, (3, 4)).unwrap();
        assert_eq!(to_vec(&back).unwrap(), values);
    }
}
