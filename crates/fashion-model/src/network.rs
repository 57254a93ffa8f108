//! What every network here has in common.

use crate::prepared::Prepared;
use dfdx::nn::tensor_collection::{
    RecursiveWalker, TensorCollection, TensorOptions, TensorVisitor, ViewTensorMut, ViewTensorName,
    ViewTensorRef,
};
use dfdx::nn::{BuildModule, Module, ZeroGrads};
use dfdx::shapes::{Const, HasShape, Shape};
use dfdx::tensor::{Cpu, CpuError, Gradients, NoneTape, OwnedTape, Tensor};
use fashion_data::random::{Purpose, stream, uniform};
use fashion_data::{NUM_CLASSES, SIDE};
use fashion_kernels::Scratch;
use std::fmt::Debug;

/// A batch of images (B, 1, 28, 28), pixels within 0–1.
pub type Images<T = NoneTape> = Tensor<(usize, Const<1>, Const<SIDE>, Const<SIDE>), f32, Cpu, T>;

/// A batch of logits (B, 10): the logarithms of the classes' odds, before softmax.
pub type Logits<T = NoneTape> = Tensor<(usize, Const<NUM_CLASSES>), f32, Cpu, T>;

/// Gradients on the CPU.
pub type CpuGradients = Gradients<f32, Cpu>;

/// dfdx's tape for training.
pub type TrainingTape = OwnedTape<f32, Cpu>;

/// What is done with each parameter's name, shape and values.
pub type Read<'a> = dyn FnMut(&str, &[usize], &[f32]) + 'a;

/// The same, where the values may be changed.
pub type Write<'a> = dyn FnMut(&str, &[usize], &mut [f32]) + 'a;

/// The same, with the gradient, which may be changed too.
pub type Update<'a> = dyn FnMut(&str, &[usize], &mut [f32], &mut [f32]) + 'a;

/// A classifier of 28 × 28 images into ten classes, whatever its layers are.
///
/// Every [`Definition`] is one. Training, judging and files take it as `dyn Network`, and so are
/// compiled once, however many networks there are.
pub trait Network: Debug + Send + Sync {
    /// The architecture's name, as weight files and configurations have it.
    fn name(&self) -> &'static str;

    /// The device that the parameters live on.
    fn device(&self) -> Cpu;

    /// The logits of a batch, on dfdx's tape.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    fn logits(&self, images: Images<TrainingTape>) -> Result<Logits<TrainingTape>, CpuError>;

    /// Gradients of all parameters, zero.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    fn zero_gradients(&self) -> Result<CpuGradients, CpuError>;

    /// Packs the weights as they are now.
    fn prepare(&self) -> Box<dyn Prepared>;

    /// A copy with parameters of its own.
    fn boxed_clone(&self) -> Box<dyn Network>;

    /// Turns a parameter's values from this network's order into PyTorch's.
    fn to_file_layout(&self, name: &str, values: &mut Vec<f32>);

    /// Turns a parameter's values from PyTorch's order into this network's.
    fn to_network_layout(&self, name: &str, values: &mut Vec<f32>);

    /// Calls `f(name, shape, values)` for each parameter, in a fixed order.
    fn for_each_parameter(&self, f: &mut Read<'_>);

    /// Calls `f(name, shape, values)` for each parameter, in the same order; what it leaves in the
    /// values is written back.
    fn for_each_parameter_mut(&mut self, f: &mut Write<'_>);

    /// Calls `f(name, shape, values, gradient)` for each parameter, in the same order; what it
    /// leaves in the values and in the gradient is written back. The gradient of a parameter that
    /// the loss did not reach is zero.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    fn for_each_parameter_with_gradient(
        &mut self,
        gradients: &mut CpuGradients,
        f: &mut Update<'_>,
    ) -> Result<(), CpuError>;

    /// Calls `f(gradient)` for each parameter, in the same order; what it leaves in the gradient is
    /// written back. That of a parameter that the loss did not reach is zero.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    fn for_each_gradient(
        &self,
        gradients: &mut CpuGradients,
        f: &mut dyn FnMut(&mut [f32]),
    ) -> Result<(), CpuError>;

    /// How many parameters there are.
    fn parameter_count(&self) -> usize {
        let mut count = 0;
        self.for_each_parameter(&mut |_, _, values| count += values.len());
        count
    }
}

impl Clone for Box<dyn Network> {
    fn clone(&self) -> Self {
        (**self).boxed_clone()
    }
}

/// What a network says of itself, as a dfdx module of batches of images; it is then a [`Network`].
pub trait Definition:
    TensorCollection<f32, Cpu, To<f32, Cpu> = Self>
    + Module<Images, Output = Logits, Error = CpuError>
    + Module<Images<TrainingTape>, Output = Logits<TrainingTape>, Error = CpuError>
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
    /// The architecture's name, as weight files and configurations have it.
    const NAME: &'static str;

    /// Packs the weights as they are now.
    fn pack(&self) -> Box<dyn Prepared>;

    /// The pixels and channels of the feature map that a dense layer's weights are about: their
    /// columns run pixel, channel here, and channel, pixel in PyTorch. `None` for all others.
    fn feature_map(_name: &str) -> Option<(usize, usize)> {
        None
    }

    /// A network whose parameters are all zero.
    fn zeroed() -> Self {
        Self::build(&Cpu::default())
    }

    /// A network with Keras's initial weights: Glorot uniform (Glorot and Bengio, 2010), within
    /// ±√(6 / (`fan_in` + `fan_out`)), and zero biases. The fans of a convolution count its 9 taps.
    ///
    /// Each parameter has a random stream of its own, keyed by the seed and its position.
    fn initialised(seed: u64) -> Self {
        let mut network = Self::zeroed();
        initialise(&mut network, seed);
        network
    }
}

fn initialise(network: &mut dyn Network, seed: u64) {
    let mut position = 0;
    network.for_each_parameter_mut(&mut |_, shape, values| {
        if let [outputs, inputs, taps @ ..] = shape {
            let area: usize = taps.iter().product();
            let limit = (6.0 / ((inputs + outputs) * area) as f32).sqrt();
            let mut rng = stream(seed, Purpose::Initialise, 0, position);
            values.fill_with(|| (2.0 * uniform(&mut rng) - 1.0) * limit);
        }
        position += 1;
    });
}

impl<N: Definition> Network for N {
    fn name(&self) -> &'static str {
        N::NAME
    }

    fn device(&self) -> Cpu {
        let mut device = None;
        let mut visitor = DeviceVisitor(&mut device);
        let walked = N::iter_tensors(&mut RecursiveWalker { m: self, f: &mut visitor });
        assert!(walked.is_ok(), "looking does not fail");
        device.unwrap_or_default()
    }

    fn logits(&self, images: Images<TrainingTape>) -> Result<Logits<TrainingTape>, CpuError> {
        self.try_forward(images)
    }

    fn zero_gradients(&self) -> Result<CpuGradients, CpuError> {
        self.try_alloc_grads()
    }

    fn prepare(&self) -> Box<dyn Prepared> {
        self.pack()
    }

    fn boxed_clone(&self) -> Box<dyn Network> {
        Box::new(self.clone())
    }

    fn to_file_layout(&self, name: &str, values: &mut Vec<f32>) {
        if let Some((pixels, channels)) = N::feature_map(name) {
            *values = transposed(values, pixels, channels);
        }
    }

    fn to_network_layout(&self, name: &str, values: &mut Vec<f32>) {
        if let Some((pixels, channels)) = N::feature_map(name) {
            *values = transposed(values, channels, pixels);
        }
    }

    fn for_each_parameter(&self, f: &mut Read<'_>) {
        let walked =
            N::iter_tensors(&mut RecursiveWalker { m: (self, String::new()), f: &mut Reader(f) });
        assert!(walked.is_ok(), "reading does not fail");
    }

    fn for_each_parameter_mut(&mut self, f: &mut Write<'_>) {
        let walked =
            N::iter_tensors(&mut RecursiveWalker { m: (self, String::new()), f: &mut Writer(f) });
        assert!(walked.is_ok(), "writing does not fail");
    }

    fn for_each_parameter_with_gradient(
        &mut self,
        gradients: &mut CpuGradients,
        f: &mut Update<'_>,
    ) -> Result<(), CpuError> {
        let mut visitor = Updater { f, gradients };
        N::iter_tensors(&mut RecursiveWalker { m: (self, String::new()), f: &mut visitor })
            .map(drop)
    }

    fn for_each_gradient(
        &self,
        gradients: &mut CpuGradients,
        f: &mut dyn FnMut(&mut [f32]),
    ) -> Result<(), CpuError> {
        let mut visitor = GradientVisitor { f, gradients };
        N::iter_tensors(&mut RecursiveWalker { m: self, f: &mut visitor }).map(drop)
    }
}

/// Each run of `rows` · `columns` values, a matrix, transposed.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for matrix in values.chunks_exact(rows * columns) {
        for column in 0..columns {
            out.extend(matrix[column..].iter().step_by(columns));
        }
    }
    out
}

struct DeviceVisitor<'a>(&'a mut Option<Cpu>);

impl TensorVisitor<f32, Cpu> for DeviceVisitor<'_> {
    type Viewer = ViewTensorRef;
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &Tensor<S, f32, Cpu>,
    ) -> Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        self.0.get_or_insert_with(|| tensor.device().clone());
        Ok(None)
    }
}

struct Reader<'a, 'b>(&'a mut Read<'b>);

impl TensorVisitor<f32, Cpu> for Reader<'_, '_> {
    type Viewer = (ViewTensorRef, ViewTensorName);
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        (tensor, name): (&Tensor<S, f32, Cpu>, String),
    ) -> Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        let mut scratch = Scratch::take(tensor.shape().num_elements());
        let values = &mut scratch[..tensor.shape().num_elements()];
        tensor.copy_into(values);
        (self.0)(&name, tensor.shape().concrete().as_ref(), values);
        Ok(None)
    }
}

struct GradientVisitor<'a> {
    f: &'a mut dyn FnMut(&mut [f32]),
    gradients: &'a mut CpuGradients,
}

impl TensorVisitor<f32, Cpu> for GradientVisitor<'_> {
    type Viewer = ViewTensorRef;
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &Tensor<S, f32, Cpu>,
    ) -> Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        (self.f)(self.gradients.get_or_alloc_mut(tensor)?);
        Ok(None)
    }
}

struct Writer<'a, 'b>(&'a mut Write<'b>);

impl TensorVisitor<f32, Cpu> for Writer<'_, '_> {
    type Viewer = (ViewTensorMut, ViewTensorName);
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        (tensor, name): (&mut Tensor<S, f32, Cpu>, String),
    ) -> Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        let mut scratch = Scratch::take(tensor.shape().num_elements());
        let values = &mut scratch[..tensor.shape().num_elements()];
        tensor.copy_into(values);
        let shape = tensor.shape().concrete();
        (self.0)(&name, shape.as_ref(), values);
        tensor.copy_from(values);
        Ok(None)
    }
}

struct Updater<'a, 'b> {
    f: &'a mut Update<'b>,
    gradients: &'a mut CpuGradients,
}

impl TensorVisitor<f32, Cpu> for Updater<'_, '_> {
    type Viewer = (ViewTensorMut, ViewTensorName);
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        (tensor, name): (&mut Tensor<S, f32, Cpu>, String),
    ) -> Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        let mut scratch = Scratch::take(tensor.shape().num_elements());
        let values = &mut scratch[..tensor.shape().num_elements()];
        tensor.copy_into(values);
        let shape = tensor.shape().concrete();
        let gradient = self.gradients.get_or_alloc_mut(&*tensor)?;
        (self.f)(&name, shape.as_ref(), values, gradient);
        tensor.copy_from(values);
        Ok(None)
    }
}
