//! What a layer says of itself besides computing.

use crate::network::CpuGradients;
use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::{Cache, Cpu, CpuError, Tensor};
use fashion_infer::{Graph, Value};
use std::fmt::Debug;

/// A layer, or several: something that trains as a dfdx module, and tells what is left of it for use.
///
/// Its forward pass in training is its [`ModuleMut`](dfdx::nn::ModuleMut) for an
/// [`Activation`](crate::Activation), which has a tape.
/// Tuples of layers are layers, one after the other, called `0`, `1` and so on, as in PyTorch's
/// `Sequential`.
pub trait Layer: Clone + Debug + Default + Send + Sync + 'static {
    /// A layer whose tensors are zero, in a network that tells so many classes apart: most layers do
    /// not ask.
    fn new(_classes: usize) -> Self {
        Self::default()
    }

    /// Adds what it computes of `x` to a graph, with tensors whose names begin with `name`, and gives
    /// the result.
    fn lower(&self, name: &str, graph: &mut Graph, x: Value) -> Value;

    /// Adds its tensors, in the order in which [`lower`](Self::lower) says them
    /// ([`Graph::parameters`]).
    fn tensors<'a>(&'a self, all: &mut Vec<&'a dyn AnyTensor>);

    /// As [`tensors`](Self::tensors).
    fn tensors_mut<'a>(&'a mut self, all: &mut Vec<&'a mut dyn AnyTensor>);

    /// Freezes it, or those of its parts, whose names begin with `name` as in [`lower`](Self::lower),
    /// that `frozen` says; the others are trained.
    ///
    /// A frozen layer computes as in use, and has no gradient of its own: batch normalisation goes by its
    /// running statistics, and leaves them as they are. What has nothing to be trained before it records
    /// nothing for the backward pass.
    fn freeze(&mut self, name: &str, frozen: &dyn Fn(&str) -> bool);
}

/// `name` of something inside what is called `outer`.
///
/// ```
/// assert_eq!(fashion_model::within("block1", "conv1"), "block1.conv1");
/// assert_eq!(fashion_model::within("", "conv1"), "conv1");
/// ```
pub fn within(outer: &str, name: &str) -> String {
    let dot = if outer.is_empty() || name.is_empty() { "" } else { "." };
    format!("{outer}{dot}{name}")
}

/// A tensor on the CPU, whatever its shape.
pub trait AnyTensor {
    /// How many values it has.
    fn values(&self) -> usize;

    /// Copies its values.
    ///
    /// # Panics
    /// If there are not so many.
    fn read(&self, to: &mut [f32]);

    /// Replaces its values.
    ///
    /// # Panics
    /// As [`read`](Self::read).
    fn write(&mut self, from: &[f32]);

    /// Whether the memory of a gradient is kept for the next step's. What was kept is given back where
    /// that ends.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    fn keep_memory(&self, keep: bool) -> Result<(), CpuError>;

    /// Its gradient, zero where the loss did not reach it.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    fn gradient<'a>(&self, gradients: &'a mut CpuGradients) -> Result<&'a mut [f32], CpuError>;
}

impl<S: Shape> AnyTensor for Tensor<S, f32, Cpu> {
    fn values(&self) -> usize {
        self.shape().num_elements()
    }

    fn read(&self, to: &mut [f32]) {
        assert_eq!(to.len(), self.shape().num_elements(), "values of the tensor");
        self.copy_into(to);
    }

    fn write(&mut self, from: &[f32]) {
        self.copy_from(from);
    }

    fn keep_memory(&self, keep: bool) -> Result<(), CpuError> {
        match keep {
            true => self.device().try_enable_cache(),
            false => self.device().try_disable_cache(),
        }
    }

    fn gradient<'a>(&self, gradients: &'a mut CpuGradients) -> Result<&'a mut [f32], CpuError> {
        Ok(gradients.get_or_alloc_mut(self)?)
    }
}

/// Says the tensors of a layer, which has a field `frozen` where it has any.
macro_rules! tensors {
    () => {
        tensors!(@fields);

        fn freeze(&mut self, _: &str, _: &dyn Fn(&str) -> bool) {}
    };
    ($($field:ident),+) => {
        tensors!(@fields $($field),+);

        fn freeze(&mut self, name: &str, frozen: &dyn Fn(&str) -> bool) {
            self.frozen = frozen(name);
        }
    };
    (@fields $($field:ident),*) => {
        fn tensors<'a>(&'a self, all: &mut Vec<&'a dyn AnyTensor>) {
            let _ = &all;
            $(all.push(&self.$field);)*
        }

        fn tensors_mut<'a>(&'a mut self, all: &mut Vec<&'a mut dyn AnyTensor>) {
            let _ = &all;
            $(all.push(&mut self.$field);)*
        }
    };
}
pub(crate) use tensors;

macro_rules! tuple {
    ($($layer:ident $index:tt),*) => {
        impl<$($layer: Layer),*> Layer for ($($layer,)*) {
            #[allow(clippy::unused_unit, reason = "what no layer comes to")]
            fn new(classes: usize) -> Self {
                let _ = classes;
                ($($layer::new(classes),)*)
            }

            fn lower(&self, name: &str, graph: &mut Graph, x: Value) -> Value {
                let _ = (name, &graph);
                $(let x = self.$index.lower(&within(name, stringify!($index)), graph, x);)*
                x
            }

            fn tensors<'a>(&'a self, all: &mut Vec<&'a dyn AnyTensor>) {
                let _ = &all;
                $(self.$index.tensors(all);)*
            }

            fn tensors_mut<'a>(&'a mut self, all: &mut Vec<&'a mut dyn AnyTensor>) {
                let _ = &all;
                $(self.$index.tensors_mut(all);)*
            }

            fn freeze(&mut self, name: &str, frozen: &dyn Fn(&str) -> bool) {
                let _ = (name, frozen);
                $(self.$index.freeze(&within(name, stringify!($index)), frozen);)*
            }
        }
    };
}
tuple!();
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
