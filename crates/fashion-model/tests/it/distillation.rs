//! The loss of a network that has a teacher: PyTorch's numbers, and finite differences.

use crate::common::values;
use dfdx::prelude::*;
use fashion_model::{Soft, cross_entropy, distillation};

/// The loss of logits (n, 4), and its gradient.
fn loss(z: &[f32], t: &[f32], soft: &Soft) -> (f32, Vec<f32>) {
    let (device, shape) = (Cpu::default(), (z.len() / 4, 4));
    let z = device.tensor_from_vec(z.to_vec(), shape);
    let t = device.tensor_from_vec(t.to_vec(), shape);
    let loss = distillation(z.leaky_trace(), &t, soft.clone(), &mut |_| {}).unwrap();
    let value = loss.array();
    (value, loss.backward().get(&z).as_vec())
}

/// What a teacher of these logits says.
fn soft(v: &[f32], temperature: f32, weight: f32) -> Soft {
    let v: Vec<f32> = v.iter().map(|v| v / temperature).collect();
    let mut targets = vec![0.0; v.len()];
    fashion_kernels::loss::softmax(4, &v, &mut targets);
    Soft { targets, temperature, weight }
}

const Z: [f32; 8] = [1.5, -0.25, 0.75, 2.0, -3.0, 0.5, 4.0, 0.0];
const T: [f32; 8] = [0.0, 0.0, 1.0, 0.0, 0.3, 0.7, 0.0, 0.0];
const V: [f32; 8] = [4.0, 1.0, 2.0, -1.0, 0.0, 6.0, 1.0, 2.5];

/// Temperatures and weights, and for each the loss and its gradient.
#[rustfmt::skip]
const EXPECTED: [(f32, f32, f32, [f32; 8]); 3] = [
    (4.0, 0.9, 21.55884, [
        -0.2468796, -0.0346958, -0.09076807, 0.3723431, -0.06372636, -0.5847769, 0.6990163, -0.05051292,
    ]),
    (1.0, 0.5, 2.859209, [
        -0.05800469, 0.0159273, -0.2067051, 0.2487825, -0.0751617, -0.4011325, 0.4748309, 0.001463435,
    ]),
    (2.0, 1.0, 6.878621, [
        -0.3025509, -0.01032945, -0.01703036, 0.3299106, -0.01558511, -0.6361553, 0.6837857, -0.03204548,
    ]),
];

/// ```python
/// z, t, v = (torch.tensor(x).reshape(2, 4) for x in (Z, T, V)); z.requires_grad_()
/// for T, w in ((4.0, 0.9), (1.0, 0.5), (2.0, 1.0)):
///     z.grad = None
///     l = (1 - w) * F.cross_entropy(z, t) + w * T * T * F.cross_entropy(z / T, F.softmax(v / T, 1))
///     l.backward(); print(l, z.grad)
/// ```
#[test]
fn it_is_that_of_pytorch() {
    for (temperature, weight, expected, gradient) in EXPECTED {
        let (value, found) = loss(&Z, &T, &soft(&V, temperature, weight));
        assert!((value / expected - 1.0).abs() < 1e-6, "{value} not {expected}");
        for (found, expected) in found.into_iter().zip(gradient) {
            assert!((found - expected).abs() < 1e-6, "{found} not {expected}");
        }
    }
}

#[test]
fn its_gradient_is_its_slope() {
    let (z, t): (Vec<f32>, Vec<f32>) = (
        values(20, 1).iter().map(|v| 3.0 * v).collect(),
        values(20, 2).iter().map(|v| v.abs()).collect(),
    );
    for (temperature, weight) in [(4.0, 0.9), (0.5, 0.3), (20.0, 1.0)] {
        let mut soft = soft(&values(20, 3), temperature, weight);
        // Rows that count more than others.
        soft.targets[..8].iter_mut().for_each(|target| *target *= 3.0);
        let (_, gradient) = loss(&z, &t, &soft);
        for (at, &expected) in gradient.iter().enumerate() {
            let along = |by: f32| {
                let mut z = z.clone();
                z[at] += by;
                f64::from(loss(&z, &t, &soft).0)
            };
            let slope = (along(0.03) - along(-0.03)) / 0.06;
            let error = (slope - f64::from(expected)).abs();
            assert!(error < 2e-3 * f64::from(temperature).max(1.0), "{at}: {slope} not {expected}");
        }
    }
}

#[test]
fn a_teacher_without_weight_changes_no_bit() {
    let device = Cpu::default();
    let [z, t] = [Z, T].map(|values| device.tensor_from_vec(values.to_vec(), (2usize, 4usize)));
    let plain = cross_entropy(z.leaky_trace(), &t).unwrap();
    let (value, gradient) = loss(&Z, &T, &soft(&V, 4.0, 0.0));
    assert_eq!(value, plain.array());
    assert_eq!(gradient, plain.backward().get(&z).as_vec());
}
