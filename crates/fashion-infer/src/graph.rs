//! What a network computes, as data.

use crate::error::Error;
use fashion_kernels::conv::ConvShape;
use fashion_kernels::simd::LANES;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The most operations of a graph.
pub const MAX_NODES: usize = 4096;

/// The most values that all operations of a graph make of one image, and the most parameters of one
/// tensor: 2²⁶.
pub const MAX_VALUES: usize = 1 << 26;

/// The least that batch normalisation may add to a variance, which leaves its inverse root finite.
const MIN_EPSILON: f64 = 1e-37;

/// The shape of an image, or of what a convolution makes of it: square, channels last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageShape {
    /// Values of a pixel.
    pub channels: usize,
    /// Rows, and columns.
    pub side: usize,
}

impl ImageShape {
    /// How many values there are.
    pub const fn values(self) -> usize {
        self.side * self.side * self.channels
    }

    /// How many pixels there are.
    pub const fn pixels(self) -> usize {
        self.side * self.side
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{0} × {0} × {1}", self.side, self.channels)
    }
}

/// The shape of a value of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Pixels.
    Map(ImageShape),
    /// So many numbers.
    Row(usize),
}

impl Shape {
    /// How many numbers there are.
    pub const fn values(self) -> usize {
        match self {
            Shape::Map(map) => map.values(),
            Shape::Row(values) => values,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Map(map) => map.fmt(f),
            Shape::Row(values) => values.fmt(f),
        }
    }
}

/// A value of a graph: the images are the first, and each node makes the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Value(usize);

impl Value {
    /// The images, pixels within 0–1.
    pub const IMAGES: Value = Value(0);

    /// Its place: 0 is the images, n + 1 what the nth node makes.
    pub const fn index(self) -> usize {
        self.0
    }

    /// What the last of so many nodes makes.
    pub(crate) const fn after(nodes: usize) -> Value {
        Value(nodes)
    }
}

/// What a node computes, as PyTorch defines it, on images whose channels are last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Op {
    /// `Conv2d`, by `weight` (outputs, channels, kernel, kernel) and `bias` (outputs) if there is one.
    #[serde(rename_all = "kebab-case")]
    Conv {
        /// Channels of the result.
        outputs: usize,
        /// 1 or 3.
        kernel: usize,
        /// 1 or 2.
        stride: usize,
        /// 0 or 1 pixels of zeros on each side.
        padding: usize,
        /// Whether there is one.
        bias: bool,
    },
    /// `BatchNorm2d` in use: (x − `running_mean`) / √(`running_var` + ε) · `weight` + `bias`, by channel.
    #[serde(rename_all = "kebab-case")]
    BatchNorm {
        /// ε.
        epsilon: f64,
    },
    /// max(x, 0).
    Relu,
    /// The sum of two values.
    Add,
    /// `MaxPool2d(2)`: of an odd side the last row and column are left out.
    MaxPool,
    /// The largest value of each channel.
    GlobalMaxPool,
    /// The mean of each channel.
    GlobalAveragePool,
    /// Pixels as one row. A file has the columns of the weights that follow in the order channel, row,
    /// column.
    Flatten,
    /// `Linear`, by `weight` (outputs, inputs) and `bias` (outputs).
    #[serde(rename_all = "kebab-case")]
    Dense {
        /// Numbers of the result.
        outputs: usize,
    },
}

impl fmt::Display for Op {
    /// In words, without what its tensors are called.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Op::Conv { kernel, stride, padding, .. } => {
                write!(f, "convolution {kernel} × {kernel}")?;
                if *stride > 1 {
                    write!(f, ", stride {stride}")?;
                }
                return if *padding > 0 { write!(f, ", padding {padding}") } else { Ok(()) };
            }
            Op::BatchNorm { .. } => "batch normalisation",
            Op::Relu => "ReLU",
            Op::Add => "sum",
            Op::MaxPool => "max-pooling 2 × 2",
            Op::GlobalMaxPool => "global max-pooling",
            Op::GlobalAveragePool => "global average pooling",
            Op::Flatten => "flatten",
            Op::Dense { .. } => "dense",
        })
    }
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// What its tensors' names begin with; empty if it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Of which values.
    pub of: Vec<Value>,
}

/// What a tensor of a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Weights of a convolution or a dense layer: they decay.
    Weight,
    /// What is added to each output of one.
    Bias,
    /// What batch normalisation multiplies by, 1 at first.
    Scale,
    /// What it adds.
    Shift,
    /// A running mean, 0 at first, or a running variance, 1 at first: measured, never optimised.
    Statistic,
}

impl Role {
    /// Whether an optimiser moves it.
    pub fn is_trained(self) -> bool {
        self != Role::Statistic
    }
}

/// A tensor of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as PyTorch's `state_dict` has it.
    pub name: String,
    /// Its shape, as PyTorch has it.
    pub shape: Vec<usize>,
    /// What it is.
    pub role: Role,
    /// Pixels and channels of what was flattened, where it is the weights of a dense layer after that:
    /// their columns run pixel, channel here, and channel, pixel in a file.
    pub flattened: Option<(usize, usize)>,
}

impl Parameter {
    /// How many numbers it has.
    pub fn values(&self) -> usize {
        self.shape.iter().product()
    }

    /// Makes sure that it can have these values: no variance is below zero.
    ///
    /// # Errors
    /// [`Error::Variance`] with the first that is.
    pub fn check(&self, values: &[f32]) -> Result<(), Error> {
        if !self.name.ends_with(".running_var") {
            return Ok(());
        }
        match values.iter().position(|&variance| variance < 0.0) {
            Some(position) => {
                let (name, value) = (self.name.clone(), values[position]);
                Err(Error::Variance { name, position, value })
            }
            None => Ok(()),
        }
    }

    /// Turns values from the order in which networks compute into PyTorch's.
    #[must_use]
    pub fn to_file_layout(&self, values: Vec<f32>) -> Vec<f32> {
        match self.flattened {
            Some((pixels, channels)) => transposed(&values, pixels, channels),
            None => values,
        }
    }

    /// Turns values from PyTorch's order into the one in which networks compute.
    #[must_use]
    pub fn to_network_layout(&self, values: Vec<f32>) -> Vec<f32> {
        match self.flattened {
            Some((pixels, channels)) => transposed(&values, channels, pixels),
            None => values,
        }
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

/// A network for use: operations in an order in which they can be done, the last of which, a dense layer,
/// makes the logits.
///
/// ```
/// use fashion_infer::{Graph, ImageShape, Op, Value};
/// let mut graph = Graph::new(ImageShape { channels: 1, side: 28 });
/// let x = graph.add("", Op::Flatten, &[Value::IMAGES]);
/// graph.add("fc", Op::Dense { outputs: 10 }, &[x]);
/// graph.check()?;
/// assert_eq!(graph.parameter_count(), 7850);
/// assert_eq!(graph.parameters()[0].shape, [10, 784]);
/// # Ok::<(), fashion_infer::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    input: ImageShape,
    nodes: Vec<Node>,
}

impl Graph {
    /// A graph of images, which does nothing yet.
    pub fn new(input: ImageShape) -> Graph {
        Graph { input, nodes: Vec::new() }
    }

    /// Adds an operation, and gives its result. Nothing is checked before [`check`](Self::check).
    pub fn add(&mut self, name: &str, op: Op, of: &[Value]) -> Value {
        self.nodes.push(Node { name: name.to_owned(), op, of: of.to_vec() });
        Value(self.nodes.len())
    }

    /// The images' shape.
    pub fn input(&self) -> ImageShape {
        self.input
    }

    /// The operations.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Makes sure that it can be computed: every value is made before it is used, and is used; every
    /// shape follows, and together they are no larger than [`MAX_VALUES`]; names are given once.
    ///
    /// # Errors
    /// [`Error::Graph`] with the node that is wrong.
    pub fn check(&self) -> Result<(), Error> {
        self.shapes()?;
        let last = self.nodes.last().map(|node| &node.op);
        if !matches!(last, Some(Op::Dense { .. })) {
            return Err(Error::Graph("its last operation is not a dense layer".to_owned()));
        }
        let used: BTreeSet<Value> = self.nodes.iter().flat_map(|node| &node.of).copied().collect();
        if let Some(unused) = (1..self.nodes.len()).find(|&at| !used.contains(&Value(at))) {
            return Err(Error::Graph(format!("nothing uses what {} makes", self.number(unused))));
        }
        let mut names = BTreeSet::new();
        let twice = self.nodes.iter().find(|node| {
            let named =
                matches!(node.op, Op::Conv { .. } | Op::BatchNorm { .. } | Op::Dense { .. });
            named && !names.insert(&node.name)
        });
        match twice {
            Some(node) => Err(Error::Graph(format!("two operations are named {:?}", node.name))),
            None => Ok(()),
        }
    }

    /// The shape of each value, the images' first.
    ///
    /// # Errors
    /// [`Error::Graph`] with the first node that is wrong.
    pub fn shapes(&self) -> Result<Vec<Shape>, Error> {
        if self.nodes.len() > MAX_NODES {
            let problem = format!("it has {} operations; at most {MAX_NODES}", self.nodes.len());
            return Err(Error::Graph(problem));
        }
        let ImageShape { channels, side } = self.input;
        if !(1..=1024).contains(&side) || ![1, 3].contains(&channels) {
            let problem = "its images are neither grey nor RGB, or no side of 1 to 1024 pixels";
            return Err(Error::Graph(problem.to_owned()));
        }
        let mut shapes = vec![Shape::Map(self.input)];
        let mut values = 0;
        for (position, node) in self.nodes.iter().enumerate() {
            let wrong = |problem| Error::Graph(format!("{} {problem}", self.number(position + 1)));
            let shape = node.shape(&shapes).map_err(wrong)?;
            if let (Op::Add, Shape::Row(_)) = (&node.op, shape) {
                // Their numbers are in the order of their pixels here, and of their channels in PyTorch.
                let [a, b] = [0, 1].map(|of| self.flattened(node.of[of], &shapes));
                if a != b {
                    return Err(wrong("adds rows of unlike pixels and channels".to_owned()));
                }
            }
            values += shape.values();
            if values > MAX_VALUES {
                let problem = format!(
                    "makes {values} values of an image, with those before; at most {MAX_VALUES}"
                );
                return Err(wrong(problem));
            }
            shapes.push(shape);
        }
        Ok(shapes)
    }

    /// What messages call the nth operation, from 1 on.
    fn number(&self, n: usize) -> String {
        let name = &self.nodes[n - 1].name;
        format!("{} (number {n})", if name.is_empty() { "operation" } else { name })
    }

    /// Its tensors, in the order in which it uses them. Of a graph that was [checked](Self::check).
    ///
    /// # Panics
    /// If it does not pass the check.
    pub fn parameters(&self) -> Vec<Parameter> {
        let shapes = self.shapes().expect("a graph that was checked");
        self.nodes.iter().flat_map(|node| node.parameters(self, &shapes)).collect()
    }

    /// How many numbers are trained.
    ///
    /// # Panics
    /// As [`parameters`](Self::parameters).
    pub fn parameter_count(&self) -> usize {
        trained(&self.parameters())
    }

    /// How many multiplications with an addition one image takes, in convolutions and dense layers.
    ///
    /// # Panics
    /// As [`parameters`](Self::parameters).
    pub fn multiply_adds(&self) -> u64 {
        self.layers().iter().map(|layer| layer.multiply_adds).sum()
    }

    /// What each operation makes and costs.
    ///
    /// # Panics
    /// As [`parameters`](Self::parameters).
    pub fn layers(&self) -> Vec<Layer<'_>> {
        let shapes = self.shapes().expect("a graph that was checked");
        let nodes = self.nodes.iter().zip(&shapes[1..]);
        nodes
            .map(|(node, &output)| Layer {
                node,
                output,
                parameters: trained(&node.parameters(self, &shapes)),
                multiply_adds: node.multiply_adds(shapes[node.of[0].0], output),
            })
            .collect()
    }

    /// How many classes the logits are of.
    ///
    /// # Panics
    /// As [`parameters`](Self::parameters).
    pub fn classes(&self) -> usize {
        self.shapes().expect("a graph that was checked").last().map_or(0, |shape| shape.values())
    }
}

/// How many numbers of these are trained.
fn trained(parameters: &[Parameter]) -> usize {
    parameters.iter().filter(|p| p.role.is_trained()).map(Parameter::values).sum()
}

/// What an operation makes of one image, and what it costs.
#[derive(Clone, Debug)]
pub struct Layer<'a> {
    /// The operation.
    pub node: &'a Node,
    /// The shape of what it makes.
    pub output: Shape,
    /// How many numbers of it are trained.
    pub parameters: usize,
    /// How many multiplications with an addition it takes.
    pub multiply_adds: u64,
}

impl Node {
    /// The shape of what it makes, given those of the values before it.
    fn shape(&self, shapes: &[Shape]) -> Result<Shape, String> {
        let expected = if self.op == Op::Add { 2 } else { 1 };
        if self.of.len() != expected {
            return Err(format!("takes {} values; expected {expected}", self.of.len()));
        }
        let mut of = Vec::new();
        for value in &self.of {
            let later = || format!("uses the value {}, which is not made before it", value.0);
            of.push(*shapes.get(value.0).ok_or_else(later)?);
        }
        let map = || match of[0] {
            // Of the images, which have fewer channels, only convolutions and rows are made.
            Shape::Map(map)
                if map.channels.is_multiple_of(LANES)
                    || matches!(self.op, Op::Conv { .. } | Op::Flatten) =>
            {
                Ok(map)
            }
            Shape::Map(map) => {
                Err(format!("takes channels that are a multiple of 16, not {}", map.channels))
            }
            Shape::Row(_) => Err("takes pixels, not a row of numbers".to_owned()),
        };
        let shape = match self.op {
            Op::Conv { outputs, .. } => {
                let from = map()?;
                let weights = outputs.saturating_mul(9 * from.channels);
                if weights > MAX_VALUES {
                    return Err(format!("has {weights} weights or more; at most {MAX_VALUES}"));
                }
                let conv = self.conv_shape(from).expect("a convolution");
                if let Some(refusal) = conv.refusal() {
                    return Err(format!("is a convolution that cannot be computed: {refusal}"));
                }
                Shape::Map(ImageShape { channels: conv.outputs, side: conv.side_out() })
            }
            Op::BatchNorm { epsilon } => {
                if !(MIN_EPSILON..1.0).contains(&epsilon) {
                    return Err(format!(
                        "has an epsilon of {epsilon:e}; expected {MIN_EPSILON:e} or more, below 1"
                    ));
                }
                Shape::Map(map()?)
            }
            Op::Relu => of[0],
            Op::Add if self.of[0] == self.of[1] => return Err("adds a value to itself".to_owned()),
            Op::Add if of[0] != of[1] => {
                return Err(format!("adds {} and {}", of[0], of[1]));
            }
            Op::Add => of[0],
            Op::MaxPool => {
                let from = map()?;
                if from.side < 2 {
                    return Err("halves a side of one pixel".to_owned());
                }
                Shape::Map(ImageShape { side: from.side / 2, ..from })
            }
            Op::GlobalMaxPool | Op::GlobalAveragePool => Shape::Row(map()?.channels),
            Op::Flatten => Shape::Row(map()?.values()),
            Op::Dense { outputs } => match of[0] {
                Shape::Row(inputs) if inputs.saturating_mul(outputs) > MAX_VALUES => {
                    return Err(format!("has {inputs} × {outputs} weights; at most {MAX_VALUES}"));
                }
                Shape::Row(_) if outputs == 0 => return Err("makes nothing".to_owned()),
                Shape::Row(_) => Shape::Row(outputs),
                Shape::Map(_) => return Err("takes a row of numbers, not pixels".to_owned()),
            },
        };
        let named = matches!(self.op, Op::Conv { .. } | Op::BatchNorm { .. } | Op::Dense { .. });
        if named == self.name.is_empty() {
            return Err(format!("is named {:?}, and so it cannot be", self.name));
        }
        Ok(shape)
    }

    /// The convolution of these images, if it is one.
    pub(crate) fn conv_shape(&self, from: ImageShape) -> Option<ConvShape> {
        let Op::Conv { outputs, kernel, stride, padding, .. } = self.op else { return None };
        let ImageShape { channels, side } = from;
        Some(ConvShape { inputs: channels, outputs, side, kernel, stride, padding })
    }

    /// How many multiplications with an addition it takes to make `output` of `from`.
    fn multiply_adds(&self, from: Shape, output: Shape) -> u64 {
        let of_one = match (&self.op, from) {
            (Op::Conv { kernel, .. }, Shape::Map(from)) => kernel * kernel * from.channels,
            (Op::Dense { .. }, from) => from.values(),
            _ => 0,
        };
        output.values() as u64 * of_one as u64
    }

    /// Its tensors.
    fn parameters(&self, graph: &Graph, shapes: &[Shape]) -> Vec<Parameter> {
        let parameter = |suffix: &str, shape: &[usize], role| Parameter {
            name: format!("{}.{suffix}", self.name),
            shape: shape.to_vec(),
            role,
            flattened: None,
        };
        let of = shapes[self.of[0].0];
        match (&self.op, of) {
            (&Op::Conv { outputs, kernel, bias, .. }, Shape::Map(from)) => {
                let shape = [outputs, from.channels, kernel, kernel];
                let mut all = vec![parameter("weight", &shape, Role::Weight)];
                if bias {
                    all.push(parameter("bias", &[outputs], Role::Bias));
                }
                all
            }
            (&Op::BatchNorm { .. }, Shape::Map(from)) => vec![
                parameter("weight", &[from.channels], Role::Scale),
                parameter("bias", &[from.channels], Role::Shift),
                parameter("running_mean", &[from.channels], Role::Statistic),
                parameter("running_var", &[from.channels], Role::Statistic),
            ],
            (&Op::Dense { outputs }, from) => {
                let mut weight = parameter("weight", &[outputs, from.values()], Role::Weight);
                weight.flattened = graph.flattened(self.of[0], shapes);
                vec![weight, parameter("bias", &[outputs], Role::Bias)]
            }
            _ => Vec::new(),
        }
    }
}

impl Graph {
    /// Pixels and channels of what a value is the row of, where that makes a difference.
    fn flattened(&self, value: Value, shapes: &[Shape]) -> Option<(usize, usize)> {
        let mut node = &self.nodes[value.0.checked_sub(1)?];
        // Both values of a sum are alike.
        while let (Op::Relu | Op::Add, Shape::Row(_)) = (&node.op, shapes[node.of[0].0]) {
            node = &self.nodes[node.of[0].0.checked_sub(1)?];
        }
        match (&node.op, shapes[node.of[0].0]) {
            (Op::Flatten, Shape::Map(map)) if map.pixels() > 1 && map.channels > 1 => {
                Some((map.pixels(), map.channels))
            }
            _ => None,
        }
    }
}
