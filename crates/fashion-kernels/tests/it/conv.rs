//! The plain convolution against PyTorch, the reference and finite differences, on every path.

use crate::common::{assert_close, bits, magnitude, paths, scaled, values};
use fashion_kernels::conv::{Conv, ConvShape};
use fashion_kernels::reference;
use fashion_kernels::relu;
use fashion_kernels::simd::Isa;

/// A forward and backward pass, with ReLU or without, of `chunk` samples at a time.
#[derive(Clone, PartialEq, Debug)]
struct Pass {
    y: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    x: Vec<f32>,
}

/// Input, weights, biases, gradient of the output.
type Operands<'a> = (&'a [f32], &'a [f32], &'a [f32], &'a [f32]);

/// `(inputs, outputs, side)`, `(kernel, stride, padding)`
fn shape(
    (inputs, outputs, side): (usize, usize, usize),
    (kernel, stride, padding): (usize, usize, usize),
) -> ConvShape {
    ConvShape { inputs, outputs, side, kernel, stride, padding }
}

const SAME: (usize, usize, usize) = (3, 1, 1);
const HALVED: (usize, usize, usize) = (3, 2, 1);

fn run(
    isa: Isa,
    shape: ConvShape,
    (x, weight, bias, grad): Operands<'_>,
    relu: bool,
    chunk: usize,
) -> Pass {
    let mut conv = Conv::new(shape);
    assert_eq!(conv.shape(), shape);
    conv.pack(weight, Some(bias));
    let mut grad = grad.to_vec();
    let mut pass = Pass {
        y: vec![f32::NAN; grad.len()],
        weight: vec![0.0; weight.len()],
        bias: vec![0.0; bias.len()],
        x: vec![f32::NAN; x.len()],
    };
    let (input, output) = (chunk * shape.input_len(), chunk * shape.output_len());
    for (x, y) in x.chunks(input).zip(pass.y.chunks_mut(output)) {
        conv.forward(isa, x, y, relu);
    }
    if relu {
        relu::mask(&pass.y, &mut grad);
    }
    let mut gradient = vec![0.0; shape.gradient_len()];
    for ((x, grad), grad_x) in
        x.chunks(input).zip(grad.chunks(output)).zip(pass.x.chunks_mut(input))
    {
        conv.weight_gradient(isa, x, grad, &mut gradient);
        conv.input_gradient(isa, grad, grad_x, false);
    }
    conv.unpack_gradient(&gradient, &mut pass.weight, Some(&mut pass.bias));
    pass
}

impl Pass {
    fn bits(&self) -> [Vec<u32>; 4] {
        [&self.y, &self.weight, &self.bias, &self.x].map(|values| bits(values))
    }
}

/// Input, weights, biases and gradient of the output of `n` samples.
fn operands(shape: ConvShape, n: usize, scale: f32) -> [Vec<f32>; 4] {
    [
        values(n * shape.input_len(), 1),
        scaled(shape.weight_len(), 2, scale),
        scaled(shape.outputs, 3, scale),
        values(n * shape.output_len(), 4),
    ]
}

/// How far off a value may be, relative to the largest: twice as far where tiles are transformed.
fn tolerance(shape: ConvShape) -> f64 {
    if shape.kernel == 3 && shape.stride == 1 { 4e-6 } else { 2e-6 }
}

/// Against the reference, the same bits on every path, and of each sample alone as among others.
fn check(shape: ConvShape, n: usize) {
    let what = format!("{shape:?} of {n}");
    let [x, weight, bias, grad] = operands(shape, n, 1.0);
    let operands = (&x[..], &weight[..], &bias[..], &grad[..]);
    let (mut y, mut to_x) = (vec![], vec![]);
    let (mut to_weight, mut to_bias) = (vec![0.0; weight.len()], vec![0.0; bias.len()]);
    for (x, grad) in x.chunks(shape.input_len()).zip(grad.chunks(shape.output_len())) {
        let back = reference::conv_backward(shape, x, &weight, grad);
        y.extend(reference::conv(shape, x, &weight, &bias));
        to_x.extend(back.x);
        to_weight.iter_mut().zip(&back.weight).for_each(|(sum, v)| *sum += v);
        to_bias.iter_mut().zip(&back.bias).for_each(|(sum, v)| *sum += v);
    }
    let first = run(Isa::Portable, shape, operands, false, n);
    let tolerance = tolerance(shape);
    assert_close(&format!("{what} y"), &first.y, &y, tolerance);
    // Sums over all pixels, one after the other, of which more cancel than are left.
    let of_sums = tolerance * (grad.len() as f64 / shape.outputs as f64 / 64.0).max(1.0);
    assert_close(&format!("{what} weight"), &first.weight, &to_weight, of_sums);
    assert_close(&format!("{what} bias"), &first.bias, &to_bias, of_sums);
    assert_close(&format!("{what} x"), &first.x, &to_x, tolerance);
    for isa in paths() {
        assert_eq!(run(isa, shape, operands, false, n).bits(), first.bits(), "{what} {isa}");
        let alone = run(isa, shape, operands, false, 1);
        assert_eq!(bits(&alone.y), bits(&first.y), "{what} {isa}, one at a time");
        assert_eq!(bits(&alone.x), bits(&first.x), "{what} {isa}, one at a time");
        let rectified = run(isa, shape, operands, true, n);
        let zeroed: Vec<f32> = first.y.iter().map(|&y| if y > 0.0 { y } else { 0.0 }).collect();
        assert_eq!(bits(&rectified.y), bits(&zeroed), "{what} {isa}, ReLU");
    }
}

/// Every kernel, stride and padding that there is.
const WINDOWS: [(usize, usize, usize); 6] =
    [SAME, HALVED, (3, 1, 0), (3, 2, 0), (1, 1, 0), (1, 2, 0)];

#[test]
fn matches_the_reference_at_every_side() {
    for window in WINDOWS {
        for side in (1..=32).filter(|side| side + 2 * window.2 >= window.0) {
            check(shape((16, 16, side), window), 1 + 16 / side);
        }
    }
}

#[test]
fn matches_the_reference_at_every_width() {
    for window in WINDOWS {
        for channels in [(16, 32), (32, 16), (64, 112), (112, 64), (48, 96), (96, 48)] {
            check(shape((channels.0, channels.1, 5), window), 2);
        }
    }
}

#[test]
fn few_input_channels_match_the_reference() {
    for window in WINDOWS {
        for inputs in [1, 3] {
            for (side, n) in [(4, 3), (7, 2), (10, 1), (28, 1)] {
                check(shape((inputs, 16, side), window), n);
            }
            check(shape((inputs, 112, 5), window), 2);
            check(shape((inputs, 32, 64), window), 1);
        }
        if window.2 == 1 || window.0 == 1 {
            check(shape((1, 16, 1), window), 7);
        }
    }
}

#[test]
fn large_images_match_the_reference() {
    for window in WINDOWS {
        // More tiles than one block takes, and an odd number of them.
        check(shape((16, 16, 64), window), 1);
        check(shape((16, 32, 63), window), 1);
    }
}

#[test]
#[should_panic(expected = "a convolution's inputs must be 1, 3 or a multiple of 16")]
fn a_shape_that_no_kernel_does_is_refused() {
    let _ = Conv::new(shape((20, 16, 4), SAME));
}

/// The module of the transforms says how far off they are.
#[test]
fn rounding_errors_of_transformed_tiles_are_small() {
    for (inputs, outputs, side) in [(16, 16, 28), (48, 48, 14), (96, 96, 7), (128, 64, 4)] {
        let shape = shape((inputs, outputs, side), SAME);
        let mut state = 1u32;
        let mut random = |n: usize| -> Vec<f32> {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            };
            (0..n).map(|_| next()).collect()
        };
        let x: Vec<f32> = random(shape.input_len()).iter().map(|v| v.max(0.0)).collect();
        let (weight, bias) = (random(shape.weight_len()), random(outputs));
        let grad = random(shape.output_len());
        let pass = run(Isa::best(), shape, (&x, &weight, &bias, &grad), false, 1);
        let back = reference::conv_backward(shape, &x, &weight, &grad);
        let y = reference::conv(shape, &x, &weight, &bias);
        for (what, got, expected) in
            [("y", &pass.y, &y), ("x", &pass.x, &back.x), ("weight", &pass.weight, &back.weight)]
        {
            let count = expected.len() as f64;
            let root = (expected.iter().map(|v| v * v).sum::<f64>() / count).sqrt();
            let errors = got.iter().zip(expected).map(|(&v, e)| (f64::from(v) - e).abs() / root);
            let largest = errors.clone().fold(0.0, f64::max);
            let mean = errors.sum::<f64>() / count;
            assert!(largest < 1.5e-5 && mean < 1.2e-6, "{shape:?} {what}: {largest:e}, {mean:e}");
        }
    }
}

/// ```python
/// def conv(i, o, side, stride, n, s):
///     x = values(n*side*side*i, 1).reshape(n, side, side, i).permute(0, 3, 1, 2).double().requires_grad_()
///     w = (values(o*i*9, 2).reshape(o, i, 3, 3) * s).double().requires_grad_()
///     b = (values(o, 3) * s).double().requires_grad_()
///     y = F.relu(F.conv2d(x, w, b, stride=stride, padding=1))
///     g = values(y.numel(), 4).reshape(y.permute(0, 2, 3, 1).shape).permute(0, 3, 1, 2).double()
///     (y * g).sum().backward()
///     for v in (y.permute(0, 2, 3, 1), w.grad, b.grad, x.grad.permute(0, 2, 3, 1)):
///         print(v.flatten()[:8].tolist(), v.abs().sum().item())
/// conv(16, 32, 7, 1, 3, 0.125)
/// conv(16, 32, 7, 2, 3, 0.125)
/// conv(1, 16, 6, 2, 2, 1.0)
/// conv(32, 16, 10, 1, 2, 0.125)
/// ```
#[test]
#[rustfmt::skip]
fn matches_pytorch() {
    against(shape((16, 32, 7), SAME), 3, 0.125, [
        ([0.0, 0.491364637, 0.0, 0.213737075, 0.0, 0.0, 0.145996241, 0.0302958677], 601.3586365038002),
        ([-2.34138687, 1.78297514, -1.74564891, 2.01273248, -4.24368035, 9.96581526, -2.30527604, 7.79717783], 23106.172698592323),
        ([-3.41558434, -2.59940058, 9.72427561, -1.11488496, -2.15584433, -3.74325652, 14.018981, -2.49850149], 206.14685223030392),
        ([-0.390030541, 0.122865534, -0.0856275367, 0.309327535, -0.156286893, -0.280322204, 0.333273499, -0.329242437], 554.45005522516),
    ]);
    against(shape((16, 32, 7), HALVED), 3, 0.125, [
        ([0.0, 0.491364637, 0.0, 0.213737075, 0.0, 0.0, 0.145996241, 0.0302958677], 179.6123734894521),
        ([4.93436936, -0.615048368, -1.35594883, -1.82158601, 1.55564333, 0.111396072, 1.50686883, 1.0105339], 5994.491629052474),
        ([-1.97802178, 2.5514484, -1.68131859, -4.86613395, -4.6663337, 1.2667333, -0.930070003, 1.57542473], 48.129870589938946),
        ([-0.0802212188, 0.0453505068, -0.259862259, 0.4019412, -0.124910672, -0.0718026979, 0.0537690314, -0.087275858], 409.4254559539718),
    ]);
    against(shape((1, 16, 6), HALVED), 2, 1.0, [
        ([0.926180725, 0.0, 0.40841175, 1.03608376, 0.0, 0.642252874, 0.0, 0.124483892], 150.03132153729325),
        ([-1.0940947, -2.297848, -0.568639142, -1.10635117, -0.332481714, -0.352158379, 0.562770869, 1.63241651], 72.33772526206283),
        ([0.211788245, 0.529470503, -0.497502416, -2.96803203, -0.0349650197, 1.9490509, -0.171828143, 0.489510611], 16.11688300408423),
        ([0.202187421, 0.760015147, 1.16455976, -1.20823335, -0.207261288, -1.15926032, -1.53290666, -0.659159868], 47.88260854331837),
    ]);
    against(shape((32, 16, 10), SAME), 2, 0.125, [
        ([0.0, 0.0, 0.0, 0.00718450746, 0.392024701, 0.306100374, 0.0, 0.136750499], 380.5053050189428),
        ([-7.75545738, 9.6269526, -12.0289481, -15.3637181, 16.1683353, -9.75040741, 3.14149179, -2.35253653], 31944.30309220338),
        ([21.4055949, -2.53246763, -0.542457284, 1.54845183, 8.90909086, 12.3986017, -2.60539494, 8.78921144], 103.66933289100416),
        ([0.178933081, -0.384433623, 0.211869548, 0.0700419712, 0.15485101, 0.177191315, -0.386175386, 0.428768421], 1242.757985040089),
    ]);
}

/// The first eight values of y and of the gradients of weights, biases and x, and the sums of the
/// magnitudes, with ReLU.
fn against(shape: ConvShape, n: usize, scale: f32, expected: [([f64; 8], f64); 4]) {
    let [x, weight, bias, grad] = operands(shape, n, scale);
    for isa in paths() {
        let pass = run(isa, shape, (&x, &weight, &bias, &grad), true, n);
        let all = [("y", pass.y), ("weight", pass.weight), ("bias", pass.bias), ("x", pass.x)];
        for ((what, values), (first, sum)) in all.into_iter().zip(&expected) {
            assert_close(what, &values[..8], first, tolerance(shape));
            let error = magnitude(&values) / sum - 1.0;
            assert!(error.abs() < 1e-6, "sum of {what}: off by {error:e}");
        }
    }
}

#[test]
fn gradients_match_finite_differences() {
    differences(shape((16, 32, 7), SAME));
    differences(shape((32, 16, 6), SAME));
    differences(shape((16, 16, 2), SAME));
    differences(shape((16, 32, 7), HALVED));
    differences(shape((1, 16, 6), HALVED));
    differences(shape((3, 16, 6), SAME));
    differences(shape((16, 32, 7), (3, 1, 0)));
    differences(shape((16, 32, 6), (3, 2, 0)));
    differences(shape((16, 32, 7), (1, 1, 0)));
    differences(shape((16, 32, 7), (1, 2, 0)));
}

/// The convolution is linear in each operand, so the step may be large.
fn differences(shape: ConvShape) {
    const STEP: f32 = 0.5;
    let [x, weight, bias, grad] = operands(shape, 1, 1.0);
    let pass = run(Isa::best(), shape, (&x, &weight, &bias, &grad), false, 1);
    let objective = |x: &[f32], weight: &[f32], bias: &[f32]| -> f64 {
        let y = reference::conv(shape, x, weight, bias);
        y.iter().zip(&grad).map(|(y, &g)| y * f64::from(g)).sum()
    };
    // The slope along every seventh value, and the gradient there.
    let close = |what: &str, got: &[f32], values: &[f32], objective: &dyn Fn(&[f32]) -> f64| {
        let nudged = |i: usize, by: f32| {
            let mut values = values.to_vec();
            values[i] += by;
            objective(&values)
        };
        let some = (0..values.len()).step_by(7);
        let slopes: Vec<f64> = some.map(|i| nudged(i, STEP) - nudged(i, -STEP)).collect();
        let got: Vec<f32> = got.iter().copied().step_by(7).collect();
        assert_close(what, &got, &slopes, 1e-5);
    };
    close("weight", &pass.weight, &weight, &|w| objective(&x, w, &bias));
    close("bias", &pass.bias, &bias, &|b| objective(&x, &weight, b));
    close("x", &pass.x, &x, &|x| objective(x, &weight, &bias));
}

#[test]
fn gradients_are_added_to_what_is_there_and_no_bias_is_a_bias_of_zero() {
    for shape in [
        shape((16, 32, 7), SAME),
        shape((16, 32, 7), HALVED),
        shape((1, 16, 6), HALVED),
        shape((16, 32, 7), (1, 1, 0)),
    ] {
        let [x, weight, bias, grad] = operands(shape, 2, 1.0);
        let zero = vec![0.0; shape.outputs];
        let expected = run(Isa::best(), shape, (&x, &weight, &zero, &grad), false, 2);
        let mut conv = Conv::new(shape);
        conv.pack(&weight, Some(&bias));
        conv.pack(&weight, None);
        let mut y = vec![f32::NAN; grad.len()];
        conv.forward(Isa::best(), &x, &mut y, false);
        assert_eq!(bits(&y), bits(&expected.y));
        let mut gradient = vec![1000.0; shape.gradient_len()];
        let mut grad_x = vec![1000.0; x.len()];
        conv.weight_gradient(Isa::best(), &x, &grad, &mut gradient);
        conv.input_gradient(Isa::best(), &grad, &mut grad_x, true);
        let (mut to_weight, mut to_bias) = (vec![-1000.0; weight.len()], vec![-1000.0; bias.len()]);
        conv.unpack_gradient(&gradient, &mut to_weight, Some(&mut to_bias));
        grad_x.iter_mut().for_each(|g| *g -= 1000.0);
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        assert_close("weight", &to_weight, &wide(&expected.weight), 1e-3);
        assert_close("bias", &to_bias, &wide(&expected.bias), 1e-3);
        assert_close("x", &grad_x, &wide(&expected.x), 1e-3);
    }
}

#[test]
fn no_samples_are_no_work() {
    for window in WINDOWS {
        let conv = Conv::new(shape((16, 32, 7), window));
        conv.forward(Isa::best(), &[], &mut [], true);
        conv.input_gradient(Isa::best(), &[], &mut [], true);
        let mut gradient = vec![1.0; conv.shape().gradient_len()];
        conv.weight_gradient(Isa::best(), &[], &[], &mut gradient);
        assert!(gradient.iter().all(|&g| g == 1.0));
    }
}
