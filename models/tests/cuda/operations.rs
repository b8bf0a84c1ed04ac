//! Values and gradients of every operation.

use super::{distance, gpu, noise};
use candle_core::{Device, Result, Tensor, Var};
use sememe_models::ops::adam::{self, AdamStep, Slot, average_into};
use sememe_models::ops::buffers::to_vec;
use sememe_models::ops::conv_next::Sections;
use sememe_models::ops::{self, PatchGrid, Precision, Window};

/// Errors of f32 sums in another order.
const ROUNDING: f64 = 3e-6;
/// Rounding turns a few hidden values over at the kink of a ReLU (`ops/conv_next/summing_order.rs` shows it).
const KINKS: f64 = 1e-3;
/// bf16 has 8 bits of mantissa.
const MIXED: f64 = 0.05;

type Operation<'a> = dyn Fn(&[Tensor]) -> Result<Tensor> + 'a;

/// The result, then the gradient of each variable under a fixed loss.
fn pass(variables: &[Var], operation: &Operation) -> Vec<Tensor> {
    let inputs: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let y = operation(&inputs).unwrap();
    let g = noise(y.dims(), 99).as_tensor().to_device(y.device()).unwrap();
    let gradients = ops::backward(&y.mul(&g).unwrap().sum_all().unwrap()).unwrap();
    let of_variables = variables.iter().map(|v| gradients.get(v).unwrap().clone());
    std::iter::once(y.detach()).chain(of_variables).collect()
}

fn compare(gpu: &Device, name: &str, shapes: &[&[usize]], tolerance: f64, operation: &Operation) {
    let variables: Vec<Var> = shapes.iter().zip(1..).map(|(shape, seed)| noise(shape, seed)).collect();
    let there: Vec<Var> =
        variables.iter().map(|v| Var::from_tensor(&v.as_tensor().to_device(gpu).unwrap()).unwrap()).collect();
    let expected = pass(&variables, operation);
    let (found, again) = (pass(&there, operation), pass(&there, operation));
    for (at, ((found, again), expected)) in found.iter().zip(&again).zip(&expected).enumerate() {
        let error = distance(found, expected);
        assert!(error <= tolerance, "{name}, result {at} of {shapes:?}: {error:.1e}");
        assert!(to_vec(found).unwrap() == to_vec(again).unwrap(), "{name}: the GPU does not repeat itself");
    }
}

#[test]
fn every_operation_equals_the_processors() {
    let Some(gpu) = gpu() else { return };
    let check = |name: &str, shapes: &[&[usize]], operation: &Operation| {
        compare(&gpu, name, shapes, ROUNDING, operation);
    };
    for (rows, inputs, outputs) in [(3, 5, 4), (1000, 130, 70), (12800, 128, 512), (1, 1024, 300)] {
        let (x, w, y) = ([2, rows, inputs], [inputs + 1, outputs], [2, rows, outputs]);
        check("affine", &[&x, &w], &|t| ops::affine(&t[0], &t[1]));
        check("affine with residual", &[&x, &w, &y], &|t| ops::affine_residual(&t[0], &t[1], &t[2]));
        check("linear", &[&x, &[inputs, outputs]], &|t| ops::linear(&t[0], &t[1]));
    }
    for (batch, height, width, channels, kernel) in
        [(3, 5, 13, 20, 7), (50, 16, 16, 128, 7), (2, 1, 1, 3, 7), (2, 9, 4, 33, 3), (2, 6, 6, 4, 9)]
    {
        let (x, w) = ([batch, height, width, channels], [kernel * kernel + 1, channels]);
        check("depthwise", &[&x, &w], &|t| ops::depthwise(&t[0], &t[1]));
    }
    for (batch, pixels, channels) in [(2, 6, 21), (50, 64, 1024), (3, 1, 5)] {
        let x = [batch, pixels, channels];
        check("response", &[&x, &[2, channels]], &|t| ops::relu_grn(&t[0], &t[1]));
        check("film", &[&x, &[batch, 2 * channels]], &|t| ops::film(&t[0], &t[1]));
        check("layer norm", &[&x, &[2, channels]], &|t| ops::layer_norm(&(&t[0] * 2.0)?, &t[1]));
        check("prelu", &[&x, &[channels]], &|t| ops::prelu(&t[0], &t[1]));
        check("gelu", &[&x], &|t| ops::gelu(&t[0]));
        check("prelu, one slope", &[&x, &[1]], &|t| ops::prelu(&t[0], &t[1]));
    }
    for (sequences, len, channels, heads) in [(640, 5, 256, 4), (3, 70, 24, 3), (2, 1, 4, 1)] {
        check("attention", &[&[sequences, len, 3 * channels]], &|t| ops::attention(&t[0], heads));
    }
    for shape in [[2, 3, 4, 5], [7, 16, 16, 64], [1, 1, 1, 1]] {
        check("double", &[&shape], &|t| ops::double_bilinear(&t[0]));
    }
    for (kernel, stride, padding) in [(4, 2, 1), (4, 4, 0), (3, 1, 1), (5, 3, 2)] {
        let grid = PatchGrid { batch: 3, height: 12, width: 16, channels: 7, kernel, stride, padding };
        let (rows, columns) = grid.patches().unwrap();
        check("gather", &[&[3, 12, 16, 7]], &|t| ops::gather_patches(&t[0], kernel, stride, padding));
        let patches = [3, rows, columns, kernel * kernel * 7];
        check("scatter", &[&patches], &|t| ops::scatter_patches(&t[0], grid));
        check("scatter, biased", &[&patches, &[7]], &|t| ops::scatter_patches_biased(&t[0], &t[1], grid));
    }
    for (kernel, stride) in [(9, 2), (5, 1), (3, 2)] {
        let window = Window { kernel, stride, padding: kernel / 2 };
        let taps = kernel * kernel;
        check("convolution", &[&[4, 16, 12, 6], &[taps * 6 + 1, 10]], &|t| {
            ops::convolution(&t[0], &t[1], window)
        });
        let size = (16 * stride, 12 * stride);
        check("transposed convolution", &[&[4, 16, 12, 10], &[10 * taps * 6 + 6]], &|t| {
            ops::transposed_convolution(&t[0], &t[1], window, 6, size)
        });
    }
}

#[test]
fn residual_blocks_in_both_precisions() {
    let Some(gpu) = gpu() else { return };
    for (batch, side, channels) in [(3, 5, 9), (50, 8, 256), (50, 16, 128)] {
        for norm in [false, true] {
            let x = [batch, side, side, channels];
            let weights = [Sections::new(channels, norm).len()];
            let block = |t: &[Tensor]| ops::conv_next(&t[0], &(&t[1] * 0.1)?, norm);
            compare(&gpu, "residual block", &[&x, &weights], KINKS, &block);
            compare(&gpu, "mixed residual block", &[&x, &weights], MIXED, &|t| {
                Precision::Mixed.within(|| block(t))
            });
        }
    }
    // Biases of +-30 keep hidden values away from kinks, and leave rounding.
    let hidden = Sections::new(64, false).expand;
    let mut away = vec![0f32; Sections::new(64, false).len()];
    for (index, bias) in away[hidden.end - 256..hidden.end].iter_mut().enumerate() {
        *bias = if index % 4 == 0 { -30.0 } else { 30.0 };
    }
    compare(&gpu, "residual block without kinks", &[&[50, 16, 16, 64], &[away.len()]], ROUNDING, &|t| {
        let biases = Tensor::new(&away[..], t[1].device())?;
        ops::conv_next(&t[0], &((&t[1] * 0.1)? + biases)?, false)
    });
    compare(&gpu, "mixed affine", &[&[300, 64], &[65, 48]], MIXED, &|t| {
        Precision::Mixed.within(|| ops::affine(&t[0], &t[1]))
    });
    compare(&gpu, "mixed affine with residual", &[&[300, 64], &[65, 48], &[300, 48]], MIXED, &|t| {
        Precision::Mixed.within(|| ops::affine_residual(&t[0], &t[1], &t[2]))
    });
    compare(&gpu, "mixed convolution", &[&[4, 16, 12, 6], &[151, 10]], MIXED, &|t| {
        Precision::Mixed
            .within(|| ops::convolution(&t[0], &t[1], Window { kernel: 5, stride: 1, padding: 2 }))
    });
}

#[test]
fn mixed_precision_is_another_than_f32() {
    let Some(gpu) = gpu() else { return };
    let put = |shape: &[usize], seed| noise(shape, seed).as_tensor().to_device(&gpu).unwrap();
    let (x, w) = (put(&[4, 8, 8, 64], 1), (put(&[Sections::new(64, false).len()], 2) * 0.1).unwrap());
    let affine = put(&[65, 128], 3);
    let exact = [ops::conv_next(&x, &w, false).unwrap(), ops::affine(&x, &affine).unwrap()];
    let mixed = Precision::Mixed
        .within(|| [ops::conv_next(&x, &w, false).unwrap(), ops::affine(&x, &affine).unwrap()]);
    for (mixed, exact) in mixed.iter().zip(&exact) {
        let error = distance(mixed, exact);
        assert!((1e-5..MIXED).contains(&error), "{error:.1e}");
    }
}

#[test]
fn inputs_without_values_are_refused_or_give_none() {
    let Some(gpu) = gpu() else { return };
    let put = |shape: &[usize]| noise(shape, 1).as_tensor().to_device(&gpu).unwrap();
    assert_eq!(ops::affine(&put(&[0, 3]), &put(&[4, 2])).unwrap().dims(), [0, 2]);
    assert!(ops::affine(&put(&[2, 0]), &put(&[1, 2])).unwrap_err().to_string().contains("without values"));
}

#[test]
fn adam_moves_as_on_the_processor() {
    let Some(gpu) = gpu() else { return };
    let run = |device: &Device| {
        let put = |seed, shape: &[usize]| noise(shape, seed).as_tensor().to_device(device).unwrap();
        let (p, m, a) = (put(1, &[5000]), put(2, &[2, 5000]).sqr().unwrap(), put(3, &[5000]));
        for step in 1..=5 {
            let step_of = AdamStep {
                learning_rate: 0.01,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                step,
                gradient_scale: 0.5,
            };
            let g = put(10 + step, &[5000]);
            let slots = [Slot { parameter: &p, moments: &m, gradient: &g, average: &a }];
            let energy = adam::energy(&slots).unwrap();
            assert!(
                (energy / f64::from(g.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()) - 1.0)
                    .abs()
                    < 1e-5
            );
            adam::step(&slots, step_of, 0.9).unwrap();
            average_into(&a, &p, 0.5).unwrap();
        }
        [p, m, a]
    };
    for (found, expected) in run(&gpu).iter().zip(run(&Device::Cpu)) {
        let error = distance(found, &expected);
        assert!(error < ROUNDING, "{error:.1e}");
    }
}

#[test]
fn tensors_that_are_views_are_read_in_place() {
    let Some(gpu) = gpu() else { return };
    compare(&gpu, "views", &[&[6, 10, 8], &[9, 4]], ROUNDING, &|t| {
        let middle = t[0].narrow(0, 2, 3)?; // contiguous, not from the start
        let turned = t[0].narrow(1, 1, 8)?.transpose(1, 2)?; // not contiguous
        let a = ops::affine(&middle, &t[1])?.sum_all()?;
        let b = ops::affine(&turned, &t[1])?.sum_all()?;
        (a * 0.5)? + b
    });
}

#[test]
fn a_second_backward_pass_gives_the_same() {
    let Some(gpu) = gpu() else { return };
    let (x, w) = (noise(&[2, 4, 4, 8], 1), noise(&[Sections::new(8, true).len()], 2));
    let [x, w] = [x, w].map(|v| Var::from_tensor(&v.as_tensor().to_device(&gpu).unwrap()).unwrap());
    let y = ops::conv_next(x.as_tensor(), w.as_tensor(), true).unwrap().sqr().unwrap().sum_all().unwrap();
    let (first, second) = (y.backward().unwrap(), y.backward().unwrap());
    for v in [&x, &w] {
        assert!(to_vec(first.get(v).unwrap()).unwrap() == to_vec(second.get(v).unwrap()).unwrap());
    }
}

#[test]
fn wrong_shapes_are_refused_as_on_the_processor() {
    let Some(gpu) = gpu() else { return };
    let x = noise(&[2, 3], 1).as_tensor().to_device(&gpu).unwrap();
    let w = noise(&[3, 3], 2).as_tensor().to_device(&gpu).unwrap();
    assert!(ops::affine(&x, &w).unwrap_err().to_string().contains("expected [4, 3]"));
}
