//! What every network here has in common.

use crate::prepared::Prepared;
use dfdx::nn::tensor_collection::{
    RecursiveWalker, TensorCollection, TensorOptions, TensorVisitor, ViewTensorMut, ViewTensorName,
    ViewTensorRef,
};
use dfdx::nn::{BuildModule, Module};
use dfdx::shapes::{Const, HasShape, Shape};
use dfdx::tensor::{Cpu, CpuError, Gradients, NoneTape, OwnedTape, Tensor};
use fashion_data::random::{Purpose, stream, uniform};
use fashion_data::{NUM_CLASSES, SIDE};
use fashion_kernels::Scratch;

/// A batch of images (B, 1, 28, 28), pixels within 0–1.
pub type Images<T = NoneTape> = Tensor<(usize, Const<1>, Const<SIDE>, Const<SIDE>), f32, Cpu, T>;

/// A batch of logits (B, 10): the logarithms of the classes' odds, before softmax.
pub type Logits<T = NoneTape> = Tensor<(usize, Const<NUM_CLASSES>), f32, Cpu, T>;

/// Gradients on the CPU.
pub type CpuGradients = Gradients<f32, Cpu>;

/// dfdx's tape for training.
pub type TrainingTape = OwnedTape<f32, Cpu>;

/// A classifier of 28 × 28 images into ten classes, as a dfdx module.
pub trait Network:
    TensorCollection<f32, Cpu, To<f32, Cpu> = Self>
    + Module<Images, Output = Logits, Error = CpuError>
    + Module<Images<TrainingTape>, Output = Logits<TrainingTape>, Error = CpuError>
{
    /// The network, ready to classify.
    type Prepared: Prepared;

    /// Packs the weights as they are now.
    fn prepare(&self) -> Self::Prepared;

    /// The architecture's name, as weight files and configurations have it.
    const NAME: &'static str;

    /// Turns a parameter's values from this network's order into PyTorch's.
    fn to_file_layout(_name: &str, _values: &mut Vec<f32>) {}

    /// Turns a parameter's values from PyTorch's order into this network's.
    fn from_file_layout(_name: &str, _values: &mut Vec<f32>) {}

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
        let mut position = 0;
        network.for_each_parameter_mut(|_, shape, values| {
            if let [outputs, inputs, taps @ ..] = shape {
                let area: usize = taps.iter().product();
                let limit = (6.0 / ((inputs + outputs) * area) as f32).sqrt();
                let mut rng = stream(seed, Purpose::Initialise, 0, position);
                values.fill_with(|| (2.0 * uniform(&mut rng) - 1.0) * limit);
            }
            position += 1;
        });
        network
    }

    /// The device that the parameters live on.
    fn device(&self) -> Cpu;

    /// Calls `f(name, shape, values)` for each parameter, in a fixed order.
    fn for_each_parameter(&self, f: impl FnMut(&str, &[usize], &[f32])) {
        let walked = Self::iter_tensors(&mut RecursiveWalker {
            m: (self, String::new()),
            f: &mut Reader(f),
        });
        debug_assert!(walked.is_ok(), "reading does not fail");
    }

    /// Calls `f(name, shape, values)` for each parameter, in the same order; what it leaves in the
    /// values is written back.
    fn for_each_parameter_mut(&mut self, f: impl FnMut(&str, &[usize], &mut [f32])) {
        let walked = Self::iter_tensors(&mut RecursiveWalker {
            m: (self, String::new()),
            f: &mut Writer(f),
        });
        debug_assert!(walked.is_ok(), "writing does not fail");
    }

    /// Calls `f(name, shape, values, gradient)` for each parameter, in the same order; what it
    /// leaves in the values and in the gradient is written back. The gradient of a parameter that the loss did not
    /// reach is zero.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    fn for_each_parameter_with_gradient(
        &mut self,
        gradients: &mut CpuGradients,
        f: impl FnMut(&str, &[usize], &mut [f32], &mut [f32]),
    ) -> Result<(), CpuError> {
        Self::iter_tensors(&mut RecursiveWalker {
            m: (self, String::new()),
            f: &mut Updater { f, gradients },
        })
        .map(drop)
    }

    /// Calls `f(gradient)` for each parameter, in the same order; what it leaves in the gradient is
    /// written back. That of a parameter that the loss did not reach is zero.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    fn for_each_gradient(
        &self,
        gradients: &mut CpuGradients,
        f: impl FnMut(&mut [f32]),
    ) -> Result<(), CpuError> {
        let mut visitor = GradientVisitor { f, gradients };
        Self::iter_tensors(&mut RecursiveWalker { m: self, f: &mut visitor }).map(drop)
    }

    /// How many parameters there are.
    fn parameter_count(&self) -> usize {
        let mut count = 0;
        self.for_each_parameter(|_, _, values| count += values.len());
        count
    }
}

struct Reader<F>(F);

impl<F: FnMut(&str, &[usize], &[f32])> TensorVisitor<f32, Cpu> for Reader<F> {
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

struct GradientVisitor<'a, F> {
    f: F,
    gradients: &'a mut CpuGradients,
}

impl<F: FnMut(&mut [f32])> TensorVisitor<f32, Cpu> for GradientVisitor<'_, F> {
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

struct Writer<F>(F);

impl<F: FnMut(&str, &[usize], &mut [f32])> TensorVisitor<f32, Cpu> for Writer<F> {
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

struct Updater<'a, F> {
    f: F,
    gradients: &'a mut CpuGradients,
}

impl<F: FnMut(&str, &[usize], &mut [f32], &mut [f32])> TensorVisitor<f32, Cpu> for Updater<'_, F> {
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
