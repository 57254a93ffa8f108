//! What every network here has in common.

use crate::activation::{Activation, FeatureMap, Rows};
use crate::layer::{AnyTensor, Layer};
use crate::memory::Memory;
use dfdx::shapes::Const;
use dfdx::tensor::{Cache, Cpu, CpuError, Gradients, NoneTape, OwnedTape, Tensor};
use fashion_data::random::{Purpose, stream, uniform};
use fashion_infer::tensors::{NamedTensor, Tensors};
use fashion_infer::{Graph, ImageShape, Parameter, Plan, Role, Value};
use fashion_kernels::Scratch;
use std::fmt::Debug;

/// A batch of images (B, side, side, channels), pixels within 0–1.
pub type Images = Activation<(usize, usize, usize, usize)>;

/// A batch of logits (B, K) of K classes: the logarithms of their odds, before softmax.
pub type Logits<T = NoneTape> = Tensor<(usize, usize), f32, Cpu, T>;

/// Gradients on the CPU.
pub type CpuGradients = Gradients<f32, Cpu>;

/// dfdx's tape for training.
pub type TrainingTape = OwnedTape<f32, Cpu>;

/// What is done with each tensor and its values.
pub type Read<'a> = dyn FnMut(&Parameter, &[f32]) + 'a;

/// The same, where the values may be changed.
pub type Write<'a> = dyn FnMut(&Parameter, &mut [f32]) + 'a;

/// What is done with each tensor that is trained: its place among all, itself, its values and its
/// gradient.
pub type Update<'a> = dyn FnMut(usize, &Parameter, &mut [f32], &mut [f32]) + 'a;

/// The layers of a network, with its name; [`network!`](crate::network!) writes it. It is trained as
/// a [`Network`].
pub trait Definition: Layer {
    /// The name that weight files and configurations have it by.
    const NAME: &'static str;

    /// The shape of its images.
    const INPUT: ImageShape;

    /// The logits of images in training, after the layers, one after the other.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    ///
    /// # Panics
    /// If the images are of another shape than [`INPUT`](Self::INPUT).
    fn logits(&mut self, images: Images) -> Result<Rows<usize>, CpuError>;
}

impl Images {
    /// The same images, with their shape in the type.
    ///
    /// # Panics
    /// If it is another.
    #[doc(hidden)]
    pub fn of_shape<const SIDE: usize, const CHANNELS: usize>(self) -> FeatureMap<SIDE, CHANNELS> {
        let (n, rows, columns, channels) = *self.shape();
        assert_eq!((rows, columns, channels), (SIDE, SIDE, CHANNELS), "images of the network");
        self.reshaped((n, Const, Const, Const))
    }
}

/// The layers of any network.
trait Layers: Debug + Send + Sync {
    fn logits(&mut self, images: Images) -> Result<Rows<usize>, CpuError>;
    fn all<'a>(&'a self, all: &mut Vec<&'a dyn AnyTensor>);
    fn all_mut<'a>(&'a mut self, all: &mut Vec<&'a mut dyn AnyTensor>);
    fn freeze(&mut self, frozen: &dyn Fn(&str) -> bool);
    fn boxed_clone(&self) -> Box<dyn Layers>;
}

impl<N: Definition> Layers for N {
    fn logits(&mut self, images: Images) -> Result<Rows<usize>, CpuError> {
        Definition::logits(self, images)
    }

    fn all<'a>(&'a self, all: &mut Vec<&'a dyn AnyTensor>) {
        self.tensors(all);
    }

    fn all_mut<'a>(&'a mut self, all: &mut Vec<&'a mut dyn AnyTensor>) {
        self.tensors_mut(all);
    }

    fn freeze(&mut self, frozen: &dyn Fn(&str) -> bool) {
        Layer::freeze(self, "", frozen);
    }

    fn boxed_clone(&self) -> Box<dyn Layers> {
        Box::new(self.clone())
    }
}

/// A network in training: a classifier of images, whatever its layers are.
///
/// Everything that is known of it but its forward pass follows from its graph.
///
/// ```
/// use fashion_model::{Network, ReportCnn};
/// let network = Network::initialised::<ReportCnn>(10, 0);
/// assert_eq!((network.name(), network.graph().parameter_count()), ("report-cnn", 225_034));
/// ```
#[derive(Debug)]
pub struct Network {
    name: &'static str,
    graph: Graph,
    parameters: Vec<Parameter>,
    /// Whether each of them is.
    frozen: Vec<bool>,
    layers: Box<dyn Layers>,
    device: Cpu,
    memory: Memory,
}

impl Clone for Network {
    fn clone(&self) -> Self {
        Network {
            name: self.name,
            graph: self.graph.clone(),
            parameters: self.parameters.clone(),
            frozen: self.frozen.clone(),
            layers: self.layers.boxed_clone(),
            device: Cpu::default(),
            memory: Memory::default(),
        }
    }
}

impl Network {
    /// A network of so many classes whose parameters are all zero.
    ///
    /// # Panics
    /// If its layers lower themselves to a graph that cannot be computed, or of other classes, or say
    /// other tensors than it.
    pub fn zeroed<N: Definition>(classes: usize) -> Network {
        let layers = N::new(classes);
        let mut graph = Graph::new(N::INPUT);
        layers.lower("", &mut graph, Value::IMAGES);
        graph.check().expect("layers whose types fit make a graph that can be computed");
        assert_eq!(graph.classes(), classes, "a network's last layer is a head, of all classes");
        let parameters = graph.parameters();
        let mut tensors = Vec::new();
        layers.tensors(&mut tensors);
        let lengths = tensors.iter().map(|tensor| tensor.values());
        assert!(
            lengths.eq(parameters.iter().map(Parameter::values)),
            "a layer's tensors are those of its graph, in the same order"
        );
        let (layers, device, memory) = (Box::new(layers), Cpu::default(), Memory::default());
        let frozen = vec![false; parameters.len()];
        Network { name: N::NAME, graph, parameters, frozen, layers, device, memory }
    }

    /// A network of so many classes with Keras's initial weights: Glorot uniform (Glorot and Bengio, 2010), within
    /// ±√(6 / (`fan_in` + `fan_out`)), zero biases; batch normalisation scales by one, shifts by
    /// nothing, and has seen a mean of zero and a variance of one. The fans of a convolution count its
    /// taps.
    ///
    /// Each tensor has a random stream of its own, keyed by the seed and its position.
    ///
    /// # Panics
    /// As [`zeroed`](Self::zeroed).
    pub fn initialised<N: Definition>(classes: usize, seed: u64) -> Network {
        let mut network = Network::zeroed::<N>(classes);
        let mut position = 0;
        network.for_each_parameter_mut(&mut |parameter, values| {
            match (parameter.role, &parameter.shape[..]) {
                (Role::Weight, [outputs, inputs, taps @ ..]) => {
                    let area: usize = taps.iter().product();
                    let limit = (6.0 / ((inputs + outputs) * area) as f32).sqrt();
                    let mut rng = stream(seed, Purpose::Initialise, 0, position);
                    values.fill_with(|| (2.0 * uniform(&mut rng) - 1.0) * limit);
                }
                (Role::Scale, _) => values.fill(1.0),
                (Role::Statistic, _) if parameter.name.ends_with("running_var") => values.fill(1.0),
                _ => {}
            }
            position += 1;
        });
        network
    }

    /// The name that weight files and configurations have it by.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The shape of its images.
    pub fn input(&self) -> ImageShape {
        self.graph.input()
    }

    /// How many classes it tells apart.
    pub fn classes(&self) -> usize {
        self.graph.classes()
    }

    /// What it computes in use.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Its tensors, without their values.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The names of its layers that have tensors, in their order; a part of another has that's name before
    /// its own, `block1.body.0`. The last is the head.
    pub fn layer_names(&self) -> Vec<&str> {
        let names = self.graph.nodes().iter().map(|node| &node.name[..]);
        names.filter(|name| !name.is_empty()).collect()
    }

    /// Freezes the layers of these names with all their parts, and thaws the others: no tensor of a frozen
    /// one is changed in training, batch normalisation goes by its running statistics there, and what has
    /// nothing to be trained before it has no backward pass.
    ///
    /// ```
    /// use fashion_model::Architecture;
    /// let mut network = Architecture::Resnet.build(10, 0);
    /// network.freeze(&["stem", "norm", "block1"])?;
    /// let error = network.freeze(&["block7"]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "resnet has no layer \"block7\"; it has stem, norm, block1, block2, block3, block4, block5, \
    ///      block6, fc, and parts of them such as block1.body.0"
    /// );
    /// # Ok::<(), fashion_model::UnknownLayer>(())
    /// ```
    ///
    /// # Errors
    /// [`UnknownLayer`]; nothing is changed then.
    pub fn freeze(&mut self, names: &[&str]) -> Result<(), UnknownLayer> {
        let known = self.layer_names();
        let is_unknown = |name: &&&str| !known.iter().any(|layer| is_in(layer, name));
        if let Some(unknown) = names.iter().find(is_unknown) {
            return Err(UnknownLayer::new(self.name, unknown, &known));
        }
        let frozen = |layer: &str| names.iter().any(|name| is_in(layer, name));
        self.layers.freeze(&frozen);
        let of =
            |parameter: &Parameter| parameter.name.rsplit_once('.').map(|(layer, _)| frozen(layer));
        self.frozen =
            self.parameters.iter().map(|parameter| of(parameter).unwrap_or(false)).collect();
        Ok(())
    }

    /// Whether a tensor, by its position among all, is [frozen](Self::freeze).
    pub fn is_frozen(&self, position: usize) -> bool {
        self.frozen[position]
    }

    /// The logits of `n` images, on dfdx's tape, as in training: batch normalisation goes by the batch, and
    /// remembers its statistics.
    ///
    /// `pixels` writes the images (n, side, side, channels), with values within 0–1, one after the other
    /// over whatever is there.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    ///
    /// # Panics
    /// If there is no image, and batch normalisation to go by them.
    pub fn logits(
        &mut self,
        n: usize,
        pixels: impl FnOnce(&mut [f32]),
    ) -> Result<Logits<TrainingTape>, CpuError> {
        let ImageShape { side, channels } = self.input();
        let images = Activation::images(&self.memory, (n, side, side, channels), pixels);
        self.layers.logits(images)?.into_tensor(&self.device)
    }

    /// Packs the weights as they are now, for use.
    pub fn plan(&self) -> Plan {
        let mut tensors = Tensors::new();
        self.for_each_parameter(&mut |parameter, values| {
            let (shape, values) = (parameter.shape.clone(), values.to_vec());
            tensors.insert(parameter.name.clone(), NamedTensor { shape, values });
        });
        Plan::new(&self.graph, &tensors)
    }

    /// Whether dfdx keeps the memory of a step's gradients for those of the next one, until that ends or
    /// it ends for a clone.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    pub fn keep_memory(&self, keep: bool) -> Result<(), CpuError> {
        match keep {
            true => self.device.try_enable_cache(),
            false => self.device.try_disable_cache(),
        }?;
        self.tensors().into_iter().try_for_each(|tensor| tensor.keep_memory(keep))
    }

    /// Calls `f(parameter, values)` for each tensor, in the graph's order.
    pub fn for_each_parameter(&self, f: &mut Read<'_>) {
        for (parameter, tensor) in self.parameters.iter().zip(self.tensors()) {
            let mut scratch = Scratch::take(tensor.values());
            let values = &mut scratch[..tensor.values()];
            tensor.read(values);
            f(parameter, values);
        }
    }

    /// Calls `f(parameter, values)` for each tensor, in the same order; what it leaves in the values is
    /// written back.
    pub fn for_each_parameter_mut(&mut self, f: &mut Write<'_>) {
        let Network { parameters, layers, .. } = self;
        let mut tensors = Vec::with_capacity(parameters.len());
        layers.all_mut(&mut tensors);
        for (parameter, tensor) in parameters.iter().zip(tensors) {
            let mut scratch = Scratch::take(tensor.values());
            let values = &mut scratch[..tensor.values()];
            tensor.read(values);
            f(parameter, values);
            tensor.write(values);
        }
    }

    /// Calls `f(position, parameter, values, gradient)` for each tensor that is trained, in the same
    /// order, with its position among all; what it leaves in the values and in the gradient is written
    /// back. The gradient of one that the loss did not reach is zero.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    pub fn for_each_parameter_with_gradient(
        &mut self,
        gradients: &mut CpuGradients,
        f: &mut Update<'_>,
    ) -> Result<(), CpuError> {
        let Network { parameters, frozen, layers, .. } = self;
        let mut tensors = Vec::with_capacity(parameters.len());
        layers.all_mut(&mut tensors);
        for (position, (parameter, tensor)) in parameters.iter().zip(tensors).enumerate() {
            if !parameter.role.is_trained() || frozen[position] {
                continue;
            }
            let mut scratch = Scratch::take(tensor.values());
            let values = &mut scratch[..tensor.values()];
            tensor.read(values);
            f(position, parameter, values, tensor.gradient(gradients)?);
            tensor.write(values);
        }
        Ok(())
    }

    /// Calls `f(parameter, gradient)` for each tensor that is trained, in the same order; what it leaves
    /// in the gradient is written back. That of one that the loss did not reach is zero.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    pub fn for_each_gradient(
        &self,
        gradients: &mut CpuGradients,
        f: &mut dyn FnMut(&Parameter, &mut [f32]),
    ) -> Result<(), CpuError> {
        for ((parameter, tensor), frozen) in
            self.parameters.iter().zip(self.tensors()).zip(&self.frozen)
        {
            if parameter.role.is_trained() && !frozen {
                f(parameter, tensor.gradient(gradients)?);
            }
        }
        Ok(())
    }

    fn tensors(&self) -> Vec<&dyn AnyTensor> {
        let mut tensors = Vec::with_capacity(self.parameters.len());
        self.layers.all(&mut tensors);
        tensors
    }
}

/// Whether a layer is the one of this name, or a part of it.
fn is_in(layer: &str, name: &str) -> bool {
    layer.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A name that no layer of a network has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{network} has no layer {found:?}; it has {known}")]
pub struct UnknownLayer {
    /// The network.
    pub network: &'static str,
    /// The name.
    pub found: String,
    /// The names that there are.
    pub known: String,
}

impl UnknownLayer {
    fn new(network: &'static str, found: &str, layers: &[&str]) -> UnknownLayer {
        let mut names: Vec<&str> =
            layers.iter().map(|layer| layer.split('.').next().unwrap_or(layer)).collect();
        names.dedup();
        let mut known = names.join(", ");
        if let Some(part) = layers.iter().find(|layer| layer.contains('.')) {
            known += &format!(", and parts of them such as {part}");
        }
        UnknownLayer { network, found: found.to_owned(), known }
    }
}

/// Writes a network from the list of its layers: the struct, its forward pass, its graph and its
/// tensors, which are named by the fields.
///
/// Its images are said by their side and channels; its last layer is a [`Head`](crate::Head), of as many
/// classes as the data have. `as ""` names the parts of a layer as if they were the network's own.
///
/// ```
/// use fashion_model::{BatchNorm, Conv3x3, GlobalMaxPool, Head, Network, network};
///
/// network! {
///     /// The smallest network that is worth a name.
///     pub struct Small: "small" for Images<28, 1> {
///         conv: Conv3x3<1, 16, 28, 14>,
///         norm: BatchNorm<16, true>,
///         pool: GlobalMaxPool,
///         fc: Head<16>,
///     }
/// }
///
/// let network = Network::initialised::<Small>(3, 0);
/// assert_eq!(network.graph().parameter_count(), 9 * 16 + 2 * 16 + 16 * 3 + 3);
/// assert_eq!(network.parameters()[0].name, "conv.weight");
/// ```
/// Layers that do not fit are refused when they are compiled:
/// ```compile_fail,E0271
/// # use fashion_model::{BatchNorm, Conv3x3, GlobalMaxPool, Head, network};
/// network! {
///     /// 16 channels are not 32.
///     pub struct Wrong: "wrong" for Images<28, 1> {
///         conv: Conv3x3<1, 16, 28, 14>,
///         norm: BatchNorm<16, true>,
///         pool: GlobalMaxPool,
///         fc: Head<32>,
///     }
/// }
/// ```
#[macro_export]
macro_rules! network {
    (
        $(#[$doc:meta])*
        $vis:vis struct $Network:ident: $NAME:literal for Images<$SIDE:literal, $CHANNELS:literal> {
            $($(#[$field_doc:meta])* $field:ident $(as $name:literal)?: $Layer:ty),+ $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        $vis struct $Network {
            $(
                $(#[$field_doc])*
                #[allow(missing_docs)]
                pub $field: $Layer
            ),+
        }

        impl $crate::Layer for $Network {
            fn new(classes: usize) -> Self {
                $Network { $($field: $crate::Layer::new(classes)),+ }
            }

            fn lower(
                &self,
                name: &str,
                graph: &mut $crate::Graph,
                x: $crate::Value,
            ) -> $crate::Value {
                $(
                    let part = $crate::network!(@name $field $($name)?);
                    let part = $crate::within(name, part);
                    let x = $crate::Layer::lower(&self.$field, &part, graph, x);
                )+
                x
            }

            fn tensors<'a>(&'a self, all: &mut Vec<&'a dyn $crate::AnyTensor>) {
                $($crate::Layer::tensors(&self.$field, all);)+
            }

            fn tensors_mut<'a>(&'a mut self, all: &mut Vec<&'a mut dyn $crate::AnyTensor>) {
                $($crate::Layer::tensors_mut(&mut self.$field, all);)+
            }

            fn freeze(&mut self, name: &str, frozen: &dyn Fn(&str) -> bool) {
                $(
                    let part = $crate::network!(@name $field $($name)?);
                    let part = $crate::within(name, part);
                    $crate::Layer::freeze(&mut self.$field, &part, frozen);
                )+
            }
        }

        impl $crate::ModuleMut<$crate::FeatureMap<$SIDE, $CHANNELS>> for $Network {
            type Output = $crate::Rows<usize>;
            type Error = $crate::CpuError;

            fn try_forward_mut(
                &mut self,
                x: $crate::FeatureMap<$SIDE, $CHANNELS>,
            ) -> Result<Self::Output, Self::Error> {
                $(let x = $crate::ModuleMut::try_forward_mut(&mut self.$field, x)?;)+
                Ok(x)
            }
        }

        impl $crate::Definition for $Network {
            const NAME: &'static str = $NAME;
            const INPUT: $crate::ImageShape =
                $crate::ImageShape { channels: $CHANNELS, side: $SIDE };

            fn logits(
                &mut self,
                images: $crate::Images,
            ) -> Result<$crate::Rows<usize>, $crate::CpuError> {
                $crate::ModuleMut::try_forward_mut(self, images.of_shape::<$SIDE, $CHANNELS>())
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
}
