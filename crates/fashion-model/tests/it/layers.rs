//! Layers composed in dfdx's style, as a program outside would do it: finite differences, what does not
//! depend on threads, and whether they learn.

use crate::common::values;
use dfdx::prelude::{
    AsArray, Const, Cpu, HasShape, MeanTo, ReshapeTo, Shape, Tensor, TensorFromVec, Trace,
};
use dfdx::tensor::CpuError;
use dfdx::tensor_ops::Backward;
use fashion_kernels::loss::argmax;
use fashion_model::{
    Activation, AnyTensor, BatchNorm, Conv1x1, Conv3x3, CpuGradients, Dense, FeatureMap, Flatten,
    GlobalAveragePool, GlobalMaxPool, Graph, Head, ImageShape, Layer, MaxPool, ModuleMut, Network,
    Residual, TrainingTape, Value, cross_entropy, network,
};

type Map<const SIDE: usize, const CHANNELS: usize> =
    Tensor<(usize, Const<SIDE>, Const<SIDE>, Const<CHANNELS>), f32, Cpu>;

/// Every layer but the dense one, with odd sides, both strides and both paddings.
type Stack = (
    (Conv3x3<1, 16, 13, 7>, BatchNorm<16, true>),
    Residual<(Conv3x3<16, 16, 7, 7>, BatchNorm<16, true>, Conv1x1<16, 16, 7, 7>)>,
    Residual<(Conv3x3<16, 32, 7, 5>, BatchNorm<32, false>), Conv3x3<16, 32, 7, 5>>,
    MaxPool<5, 2>,
    Conv1x1<32, 16, 2, 2>,
);

/// A layer whose tensors are far from what they begin with.
fn set<L: Layer>() -> L {
    let mut layer = L::default();
    let mut tensors = Vec::new();
    layer.tensors_mut(&mut tensors);
    for (seed, tensor) in tensors.into_iter().enumerate() {
        let mut v = values(tensor.values(), seed);
        v.iter_mut().for_each(|v| *v = 0.15 * *v + if v.abs() > 0.5 { 0.2 } else { -0.1 });
        tensor.write(&v);
    }
    layer
}

fn images<const SIDE: usize>(n: usize) -> Map<SIDE, 1> {
    let pixels = values(n * SIDE * SIDE, 77);
    Cpu::default().tensor_from_vec(pixels, (n, Const, Const, Const))
}

/// The mean square of what a layer makes of images, and the gradients of its tensors and the images.
fn pass<L, Y>(layer: &L, x: &Map<13, 1>) -> (f32, Vec<Vec<f32>>)
where
    L: Layer + ModuleMut<FeatureMap<13, 1>, Output = Activation<Y>>,
    Y: Shape,
    L::Error: std::fmt::Debug,
{
    // Its running statistics move: those of a copy.
    let mut layer = layer.clone();
    let traced = x.clone().traced(CpuGradients::leaky());
    let y = Tensor::from(layer.try_forward_mut(FeatureMap::from(traced)).unwrap());
    let loss = mean_square(y);
    let value = loss.array();
    let mut gradients = loss.backward();
    let mut tensors = Vec::new();
    layer.tensors(&mut tensors);
    let of = tensors.iter().map(|t| t.gradient(&mut gradients).unwrap().to_vec());
    let mut all: Vec<Vec<f32>> = of.collect();
    all.push(gradients.get(x).as_vec());
    (value, all)
}

type Loss = Tensor<(), f32, Cpu, TrainingTape>;

fn mean_square<Y: Shape>(y: Tensor<Y, f32, Cpu, TrainingTape>) -> Loss {
    let n = y.shape().num_elements();
    y.square().try_reshape_like(&(n,)).unwrap().mean()
}

/// The slopes of the loss along the gradient of each tensor, and across it, are what the gradient says.
/// (Single values would drown in rounding, and in the kinks of ReLU and maxima.)
fn differences<L, Y>()
where
    L: Layer + ModuleMut<FeatureMap<13, 1>, Output = Activation<Y>>,
    Y: Shape,
    L::Error: std::fmt::Debug,
{
    differences_with::<L, Y>(&|_| false);
}

/// The same with some of its layers frozen, which have no gradient.
fn differences_with<L, Y>(frozen: &dyn Fn(&str) -> bool)
where
    L: Layer + ModuleMut<FeatureMap<13, 1>, Output = Activation<Y>>,
    Y: Shape,
    L::Error: std::fmt::Debug,
{
    let (mut layer, x) = (set::<L>(), images::<13>(4));
    layer.freeze("", frozen);
    let mut graph = Graph::new(ImageShape { channels: 1, side: 13 });
    layer.lower("", &mut graph, Value::IMAGES);
    let parameters = graph.parameters();
    let mut tensors = Vec::new();
    layer.tensors_mut(&mut tensors);
    for (tensor, parameter) in tensors.into_iter().zip(&parameters) {
        if parameter.name.ends_with("running_var") {
            let v = values(tensor.values(), 3);
            tensor.write(&v.iter().map(|v| 0.3 + 0.2 * v).collect::<Vec<_>>());
        }
    }
    let (_, gradients) = pass(&layer, &x);
    let is_frozen = |name: &str| frozen(name.rsplit_once('.').unwrap().0);
    for (parameter, gradient) in parameters.iter().zip(&gradients) {
        let none = gradient.iter().all(|&g| g == 0.0);
        let expected = is_frozen(&parameter.name) || !parameter.role.is_trained();
        assert_eq!(none, expected, "{}", parameter.name);
    }
    let of_layer = parameters.into_iter().enumerate();
    let trained = of_layer
        .filter(|(_, parameter)| parameter.role.is_trained() && !is_frozen(&parameter.name));
    let trained = trained.map(|(at, parameter)| (Some(at), parameter.name));
    for (at, name) in trained.chain([(None, "the images".to_owned())]) {
        let gradient = &gradients[at.unwrap_or(gradients.len() - 1)];
        let size = norm(gradient);
        let loss = |direction: &[f32], by: f32| {
            let (mut layer, mut x) = (layer.clone(), x.clone());
            match at {
                Some(at) => {
                    let mut tensors = Vec::new();
                    layer.tensors_mut(&mut tensors);
                    let mut v = vec![0.0; direction.len()];
                    tensors[at].read(&mut v);
                    v.iter_mut().zip(direction).for_each(|(v, d)| *v += by * d);
                    tensors[at].write(&v);
                }
                None => {
                    let pixels = x.as_vec().into_iter().zip(direction).map(|(x, d)| x + by * d);
                    x = Cpu::default().tensor_from_vec(pixels.collect(), (4, Const, Const, Const));
                }
            }
            f64::from(pass(&layer, &x).0)
        };
        for direction in [gradient.clone(), values(gradient.len(), 5)] {
            let length = norm(&direction);
            let unit: Vec<f32> =
                direction.iter().map(|v| (f64::from(*v) / length) as f32).collect();
            let slope = (loss(&unit, STEP) - loss(&unit, -STEP)) / f64::from(2.0 * STEP);
            let pairs = unit.iter().zip(gradient);
            let expected: f64 = pairs.map(|(&u, &g)| f64::from(u) * f64::from(g)).sum();
            let error = (slope - expected).abs();
            assert!(
                error < 0.02 * size,
                "{name}: {slope}, and the gradient says {expected} of {size}"
            );
        }
    }
}

const STEP: f32 = 1.0 / 512.0;

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn gradients_match_finite_differences() {
    differences::<Stack, _>();
    type Averaged = (Conv3x3<1, 16, 13, 11>, BatchNorm<16, false>, GlobalAveragePool);
    differences::<Averaged, _>();
    type Largest = (Conv3x3<1, 16, 13, 6>, BatchNorm<16, true>, GlobalMaxPool, Dense<16, 4, true>);
    differences::<Largest, _>();
    type Flat = (Conv1x1<1, 16, 13, 7>, Flatten<784>, Dense<784, 3, false>);
    differences::<Flat, _>();
}

#[test]
fn gradients_go_through_frozen_layers() {
    differences_with::<Stack, _>(&|name| name.starts_with("1."));
    differences_with::<Stack, _>(&|name| name.ends_with("body.1"));
    differences_with::<Stack, _>(&|name| name.starts_with("2.shortcut"));
    differences_with::<Stack, _>(&|_| true);
    type Dense2 = (Conv3x3<1, 16, 13, 6>, GlobalMaxPool, Dense<16, 8, true>, Dense<8, 4, false>);
    differences_with::<Dense2, _>(&|name| name == "2");
}

/// What is read is in memory in one piece, and so is its gradient.
#[derive(Clone, Debug, Default)]
struct Whole;

impl Layer for Whole {
    fn lower(&self, _: &str, _: &mut Graph, x: Value) -> Value {
        x
    }

    fn tensors<'a>(&'a self, _: &mut Vec<&'a dyn AnyTensor>) {}

    fn tensors_mut<'a>(&'a mut self, _: &mut Vec<&'a mut dyn AnyTensor>) {}

    fn freeze(&mut self, _: &str, _: &dyn Fn(&str) -> bool) {}
}

impl<S: Shape> ModuleMut<Activation<S>> for Whole {
    type Output = Activation<S>;
    type Error = CpuError;

    fn try_forward_mut(&mut self, x: Activation<S>) -> Result<Activation<S>, CpuError> {
        Ok(Tensor::from(x).into())
    }
}

/// Both make the same, but for what sums in another order round.
fn alike<A, B, Y>()
where
    A: Layer + ModuleMut<FeatureMap<13, 1>, Output = Activation<Y>>,
    B: Layer + ModuleMut<FeatureMap<13, 1>, Output = Activation<Y>>,
    Y: Shape,
    A::Error: std::fmt::Debug,
    B::Error: std::fmt::Debug,
{
    // Of a single image, of fewer than chunks, and of a last chunk with less than the others.
    for n in [1, 5, 17] {
        let x = images::<13>(n);
        let ((a, of_a), (b, of_b)) = (pass(&set::<A>(), &x), pass(&set::<B>(), &x));
        let what = format!("{} of {n}", std::any::type_name::<A>());
        assert!((a - b).abs() <= 1e-6 * b, "{what}: {a} {b}");
        assert_eq!(of_a.len(), of_b.len());
        for (at, (a, b)) in of_a.iter().zip(&of_b).enumerate() {
            let difference: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
            assert!(norm(&difference) <= 1e-5 * norm(b), "{what}: gradient {at}");
        }
    }
}

#[test]
fn what_is_computed_where_it_is_read_is_as_in_one_piece() {
    type First = Conv3x3<1, 16, 13, 7>;
    type Pixels = Conv1x1<16, 16, 7, 7>;
    type Norm = BatchNorm<16, false>;
    type Relu = BatchNorm<16, true>;
    type Fc<const IN: usize> = Dense<IN, 3, false>;
    // Normalised twice.
    alike::<(First, Norm, Relu, Pixels), (First, Whole, (Norm, Whole), (Relu, Whole), Pixels), _>();
    // Both terms of a sum are normalised, of the same values, and normalised again.
    alike::<
        (First, Residual<Relu, Norm>, Norm, Pixels),
        (First, Whole, Residual<(Relu, Whole), (Norm, Whole)>, (Norm, Whole), Pixels),
        _,
    >();
    // Normalised values that are read three times, and of which the sum is made of.
    alike::<
        (First, Relu, Residual<Residual<Pixels, Norm>>, Residual<(), ()>, Pixels),
        (
            (First, Whole, Relu, Whole),
            Residual<Residual<(Whole, Pixels, Whole), (Whole, Norm, Whole)>, Whole>,
            Residual<Whole, Whole>,
            Pixels,
        ),
        _,
    >();
    // Pooled before it is normalised, and rows of what is normalised.
    alike::<
        (First, MaxPool<7, 3>, Norm, Flatten<144>, Residual<Fc<144>, Fc<144>>),
        (
            (First, Whole, MaxPool<7, 3>, Whole, Norm, Whole),
            Flatten<144>,
            Residual<(Whole, Fc<144>), (Whole, Fc<144>)>,
        ),
        _,
    >();
}

#[test]
fn the_gradient_of_the_output_stays_where_it_was() {
    let mut layer: Stack = set();
    let y = Tensor::from(layer.forward_mut(images::<13>(3).leaky_trace().into()));
    let out = y.retaped::<dfdx::tensor::NoneTape>();
    let gradients = y.square().mean().backward();
    let n = out.as_vec().len() as f32;
    for (gradient, y) in gradients.get(&out).as_vec().into_iter().zip(out.as_vec()) {
        assert!((gradient - 2.0 * y / n).abs() <= 1e-6 * y.abs(), "{gradient} of {y}");
    }
}

#[test]
fn running_statistics_are_pytorchs() {
    // x = torch.tensor([1., 2., 3., 6.]).reshape(4, 1, 1, 1).expand(4, 16, 1, 1)
    // m = torch.nn.BatchNorm2d(16); m(x); m(x); print(m.running_mean[0], m.running_var[0])
    // 0.57 and 1.6967: the mean is 3, the variance 14/3 without bias.
    let mut norm = BatchNorm::<16, false>::default();
    norm.running_var.copy_from(&[1.0; 16]);
    let x = [1.0, 2.0, 3.0, 6.0].into_iter().flat_map(|v| [v; 16]).collect();
    let x: Map<1, 16> = Cpu::default().tensor_from_vec(x, (4, Const, Const, Const));
    for _ in 0..2 {
        norm.forward_mut(x.leaky_trace().into());
    }
    assert!((norm.running_mean.array()[0] - 0.57).abs() < 1e-6);
    assert!((norm.running_var.array()[15] - (0.81 + 0.19 * 14.0 / 3.0)).abs() < 1e-6);
}

network! {
    /// Few layers of every kind.
    struct Small: "small" for Images<28, 1> {
        conv: Conv3x3<1, 16, 28, 14>,
        norm: BatchNorm<16, true>,
        block: Residual<(Conv3x3<16, 16, 14, 14>, BatchNorm<16, false>)>,
        pool: MaxPool<14, 7>,
        last: GlobalMaxPool,
        fc: Head<16>,
    }
}

/// Stripes of ten slants, each image with a phase of its own, and noise.
fn stripes(n: usize) -> (Vec<f32>, Vec<usize>) {
    let noise = values(n * 784, 9);
    let labels: Vec<usize> = (0..n).map(|i| i % 10).collect();
    let pixel = |at: usize| {
        let (image, row, column) = (at / 784, at / 28 % 28, at % 28);
        let (sin, cos) = (std::f32::consts::PI * (image % 10) as f32 / 10.0).sin_cos();
        let along = row as f32 * cos + column as f32 * sin + (image / 10) as f32;
        0.5 + 0.4 * (along * 1.3).sin() + 0.1 * noise[at]
    };
    ((0..n * 784).map(pixel).collect(), labels)
}

#[test]
fn a_network_of_ones_own_learns_from_its_first_layer_to_its_head() {
    let mut network = Network::initialised::<Small>(10, 0);
    let before = network.clone();
    let (pixels, labels) = stripes(120);
    let mut targets = vec![0.0; 1200];
    labels.iter().enumerate().for_each(|(i, &label)| targets[i * 10 + label] = 1.0);
    let targets: Tensor<(usize, usize), f32, Cpu> =
        Cpu::default().tensor_from_vec(targets, (120, 10));
    let mut losses = Vec::new();
    for _ in 0..60 {
        let logits = network.logits(120, |x| x.copy_from_slice(&pixels)).unwrap();
        let loss = cross_entropy(logits, &targets).unwrap();
        losses.push(loss.array());
        let mut gradients = loss.backward();
        network
            .for_each_parameter_with_gradient(&mut gradients, &mut |_, _, values, gradient| {
                values.iter_mut().zip(&*gradient).for_each(|(v, g)| *v -= 0.5 * g);
            })
            .unwrap();
    }
    assert!(losses[59] < 0.3 * losses[0], "{losses:?}");
    let p = network.plan().probabilities(&pixels);
    let right = p.chunks(10).zip(&labels).filter(|(p, l)| argmax(p) == **l).count();
    assert!(right > 100, "{right} of 120 by the running statistics");
    let mut all = Vec::new();
    before.for_each_parameter(&mut |_, values| all.push(values.to_vec()));
    let mut all = all.into_iter();
    network.for_each_parameter(&mut |parameter, values| {
        assert_ne!(all.next().unwrap(), values, "{}", parameter.name);
    });
}
