//! The convolution block against PyTorch, the reference and finite differences, on every path.

use crate::common::{assert_close, bits, magnitude, paths, scaled, values};
use fashion_kernels::conv::{BlockShape, ConvPool};
use fashion_kernels::reference::{conv_pool, conv_pool_backward};
use fashion_kernels::simd::Isa;

/// A forward and backward pass of `n` samples.
struct Pass {
    y: Vec<f32>,
    winners: Vec<u8>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    x: Vec<f32>,
}

/// `[inputs, outputs, side_in, side_out]`
type Shape = [usize; 4];

fn run(
    isa: Isa,
    [inputs, outputs, side_in, side_out]: Shape,
    (x, weight, bias, grad): (&[f32], &[f32], &[f32], &[f32]),
) -> Pass {
    let mut block = ConvPool::new(inputs, outputs, side_in, side_out);
    block.pack(weight, bias);
    let mut pass = Pass {
        y: vec![f32::NAN; grad.len()],
        winners: vec![9; grad.len()],
        weight: vec![0.0; weight.len()],
        bias: vec![0.0; outputs],
        x: vec![f32::NAN; if inputs == 1 { 0 } else { x.len() }],
    };
    block.forward(isa, x, &mut pass.y, Some(&mut pass.winners));
    let mut alone = vec![f32::NAN; pass.y.len()];
    let samples = x.chunks(block.input_len()).zip(alone.chunks_mut(block.output_len()));
    samples.for_each(|(x, y)| block.forward(isa, x, y, None));
    assert_eq!(bits(&alone), bits(&pass.y), "one at a time, without winners");
    let mut gradient = vec![0.0; block.gradient_len()];
    let grad_x = (inputs > 1).then_some(&mut pass.x[..]);
    block.backward(isa, x, &pass.winners, grad, &mut gradient, grad_x);
    block.unpack_gradient(&gradient, &mut pass.weight, &mut pass.bias);
    pass
}

/// Against the reference, and the same bits on every path.
fn check(block: Shape, n: usize) {
    let what = format!("ConvPool {block:?} of {n}");
    let [inputs, outputs, side_in, side_out] = block;
    let shape = BlockShape { inputs, outputs, side_in, side_out };
    let (input, output) = (side_in * side_in * inputs, side_out * side_out * outputs);
    let (x, weight) = (values(n * input, 1), values(outputs * inputs * 9, 2));
    let (bias, grad) = (values(outputs, 3), values(n * output, 4));
    let operands = (&x[..], &weight[..], &bias[..], &grad[..]);
    let mut expected = (vec![], vec![], vec![0.0; weight.len()], vec![0.0; outputs], vec![]);
    for (x, grad) in x.chunks(input).zip(grad.chunks(output)) {
        let (y, winners) = conv_pool(shape, x, &weight, &bias);
        let back = conv_pool_backward(shape, x, &weight, &winners, grad);
        expected.0.extend(y);
        expected.1.extend(winners);
        expected.2.iter_mut().zip(&back.weight).for_each(|(sum, v)| *sum += v);
        expected.3.iter_mut().zip(&back.bias).for_each(|(sum, v)| *sum += v);
        expected.4.extend(back.x);
    }
    let first = run(Isa::Portable, block, operands);
    assert_eq!(first.winners, expected.1, "{what}");
    assert_close(&format!("{what} y"), &first.y, &expected.0, 4e-6);
    assert_close(&format!("{what} weight"), &first.weight, &expected.2, 2e-6);
    assert_close(&format!("{what} bias"), &first.bias, &expected.3, 2e-6);
    if inputs > 1 {
        assert_close(&format!("{what} x"), &first.x, &expected.4, 2e-6);
    }
    for isa in paths() {
        let pass = run(isa, block, operands);
        assert_eq!(pass.winners, first.winners, "{what} {isa}");
        assert_eq!(bits(&pass.y), bits(&first.y), "{what} {isa}");
        assert_eq!(bits(&pass.weight), bits(&first.weight), "{what} {isa}");
        assert_eq!(bits(&pass.bias), bits(&first.bias), "{what} {isa}");
        assert_eq!(bits(&pass.x), bits(&first.x), "{what} {isa}");
    }
}

#[test]
fn matches_the_reference_on_ragged_sizes() {
    check([1, 16, 4, 1], 1);
    check([1, 32, 28, 12], 2);
    check([1, 48, 9, 3], 5);
    check([16, 16, 4, 1], 7);
    check([16, 32, 8, 3], 3);
    // As many samples as are pooled together, twice, and one more.
    check([32, 64, 12, 5], 13);
    // Not a power of two.
    check([48, 48, 9, 3], 2);
}

#[test]
fn matches_the_reference_at_every_side() {
    for side_in in 4..=32 {
        // All that fits, and a row and column less.
        for side_out in [(side_in - 2) / 2, (side_in - 3) / 2] {
            if side_out > 0 {
                check([1, 16, side_in, side_out], 2);
                check([16, 16, side_in, side_out], 1 + 8 / side_in);
            }
        }
    }
    check([1, 16, 64, 31], 1);
    check([16, 16, 65, 31], 1);
}

#[test]
fn what_no_kernel_does_is_refused() {
    assert_eq!(ConvPool::refusal(1, 32, 28, 13), None);
    for (shape, word) in [
        ([0, 32, 28, 13], "inputs"),
        ([3, 32, 28, 13], "inputs"),
        ([24, 32, 28, 13], "inputs"),
        ([1, 0, 28, 13], "outputs"),
        ([1, 24, 28, 13], "outputs"),
        ([1, 2048, 28, 13], "large"),
        ([2048, 16, 28, 13], "large"),
        ([16, 16, usize::MAX, 13], "large"),
        ([16, 16, 100, 33], "large"),
        ([16, 16, 28, 14], "fit"),
        ([16, 16, 28, 0], "empty"),
    ] {
        let [inputs, outputs, side_in, side_out] = shape;
        let refusal = ConvPool::refusal(inputs, outputs, side_in, side_out).unwrap_or_default();
        assert!(refusal.contains(word), "{shape:?}: {refusal:?}");
    }
}

#[track_caller]
fn assert_relative(what: &str, got: f64, expected: f64) {
    assert!((got / expected - 1.0).abs() < 1e-6, "{what}: {got} instead of {expected}");
}

/// ```python
/// def block(i, o, side, n, s):
///     x = values(n*side*side*i, 1).reshape(n, side, side, i).permute(0, 3, 1, 2).double().requires_grad_()
///     w = (values(o*i*9, 2).reshape(o, i, 3, 3) * s).double().requires_grad_()
///     b = (values(o, 3) * s).double().requires_grad_()
///     y = F.max_pool2d(F.relu(F.conv2d(x, w, b)), 2)
///     g = values(y.numel(), 4).reshape(y.permute(0, 2, 3, 1).shape).permute(0, 3, 1, 2).double()
///     (y * g).sum().backward()
///     print(y.permute(0, 2, 3, 1).flatten()[:12], y.sum(), w.grad.flatten()[:12], w.grad.abs().sum(),
///           b.grad[:6], x.grad.permute(0, 2, 3, 1)[0, 2, 2, :6], x.grad.abs().sum())
/// block(1, 16, 6, 2, 1.0)
/// block(16, 32, 8, 3, 0.125)
/// ```
#[test]
fn matches_pytorch() {
    let (x, w, b) = (values(2 * 36, 1), values(16 * 9, 2), values(16, 3));
    let pass = run(Isa::best(), [1, 16, 6, 2], (&x, &w, &b, &values(2 * 64, 4)));
    let y = [
        1.14467451,
        5.12965956,
        1.76559901,
        0.617875561,
        2.38652357,
        0.24121434,
        2.85452812,
        0.862138863,
        2.67774288,
        1.48306338,
        0.0,
        2.10398792,
    ];
    let weight = [
        -0.0963541694,
        -0.16243797,
        -0.228521701,
        -0.492856774,
        -0.558940533,
        -0.625024316,
        -1.16921935,
        -1.23530312,
        -0.945564903,
        0.404613398,
        0.481556407,
        1.12221749,
    ];
    let bias = [0.71128872, -0.828171864, -0.449550405, -1.61438562, 0.304695352, 1.60139853];
    assert_close("y", &pass.y[..12], &y, 1e-6);
    assert_relative("sum of y", magnitude(&pass.y), 174.17507789419216);
    assert_close("weight", &pass.weight[..12], &weight, 1e-6);
    assert_relative("sum of weight", magnitude(&pass.weight), 77.76228290930062);
    assert_close("bias", &pass.bias[..6], &bias, 1e-6);

    let (x, w, b) = (values(3 * 64 * 16, 1), scaled(32 * 16 * 9, 2, 0.125), scaled(32, 3, 0.125));
    let pass = run(Isa::best(), [16, 32, 8, 3], (&x, &w, &b, &values(3 * 9 * 32, 4)));
    let y = [
        0.0997663828,
        0.419182318,
        0.398926261,
        0.164549377,
        0.595857661,
        0.626418669,
        0.20942344,
        0.158898503,
        0.358908704,
        0.41132044,
        0.378116378,
        0.129349659,
    ];
    let weight = [
        0.933339386,
        2.13449091,
        -1.80378664,
        1.19922541,
        0.10152683,
        -1.53790065,
        1.4651113,
        -3.07886315,
        -1.27201474,
        2.89934047,
        1.91758399,
        -2.02069372,
    ];
    let bias = [2.33466558, 0.435564294, -0.541458413, -3.94006021, -2.23676322, 0.412587419];
    let grad_x =
        [-0.684793744, -0.188631807, 0.113377265, -0.0481318235, 0.0249917512, 0.631598414];
    assert_close("y", &pass.y[..12], &y, 1e-6);
    assert_relative("sum of y", magnitude(&pass.y), 303.42719531296063);
    assert_close("weight", &pass.weight[..12], &weight, 1e-6);
    assert_relative("sum of weight", magnitude(&pass.weight), 6227.738283546338);
    assert_close("bias", &pass.bias[..6], &bias, 1e-6);
    let at = (2 * 8 + 2) * 16;
    assert_close("x", &pass.x[at..at + 6], &grad_x, 1e-6);
    assert_relative("sum of x", magnitude(&pass.x), 467.7753801595429);
}

/// The sum of y · g, whose gradients the backward pass gives, in f64.
fn objective(shape: BlockShape, x: &[f32], weight: &[f32], bias: &[f32], grad: &[f32]) -> f64 {
    let (y, _) = conv_pool(shape, x, weight, bias);
    y.iter().zip(grad).map(|(y, &g)| y * f64::from(g)).sum()
}

#[test]
fn gradients_match_finite_differences() {
    const STEP: f32 = 1.0 / 4096.0;
    let shape = BlockShape { inputs: 16, outputs: 32, side_in: 8, side_out: 3 };
    let (x, weight) = (values(64 * 16, 1), values(32 * 16 * 9, 2));
    let (bias, grad) = (values(32, 3), values(9 * 32, 4));
    let pass = run(Isa::best(), [16, 32, 8, 3], (&x, &weight, &bias, &grad));
    // The slope along some values, and the gradient there.
    let close = |what: &str, got: &[f32], at: &[f32], every: usize, f: &dyn Fn(&[f32]) -> f64| {
        let nudged = |i: usize, by: f32| {
            let mut values = at.to_vec();
            values[i] += by;
            f(&values)
        };
        let slope = |i| (nudged(i, STEP) - nudged(i, -STEP)) / (2.0 * f64::from(STEP));
        let slopes: Vec<f64> = (0..at.len()).step_by(every).map(slope).collect();
        let got: Vec<f32> = got.iter().copied().step_by(every).collect();
        assert_close(what, &got, &slopes, 1e-3);
    };
    close("weight", &pass.weight, &weight, 7, &|w| objective(shape, &x, w, &bias, &grad));
    close("bias", &pass.bias, &bias, 1, &|b| objective(shape, &x, &weight, b, &grad));
    close("x", &pass.x, &x, 1, &|x| objective(shape, x, &weight, &bias, &grad));
}

#[test]
fn a_tie_goes_to_the_first_and_relu_stops_the_rest() {
    let mut block = ConvPool::new(1, 16, 4, 1);
    block.pack(&[1.0; 144], &[-9.0; 16]);
    let (mut y, mut winners) = ([0.0; 16], [0; 16]);
    block.forward(Isa::best(), &[1.5; 16], &mut y, Some(&mut winners));
    assert_eq!((y[0], winners[0]), (4.5, 0), "four equal sums");
    block.forward(Isa::best(), &[1.0; 16], &mut y, Some(&mut winners));
    assert_eq!((y[0], winners[0]), (0.0, 4), "a sum of exactly zero");
    let mut gradient = vec![0.0; block.gradient_len()];
    block.backward(Isa::best(), &[1.0; 16], &winners, &[1.0; 16], &mut gradient, None);
    assert!(gradient.iter().all(|&g| g == 0.0));
}
