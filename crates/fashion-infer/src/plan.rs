//! A graph with its weights, laid out for the kernels.
//!
//! Batch normalisation is folded into the convolution before it, ReLU into what it follows, and a
//! convolution without padding, its ReLU and a pooling become the one kernel that there is for the
//! three. What is not folded gives the bits of training.
//!
//! Images go through the convolutions a few at a time, so that what one makes is still in the cache
//! when the next one reads it; rows of numbers go through dense layers all together, so that weights are
//! read once.

use crate::graph::{Graph, ImageShape, Node, Op, Shape, Value};
use crate::tensors::Tensors;
use fashion_kernels::chunks::chunk_len;
use fashion_kernels::conv::{Conv, ConvPool, Method};
use fashion_kernels::dense::Dense;
use fashion_kernels::pool::{Global, MaxPool};
use fashion_kernels::simd::Isa;
use fashion_kernels::{Buffer, Scratch, loss, norm, relu};
use rayon::prelude::*;
use std::ops::Range;

/// Images that go through the convolutions together.
const GROUP: usize = 4;

/// Numbers of rows that are kept at a time, 64 MiB, unless one image has more.
const MAX_ROWS: usize = 1 << 24;

/// A network's weights, packed once for the kernels, ready to classify.
#[derive(Debug)]
pub struct Plan {
    isa: Isa,
    input: ImageShape,
    classes: usize,
    /// Of pixels, for a few images; then of rows, for all.
    steps: Vec<Step>,
    /// How many of the steps are of pixels.
    of_pixels: usize,
    /// The values of one image: where they are kept, and how many there are. Not those that no step
    /// makes.
    places: Vec<Place>,
    /// What the last step goes by.
    features: Value,
    /// Values of one image that are kept for a few images, and for all.
    sizes: [usize; 2],
}

/// Where a value is kept, for an image.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Whether that of every image is kept, and not of a few.
    whole: bool,
    /// How many values of one image are kept before it.
    offset: usize,
    /// How many there are.
    len: usize,
}

#[derive(Debug)]
struct Step {
    kernel: Kernel,
    of: Vec<Value>,
    to: Value,
    /// The operations of the graph that it does in one go.
    nodes: Range<usize>,
}

/// A step of a [`Plan`], told to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStep {
    /// The operations of the graph that it does in one go, as positions among its
    /// [nodes](Graph::nodes).
    pub nodes: Range<usize>,
    /// How it is computed, where there is more than one way.
    pub method: Option<&'static str>,
    /// Multiplications an image; 0 where there are next to none.
    pub multiplications: usize,
}

#[derive(Debug)]
enum Kernel {
    ConvPool(ConvPool),
    Conv {
        conv: Conv,
        relu: bool,
    },
    /// Mean, 1 / deviation, scale and shift of each channel.
    Normalise {
        by: [Buffer; 4],
        relu: bool,
    },
    Relu,
    Add {
        relu: bool,
    },
    MaxPool(MaxPool),
    GlobalMaxPool(Global),
    GlobalAveragePool(Global),
    Flatten,
    Dense {
        layer: Dense,
        weight: Buffer,
        bias: Buffer,
    },
}

impl Plan {
    /// Packs a graph that was [checked](Graph::check) with tensors that are exactly its
    /// [parameters](Graph::parameters), in the order in which networks compute
    /// ([`Parameter::to_network_layout`](crate::Parameter::to_network_layout)).
    ///
    /// # Panics
    /// If one of them is missing or misshapen, or the graph does not pass its check.
    pub fn new(graph: &Graph, tensors: &Tensors) -> Plan {
        Builder::new(graph, tensors).build()
    }

    /// The shape of its images.
    pub fn input(&self) -> ImageShape {
        self.input
    }

    /// How many classes it tells apart.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What is computed one after the other, and how.
    pub fn steps(&self) -> impl Iterator<Item = PlannedStep> + '_ {
        self.steps.iter().map(|step| {
            let (method, multiplications) = match &step.kernel {
                Kernel::ConvPool(block) => told(block.method()),
                Kernel::Conv { conv, .. } => told(conv.method()),
                Kernel::Dense { layer, .. } => (None, layer.inputs * layer.outputs),
                _ => (None, 0),
            };
            PlannedStep { nodes: step.nodes.clone(), method, multiplications }
        })
    }

    /// How many features an image has.
    pub fn feature_count(&self) -> usize {
        self.places[self.features.index()].len
    }

    /// Writes the logits (n, classes) of n images given as normalised pixels, channels last, in this
    /// thread.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn logits_here(&self, x: &[f32], logits: &mut [f32]) {
        self.run(x, |last, features| {
            let Kernel::Dense { layer, weight, bias } = &last.kernel else {
                unreachable!("a checked graph ends with a dense layer")
            };
            layer.forward_here(self.isa, features, weight, bias, logits);
        });
    }

    /// Writes the features (n, [`feature_count`](Self::feature_count)) of n images given as normalised
    /// pixels, in this thread: what the last layer goes by. Images with near features look alike to the
    /// network.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn features_here(&self, x: &[f32], features: &mut [f32]) {
        self.run(x, |_, values| features.copy_from_slice(values));
    }

    /// As [`logits_here`](Self::logits_here), on all threads of rayon's current pool. A single image
    /// stays in this thread.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn logits(&self, x: &[f32], logits: &mut [f32]) {
        let here = |x: &[f32], logits: &mut [f32]| self.logits_here(x, logits);
        self.in_chunks(x, self.classes, logits, here);
    }

    /// As [`features_here`](Self::features_here), on all threads of rayon's current pool.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn features(&self, x: &[f32], features: &mut [f32]) {
        let here = |x: &[f32], features: &mut [f32]| self.features_here(x, features);
        self.in_chunks(x, self.feature_count(), features, here);
    }

    /// Probabilities of the classes (n, classes), the softmax of the logits.
    ///
    /// # Panics
    /// If `x` is not a whole number of images.
    pub fn probabilities(&self, x: &[f32]) -> Vec<f32> {
        let mut logits = vec![0.0; x.len() / self.input.values() * self.classes];
        self.logits(x, &mut logits);
        let mut probabilities = vec![0.0; logits.len()];
        loss::softmax(self.classes, &logits, &mut probabilities);
        probabilities
    }

    fn in_chunks(
        &self,
        x: &[f32],
        width: usize,
        out: &mut [f32],
        here: impl Fn(&[f32], &mut [f32]) + Sync,
    ) {
        let pixels = self.input.values();
        let n = x.len() / pixels;
        assert_eq!((x.len(), out.len()), (n * pixels, n * width), "pixels and results");
        if n == 1 {
            return here(x, out);
        }
        let rows = chunk_len(n).min(MAX_ROWS / self.sizes[1].max(1)).max(1);
        x.par_chunks(rows * pixels)
            .zip(out.par_chunks_mut(rows * width))
            .for_each(|(x, out)| here(x, out));
    }

    /// Does all steps but the last, which is given to `finish` with the features of all images.
    fn run(&self, x: &[f32], finish: impl FnOnce(&Step, &[f32])) {
        let pixels = self.input.values();
        let n = x.len() / pixels;
        assert_eq!(x.len(), n * pixels, "pixels of the images");
        let few = GROUP.min(n);
        let sizes = [few * self.sizes[0], n * self.sizes[1]];
        let mut scratch = Scratch::take(sizes[0] + sizes[1]);
        let memory = &mut scratch[..sizes[0] + sizes[1]];
        let (last, steps) = self.steps.split_last().expect("a checked graph has a last layer");
        for first in (0..n).step_by(GROUP) {
            let group = first..n.min(first + GROUP);
            for step in &steps[..self.of_pixels] {
                self.step(
                    step,
                    &x[group.start * pixels..group.end * pixels],
                    &group,
                    few,
                    n,
                    memory,
                );
            }
        }
        for step in &steps[self.of_pixels..] {
            self.step(step, &[], &(0..n), few, n, memory);
        }
        let features = self.range(self.features, &(0..n), few, n);
        finish(last, &memory[features]);
    }

    /// Where the values of some images are kept, of which `few` are together, and `n` in all.
    fn range(&self, value: Value, images: &Range<usize>, few: usize, n: usize) -> Range<usize> {
        let Place { whole, offset, len } = self.places[value.index()];
        let start = match whole {
            true => few * self.sizes[0] + n * offset + images.start * len,
            false => few * offset,
        };
        start..start + images.len() * len
    }

    fn step(
        &self,
        step: &Step,
        x: &[f32],
        images: &Range<usize>,
        few: usize,
        n: usize,
        memory: &mut [f32],
    ) {
        let range = |value| self.range(value, images, few, n);
        let apart = "a value is kept apart from those that it is made of";
        let to = range(step.to);
        if let [a, b] = step.of[..] {
            let Kernel::Add { relu } = step.kernel else { unreachable!("only sums are of two") };
            let add = |a: &[f32], b: &[f32], to: &mut [f32]| relu::add(a, b, relu, to);
            return match (a, b) {
                (Value::IMAGES, b) | (b, Value::IMAGES) => {
                    let [b, to] = memory.get_disjoint_mut([range(b), to]).expect(apart);
                    add(x, b, to);
                }
                (a, b) => {
                    let ranges = [range(a), range(b), to];
                    let [a, b, to] = memory.get_disjoint_mut(ranges).expect(apart);
                    add(a, b, to);
                }
            };
        }
        if step.of[0] == Value::IMAGES {
            return self.compute(&step.kernel, x, &mut memory[to]);
        }
        let [from, to] = memory.get_disjoint_mut([range(step.of[0]), to]).expect(apart);
        self.compute(&step.kernel, from, to);
    }

    fn compute(&self, kernel: &Kernel, x: &[f32], y: &mut [f32]) {
        let isa = self.isa;
        match kernel {
            Kernel::ConvPool(block) => block.forward(isa, x, y, None),
            Kernel::Conv { conv, relu } => conv.forward(isa, x, y, *relu),
            Kernel::Normalise { by: [mean, inverse_deviation, scale, shift], relu } => {
                let by = norm::Normalisation { mean, inverse_deviation, scale, shift, relu: *relu };
                norm::forward(isa, x, by, None, y);
            }
            Kernel::Relu => relu::forward(x, y),
            Kernel::MaxPool(pool) => pool.forward(isa, x, y, None),
            Kernel::GlobalMaxPool(pool) => pool.max(isa, x, y, None),
            Kernel::GlobalAveragePool(pool) => pool.average(isa, x, y),
            Kernel::Flatten => y.copy_from_slice(x),
            Kernel::Dense { layer, weight, bias } => layer.forward_here(isa, x, weight, bias, y),
            Kernel::Add { .. } => unreachable!("sums are of two values"),
        }
    }
}

/// What is known of a graph while its plan is made.
struct Builder<'a> {
    graph: &'a Graph,
    tensors: &'a Tensors,
    shapes: Vec<Shape>,
    /// How many operations use each value.
    uses: Vec<usize>,
}

impl<'a> Builder<'a> {
    fn new(graph: &'a Graph, tensors: &'a Tensors) -> Self {
        let shapes = graph.shapes().expect("a graph that was checked");
        let mut uses = vec![0; shapes.len()];
        for value in graph.nodes().iter().flat_map(|node| &node.of) {
            uses[value.index()] += 1;
        }
        Builder { graph, tensors, shapes, uses }
    }

    fn build(mut self) -> Plan {
        let mut steps = Vec::new();
        let mut next = 0;
        while next < self.graph.nodes().len() {
            steps.push(self.step(&mut next));
        }
        // Rows never become pixels again, but what is done with both may be told in any order.
        let makes_pixels = |step: &Step| matches!(self.shapes[step.of[0].index()], Shape::Map(_));
        steps.sort_by_key(|step| !makes_pixels(step));
        let of_pixels = steps.iter().filter(|step| makes_pixels(step)).count();
        let places = self.places(&steps);
        let sizes = [false, true].map(|whole| {
            let ends = places.iter().filter(|place| place.whole == whole);
            ends.map(|place| place.offset + place.len).max().unwrap_or(0)
        });
        Plan {
            isa: Isa::current(),
            input: self.graph.input(),
            classes: self.graph.classes(),
            features: steps.last().expect("a checked graph has a last layer").of[0],
            steps,
            of_pixels,
            places,
            sizes,
        }
    }

    /// What the node `next` and those after it come to that are done with it.
    fn step(&mut self, next: &mut usize) -> Step {
        let node = &self.graph.nodes()[*next];
        let of = node.of.clone();
        let from = self.shapes[of[0].index()];
        let first = *next;
        let mut to = self.made(next);
        let kernel = match (&node.op, from) {
            (Op::Conv { .. }, Shape::Map(_)) => {
                let chain = self.chain(*next - 1);
                *next = chain.end;
                to = Value::after(chain.end);
                self.convolution(&chain, of[0], to)
            }
            (Op::BatchNorm { epsilon }, _) => {
                let tensors = ["running_mean", "running_var", "weight", "bias"];
                let mut by = tensors.map(|suffix| self.buffer(&node.name, suffix));
                for variance in by[1].iter_mut() {
                    *variance = (1.0 / (f64::from(*variance) + epsilon).sqrt()) as f32;
                }
                let relu = self.takes(next, &mut to, &Op::Relu);
                Kernel::Normalise { by, relu }
            }
            (&Op::Dense { outputs }, Shape::Row(inputs)) => {
                let relu = self.takes(next, &mut to, &Op::Relu);
                Kernel::Dense {
                    layer: Dense { inputs, outputs, relu },
                    weight: self.buffer(&node.name, "weight"),
                    bias: self.buffer(&node.name, "bias"),
                }
            }
            (Op::Add, _) => Kernel::Add { relu: self.takes(next, &mut to, &Op::Relu) },
            (Op::Relu, _) => Kernel::Relu,
            (Op::MaxPool, Shape::Map(ImageShape { channels, side })) => {
                Kernel::MaxPool(MaxPool { side, channels })
            }
            (Op::GlobalMaxPool, Shape::Map(map)) => Kernel::GlobalMaxPool(global(map)),
            (Op::GlobalAveragePool, Shape::Map(map)) => Kernel::GlobalAveragePool(global(map)),
            (Op::Flatten, _) => Kernel::Flatten,
            _ => unreachable!("a checked graph's shapes fit"),
        };
        // Channels are last in rows, too: what makes the pixels makes the row.
        self.takes(next, &mut to, &Op::Flatten);
        Step { kernel, of, to, nodes: first..*next }
    }

    /// What the node `next` makes; `next` is then the one after it.
    fn made(&self, next: &mut usize) -> Value {
        *next += 1;
        Value::after(*next)
    }

    /// Whether the node `next` does this, and nothing but it goes by `value`: then both go on.
    fn takes(&self, next: &mut usize, value: &mut Value, op: &Op) -> bool {
        let takes = self.is_done(*next, *value, op);
        if takes {
            *value = self.made(next);
        }
        takes
    }

    fn is_done(&self, node: usize, value: Value, op: &Op) -> bool {
        let node = self.graph.nodes().get(node);
        self.uses[value.index()] == 1
            && node.is_some_and(|node| node.op == *op && node.of == [value])
    }

    /// The convolution at `node`, and what is done with it.
    fn chain(&self, node: usize) -> Chain {
        let mut end = node + 1;
        let mut value = Value::after(end);
        let norm = match self.graph.nodes().get(end) {
            Some(next @ Node { op: Op::BatchNorm { epsilon }, .. })
                if self.is_done(end, value, &next.op) =>
            {
                value = self.made(&mut end);
                Some((end - 1, *epsilon))
            }
            _ => None,
        };
        let relu = self.takes(&mut end, &mut value, &Op::Relu);
        let plain = matches!(
            self.graph.nodes()[node].op,
            Op::Conv { kernel: 3, stride: 1, padding: 0, .. }
        );
        let pool = plain
            && relu
            && self.pools(&self.graph.nodes()[node])
            && self.takes(&mut end, &mut value, &Op::MaxPool);
        Chain { node, norm, relu, pool, end }
    }

    /// Whether there is a kernel for this convolution together with ReLU and pooling.
    fn pools(&self, node: &Node) -> bool {
        let Shape::Map(from) = self.shapes[node.of[0].index()] else { return false };
        let shape = node.conv_shape(from);
        shape.is_some_and(|shape| {
            let out = shape.side_out() / 2;
            ConvPool::refusal(shape.inputs, shape.outputs, shape.side, out).is_none()
        })
    }

    fn convolution(&mut self, chain: &Chain, of: Value, to: Value) -> Kernel {
        let node = &self.graph.nodes()[chain.node];
        let Shape::Map(from) = self.shapes[of.index()] else {
            unreachable!("convolutions are of pixels")
        };
        let shape = node.conv_shape(from).expect("a convolution");
        let mut weight = self.values(&node.name, "weight").to_vec();
        let mut bias = match node.op {
            Op::Conv { bias: true, .. } => self.values(&node.name, "bias").to_vec(),
            _ => vec![0.0; shape.outputs],
        };
        if let Some((norm, epsilon)) = chain.norm {
            let (scale, shift) = self.scale_and_shift(&self.graph.nodes()[norm].name, epsilon);
            let filters = weight.chunks_exact_mut(shape.weight_len() / shape.outputs);
            for ((filter, bias), (scale, shift)) in
                filters.zip(&mut bias).zip(scale.into_iter().zip(shift))
            {
                for w in filter {
                    *w = (f64::from(*w) * scale) as f32;
                }
                *bias = (f64::from(*bias) * scale + shift) as f32;
            }
        }
        if chain.pool {
            let Shape::Map(pooled) = self.shapes[to.index()] else {
                unreachable!("what is pooled is pixels")
            };
            // A block whose result only another one reads leaves out the row that that one drops.
            let used = match self.graph.nodes().get(chain.end) {
                Some(Node { op: Op::Conv { .. }, of, .. })
                    if *of == [to] && self.uses[to.index()] == 1 && self.chain(chain.end).pool =>
                {
                    pooled.side.min(2 * ((pooled.side - 2) / 2) + 2)
                }
                _ => pooled.side,
            };
            self.shapes[to.index()] = Shape::Map(ImageShape { side: used, ..pooled });
            let mut block = ConvPool::new(shape.inputs, shape.outputs, from.side, used);
            block.pack(&weight, &bias);
            return Kernel::ConvPool(block);
        }
        let mut conv = Conv::new(shape);
        conv.pack(&weight, Some(&bias));
        Kernel::Conv { conv, relu: chain.relu }
    }

    /// What batch normalisation multiplies by and adds, once its statistics are fixed.
    fn scale_and_shift(&self, name: &str, epsilon: f64) -> (Vec<f64>, Vec<f64>) {
        let of = |suffix| self.values(name, suffix).iter().map(|&value| f64::from(value));
        let deviations = of("running_var").map(|variance| (variance + epsilon).sqrt());
        let scale: Vec<f64> = of("weight").zip(deviations).map(|(weight, d)| weight / d).collect();
        let means = of("running_mean").zip(&scale).map(|(mean, scale)| mean * scale);
        let shift = of("bias").zip(means).map(|(bias, mean)| bias - mean).collect();
        (scale, shift)
    }

    fn values(&self, name: &str, suffix: &str) -> &'a [f32] {
        let tensor = self.tensors.get(&format!("{name}.{suffix}"));
        &tensor.expect("a tensor of every parameter").values
    }

    fn buffer(&self, name: &str, suffix: &str) -> Buffer {
        let values = self.values(name, suffix);
        let mut buffer = Buffer::zeroed(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    /// Where each value is kept: as low as it can be without touching what is still needed.
    fn places(&self, steps: &[Step]) -> Vec<Place> {
        let mut last_use = vec![0; self.shapes.len()];
        for (position, step) in steps.iter().enumerate() {
            for value in &step.of {
                last_use[value.index()] = position;
            }
        }
        let mut places = vec![Place::default(); self.shapes.len()];
        let mut kept: Vec<Value> = Vec::new();
        for (position, step) in steps[..steps.len() - 1].iter().enumerate() {
            kept.retain(|value| last_use[value.index()] >= position);
            let shape = self.shapes[step.to.index()];
            let (whole, len) = (matches!(shape, Shape::Row(_)), shape.values());
            let mut taken: Vec<Place> = kept.iter().map(|value| places[value.index()]).collect();
            taken.retain(|place| place.whole == whole);
            taken.sort_by_key(|place| place.offset);
            let mut offset = 0;
            for place in taken {
                if offset + len <= place.offset {
                    break;
                }
                offset = place.offset + place.len;
            }
            places[step.to.index()] = Place { whole, offset, len };
            kept.push(step.to);
        }
        places
    }
}

/// A convolution, and what can be done in one go with it.
struct Chain {
    node: usize,
    /// The batch normalisation after it, and its epsilon.
    norm: Option<(usize, f64)>,
    relu: bool,
    pool: bool,
    /// The first node that is not among them.
    end: usize,
}

fn told(Method { name, multiplications }: Method) -> (Option<&'static str>, usize) {
    (Some(name), multiplications)
}

fn global(map: ImageShape) -> Global {
    Global { positions: map.pixels(), channels: map.channels }
}
