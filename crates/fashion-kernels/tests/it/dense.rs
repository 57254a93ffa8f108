//! Dense layers against PyTorch, the reference and finite differences.

use crate::common::{assert_close, bits, paths, values};
use fashion_kernels::dense::Dense;
use fashion_kernels::reference;
use fashion_kernels::simd::Isa;

/// Output, and gradients of input, weight and bias.
fn run(layer: Dense, isa: Isa, x: &[f32], w: &[f32], b: &[f32], grad: &[f32]) -> [Vec<f32>; 4] {
    let mut y = vec![f32::NAN; grad.len()];
    layer.forward(isa, x, w, b, &mut y);
    let mut grad = grad.to_vec();
    layer.mask(&y, &mut grad);
    let mut out = [vec![f32::NAN; x.len()], vec![f32::NAN; w.len()], vec![f32::NAN; b.len()]];
    let [grad_x, grad_w, grad_b] = &mut out;
    layer.input_gradient(isa, w, &grad, grad_x);
    layer.weight_gradient(isa, x, &grad, grad_w, grad_b);
    let [grad_x, grad_w, grad_b] = out;
    [y, grad_x, grad_w, grad_b]
}

/// ```python
/// x = values(3*5, 1).reshape(3, 5).requires_grad_(); w = values(4*5, 2).reshape(4, 5).requires_grad_()
/// b = values(4, 3).requires_grad_(); y = F.relu(F.linear(x, w, b)); g = values(12, 4).reshape(3, 4)
/// (y * g).sum().backward(); print(y, x.grad, w.grad, b.grad)
/// ```
#[test]
fn dense_matches_pytorch() {
    let layer = Dense { inputs: 5, outputs: 4, relu: true };
    let (x, w, b, g) = (values(15, 1), values(20, 2), values(4, 3), values(12, 4));
    let [y, grad_x, grad_w, grad_b] = run(layer, Isa::best(), &x, &w, &b, &g);
    let expected = [
        0.92921865,
        2.26101089,
        0.580309927,
        0.0,
        0.220755279,
        0.0,
        2.6014924,
        0.314600438,
        0.709692895,
        0.0,
        0.0,
        1.8235451,
    ];
    assert_close("y", &y, &expected, 1e-6);
    let expected = [
        0.857574046,
        1.08172047,
        1.30586696,
        -0.265088558,
        -0.0409420133,
        0.0396905541,
        -0.173039764,
        -0.385770082,
        0.866766572,
        0.654036283,
        0.280557603,
        0.204913974,
        0.129270315,
        0.0536267012,
        -0.02201695,
    ];
    assert_close("x", &grad_x, &expected, 1e-6);
    let expected = [
        -0.162790269,
        -0.232772291,
        1.53432691,
        1.46434474,
        1.39436293,
        0.343851954,
        0.418567449,
        0.493282974,
        0.567998469,
        0.642713904,
        -0.269685388,
        -0.254371047,
        1.22621036,
        1.2415247,
        1.25683904,
        -0.397863925,
        -0.48213926,
        0.712945402,
        0.628670037,
        0.544394672,
    ];
    assert_close("weight", &grad_w, &expected, 1e-6);
    assert_close("bias", &grad_b, &[0.753246784, -0.804195821, -0.164835155, 0.907092929], 1e-6);
}

#[test]
fn dense_matches_the_reference_on_ragged_sizes() {
    for (n, inputs, outputs) in
        [(1, 1, 1), (1, 1600, 128), (3, 17, 10), (9, 63, 13), (37, 128, 10), (130, 80, 33)]
    {
        for relu in [false, true] {
            let what = format!("({n}, {inputs}) to {outputs}");
            let layer = Dense { inputs, outputs, relu };
            let (x, w) = (values(n * inputs, 1), values(outputs * inputs, 2));
            let (b, g) = (values(outputs, 3), values(n * outputs, 4));
            let first = run(layer, Isa::Portable, &x, &w, &b, &g);
            let y = reference::dense(n, &x, &w, &b, relu);
            assert_close(&what, &first[0], &y, 1e-5);
            let (mut grad_x, mut grad_w, mut grad_b) =
                (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; outputs]);
            for at in (0..n * outputs).filter(|&at| !relu || first[0][at] > 0.0) {
                let (sample, o, g) = (at / outputs, at % outputs, f64::from(g[at]));
                grad_b[o] += g;
                for i in 0..inputs {
                    grad_x[sample * inputs + i] += g * f64::from(w[o * inputs + i]);
                    grad_w[o * inputs + i] += g * f64::from(x[sample * inputs + i]);
                }
            }
            assert_close(&what, &first[1], &grad_x, 1e-5);
            assert_close(&what, &first[2], &grad_w, 1e-5);
            assert_close(&what, &first[3], &grad_b, 1e-5);
            for isa in paths() {
                let other = run(layer, isa, &x, &w, &b, &g);
                for (a, b) in first.iter().zip(&other) {
                    assert_eq!(bits(a), bits(b), "{what} {isa}");
                }
            }
        }
    }
}

#[test]
fn dense_gradients_match_finite_differences() {
    const STEP: f32 = 1.0 / 4096.0;
    let layer = Dense { inputs: 7, outputs: 5, relu: true };
    let (x, w, b, g) = (values(4 * 7, 1), values(5 * 7, 2), values(5, 3), values(4 * 5, 4));
    let [_, grad_x, grad_w, grad_b] = run(layer, Isa::best(), &x, &w, &b, &g);
    let objective = |x: &[f32], w: &[f32], b: &[f32]| -> f64 {
        let y = reference::dense(4, x, w, b, true);
        y.iter().zip(&g).map(|(y, &g)| y * f64::from(g)).sum()
    };
    let slope = |values: &[f32], i: usize, f: &dyn Fn(&[f32]) -> f64| {
        let mut nudged = values.to_vec();
        nudged[i] = values[i] + STEP;
        let above = f(&nudged);
        nudged[i] = values[i] - STEP;
        (above - f(&nudged)) / (2.0 * f64::from(STEP))
    };
    let slopes = |values: &[f32], f: &dyn Fn(&[f32]) -> f64| -> Vec<f64> {
        (0..values.len()).map(|i| slope(values, i, f)).collect()
    };
    assert_close("x", &grad_x, &slopes(&x, &|x| objective(x, &w, &b)), 1e-3);
    assert_close("weight", &grad_w, &slopes(&w, &|w| objective(&x, w, &b)), 1e-3);
    assert_close("bias", &grad_b, &slopes(&b, &|b| objective(&x, &w, b)), 1e-3);
}
