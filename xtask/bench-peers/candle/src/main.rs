//! Candle, on its own CPU kernels.

#[path = "../../common.rs"]
mod common;

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::{
    AdamW, Conv2d, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, conv2d, linear, loss,
};
use common::{Job, PARAMETERS, PIXELS};
use std::collections::HashMap;

struct Net {
    conv1: Conv2d,
    conv2: Conv2d,
    fc1: Linear,
    fc2: Linear,
}

impl Net {
    fn new(weights: VarBuilder) -> Result<Self> {
        Ok(Self {
            conv1: conv2d(1, 32, 3, Default::default(), weights.pp("conv1"))?,
            conv2: conv2d(32, 64, 3, Default::default(), weights.pp("conv2"))?,
            fc1: linear(1600, 128, weights.pp("fc1"))?,
            fc2: linear(128, 10, weights.pp("fc2"))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.conv1.forward(x)?.relu()?.max_pool2d(2)?;
        let x = self.conv2.forward(&x)?.relu()?.max_pool2d(2)?;
        self.fc2.forward(&self.fc1.forward(&x.flatten_from(1)?)?.relu()?)
    }
}

fn images(x: &[f32]) -> Result<Tensor> {
    Tensor::from_slice(x, (x.len() / PIXELS, 1, 28, 28), &Device::Cpu)
}

fn labels(y: &[u8]) -> Result<Tensor> {
    let y: Vec<u32> = y.iter().map(|&y| y.into()).collect();
    Tensor::from_slice(&y, y.len(), &Device::Cpu)
}

fn main() -> Result<()> {
    let mut job = Job::new("candle", "Candle 0.11.1");
    let variables = VarMap::new();
    let net = Net::new(VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu))?;
    assert_eq!(variables.all_vars().iter().map(|v| v.elem_count()).sum::<usize>(), PARAMETERS);
    let adam = ParamsAdamW { lr: 0.001, weight_decay: 0.0, ..Default::default() };
    let mut adam = AdamW::new(variables.all_vars(), adam)?;
    let mut step = |x: &[f32], y: &[u8]| {
        adam.backward_step(&loss::cross_entropy(&net.forward(&images(x)?)?, &labels(y)?)?)
    };
    job.train(|x, y| step(x, y).expect("a step"), || ());

    // The same weights without the book-keeping for gradients.
    let weights: HashMap<String, Tensor> = {
        let named = variables.data().lock().expect("nobody else holds it");
        named.iter().map(|(name, v)| (name.clone(), v.as_tensor().detach())).collect()
    };
    let net = Net::new(VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu))?;
    let right = |x: &[f32], y: &[u8]| -> Result<usize> {
        let answers = net.forward(&images(x)?)?.argmax(D::Minus1)?;
        let right = answers.eq(&labels(y)?)?.to_dtype(DType::U32)?.sum_all()?;
        Ok(right.to_scalar::<u32>()? as usize)
    };
    let logits =
        |x: &[f32]| -> Result<usize> { Ok(net.forward(&images(x)?)?.to_vec2::<f32>()?[0].len()) };
    job.classify(|x, y| right(x, y).expect("answers"), |x| logits(x).expect("logits"));
    Ok(())
}
