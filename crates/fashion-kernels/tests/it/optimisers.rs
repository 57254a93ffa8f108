//! Adam, stochastic gradient descent, Muon and the moving average against PyTorch and plain `f64`.

use crate::common::{assert_close, assert_same_bits, bits, paths, scaled, values};
use fashion_kernels::adam::Adam;
use fashion_kernels::average;
use fashion_kernels::muon::Muon;
use fashion_kernels::sgd::Sgd;
use fashion_kernels::simd::Isa;

const ADAM: Adam =
    Adam { learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weight_decay: 0.0 };

/// Lengths with and without a rest of a vector, of one piece and of several.
const LENGTHS: [usize; 6] = [0, 1, 16, 33, 8192, 20_001];

/// ```python
/// p = torch.nn.Parameter(values(6, 6)); opt = torch.optim.Adam([p], lr=0.001, eps=1e-7)
/// for s in range(20):
///     p.grad = values(6, 100 + s) * 0.5**s; opt.step()
///     if s in (0, 4, 19): print(p)
/// print(opt.state[p])
/// ```
#[test]
fn adam_matches_pytorch_over_20_steps() {
    let expected = [
        (1, [0.432566434, 0.339659363, 0.246752247, 0.15584515, 0.0629380643, -0.029969031]),
        (5, [0.430336475, 0.337866724, 0.245629072, 0.155640274, 0.0615347475, -0.0303366166]),
        (20, [0.428201824, 0.335968077, 0.244811535, 0.156155452, 0.0593713336, -0.0311392285]),
    ];
    for isa in paths() {
        let (mut p, mut mean, mut square) = (values(6, 6), [0.0; 6], [0.0; 6]);
        for step in 1..=20 {
            let gradient = scaled(6, 99 + step as usize, 0.5f32.powi(step - 1));
            ADAM.update(isa, step as u64, &gradient, &mut p, &mut mean, &mut square);
            if let Some((_, expected)) = expected.iter().find(|(at, _)| *at == step) {
                assert_close(&format!("{isa} step {step}"), &p, expected, 1e-6);
            }
        }
        let expected = [
            0.00592129352,
            0.00455174362,
            0.0017279326,
            -0.00109587831,
            0.00456156209,
            0.0017377513,
        ];
        assert_close("mean", &mean, &expected, 1e-6);
        let expected = [
            0.000224616873,
            0.000168107494,
            0.000133899419,
            0.000122283484,
            0.000130188695,
            0.000140908916,
        ];
        assert_close("square", &square, &expected, 1e-6);
    }
}

/// As above, with `torch.optim.AdamW([p], lr=0.001, eps=1e-7, weight_decay=10)`.
#[test]
fn adam_with_weight_decay_matches_pytorch_over_20_steps() {
    let adam = Adam { weight_decay: 10.0, ..ADAM };
    let expected = [
        (1, [0.428230762, 0.336252779, 0.244274721, 0.154296696, 0.0623186789, -0.0296593402]),
        (5, [0.409169495, 0.321247518, 0.233553827, 0.148025066, 0.0584798418, -0.0288559701]),
        (20, [0.349956483, 0.274554521, 0.200122386, 0.127782464, 0.048316896, -0.0255515669]),
    ];
    for isa in paths() {
        let (mut p, mut mean, mut square) = (values(6, 6), [0.0; 6], [0.0; 6]);
        for step in 1..=20 {
            let gradient = scaled(6, 99 + step as usize, 0.5f32.powi(step - 1));
            adam.update(isa, step as u64, &gradient, &mut p, &mut mean, &mut square);
            if let Some((_, expected)) = expected.iter().find(|(at, _)| *at == step) {
                assert_close(&format!("{isa} step {step}"), &p, expected, 1e-6);
            }
        }
    }
}

#[test]
fn adam_matches_the_formula_with_the_same_bits_everywhere() {
    for (len, weight_decay) in LENGTHS.into_iter().flat_map(|len| [(len, 0.0), (len, 0.5)]) {
        let adam = Adam { weight_decay, ..ADAM };
        let run = |isa| {
            let (mut p, mut mean, mut square) = (values(len, 6), vec![0.0; len], vec![0.0; len]);
            for step in 1..=3 {
                let gradient = values(len, step as usize);
                adam.update(isa, step, &gradient, &mut p, &mut mean, &mut square);
            }
            [p, mean, square]
        };
        assert_same_bits(&format!("{len} values"), |isa| run(isa).map(|v| bits(&v)));

        let Adam { learning_rate, beta1, beta2, epsilon, .. } = adam;
        let (mut p, mut mean, mut square) = (wide(&values(len, 6)), vec![0.0; len], vec![0.0; len]);
        for step in 1..=3 {
            for (i, g) in wide(&values(len, step as usize)).into_iter().enumerate() {
                mean[i] = beta1 * mean[i] + (1.0 - beta1) * g;
                square[i] = beta2 * square[i] + (1.0 - beta2) * g * g;
                let mean = mean[i] / (1.0 - beta1.powi(step));
                let square = square[i] / (1.0 - beta2.powi(step));
                p[i] -= learning_rate * (mean / (square.sqrt() + epsilon) + weight_decay * p[i]);
            }
        }
        let [got, got_mean, got_square] = run(Isa::best());
        assert_close("parameters", &got, &p, 1e-6);
        assert_close("mean", &got_mean, &mean, 1e-6);
        assert_close("square", &got_square, &square, 1e-6);
    }
}

/// Training that was done before there was weight decay is done again to the bit.
#[test]
fn adam_without_weight_decay_has_the_bits_of_plain_adam() {
    let len = 1000;
    let (mut p, mut mean, mut square) = (values(len, 6), values(len, 7), scaled(len, 8, 0.5));
    square.iter_mut().for_each(|v| *v = v.abs());
    (p[0], p[1], p[2]) = (-0.0, 0.0, 1e-42);
    let gradient = values(len, 9);
    let [mut expected, mut m, mut v] = [p.clone(), mean.clone(), square.clone()];
    let correction = (1.0 - libm::pow(0.999, 4.0)).sqrt() as f32;
    let step_size = (0.001 / (1.0 - libm::pow(0.9, 4.0))) as f32;
    for (i, &g) in gradient.iter().enumerate() {
        m[i] = ((1.0 - 0.9f64) as f32).mul_add(g - m[i], m[i]);
        v[i] = (((1.0 - 0.999f64) as f32) * g).mul_add(g, 0.999 * v[i]);
        expected[i] -= step_size * (m[i] / (v[i].sqrt() / correction + 1e-7));
    }
    ADAM.update(Isa::best(), 4, &gradient, &mut p, &mut mean, &mut square);
    assert_eq!(bits(&p), bits(&expected));
}

/// ```python
/// for m, n, d in [(0, False, 0), (0.9, False, 0), (0.9, True, 0), (0.9, True, 0.1), (0.9, False, 0.1)]:
///     p = torch.nn.Parameter(values(6, 6))
///     opt = torch.optim.SGD([p], lr=0.1, momentum=m, nesterov=n, weight_decay=d)
///     for s in range(20):
///         p.grad = values(6, 100 + s) * 0.5**s; opt.step()
///         if s in (0, 19): print(p)
/// ```
#[test]
fn sgd_matches_pytorch_over_20_steps() {
    let cases = [
        (
            (0.0, false, 0.0),
            [0.412087888, 0.328471541, 0.244855151, 0.16123876, 0.0776223764, -0.00599400513],
            [0.389566302, 0.308938295, 0.234612599, 0.160286888, 0.0355423503, -0.0387833379],
        ),
        (
            (0.9, false, 0.0),
            [0.412087888, 0.328471541, 0.244855151, 0.16123876, 0.0776223764, -0.00599400513],
            [0.0468569957, 0.064414531, 0.131907076, 0.199399635, -0.160964906, -0.0934722945],
        ),
        (
            (0.9, true, 0.0),
            [0.392757237, 0.317502499, 0.24224776, 0.166993007, 0.0917382613, 0.0164835174],
            [0.0415279008, 0.0603179224, 0.130351916, 0.200385928, -0.16507031, -0.0950362608],
        ),
        (
            (0.9, true, 0.1),
            [0.384519458, 0.311029971, 0.237540454, 0.164050937, 0.0905614421, 0.0170719288],
            [-0.111609161, -0.0804228485, -0.0184314977, 0.0435598306, -0.106337301, -0.0443459339],
        ),
        (
            (0.9, false, 0.1),
            [0.407752246, 0.325064957, 0.242377624, 0.159690306, 0.0770029947, -0.0056843143],
            [-0.130405277, -0.0936224237, -0.0236608535, 0.0463007055, -0.117938958, -0.0479773842],
        ),
    ];
    for (settings, first, last) in cases {
        let (momentum, nesterov, weight_decay) = settings;
        let sgd = Sgd { learning_rate: 0.1, momentum, nesterov, weight_decay };
        for isa in paths() {
            let (mut p, mut velocity) = (values(6, 6), [0.0; 6]);
            for step in 0..20 {
                let gradient = scaled(6, 100 + step as usize, 0.5f32.powi(step));
                sgd.update(isa, &gradient, &mut p, &mut velocity);
                if step == 0 {
                    assert_close(&format!("{isa} {settings:?}, first step"), &p, &first, 1e-6);
                }
            }
            assert_close(&format!("{isa} {settings:?}, last step"), &p, &last, 1e-6);
        }
    }
}

#[test]
fn sgd_matches_the_formula_with_the_same_bits_everywhere() {
    for (len, nesterov) in LENGTHS.into_iter().flat_map(|len| [(len, false), (len, true)]) {
        let sgd = Sgd { learning_rate: 0.1, momentum: 0.9, nesterov, weight_decay: 0.01 };
        let run = |isa| {
            let (mut p, mut velocity) = (values(len, 6), vec![0.0; len]);
            for step in 1..=3 {
                sgd.update(isa, &values(len, step), &mut p, &mut velocity);
            }
            [p, velocity]
        };
        assert_same_bits(&format!("{len} values"), |isa| run(isa).map(|v| bits(&v)));

        let (mut p, mut velocity) = (wide(&values(len, 6)), vec![0.0; len]);
        for step in 1..=3 {
            for (i, g) in wide(&values(len, step)).into_iter().enumerate() {
                let g = g + 0.01 * p[i];
                velocity[i] = 0.9 * velocity[i] + g;
                p[i] -= 0.1 * if nesterov { g + 0.9 * velocity[i] } else { velocity[i] };
            }
        }
        let [got, got_velocity] = run(Isa::best());
        assert_close("parameters", &got, &p, 1e-6);
        assert_close("velocity", &got_velocity, &velocity, 1e-6);
    }
}

const MUON: Muon =
    Muon { learning_rate: 0.01, momentum: 0.9, nesterov: true, weight_decay: 0.1, steps: 5 };

/// `torch.optim.Muon` orthogonalises in `bfloat16`, and agrees to four digits; in `float64` its formula
/// is:
///
/// ```python
/// def muon(p, m, g, lr=0.01, mu=0.9, nesterov=True, wd=0.1, steps=5):
///     m.lerp_(g, 1 - mu)
///     x = g.lerp(m, mu) if nesterov else m.clone()
///     tall = x.size(0) > x.size(1)
///     if tall: x = x.T
///     x = x / x.norm().clamp(min=1e-7)
///     for _ in range(steps):
///         gram = x @ x.T
///         x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
///     if tall: x = x.T
///     p.mul_(1 - lr * wd).add_(x, alpha=-lr * 0.2 * max(p.shape)**0.5)
/// for rows, columns in ((3, 5), (7, 2)):
///     p = values(rows * columns, 6).double().reshape(rows, columns); m = torch.zeros_like(p)
///     for s in range(5):
///         muon(p, m, values(rows * columns, 100 + s).double().reshape(rows, columns) * 0.5**s)
///     print(p.flatten().tolist())
/// ```
#[test]
fn muon_matches_pytorchs_formula() {
    let wide = [
        0.419711512,
        0.332839978,
        0.246287308,
        0.159734637,
        0.0540907412,
        -0.0352712843,
        -0.123161925,
        -0.211232235,
        -0.299302546,
        -0.386320666,
        -0.486921818,
        -0.579695313,
        -0.669918219,
        -0.760141066,
        -0.870427119,
    ];
    let tall = [
        0.420189746,
        0.343230105,
        0.239461973,
        0.160519111,
        0.0527793141,
        -0.0258180407,
        -0.127948473,
        -0.208529013,
        -0.308676247,
        -0.391239992,
        -0.485168658,
        -0.580167734,
        -0.672158871,
        -0.758643333,
    ];
    for (rows, expected) in [(3, &wide[..]), (7, &tall)] {
        let len = expected.len();
        for isa in paths() {
            let (mut p, mut mean) = (values(len, 6), vec![0.0; len]);
            for step in 0..5 {
                let gradient = scaled(len, 100 + step as usize, 0.5f32.powi(step));
                MUON.update(isa, rows, &gradient, &mut p, &mut mean);
            }
            assert_close(&format!("{isa}, {rows} rows"), &p, expected, 1e-6);
        }
    }
}

/// Steps that are taken together are those that are taken one by one, also where singular values are so small
/// that rounding drowns their squares.
#[test]
fn muon_takes_any_number_of_steps_as_the_formula_has_them() {
    let muon =
        Muon { learning_rate: 1.0, momentum: 0.0, nesterov: false, weight_decay: 0.0, steps: 0 };
    for (rows, columns) in [(12, 40), (40, 12), (9, 9)] {
        let (left, right) = (values(rows, 1), values(columns, 2));
        let small = scaled(rows * columns, 3, 1e-4);
        let gradient: Vec<f32> = (0..rows * columns)
            .map(|i| left[i / columns] * right[i % columns] + small[i])
            .collect();
        for steps in [1, 2, 5, 6, 13] {
            let (mut p, mut mean) = (vec![0.0; rows * columns], vec![0.0; rows * columns]);
            Muon { steps, ..muon }.update(Isa::best(), rows, &gradient, &mut p, &mut mean);
            let scale = -0.2 * (rows.max(columns) as f64).sqrt();
            let expected = orthogonal(&wide(&gradient), rows, steps);
            let expected: Vec<f64> = expected.iter().map(|x| scale * x).collect();
            // Further steps move singular values about between 0.7 and 1.2, and what rounding has
            // changed of them with these.
            let tolerance = if steps <= 6 { 1e-3 } else { 0.5 };
            assert_close(&format!("{rows} x {columns}, {steps}"), &p, &expected, tolerance);
        }
    }
}

/// X ← a X + (b X Xᵀ + c (X Xᵀ)²) X, so many times.
fn orthogonal(x: &[f64], rows: usize, steps: usize) -> Vec<f64> {
    let columns = x.len() / rows;
    let product = |a: &[f64], b: &[f64]| -> Vec<f64> {
        let element = |i: usize| {
            (0..rows).map(|k| a[i / columns * rows + k] * b[k * columns + i % columns]).sum()
        };
        (0..rows * columns).map(element).collect()
    };
    let norm = x.iter().map(|v| v * v).sum::<f64>().sqrt();
    let mut x: Vec<f64> = x.iter().map(|v| v / norm).collect();
    for _ in 0..steps {
        let dot = |i: usize| {
            let (a, b) = (&x[i / rows * columns..][..columns], &x[i % rows * columns..][..columns]);
            a.iter().zip(b).map(|(a, b)| a * b).sum()
        };
        let gram: Vec<f64> = (0..rows * rows).map(dot).collect();
        let linear = product(&gram, &x);
        let square = product(&gram, &linear);
        let terms = x.iter().zip(&linear).zip(&square);
        x = terms.map(|((x, l), s)| 3.4445 * x - 4.7750 * l + 2.0315 * s).collect();
    }
    x
}

/// Whatever the gradient's singular values are, those of a step are about the same.
#[test]
fn muon_steps_along_all_directions_alike_with_the_same_bits_everywhere() {
    let muon = Muon { learning_rate: 1.0, momentum: 0.0, weight_decay: 0.0, ..MUON };
    for (rows, columns) in [(1, 1), (1, 40), (16, 9), (9, 16), (64, 64), (100, 37), (96, 500)] {
        let len = rows * columns;
        let run = |isa| {
            let (mut p, mut mean) = (vec![0.0; len], vec![0.0; len]);
            muon.update(isa, rows, &values(len, 3), &mut p, &mut mean);
            p
        };
        assert_same_bits(&format!("{rows} x {columns}"), |isa| bits(&run(isa)));
        let step = wide(&run(Isa::best()));
        // Of these values, which are as large as Adam's, and of the singular values the mean squares are
        // the same but for that scale.
        let square = step.iter().map(|v| v * v).sum::<f64>() / len as f64 / 0.04;
        assert!((0.4..1.5).contains(&square), "{rows} x {columns}: {square}");
        assert!(step.iter().zip(values(len, 3)).map(|(s, g)| s * f64::from(g)).sum::<f64>() < 0.0);
    }
    let (mut p, mut mean) = ([1.0; 6], [0.0; 6]);
    MUON.update(Isa::best(), 2, &[0.0; 6], &mut p, &mut mean);
    assert_eq!(p, [0.999; 6], "nothing but decay");
}

/// ```python
/// for decay in (0.9, 0.25):
///     a = [values(6, 6)]; f = torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
///     for s in range(5): f(a, [values(6, 10 + s)], s)
///     print(a)
/// ```
#[test]
fn average_matches_pytorch() {
    let cases = [
        (0.9, [0.181542829, 0.288735688, 0.195828557, 0.102921478, 0.155887201, 0.062980108]),
        (0.25, [-0.67228961, 0.735552549, 0.642645419, 0.549738348, 0.480280459, 0.387373358]),
    ];
    for (decay, expected) in cases {
        for isa in paths() {
            let mut mean = values(6, 6);
            (0..5).for_each(|s| average::update(isa, decay, &values(6, 10 + s), &mut mean));
            assert_close(&format!("{isa} {decay}"), &mean, &expected, 1e-6);
        }
    }
}

#[test]
fn average_matches_the_formula_with_the_same_bits_everywhere() {
    for (len, decay) in LENGTHS.into_iter().flat_map(|len| [0.0, 0.3, 0.5, 0.999].map(|d| (len, d)))
    {
        let run = |isa| {
            let mut mean = values(len, 6);
            (0..3).for_each(|s| average::update(isa, decay, &values(len, s), &mut mean));
            mean
        };
        assert_same_bits(&format!("{len} values, {decay}"), |isa| bits(&run(isa)));
        let mut expected = wide(&values(len, 6));
        for s in 0..3 {
            for (a, v) in expected.iter_mut().zip(wide(&values(len, s))) {
                *a += (1.0 - decay) * (v - *a);
            }
        }
        assert_close("average", &run(Isa::best()), &expected, 1e-6);
    }
}

#[test]
fn average_is_exact_at_both_ends() {
    let (old, new) = ([1.0, -3e30, 0.1], [1e-9, 2.0, 0.7]);
    for (decay, expected) in [(0.0, new), (1.0, old)] {
        let mut mean = old;
        average::update(Isa::best(), decay, &new, &mut mean);
        assert_eq!(mean, expected, "decay {decay}");
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}
