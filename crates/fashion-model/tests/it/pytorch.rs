//! The whole network against PyTorch: logits, gradients and twenty steps of Adam from the same
//! weights and batches.
//!
//! The literals were printed by:
//!
//! ```python
//! import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
//! def values(n, seed):
//!     i = np.arange(n, dtype=np.int64)
//!     k = (i * 7919 + i * i % 1009 * 613 + seed * 104729) % 2003 - 1001
//!     return torch.from_numpy(k.astype(np.float32) / np.float32(1001))
//! class Net(nn.Module):
//!     def __init__(s):
//!         super().__init__()
//!         s.conv1, s.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
//!         s.fc1, s.fc2 = nn.Linear(1600, 128), nn.Linear(128, 10)
//!     def forward(s, x):
//!         x = F.max_pool2d(F.relu(s.conv1(x)), 2)
//!         x = F.max_pool2d(F.relu(s.conv2(x)), 2)
//!         return s.fc2(F.relu(s.fc1(x.flatten(1))))
//! def run(dtype):
//!     net = Net()
//!     scale = [0.3, 0.1, 0.08, 0.1, 0.04, 0.1, 0.15, 0.1]
//!     with torch.no_grad():
//!         for i, p in enumerate(net.parameters()): p.copy_((values(p.numel(), i) * scale[i]).reshape(p.shape))
//!     net = net.to(dtype)
//!     batches = [(((values(8*784, 20+b) + 1) / 2).reshape(8,1,28,28).to(dtype), torch.tensor([(3*i+b) % 10 for i in range(8)])) for b in range(4)]
//!     opt = torch.optim.Adam(net.parameters(), lr=1e-3, eps=1e-7)
//!     losses = []
//!     for step in range(20):
//!         x, y = batches[step % 4]
//!         z = net(x); l = F.cross_entropy(z, y); opt.zero_grad(); l.backward()
//!         if step == 0 and dtype == torch.float64:
//!             print("logits", [float(f"{v:.9g}") for v in z.flatten().tolist()])
//!             for n, p in net.named_parameters():
//!                 g = p.grad.flatten(); pr = (g * values(g.numel(), 50).double()).sum().item()
//!                 print(n, "some", [float(f"{v:.9g}") for v in g[g.numel()//16::g.numel()//8].tolist()], "max", g.abs().max().item(), "sum", g.abs().sum().item(), "proj", pr)
//!         opt.step(); losses.append(l.item())
//!     print(dtype, [float(f"{v:.9g}") for v in losses])
//! run(torch.float64); run(torch.float32)
//! ```

use crate::common::{gradients_by_name, values};
use dfdx::prelude::*;
use fashion_kernels::adam::Adam;
use fashion_kernels::simd::Isa;
use fashion_model::{Architecture, CpuGradients, Network, Parameter, cross_entropy};

struct Expected {
    name: &'static str,
    /// Every (len / 8)th value, beginning at len / 16.
    some: &'static [f64],
    largest: f64,
    sum: f64,
    /// Scalar product with `values(len, 50)`.
    projection: f64,
}

#[rustfmt::skip]
const LOGITS: [f64; 80] = [-0.171404151, -0.23588181, -0.147294907, 0.013210282, 0.0203910199, 0.0222299267,
-0.0267295699, 0.226775178, -0.376541574, 0.0362507548, -0.15114222, -0.228873136,
-0.131532051, -0.00353607162, 0.01233152, -0.0197082453, -0.0178225166, 0.219865002,
-0.360698171, 0.0306400104, -0.17087793, -0.248751825, -0.139912419, -0.0489698754,
-0.00195997518, -0.00551263087, -0.0406666271, 0.220218625, -0.396573937, 0.0355337057,
-0.162328979, -0.259921149, -0.106455124, -0.0263324202, -0.0102663003, -0.0324569081,
-0.00308684619, 0.225183818, -0.358595538, 0.038749083, -0.11833325, -0.227144736,
-0.111054278, -0.0210330224, -0.0315113896, 0.0302372362, -0.0232869533, 0.248823186,
-0.408393813, 0.0508901993, -0.211227594, -0.22690454, -0.136412306, -0.00265373266,
-0.021834792, 0.0163853883, -0.00522172875, 0.272711089, -0.397929951, 0.0171258663,
-0.162585527, -0.243384457, -0.136216891, -0.00291470637, -0.0467818848, 0.0220217416,
-0.018946715, 0.254283687, -0.402261531, 0.0124709278, -0.129895971, -0.239881254,
-0.144057128, -0.0134466029, -0.0216847824, 0.011338612, -0.00851247745, 0.223887206,
-0.401158654, 0.0312829903];

#[rustfmt::skip]
const GRADIENTS: [Expected; 8] = [
    Expected {
        name: "conv1.weight",
        some: &[-0.00114164435, 0.0013054276, -0.00196242978, -0.010843656, -0.0173856977, 0.0,
0.0197071593, 0.0109276313],
        largest: 0.026387882267599683,
        sum: 1.594046953397076,
        projection: -0.03630683098741236,
    },
    Expected {
        name: "conv1.bias",
        some: &[-0.0220816629, 0.00468129756, -4.1446664e-05, -0.0155834471, 0.00484113552, 0.0,
0.0129010259, 0.00601095151],
        largest: 0.03592985830689713,
        sum: 0.27030347340669686,
        projection: 0.06579896826680412,
    },
    Expected {
        name: "conv2.weight",
        some: &[0.0, 0.0, -0.000468327739, 0.0, 0.0, 5.76852804e-05, 0.0, 6.39498402e-05],
        largest: 0.027969213567202746,
        sum: 36.62439056905997,
        projection: 0.21654928409722413,
    },
    Expected {
        name: "conv2.bias",
        some: &[0.0, 0.00229295448, -0.0138593239, -0.00206722015, 0.0, 0.015273901, 0.0, 0.0249203937],
        largest: 0.03635934441585492,
        sum: 0.6269488883550436,
        projection: 0.022552792130695568,
    },
    Expected {
        name: "fc1.weight",
        some: &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        largest: 0.02952494040983326,
        sum: 195.49955632016946,
        projection: -1.2389791731366446,
    },
    Expected {
        name: "fc1.bias",
        some: &[0.0, 0.0, -0.013152894, 0.0, 0.0265035626, -0.0105671539, -0.00869501419, 0.0],
        largest: 0.04480496100038516,
        sum: 0.9312465929602828,
        projection: 0.07354785396824293,
    },
    Expected {
        name: "fc2.weight",
        some: &[-0.00387418189, -0.00242800798, 0.0, 0.0, -0.00345455337, -0.00390801126, 0.0, 0.0],
        largest: 0.07004349848689051,
        sum: 4.899240545855754,
        projection: -0.1364848491695264,
    },
    Expected {
        name: "fc2.bias",
        some: &[-0.0348431493, -0.0417249025, -0.0322939416, -0.0206388125, 0.104430794, -0.0186528727,
-0.0211459135, 0.133965412, -0.0532369927, -0.0158596203],
        largest: 0.13396541152939004,
        sum: 0.4767924101413755,
        projection: 0.02460705203717667,
    },
];

#[rustfmt::skip]
const LOSSES: [f64; 20] = [2.36100685, 2.2848223, 2.38101203, 2.34212115, 2.24478626, 2.24556232, 2.30003669,
2.27265449, 2.22178885, 2.22823322, 2.26364356, 2.23462714, 2.18351453, 2.1954534,
2.22820966, 2.20223354, 2.13124541, 2.16348168, 2.19348093, 2.16439298];

/// The script's network.
fn network() -> Network {
    let mut network = Architecture::ReportCnn.zeroed(10);
    let scales = [0.3, 0.1, 0.08, 0.1, 0.04, 0.1, 0.15, 0.1];
    let mut position = 0;
    network.for_each_parameter_mut(&mut |parameter, to| {
        let from = values(to.len(), position).iter().map(|v| v * scales[position]).collect();
        to.copy_from_slice(&parameter.to_network_layout(from));
        position += 1;
    });
    network
}

/// The script's batch `b`: eight images and their classes, one-hot.
fn batch(b: usize) -> (Vec<f32>, Tensor<(usize, usize), f32, Cpu>) {
    let pixels = values(8 * 784, 20 + b).iter().map(|v| (v + 1.0) / 2.0).collect();
    let mut targets = vec![0.0; 80];
    (0..8).for_each(|i| targets[i * 10 + (3 * i + b) % 10] = 1.0);
    (pixels, Cpu::default().tensor_from_vec(targets, (8, 10)))
}

/// Loss and gradients of one batch.
fn step(network: &mut Network, b: usize) -> (f32, CpuGradients) {
    let (x, y) = batch(b);
    let logits = network.logits(8, |to| to.copy_from_slice(&x)).unwrap();
    let loss = cross_entropy(logits, &y).unwrap();
    (loss.array(), loss.backward())
}

#[test]
fn logits_match_pytorch() {
    let (pixels, _) = batch(0);
    let mut network = network();
    let mut logits = vec![0.0; 80];
    let traced = network.logits(8, |to| to.copy_from_slice(&pixels)).unwrap();
    traced.copy_into(&mut logits);
    let (plan, mut planned) = (network.plan(), vec![0.0; 80]);
    plan.logits(&pixels, &mut planned);
    assert_eq!(planned, logits, "plan and module");
    for (pixels, logits) in pixels.chunks(784).zip(logits.chunks(10)) {
        let mut alone = [0.0; 10];
        plan.logits(pixels, &mut alone);
        assert_eq!(alone, logits, "one image alone");
    }
    for (i, (&got, expected)) in logits.iter().zip(LOGITS).enumerate() {
        assert!((f64::from(got) - expected).abs() < 1e-5, "logit {i}: {got} not {expected}");
    }
}

#[test]
fn gradients_match_pytorch() {
    let mut network = network();
    let (_, mut gradients) = step(&mut network, 0);
    let all = gradients_by_name(&network, &mut gradients);
    assert_eq!(all.len(), GRADIENTS.len());
    for ((name, gradient), expected) in all.iter().zip(&GRADIENTS) {
        assert_eq!(name, expected.name);
        let close = |what: &str, got: f64, wanted: f64, tolerance: f64| {
            let error = (got - wanted).abs();
            assert!(error <= tolerance, "{name} {what}: {got} not {wanted}, off by {error:e}");
        };
        let len = gradient.len();
        let some = gradient.iter().skip(len / 16).step_by(len / 8);
        for (&got, &wanted) in some.zip(expected.some) {
            close("value", f64::from(got), wanted, 1e-4 * expected.largest);
        }
        let largest = gradient.iter().fold(0.0, |m: f32, v| m.max(v.abs()));
        close("largest", f64::from(largest), expected.largest, 1e-4 * expected.largest);
        let sum = gradient.iter().map(|&v| f64::from(v.abs())).sum();
        close("sum", sum, expected.sum, 1e-5 * expected.sum);
        let pairs = gradient.iter().zip(values(len, 50));
        let projection = pairs.map(|(&g, v)| f64::from(g) * f64::from(v)).sum();
        close("projection", projection, expected.projection, 1e-5 * expected.sum);
    }
}

#[test]
fn twenty_steps_of_adam_follow_pytorch() {
    let mut network = network();
    let adam =
        Adam { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weight_decay: 0.0 };
    let mut moments: Vec<(Vec<f32>, Vec<f32>)> = Vec::new();
    network.for_each_parameter(&mut |_, v| moments.push((vec![0.0; v.len()], vec![0.0; v.len()])));
    for (at, expected) in LOSSES.into_iter().enumerate() {
        let (loss, mut filled) = step(&mut network, at % 4);
        let tolerance = if at < 5 { 1e-4 } else { 1e-2 };
        assert!((f64::from(loss) - expected).abs() < tolerance, "step {at}: {loss} not {expected}");
        let mut update =
            |at_all: usize, _: &Parameter, values: &mut [f32], gradient: &mut [f32]| {
                let (mean, square) = &mut moments[at_all];
                adam.update(Isa::current(), at as u64 + 1, gradient, values, mean, square);
            };
        network.for_each_parameter_with_gradient(&mut filled, &mut update).unwrap();
    }
}

#[test]
fn a_batch_gives_the_same_gradient_with_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut network = network();
            let (loss, mut gradients) = step(&mut network, 1);
            let all = gradients_by_name(&network, &mut gradients).into_iter().flat_map(|(_, g)| g);
            (loss.to_bits(), all.map(f32::to_bits).collect::<Vec<_>>())
        })
    };
    let one = run(1);
    [2, 3, 8].into_iter().for_each(|threads| assert!(run(threads) == one, "{threads} threads"));
}

#[test]
fn two_forward_passes_before_a_backward_one_do_not_disturb_each_other() {
    let mut network = network();
    let (alone, mut gradients) = step(&mut network, 0);
    let expected = gradients_by_name(&network, &mut gradients);
    let ((x, y), (other, _)) = (batch(0), batch(1));
    let mut logits = |x: Vec<f32>| network.logits(8, |to| to.copy_from_slice(&x)).unwrap();
    let loss = cross_entropy(logits(x), &y).unwrap();
    let _unused = logits(other);
    assert_eq!(loss.array(), alone);
    assert!(gradients_by_name(&network, &mut loss.backward()) == expected);
}
