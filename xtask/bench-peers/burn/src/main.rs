//! Burn, with its pure Rust backend `flex`, the fastest of its CPU backends at this job.

#[path = "../../common.rs"]
mod common;

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, Relu};
use burn::optim::{AdamConfig, GradientsParams};
use burn::prelude::*;
use burn::tensor::TensorData;
use common::{Job, PARAMETERS, PIXELS};

#[derive(Module, Debug)]
struct Net {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    fc1: Linear,
    fc2: Linear,
    relu: Relu,
}

impl Net {
    fn new(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([1, 32], [3, 3]).init(device),
            conv2: Conv2dConfig::new([32, 64], [3, 3]).init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            fc1: LinearConfig::new(1600, 128).init(device),
            fc2: LinearConfig::new(128, 10).init(device),
            relu: Relu::new(),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(self.relu.forward(self.conv1.forward(x)));
        let x = self.pool.forward(self.relu.forward(self.conv2.forward(x)));
        let x: Tensor<2> = x.flatten(1, 3);
        self.fc2.forward(self.relu.forward(self.fc1.forward(x)))
    }
}

fn images(x: &[f32], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(x.to_vec(), [x.len() / PIXELS, 1, 28, 28]), device)
}

fn labels(y: &[u8], device: &Device) -> Tensor<1, Int> {
    let y: Vec<i64> = y.iter().map(|&y| y.into()).collect();
    let n = y.len();
    Tensor::from_data(TensorData::new(y, [n]), device)
}

fn main() {
    let plain = Device::flex();
    let device = plain.clone().autodiff();
    let mut job = Job::new("burn", "Burn 0.22.1, flex");
    let mut net = Some(Net::new(&device));
    let mut adam = AdamConfig::new().init();
    let loss = CrossEntropyLossConfig::new().init(&device);
    let step = |x: &[f32], y: &[u8]| {
        let mut before = net.take().expect("each step puts it back");
        let loss = loss.forward(before.forward(images(x, &device)), labels(y, &device));
        let gradients = GradientsParams::from_grads(loss.backward(), &before);
        before = adam.step(0.001, before, gradients);
        net = Some(before);
    };
    job.train(step, || drop(plain.sync()));

    let net = net.expect("each step puts it back").valid();
    assert_eq!(net.num_params(), PARAMETERS);
    let right = |x: &[f32], y: &[u8]| {
        let answers = net.forward(images(x, &plain)).argmax(1).reshape([y.len()]);
        answers.equal(labels(y, &plain)).int().sum().into_scalar::<i64>() as usize
    };
    job.classify(right, |x| net.forward(images(x, &plain)).into_data().num_elements());
}
