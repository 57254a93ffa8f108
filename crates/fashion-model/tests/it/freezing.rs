//! Frozen layers: they compute as in use, nothing of them changes, and where nothing is trained before
//! them they have no backward pass.
//!
//! The literals were printed by PyTorch 2.15.0, with the networks of the script in `networks.rs` and:
//!
//! ```python
//! def run(net, frozen):
//!     for n, (name, p) in enumerate(net.named_parameters()):
//!         v = values(p.numel(), n).double().reshape(p.shape)
//!         with torch.no_grad():
//!             p.copy_((1 + 0.3 * v if p.dim() == 1 and name.endswith("weight") else 0.1 * v if p.dim() == 1
//!                      else v * 1.5 / (p[0].numel() ** 0.5)).float())
//!     net = net.train()
//!     for name, m in net.named_modules():
//!         if isinstance(m, nn.BatchNorm2d):
//!             m.running_mean.copy_((0.2 * values(m.num_features, 60).double()).float())
//!             m.running_var.copy_((1 + 0.5 * values(m.num_features, 61).double()).float())
//!         if name.split(".")[0] in frozen:
//!             m.eval()
//!             for p in m.parameters(): p.requires_grad_(False)
//!     net = net.double()
//!     x = ((values(8 * 784, 20) + 1) / 2).reshape(8, 1, 28, 28).double()
//!     x = (x * values(8 * 784, 22).reshape(8, 1, 28, 28).double()).abs()
//!     y = torch.tensor([(3 * i) % 10 for i in range(8)])
//!     loss = F.cross_entropy(net(x), y); loss.backward()
//!     print("loss", loss.item())
//!     for n, p in net.named_parameters():
//!         if p.grad is None: continue
//!         g = p.grad.flatten()
//!         print(f'("{n}", {g.abs().sum().item():.9g}, {(g * values(g.numel(), 50).double()).sum().item():.9g}),')
//! run(Vgg(), ("conv1", "norm1", "conv3", "norm3"))
//! run(Resnet(), ("stem", "norm", "block1", "block5"))
//! ```

use crate::common::{gradients_by_name, values};
use crate::networks::{are_those_of_pytorch, batch, network};
use dfdx::prelude::*;
use fashion_model::{Architecture, Network, Role, cross_entropy};

/// Of each gradient its name, the sum of its absolute values, and its scalar product with
/// `values(len, 50)`.
type Sums = &'static [(&'static str, f64, f64)];

#[rustfmt::skip]
const VGG: Sums = &[
    ("conv2.weight", 800.293131, -0.320635203),
    ("norm2.weight", 2.21520911, 0.142178093),
    ("norm2.bias", 2.43484139, 0.0174723036),
    ("conv4.weight", 1317.07968, 6.62994249),
    ("norm4.weight", 2.24471029, 0.132101273),
    ("norm4.bias", 2.17337533, 0.105963617),
    ("conv5.weight", 2177.63528, -1.63330503),
    ("norm5.weight", 6.13675512, -0.192644612),
    ("norm5.bias", 2.73725491, -0.0974294171),
    ("fc.weight", 206.673977, 6.57926702),
    ("fc.bias", 0.955947695, -0.372193329),
];

#[rustfmt::skip]
const RESNET: Sums = &[
    ("block2.body.0.weight", 52.0181959, 0.565433261),
    ("block2.body.1.weight", 0.241405459, 0.0351311491),
    ("block2.body.1.bias", 0.231041246, 0.0642038476),
    ("block2.body.2.weight", 52.8174236, 0.289138861),
    ("block2.body.3.weight", 0.237930439, 0.0209205783),
    ("block2.body.3.bias", 0.209744758, 0.0221940064),
    ("block3.body.0.weight", 49.8600717, 0.078433594),
    ("block3.body.1.weight", 0.250175956, -0.00449818038),
    ("block3.body.1.bias", 0.222265381, -0.00541726584),
    ("block3.body.2.weight", 82.4884382, -0.312915056),
    ("block3.body.3.weight", 0.269385944, 0.022094771),
    ("block3.body.3.bias", 0.266637269, 0.0198157129),
    ("block3.shortcut.0.weight", 4.71853307, 0.303356967),
    ("block3.shortcut.1.weight", 0.242915929, 0.0481783346),
    ("block3.shortcut.1.bias", 0.266637269, 0.0198157129),
    ("block4.body.0.weight", 78.203929, 0.586680181),
    ("block4.body.1.weight", 0.178128289, -0.0131502872),
    ("block4.body.1.bias", 0.171455169, -0.0192401231),
    ("block4.body.2.weight", 61.1333375, 0.0504449647),
    ("block4.body.3.weight", 0.174881998, 0.0282617578),
    ("block4.body.3.bias", 0.304667535, 0.0383115779),
    ("block6.body.0.weight", 144.533371, 0.378470165),
    ("block6.body.1.weight", 0.209671706, 0.0102396955),
    ("block6.body.1.bias", 0.184457656, 0.00477942544),
    ("block6.body.2.weight", 125.659013, 0.382817767),
    ("block6.body.3.weight", 0.348577751, -0.0427668954),
    ("block6.body.3.bias", 0.666439545, -0.0861001089),
    ("fc.weight", 36.544601, 0.145872257),
    ("fc.bias", 0.599457293, -0.163317153),
];

/// The script's network.
fn with_statistics(architecture: Architecture) -> Network {
    let mut network = network(architecture);
    network.for_each_parameter_mut(&mut |parameter, to| {
        let (seed, size, from) = match (parameter.role, parameter.name.ends_with("var")) {
            (Role::Statistic, false) => (60, 0.2, 0.0),
            (Role::Statistic, true) => (61, 0.5, 1.0),
            _ => return,
        };
        let from_zero = values(to.len(), seed);
        for (to, v) in to.iter_mut().zip(from_zero) {
            *to = (from + size * f64::from(v)) as f32;
        }
    });
    network
}

/// The tensors' values, by their names.
fn tensors(network: &Network) -> Vec<(String, Vec<f32>)> {
    let mut all = Vec::new();
    network.for_each_parameter(&mut |p, values| all.push((p.name.clone(), values.to_vec())));
    all
}

/// The loss and the gradients of one step, and how many operations the backward pass had.
fn step(
    network: &mut Network,
    architecture: Architecture,
) -> (f32, Vec<(String, Vec<f32>)>, usize) {
    let (x, y) = batch(architecture);
    let logits = network.logits(8, |to| to.copy_from_slice(&x)).unwrap();
    let loss = cross_entropy(logits, &y).unwrap();
    let (loss, tape) = loss.split_tape();
    // dfdx tells it nowhere else.
    let text = format!("{tape:?}");
    let digits = text.split("num_operations: ").nth(1).unwrap();
    let operations = digits.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
    let value = loss.array();
    let mut gradients = loss.put_tape(tape).backward();
    (value, gradients_by_name(network, &mut gradients), operations)
}

fn one_step_is_that_of_pytorch(
    architecture: Architecture,
    frozen: &[&str],
    expected_loss: f64,
    sums: Sums,
) {
    let mut network = with_statistics(architecture);
    network.freeze(frozen).unwrap();
    let before = tensors(&network);
    let (loss, found, _) = step(&mut network, architecture);
    let error = (f64::from(loss) - expected_loss).abs();
    assert!(error < 1e-5, "loss {loss} not {expected_loss}");
    let names: Vec<&str> = found.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(names, sums.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    are_those_of_pytorch(&found, sums);
    for ((name, before), (_, after)) in before.into_iter().zip(tensors(&network)) {
        let is_frozen = frozen.contains(&name.split('.').next().unwrap());
        let moves = name.contains("running") && !is_frozen;
        assert_eq!(before != after, moves, "{name}");
    }
}

#[test]
fn one_step_of_a_frozen_vgg_is_that_of_pytorch() {
    let frozen = ["conv1", "norm1", "conv3", "norm3"];
    one_step_is_that_of_pytorch(Architecture::Vgg, &frozen, 2.9718214825262628, VGG);
}

#[test]
fn one_step_of_a_frozen_resnet_is_that_of_pytorch() {
    let frozen = ["stem", "norm", "block1", "block5"];
    one_step_is_that_of_pytorch(Architecture::Resnet, &frozen, 2.4184697608095944, RESNET);
}

/// Without batch normalisation, whose statistics would be others, what is trained has the same gradient
/// whatever else is.
#[test]
fn what_is_trained_has_its_gradient_whatever_is_frozen() {
    let architecture = Architecture::ReportCnn;
    let (loss, all, _) = step(&mut network(architecture), architecture);
    for frozen in [&["conv1"][..], &["conv2"], &["conv1", "conv2"], &["fc1"], &["fc2", "conv1"]] {
        let mut network = network(architecture);
        network.freeze(frozen).unwrap();
        let (here, found, _) = step(&mut network, architecture);
        assert_eq!(here, loss);
        let left =
            all.iter().filter(|(name, _)| !frozen.contains(&name.split('.').next().unwrap()));
        assert!(left.eq(&found), "{frozen:?}");
    }
}

/// Of what stands before everything that is trained, no operation is recorded.
#[test]
fn frozen_layers_with_nothing_to_be_trained_before_them_have_no_backward_pass() {
    let operations = |architecture: Architecture, frozen: &[&str]| {
        let mut network = network(architecture);
        network.freeze(frozen).unwrap();
        step(&mut network, architecture).2
    };
    for &architecture in Architecture::ALL {
        let network = network(architecture);
        let names = network.layer_names();
        let (_, body) = names.split_last().unwrap();
        // The head, its copy into dfdx's tensor, and the loss.
        assert_eq!(operations(architecture, body), 3, "{architecture}");
        assert!(operations(architecture, &[]) > 3, "{architecture}");
    }
    let all = operations(Architecture::Resnet, &[]);
    // A convolution and its normalisation; and of a block two of each, and the sum.
    assert_eq!(operations(Architecture::Resnet, &["stem", "norm"]), all - 2);
    assert_eq!(operations(Architecture::Resnet, &["stem", "norm", "block1"]), all - 7);
    // Behind something that is trained, the gradient is passed on.
    assert_eq!(operations(Architecture::Resnet, &["block3", "fc"]), all);
    // Of a block the first convolution with its normalisation.
    let begun = ["stem", "norm", "block1.body.0", "block1.body.1"];
    assert_eq!(operations(Architecture::Resnet, &begun), all - 4);
    let all = operations(Architecture::Vgg, &[]);
    // The pooling too.
    assert_eq!(operations(Architecture::Vgg, &["conv1", "norm1"]), all - 3);
}

#[test]
fn layers_are_thawed_again() {
    let architecture = Architecture::Resnet;
    let bits = |network: &mut Network| {
        let (loss, gradients, operations) = step(network, architecture);
        (loss, gradients, operations, tensors(network))
    };
    let mut thawed = network(architecture);
    thawed.freeze(&["stem", "norm", "block1", "block4"]).unwrap();
    assert!((0..5).all(|position| thawed.is_frozen(position)));
    thawed.freeze(&[]).unwrap();
    assert!(bits(&mut thawed) == bits(&mut network(architecture)));
}

#[test]
fn any_number_of_threads_gives_the_same_bits_where_layers_are_frozen() {
    for (architecture, frozen) in
        [(Architecture::Vgg, ["norm1", "conv3"]), (Architecture::Resnet, ["block1", "block5.body"])]
    {
        let bits = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut network = with_statistics(architecture);
                network.freeze(&frozen).unwrap();
                let (loss, gradients, _) = step(&mut network, architecture);
                (loss.to_bits(), gradients, tensors(&network))
            })
        };
        let one = bits(1);
        assert!([2, 3, 8].into_iter().all(|threads| bits(threads) == one), "{architecture}");
    }
}
