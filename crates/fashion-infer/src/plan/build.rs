//! How a graph becomes a plan: what is fused, and where each value is kept.

use super::{Kernel, Place, Plan, Step};
use crate::graph::{Graph, ImageShape, Node, Op, Shape, Value};
use crate::tensors::Tensors;
use fashion_kernels::Buffer;
use fashion_kernels::conv::{Conv, ConvPool};
use fashion_kernels::dense::Dense;
use fashion_kernels::pool::{Global, MaxPool};
use fashion_kernels::simd::Isa;

/// What is known of a graph while its plan is made.
pub(super) struct Builder<'a> {
    graph: &'a Graph,
    tensors: &'a Tensors,
    shapes: Vec<Shape>,
    /// How many operations use each value.
    uses: Vec<usize>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(graph: &'a Graph, tensors: &'a Tensors) -> Self {
        let shapes = graph.shapes().expect("a graph that was checked");
        let mut uses = vec![0; shapes.len()];
        for value in graph.nodes().iter().flat_map(|node| &node.of) {
            uses[value.index()] += 1;
        }
        Builder { graph, tensors, shapes, uses }
    }

    pub(super) fn build(mut self) -> Plan {
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
            last_pixels: (0..of_pixels).rev().find_map(|at| Some((at, steps[at].map?))),
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
        let map = match self.shapes[to.index()] {
            Shape::Map(map) => Some(map),
            Shape::Row(_) => None,
        };
        // Channels are last in rows, too: what makes the pixels makes the row.
        self.takes(next, &mut to, &Op::Flatten);
        Step { kernel, of, to, map, nodes: first..*next }
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

fn global(map: ImageShape) -> Global {
    Global { positions: map.pixels(), channels: map.channels }
}
