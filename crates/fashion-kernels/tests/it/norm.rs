//! Batch normalisation against the reference and finite differences, on every path.

use crate::common::{assert_close, bits, magnitude, paths, scaled, values};
use fashion_kernels::chunks::{CHUNKS, chunk_len};
use fashion_kernels::norm::{self, Normalisation, Slopes};
use fashion_kernels::reference::{Normalised, batch_norm};
use fashion_kernels::simd::Isa;

const EPSILON: f32 = 1e-5;

/// Samples, positions, channels.
type Shape = (usize, usize, usize);

/// Input, scale, shift, gradient of the output.
type Operands = [Vec<f32>; 4];

fn operands((n, positions, channels): Shape) -> Operands {
    let len = n * positions * channels;
    let scale = values(channels, 2).iter().map(|v| v + 1.5).collect();
    [scaled(len, 1, 2.0), scale, scaled(channels, 3, 0.5), values(len, 4)]
}

/// A forward and backward pass.
#[derive(Debug)]
struct Pass {
    mean: Vec<f32>,
    variance: Vec<f32>,
    y: Vec<f32>,
    x: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Pass {
    fn bits(&self) -> [Vec<u32>; 6] {
        [&self.mean, &self.variance, &self.y, &self.x, &self.scale, &self.shift].map(|v| bits(v))
    }
}

fn run(isa: Isa, shape: Shape, [x, scale, shift, grad]: &Operands, relu: bool) -> Pass {
    let (sample_len, channels) = (shape.1 * shape.2, shape.2);
    let of_channels = || vec![f32::NAN; channels];
    let mut pass = Pass {
        mean: of_channels(),
        variance: of_channels(),
        y: vec![f32::NAN; x.len()],
        x: vec![f32::NAN; x.len()],
        scale: of_channels(),
        shift: of_channels(),
    };
    moments(isa, x, shape, &mut pass.mean, &mut pass.variance);
    let mut inverse = of_channels();
    norm::inverse_deviation(&pass.variance, EPSILON, &mut inverse);
    let by = Normalisation { mean: &pass.mean, inverse_deviation: &inverse, scale, shift, relu };
    norm::forward(isa, x, by, None, &mut pass.y);
    let chunk = chunk_len(shape.0) * sample_len;
    let mut sums = vec![0.0; CHUNKS * norm::SUMS * channels];
    let each = x.chunks(chunk).zip(grad.chunks(chunk));
    for ((x, grad), sums) in each.zip(sums.chunks_mut(norm::SUMS * channels)) {
        norm::add_sums(isa, x, by, sample_len, grad, sums);
    }
    let (mut of_x, mut constant) = (of_channels(), of_channels());
    let to = (&mut pass.scale[..], &mut pass.shift[..]);
    norm::slopes(&mut sums, shape.0 * shape.1, by, to, (&mut of_x, &mut constant));
    let slopes = Slopes { of_x: &of_x, constant: &constant };
    norm::backward(isa, x, by, slopes, grad, &mut pass.x);
    pass
}

/// Mean and variance, chunk by chunk.
fn moments(
    isa: Isa,
    x: &[f32],
    (n, positions, channels): Shape,
    mean: &mut [f32],
    variance: &mut [f32],
) {
    let sample_len = positions * channels;
    let mut sums = vec![0.0; CHUNKS * norm::MOMENTS * channels];
    let each = x.chunks(chunk_len(n) * sample_len).zip(sums.chunks_mut(norm::MOMENTS * channels));
    each.for_each(|(x, sums)| norm::add_moments(isa, x, sample_len, channels, sums));
    norm::moments(&mut sums, (n, positions), mean, variance);
}

fn assert_matches(what: &str, pass: &Pass, expected: &Normalised, tolerance: f64) {
    for (name, got, expected) in [
        ("mean", &pass.mean[..], &expected.mean[..]),
        ("variance", &pass.variance[..], &expected.variance[..]),
        ("y", &pass.y[..], &expected.y[..]),
        ("x", &pass.x[..], &expected.x[..]),
        ("scale", &pass.scale[..], &expected.scale[..]),
        ("shift", &pass.shift[..], &expected.shift[..]),
    ] {
        // With a 1 at the end, since small sums of large values are as precise as these.
        let (got, expected) = ([got, &[1.0][..]].concat(), [expected, &[1.0][..]].concat());
        assert_close(&format!("{what} {name}"), &got, &expected, tolerance);
    }
}

/// Odd and even numbers of positions, of samples more and less than chunks; widths of each strip.
const SHAPES: [Shape; 9] = [
    (1, 5, 16),
    (5, 1, 16),
    (3, 49, 16),
    (17, 16, 48),
    (40, 25, 96),
    (5, 784, 32),
    (2, 1024, 112),
    (1, 4096, 16),
    (130, 4, 64),
];

#[test]
fn matches_the_reference_with_and_without_relu() {
    for shape in SHAPES {
        for relu in [false, true] {
            let operands = operands(shape);
            let [x, scale, shift, grad] = &operands;
            let expected = batch_norm(x, (scale, shift), f64::from(EPSILON), relu, grad);
            let first = run(Isa::Portable, shape, &operands, relu);
            assert_matches(&format!("{shape:?} {relu}"), &first, &expected, 2e-5);
            for isa in paths() {
                let pass = run(isa, shape, &operands, relu);
                assert_eq!(pass.bits(), first.bits(), "{shape:?} {relu} {isa}");
            }
        }
    }
}

/// Computed with NumPy in float64 by the formulas in [`norm::slopes`]; PyTorch's way to these is
///
/// ```python
/// x = (values(3*4*16, 1) * 2).reshape(3, 2, 2, 16).permute(0, 3, 1, 2).double().requires_grad_()
/// w = (values(16, 2) + 1.5).double().requires_grad_()
/// b = (values(16, 3) * 0.5).double().requires_grad_()
/// y = F.relu(F.batch_norm(x, None, None, w, b, training=True, eps=1e-5))
/// g = values(y.numel(), 4).reshape(3, 2, 2, 16).permute(0, 3, 1, 2).double()
/// (y * g).sum().backward()
/// for v in (x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False), y.permute(0, 2, 3, 1),
///           x.grad.permute(0, 2, 3, 1), w.grad, b.grad):
///     print(v.flatten()[:8].tolist(), v.abs().sum().item())
/// ```
#[test]
#[rustfmt::skip]
fn matches_literals() {
    let shape = (3, 4, 16);
    for isa in paths() {
        let pass = run(isa, shape, &operands(shape), true);
        for (what, got, first, sum) in [
            ("mean", &pass.mean, [-0.198301716, -0.384115877, 0.0970695871, 0.244755253, 0.0589410464, -0.126873126, -0.312687292, 0.168498163], 3.03346650704043),
            ("variance", &pass.variance, [1.24666618, 1.24666618, 1.45011994, 1.33212344, 1.33212337, 1.33212344, 1.33212344, 1.42163422], 20.718439331622722),
            ("y", &pass.y, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.4327785], 113.33617943606771),
            ("x", &pass.x, [0.0121557397, 0.0420009858, 0.145833174, 0.159186061, 0.134002935, 0.11091512, 0.0899226043, 0.162309925], 29.22115804834111),
            ("scale", &pass.scale, [1.3655263, 0.866020906, 2.51607871, 2.59950021, 2.10253115, 1.60556198, 1.1085929, 2.49033752], 30.962761426118963),
            ("shift", &pass.shift, [0.70429574, 0.146853149, 1.32167836, 2.11888106, 1.56143856, 1.00399598, 0.446553439, 1.83316691], 21.625374732539058),
        ] {
            assert_close(what, &got[..8], &first, 2e-6);
            let error = magnitude(got) / sum - 1.0;
            assert!(error.abs() < 1e-6, "sum of {what}: off by {error:e}");
        }
    }
}

#[test]
fn a_mean_far_from_zero_costs_no_precision() {
    let shape = (9, 100, 16);
    let mut operands = operands(shape);
    // Exact in f32, so that the reference sees the same.
    operands[0].iter_mut().for_each(|v| *v = (*v * 64.0).round() / 64.0 + 1000.0);
    let [x, scale, shift, grad] = &operands;
    let expected = batch_norm(x, (scale, shift), f64::from(EPSILON), false, grad);
    let pass = run(Isa::best(), shape, &operands, false);
    assert_close("mean", &pass.mean, &expected.mean, 1e-7);
    assert_close("variance", &pass.variance, &expected.variance, 1e-6);
}

#[test]
fn a_constant_channel_has_no_variance() {
    let shape = (3, 7, 16);
    let (mut mean, mut variance) = ([0.0; 16], [1.0; 16]);
    moments(Isa::best(), &vec![0.1; 3 * 7 * 16], shape, &mut mean, &mut variance);
    assert_eq!((mean, variance), ([0.1; 16], [0.0; 16]));
    let mut operands = operands(shape);
    operands[0].fill(0.1);
    let pass = run(Isa::best(), shape, &operands, false);
    assert!(pass.y.chunks(16).all(|y| y == operands[2]), "only the shift is left");
    assert!(pass.x.iter().all(|g| g.is_finite()));
}

#[test]
fn gradients_match_finite_differences() {
    const STEP: f32 = 1.0 / 256.0;
    let shape = (3, 5, 16);
    let [x, scale, shift, grad] = operands(shape);
    let pass =
        run(Isa::best(), shape, &[x.clone(), scale.clone(), shift.clone(), grad.clone()], false);
    let objective = |x: &[f32], scale: &[f32], shift: &[f32]| -> f64 {
        let y = batch_norm(x, (scale, shift), f64::from(EPSILON), false, &grad).y;
        y.iter().zip(&grad).map(|(y, &g)| y * f64::from(g)).sum()
    };
    let close = |what: &str, got: &[f32], at: &[f32], f: &dyn Fn(&[f32]) -> f64| {
        let nudged = |i: usize, by: f32| {
            let mut values = at.to_vec();
            values[i] += by;
            f(&values)
        };
        let slope = |i| (nudged(i, STEP) - nudged(i, -STEP)) / (2.0 * f64::from(STEP));
        let slopes: Vec<f64> = (0..at.len()).map(slope).collect();
        assert_close(what, got, &slopes, 1e-4);
    };
    close("x", &pass.x, &x, &|x| objective(x, &scale, &shift));
    close("scale", &pass.scale, &scale, &|scale| objective(&x, scale, &shift));
    close("shift", &pass.shift, &shift, &|shift| objective(&x, &scale, shift));
}

/// As in a residual block: what is added takes part in ReLU.
#[test]
fn what_is_added_comes_before_relu() {
    let (len, channels) = (3 * 49 * 48, 48);
    let [x, other] = [1, 2].map(|seed| values(len, seed));
    let [mean, inverse, scale, shift] = [3, 4, 5, 6].map(|seed| values(channels, seed));
    let by = |relu| Normalisation {
        mean: &mean,
        inverse_deviation: &inverse,
        scale: &scale,
        shift: &shift,
        relu,
    };
    for isa in paths() {
        let (mut alone, mut sum) = (vec![f32::NAN; len], vec![f32::NAN; len]);
        norm::forward(isa, &x, by(false), None, &mut alone);
        norm::forward(isa, &x, by(true), Some(&other), &mut sum);
        let expected: Vec<f32> = alone.iter().zip(&other).map(|(a, b)| (a + b).max(0.0)).collect();
        assert_eq!(bits(&sum), bits(&expected), "{isa}");
    }
}
