//! Values and gradients against candle's convolutions, against patches in memory, and by finite differences.

use super::*;
use crate::ops::buffers::to_vec;
use crate::ops::testing::{check_gradients, noise_var};
use crate::ops::{affine, gather_patches, linear, scatter_patches_biased};
use candle_core::{Device, Var};

const WINDOWS: [Window; 7] = [
    Window { kernel: 5, stride: 2, padding: 2 },
    Window { kernel: 5, stride: 1, padding: 2 },
    Window { kernel: 4, stride: 2, padding: 1 },
    Window { kernel: 3, stride: 1, padding: 0 },
    Window { kernel: 4, stride: 3, padding: 3 },
    // Some pixels lie in no window.
    Window { kernel: 1, stride: 2, padding: 0 },
    Window { kernel: 2, stride: 3, padding: 1 },
];

fn close(a: &Tensor, b: &Tensor) {
    assert_eq!(a.dims(), b.dims());
    for (a, b) in to_vec(a).unwrap().iter().zip(to_vec(b).unwrap()) {
        assert!((a - b).abs() < 2e-4, "{a} {b}");
    }
}

fn to_nhwc(x: Tensor) -> Tensor {
    x.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap()
}

fn weights(shape: &[usize]) -> Var {
    Var::from_tensor(&(noise_var(shape, 7).as_tensor() * 0.3).unwrap()).unwrap()
}

#[test]
fn equal_candles_convolutions() {
    for window in &WINDOWS[..4] {
        let Window { kernel: k, stride, padding } = *window;
        let x = noise_var(&[7, 8, 10, 3], 1);
        let nchw = x.as_tensor().permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
        let w = weights(&[k * k * 3 + 1, 5]);
        let found = convolution(x.as_tensor(), w.as_tensor(), *window).unwrap();
        let kernel = w.narrow(0, 0, k * k * 3).unwrap().reshape((k, k, 3, 5)).unwrap();
        let kernel = kernel.permute((3, 2, 0, 1)).unwrap().contiguous().unwrap();
        let expected = to_nhwc(nchw.conv2d(&kernel, padding, stride, 1, 1).unwrap());
        let bias = w.narrow(0, k * k * 3, 1).unwrap();
        close(&found, &expected.broadcast_add(&bias).unwrap());

        let (_, height, width, _) = found.dims4().unwrap();
        let w = weights(&[5 * k * k * 4 + 4]);
        let size = (8, 10);
        let up = transposed_convolution(&found, w.as_tensor(), *window, 4, size).unwrap();
        let kernel = w.narrow(0, 0, 5 * k * k * 4).unwrap().reshape((5, k, k, 4)).unwrap();
        let kernel = kernel.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
        let nchw = found.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
        let missing = size.0 - ((height - 1) * stride + k - 2 * padding);
        assert_eq!(size.1 - ((width - 1) * stride + k - 2 * padding), missing);
        let expected = nchw.conv_transpose2d(&kernel, padding, missing, stride, 1).unwrap();
        let bias = w.narrow(0, 5 * k * k * 4, 4).unwrap();
        close(&up, &to_nhwc(expected).broadcast_add(&bias).unwrap());
    }
}

/// Both with their gradients under a fixed loss.
fn agree(found: &Tensor, expected: &Tensor, [x, w]: [&Var; 2]) {
    close(found, expected);
    let g = noise_var(found.dims(), 3);
    let gradients = |y: &Tensor| y.mul(g.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
    let (found, expected) = (gradients(found), gradients(expected));
    // Sums over all positions are larger.
    for (v, scale) in [(x, 1.0), (w, 1e-2)] {
        let [found, expected] = [&found, &expected].map(|of| (of.get(v).unwrap() * scale).unwrap());
        close(&found, &expected);
    }
}

#[test]
fn many_bands_of_rows_equal_patches_in_memory() {
    let size = (61, 70);
    for window in WINDOWS {
        let Window { kernel, stride, padding } = window;
        let taps = kernel * kernel;
        let (x, w) = (noise_var(&[2, size.0, size.1, 3], 1), weights(&[taps * 3 + 1, 5]));
        let patches = gather_patches(x.as_tensor(), kernel, stride, padding).unwrap();
        let found = convolution(x.as_tensor(), w.as_tensor(), window).unwrap();
        agree(&found, &affine(&patches, w.as_tensor()).unwrap(), [&x, &w]);

        let (_, rows, columns, _) = found.dims4().unwrap();
        let (x, w) = (noise_var(&[2, rows, columns, 5], 1), weights(&[5 * taps * 3 + 3]));
        let found = transposed_convolution(x.as_tensor(), w.as_tensor(), window, 3, size).unwrap();
        let (matrix, bias) = (w.narrow(0, 0, 5 * taps * 3).unwrap(), w.narrow(0, 5 * taps * 3, 3).unwrap());
        let patches = linear(x.as_tensor(), &matrix.reshape((5, taps * 3)).unwrap()).unwrap();
        let grid =
            PatchGrid { batch: 2, height: size.0, width: size.1, channels: 3, kernel, stride, padding };
        agree(&found, &scatter_patches_biased(&patches, &bias, grid).unwrap(), [&x, &w]);
    }
}

#[test]
fn sums_over_a_large_map_stay_exact() {
    let window = Window { kernel: 1, stride: 1, padding: 0 };
    let x = Tensor::ones((2, 1024, 1024, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
    let w = Var::new(&[[0.5f32], [0.0]], &Device::Cpu).unwrap();
    let loss = (convolution(&x, w.as_tensor(), window).unwrap() * 0.1).unwrap().sum_all().unwrap();
    let gradients = to_vec(loss.backward().unwrap().get(&w).unwrap()).unwrap();
    let expected = 0.1 * 2.0 * 1024.0 * 1024.0;
    assert!(gradients.iter().all(|sum| (sum / expected - 1.0).abs() < 1e-4), "{gradients:?}");
}

#[test]
fn odd_sizes_give_a_result_or_an_error() {
    let run = |x: [usize; 4], window: Window, outputs: usize| {
        let (x, taps) = (noise_var(&x, 1), window.kernel * window.kernel);
        let w = weights(&[taps * x.dims()[3] + 1, outputs]);
        let y = convolution(x.as_tensor(), w.as_tensor(), window)?;
        let gradients = y.sum_all()?.backward()?;
        assert!(gradients.get(&w).unwrap().elem_count() == w.elem_count());
        Ok::<_, candle_core::Error>(y.dims().to_vec())
    };
    // More zeros than a window reads, steps far beyond the map, no channels.
    let window = |kernel, stride, padding| Window { kernel, stride, padding };
    assert_eq!(run([1, 3, 1, 1], window(1, 5, 2), 1).unwrap(), [1, 2, 1, 1]);
    assert_eq!(run([1, 4, 4, 2], window(1, 100_000, 0), 1).unwrap(), [1, 1, 1, 1]);
    assert_eq!(run([1, 4, 4, 0], window(3, 1, 1), 2).unwrap(), [1, 4, 4, 2]);
    assert_eq!(run([0, 4, 4, 3], window(3, 1, 1), 2).unwrap(), [0, 4, 4, 2]);
    assert!(run([1, 4, 4, 1], window(0, 1, 1), 1).unwrap_err().to_string().contains("0 x 0"));
    let size: (usize, usize) = (1 << 32, 1 << 31);
    let x = Tensor::zeros((0, size.0, size.1, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
    let up = transposed_convolution(&x, weights(&[2]).as_tensor(), window(1, 1, 0), 1, size);
    assert!(up.unwrap_err().to_string().contains("too large"));
}

#[test]
fn gradients_agree_with_finite_differences() {
    for window in WINDOWS {
        let taps = window.kernel * window.kernel;
        check_gradients(&[noise_var(&[6, 6, 8, 2], 1), weights(&[taps * 2 + 1, 3])], |t| {
            convolution(&t[0], &t[1], window)
        });
        let small = convolution(
            noise_var(&[6, 6, 8, 2], 1).as_tensor(),
            weights(&[taps * 2 + 1, 3]).as_tensor(),
            window,
        );
        let (_, height, width, _) = small.unwrap().dims4().unwrap();
        check_gradients(&[noise_var(&[6, height, width, 3], 2), weights(&[3 * taps * 2 + 2])], |t| {
            transposed_convolution(&t[0], &t[1], window, 2, (6, 8))
        });
    }
}

#[test]
fn maps_that_need_no_gradient_get_none_and_change_nothing() {
    let (x, w) = (noise_var(&[3, 9, 9, 3], 1), weights(&[25 * 3 + 1, 5]));
    let of_weight = |x: &Tensor| {
        let y = convolution(x, w.as_tensor(), WINDOWS[0]).unwrap();
        let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        (to_vec(gradients.get(&w).unwrap()).unwrap(), gradients.get(x).is_some())
    };
    let (with, without) = (of_weight(x.as_tensor()), of_weight(&x.as_tensor().detach()));
    assert!(with.1 && !without.1 && with.0 == without.0);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (x, w) = (noise_var(&[7, 90, 70, 8], 1), weights(&[25 * 8 + 1, 12]));
    let up = weights(&[12 * 25 * 8 + 8]);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let y = convolution(x.as_tensor(), w.as_tensor(), WINDOWS[0]).unwrap();
            let z = transposed_convolution(&y, up.as_tensor(), WINDOWS[0], 8, (90, 70)).unwrap();
            let gradients = z.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            [to_vec(&z), to_vec(gradients.get(&w).unwrap()), to_vec(gradients.get(&x).unwrap())]
                .map(|values| values.unwrap())
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(4));
}

#[test]
fn wrong_weights_and_sizes_are_refused() {
    let x = noise_var(&[1, 8, 8, 3], 1);
    let error = convolution(x.as_tensor(), weights(&[25 * 2 + 1, 4]).as_tensor(), WINDOWS[0]);
    assert!(error.unwrap_err().to_string().contains("the weight"));
    let w = weights(&[3 * 25 * 2 + 2]);
    let error = transposed_convolution(x.as_tensor(), w.as_tensor(), WINDOWS[0], 2, (20, 16));
    assert!(error.unwrap_err().to_string().contains("the map"));
}
