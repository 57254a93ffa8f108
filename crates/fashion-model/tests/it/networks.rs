//! Networks with batch normalisation against PyTorch: the loss, all gradients and the running statistics
//! of one step, and the logits in use after it.
//!
//! The literals were printed by PyTorch 2.15.0:
//!
//! ```python
//! import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
//! def values(n, seed):
//!     i = np.arange(n, dtype=np.int64)
//!     k = (i * 7919 + i * i % 1009 * 613 + seed * 104729) % 2003 - 1001
//!     return torch.from_numpy(k.astype(np.float32) / np.float32(1001))
//! def conv(i, o, k=3, s=1): return nn.Conv2d(i, o, k, s, k // 2, bias=False)
//! class Vgg(nn.Module):
//!     def __init__(s):
//!         super().__init__()
//!         for n, (i, o) in enumerate([(1, 32), (32, 48), (48, 48), (48, 96), (96, 96)], 1):
//!             setattr(s, f"conv{n}", conv(i, o)); setattr(s, f"norm{n}", nn.BatchNorm2d(o))
//!         s.fc = nn.Linear(96, 10)
//!     def forward(s, x):
//!         for n in range(1, 6):
//!             x = F.relu(getattr(s, f"norm{n}")(getattr(s, f"conv{n}")(x)))
//!             if n in (1, 3): x = F.max_pool2d(x, 2)
//!         return s.fc(x.amax((2, 3)))
//! class Block(nn.Module):
//!     def __init__(s, i, o):
//!         super().__init__()
//!         stride = 1 if i == o else 2
//!         s.body = nn.ModuleDict({"0": conv(i, o, 3, stride), "1": nn.BatchNorm2d(o), "2": conv(o, o), "3": nn.BatchNorm2d(o)})
//!         s.shortcut = nn.Sequential(*([] if i == o else [conv(i, o, 1, stride), nn.BatchNorm2d(o)]))
//!     def forward(s, x):
//!         b = s.body
//!         return F.relu(b["3"](b["2"](F.relu(b["1"](b["0"](x))))) + s.shortcut(x))
//! class Resnet(nn.Module):
//!     def __init__(s):
//!         super().__init__()
//!         s.stem, s.norm = conv(1, 16), nn.BatchNorm2d(16)
//!         for n, (i, o) in enumerate([(16, 16), (16, 16), (16, 32), (32, 32), (32, 64), (64, 64)], 1):
//!             setattr(s, f"block{n}", Block(i, o))
//!         s.fc = nn.Linear(64, 10)
//!     def forward(s, x):
//!         x = F.relu(s.norm(s.stem(x)))
//!         for n in range(1, 7): x = getattr(s, f"block{n}")(x)
//!         return s.fc(x.mean((2, 3)))
//! def run(net):
//!     for n, (name, p) in enumerate(net.named_parameters()):
//!         v = values(p.numel(), n).double().reshape(p.shape)
//!         with torch.no_grad():
//!             p.copy_((1 + 0.3 * v if p.dim() == 1 and name.endswith("weight") else 0.1 * v if p.dim() == 1
//!                      else v * 1.5 / (p[0].numel() ** 0.5)).float())
//!     net = net.double().train()
//!     x = ((values(8 * 784, 20) + 1) / 2).reshape(8, 1, 28, 28).double()
//!     # With positive pixels alone all channels of a random network say the same.
//!     x = (x * values(8 * 784, 22).reshape(8, 1, 28, 28).double()).abs()
//!     y = torch.tensor([(3 * i) % 10 for i in range(8)])
//!     loss = F.cross_entropy(net(x), y); loss.backward()
//!     print("loss", loss.item())
//!     for n, p in net.named_parameters():
//!         g = p.grad.flatten()
//!         print(f'("{n}", {g.abs().sum().item():.9g}, {(g * values(g.numel(), 50).double()).sum().item():.9g}),')
//!     for n, b in net.named_buffers():
//!         if "running" in n: print(f'("{n}", {b.abs().sum().item():.9g}, {(b * values(b.numel(), 50).double()).sum().item():.9g}),')
//!     print("use", [float(f"{v:.9g}") for v in net.eval()(x)[0].tolist()])
//! for net in (Vgg(), Resnet()): run(net)
//! ```

use crate::common::{gradients_by_name, values};
use dfdx::prelude::*;
use fashion_data::Classes;
use fashion_model::{Architecture, ImageShape, Network, Role, cross_entropy, tensors, weights};

struct Expected {
    loss: f64,
    /// Of each gradient and each running statistic: its name, the sum of its absolute values, and its
    /// scalar product with `values(len, 50)`.
    sums: &'static [(&'static str, f64, f64)],
    /// Logits of the first image, by the running statistics.
    in_use: [f64; 10],
}

#[rustfmt::skip]
const VGG: Expected = Expected {
    loss: 3.179386355427311,
    sums: &[
        ("conv1.weight", 39.1986831, 0.717316987),
        ("norm1.weight", 2.18642028, -0.0359092855),
        ("norm1.bias", 1.27518842, -0.0511722889),
        ("conv2.weight", 1001.80199, 14.8002431),
        ("norm2.weight", 2.99780199, 0.623472782),
        ("norm2.bias", 2.6258295, 0.710892426),
        ("conv3.weight", 1288.89636, -5.1568984),
        ("norm3.weight", 2.03906799, -0.189449054),
        ("norm3.bias", 1.09893983, 0.0102985547),
        ("conv4.weight", 1409.67621, -5.89977578),
        ("norm4.weight", 2.78435322, -0.100989274),
        ("norm4.bias", 2.29400196, 0.0703566776),
        ("conv5.weight", 2256.59251, -6.32285064),
        ("norm5.weight", 6.20519618, -0.0512158787),
        ("norm5.bias", 2.68637195, -0.0512602176),
        ("fc.weight", 196.48459, 6.69466349),
        ("fc.bias", 0.900685536, -0.358547843),
        ("norm1.running_mean", 0.485116641, 0.00365644062),
        ("norm1.running_var", 28.8495655, 4.35517804),
        ("norm2.running_mean", 3.58134766, 0.359592566),
        ("norm2.running_var", 45.3321037, 3.47310502),
        ("norm3.running_mean", 1.17173556, -0.00622422061),
        ("norm3.running_var", 44.3122245, 3.45327203),
        ("norm4.running_mean", 5.82253052, -0.12770186),
        ("norm4.running_var", 90.070638, 8.6145202),
        ("norm5.running_mean", 2.27825558, -0.25113541),
        ("norm5.running_var", 88.4949477, 8.4962997),
    ],
    in_use: [-0.0483875961, 0.0598668645, 0.0633591097, -0.0352385488, -0.0684914186, 0.143957519, 0.112622532, 0.019077734, 0.0594032426, 0.0496807821],
};

#[rustfmt::skip]
const RESNET: Expected = Expected {
    loss: 2.506642974692302,
    sums: &[
        ("stem.weight", 7.34283267, -0.306303151),
        ("norm.weight", 0.648076737, -0.024691362),
        ("norm.bias", 0.520490513, 0.0142723362),
        ("block1.body.0.weight", 77.4586783, 0.158498172),
        ("block1.body.1.weight", 0.396673859, 0.0304004974),
        ("block1.body.1.bias", 0.288802789, 0.0377630049),
        ("block1.body.2.weight", 64.2590252, -1.14905314),
        ("block1.body.3.weight", 0.271872256, -0.00906322878),
        ("block1.body.3.bias", 0.23913615, 0.0153127524),
        ("block2.body.0.weight", 53.0952564, 0.586952166),
        ("block2.body.1.weight", 0.352929804, -0.0524343029),
        ("block2.body.1.bias", 0.288834831, -0.0731230176),
        ("block2.body.2.weight", 44.7451352, -0.258016526),
        ("block2.body.3.weight", 0.262632873, -0.0123351912),
        ("block2.body.3.bias", 0.191557673, -0.0387096198),
        ("block3.body.0.weight", 58.4929705, 0.357783391),
        ("block3.body.1.weight", 0.266175108, -0.0144806777),
        ("block3.body.1.bias", 0.237212219, -0.00066344832),
        ("block3.body.2.weight", 99.021645, -0.691103939),
        ("block3.body.3.weight", 0.337849429, 0.0237284779),
        ("block3.body.3.bias", 0.2112408, 0.0352190386),
        ("block3.shortcut.0.weight", 5.97682839, -0.12155396),
        ("block3.shortcut.1.weight", 0.263178516, -0.0249330063),
        ("block3.shortcut.1.bias", 0.2112408, 0.0352190386),
        ("block4.body.0.weight", 95.3503678, 0.0293139826),
        ("block4.body.1.weight", 0.258602956, 0.0409238101),
        ("block4.body.1.bias", 0.180198828, 0.0296877992),
        ("block4.body.2.weight", 77.3249583, -0.80295476),
        ("block4.body.3.weight", 0.186648293, 0.0078359106),
        ("block4.body.3.bias", 0.114436853, -0.00599496779),
        ("block5.body.0.weight", 106.352971, 0.667374804),
        ("block5.body.1.weight", 0.246382108, -0.0232609638),
        ("block5.body.1.bias", 0.207404087, -0.0120651648),
        ("block5.body.2.weight", 178.271988, 0.370232202),
        ("block5.body.3.weight", 0.384344366, -0.031782408),
        ("block5.body.3.bias", 0.545147087, 0.0266027341),
        ("block5.shortcut.0.weight", 10.1347604, -0.0166974559),
        ("block5.shortcut.1.weight", 0.418070785, 0.0324305429),
        ("block5.shortcut.1.bias", 0.545147087, 0.0266027341),
        ("block6.body.0.weight", 163.699805, 0.369761119),
        ("block6.body.1.weight", 0.228569666, 0.00990527533),
        ("block6.body.1.bias", 0.180433321, -0.0076214256),
        ("block6.body.2.weight", 138.475394, 0.804566835),
        ("block6.body.3.weight", 0.485783931, 0.0714716846),
        ("block6.body.3.bias", 0.883069422, 0.0564868629),
        ("fc.weight", 33.175279, 0.105468843),
        ("fc.bias", 0.595484819, -0.014520153),
        ("norm.running_mean", 0.223761092, -0.00358976243),
        ("norm.running_var", 14.4254876, 1.40755425),
        ("block1.body.1.running_mean", 0.515253005, -0.107412806),
        ("block1.body.1.running_var", 14.8433701, 1.48518866),
        ("block1.body.3.running_mean", 0.437550942, -0.0610148145),
        ("block1.body.3.running_var", 14.7970213, 1.43941587),
        ("block2.body.1.running_mean", 0.969279206, 0.147470675),
        ("block2.body.1.running_var", 15.2408549, 1.50011355),
        ("block2.body.3.running_mean", 0.576832459, 0.00720543234),
        ("block2.body.3.running_var", 14.7883591, 1.443813),
        ("block3.body.1.running_mean", 2.51876845, -0.104359116),
        ("block3.body.1.running_var", 31.4019338, 4.79670159),
        ("block3.body.3.running_mean", 0.904302884, 0.0554172996),
        ("block3.body.3.running_var", 29.6214064, 4.48622006),
        ("block3.shortcut.1.running_mean", 1.92411701, -0.063312137),
        ("block3.shortcut.1.running_var", 31.1389807, 4.63695117),
        ("block4.body.1.running_mean", 1.37441312, 0.219905461),
        ("block4.body.1.running_var", 30.4097771, 4.59165073),
        ("block4.body.3.running_mean", 0.648943342, 0.0623008812),
        ("block4.body.3.running_var", 29.6275903, 4.46833663),
        ("block5.body.1.running_mean", 3.63272065, -0.0873306087),
        ("block5.body.1.running_var", 62.2249398, 7.10742785),
        ("block5.body.3.running_mean", 1.62428686, -0.350961934),
        ("block5.body.3.running_var", 59.1302666, 6.785252),
        ("block5.shortcut.1.running_mean", 3.43786384, 0.388490964),
        ("block5.shortcut.1.running_var", 62.0472364, 7.16190263),
        ("block6.body.1.running_mean", 2.36222466, 0.00557575391),
        ("block6.body.1.running_var", 60.9183266, 7.03710268),
        ("block6.body.3.running_mean", 1.74006781, 0.0691630244),
        ("block6.body.3.running_var", 59.1798375, 6.79631214),
    ],
    in_use: [-0.0377600583, -0.0498010498, -0.0653588827, 0.0432998141, 0.0780241336, -0.128795507, 0.135281147, -0.0255137373, 0.0224429788, 0.0817325209],
};

/// The script's network.
pub(crate) fn network(architecture: Architecture) -> Network {
    let mut network = architecture.zeroed(10);
    let mut number = 0;
    network.for_each_parameter_mut(&mut |parameter, to| {
        let of = |f: &dyn Fn(f32) -> f32| values(to.len(), number).into_iter().map(f).collect();
        let from: Vec<f32> = match parameter.role {
            Role::Statistic => {
                let one = parameter.name.ends_with("var");
                return to.fill(if one { 1.0 } else { 0.0 });
            }
            Role::Scale => of(&|v| (1.0 + 0.3 * f64::from(v)) as f32),
            Role::Shift | Role::Bias => of(&|v| (0.1 * f64::from(v)) as f32),
            Role::Weight => {
                let fan_in: usize = parameter.shape[1..].iter().product();
                of(&|v| (f64::from(v) * 1.5 / (fan_in as f64).sqrt()) as f32)
            }
        };
        to.copy_from_slice(&from);
        number += 1;
    });
    network
}

/// The script's images, or as many of another shape, and their classes, one-hot.
pub(crate) fn batch(architecture: Architecture) -> (Vec<f32>, Tensor<(usize, usize), f32, Cpu>) {
    let ImageShape { side, channels } = architecture.input();
    let len = 8 * side * side * channels;
    let pixels = values(len, 20).into_iter().zip(values(len, 22));
    let pixels = pixels.map(|(v, w)| ((v + 1.0) / 2.0 * w).abs()).collect();
    let mut targets = vec![0.0; 80];
    (0..8).for_each(|i| targets[i * 10 + (3 * i) % 10] = 1.0);
    (pixels, Cpu::default().tensor_from_vec(targets, (8, 10)))
}

/// Compares tensors with the sums that the script printed of them, whatever their order.
pub(crate) fn are_those_of_pytorch(found: &[(String, Vec<f32>)], sums: &[(&str, f64, f64)]) {
    assert_eq!(found.len(), sums.len());
    for &(name, sum, projection) in sums {
        let (_, values_here) = found.iter().find(|(found, _)| found == name).unwrap();
        let here: f64 = values_here.iter().map(|&v| f64::from(v).abs()).sum();
        assert!((here / sum - 1.0).abs() < 1e-4, "{name}: {here} not {sum}");
        let pairs = values_here.iter().zip(values(values_here.len(), 50));
        let here: f64 = pairs.map(|(&g, v)| f64::from(g) * f64::from(v)).sum();
        assert!((here - projection).abs() < 1e-4 * sum, "{name}: {here} not {projection}");
    }
}

fn one_step_is_that_of_pytorch(architecture: Architecture, expected: &Expected) {
    let mut network = network(architecture);
    let (x, y) = batch(architecture);
    let logits = network.logits(8, |to| to.copy_from_slice(&x)).unwrap();
    let loss = cross_entropy(logits, &y).unwrap();
    let value = f64::from(loss.array());
    assert!((value - expected.loss).abs() < 1e-5, "loss {value} not {}", expected.loss);
    let mut found = gradients_by_name(&network, &mut loss.backward());
    network.for_each_parameter(&mut |parameter, values| {
        if parameter.role == Role::Statistic {
            found.push((parameter.name.clone(), values.to_vec()));
        }
    });
    are_those_of_pytorch(&found, expected.sums);
    let mut logits = vec![0.0; 80];
    network.plan().logits(&x, &mut logits);
    for (class, (&here, expected)) in logits.iter().zip(expected.in_use).enumerate() {
        assert!((f64::from(here) - expected).abs() < 1e-5, "class {class}: {here} not {expected}");
    }
}

#[test]
fn one_step_of_vgg_is_that_of_pytorch() {
    one_step_is_that_of_pytorch(Architecture::Vgg, &VGG);
}

#[test]
fn one_step_of_resnet_is_that_of_pytorch() {
    one_step_is_that_of_pytorch(Architecture::Resnet, &RESNET);
}

#[test]
fn any_number_of_threads_gives_the_same_bits_in_every_network() {
    for &architecture in Architecture::ALL {
        let bits = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut network = architecture.build(10, 1);
                let (x, y) = batch(architecture);
                let logits = network.logits(8, |to| to.copy_from_slice(&x)).unwrap();
                let loss = cross_entropy(logits, &y).unwrap();
                let gradients = gradients_by_name(&network, &mut loss.backward());
                let mut all: Vec<f32> = gradients.into_iter().flat_map(|(_, g)| g).collect();
                network.for_each_parameter(&mut |_, values| all.extend(values));
                all.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            })
        };
        let one = bits(1);
        [2, 3, 8].into_iter().for_each(|threads| {
            assert!(bits(threads) == one, "{architecture}, {threads} threads");
        });
    }
}

/// As files were before they held a graph.
#[test]
fn a_file_without_a_graph_is_of_the_reports_network() {
    let network = network(Architecture::ReportCnn);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.safetensors");
    let pixels: Vec<u8> = (0..3 * 784u32).map(|i| (i * 37 % 256) as u8).collect();
    let expected = weights::to_classifier(&network, &Classes::garments())
        .unwrap()
        .probabilities(&pixels)
        .unwrap();
    for metadata in [&[][..], &[("architecture", "report-cnn"), ("normalisation", "0-1")]] {
        let metadata = metadata.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        tensors::save(&path, &weights::to_tensors(&network), &metadata).unwrap();
        let classifier = fashion_model::Classifier::open(&path).unwrap();
        assert_eq!(classifier.probabilities(&pixels).unwrap(), expected);
        assert_eq!(weights::load(&path).unwrap().0.name(), "report-cnn");
    }
}

/// What is trained and what is used are lowered from the same list; where nothing is folded they
/// agree to the bit.
#[test]
fn a_file_of_any_network_is_a_classifier() {
    let folder = tempfile::tempdir().unwrap();
    for &architecture in Architecture::ALL {
        let path = folder.path().join(architecture.name());
        let network = network(architecture);
        weights::save(&path, &network, &Classes::garments(), &Default::default()).unwrap();
        let classifier = fashion_model::Classifier::open(&path).unwrap();
        assert_eq!(classifier.architecture(), architecture.name());
        let (x, _) = batch(architecture);
        let bytes: Vec<u8> = x.iter().map(|v| (v * 255.0) as u8).collect();
        let pixels: Vec<f32> = bytes.iter().map(|&b| f32::from(b) / 255.0).collect();
        let expected = network.plan().probabilities(&pixels);
        assert_eq!(classifier.probabilities(&bytes).unwrap(), expected);
        let (mut back, _) = weights::load(&path).unwrap();
        assert_eq!(back.plan().probabilities(&pixels), expected);
        assert_eq!(weights::load_into(&mut back, &path).unwrap()["format"], "fashion-classifier/2");
    }
}
