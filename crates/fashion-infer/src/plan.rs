//! A graph with its weights, laid out for the kernels.
//!
//! Batch normalisation is folded into the convolution before it, ReLU into what it follows, and a
//! convolution without padding, its ReLU and a pooling become the one kernel that there is for the
//! three. What is not folded gives the bits of training.
//!
//! Images go through the convolutions a few at a time, so that what one makes is still in the cache
//! when the next one reads it; rows of numbers go through dense layers all together, so that weights are
//! read once.

mod build;

use self::build::Builder;
use crate::graph::{Graph, ImageShape, Value};
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
    /// The step that makes the last pixels, and their shape.
    last_pixels: Option<(usize, ImageShape)>,
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
    /// The shape of what it makes, where that is pixels, if they are a row afterwards.
    map: Option<ImageShape>,
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

    /// How many layer features an image has.
    pub fn layer_feature_count(&self) -> usize {
        let quarters = self.last_pixels.map_or(0, |(_, map)| 4 * map.channels);
        quarters + self.feature_count() + 1
    }

    /// Writes the logits (n, classes) of n images given as normalised pixels, channels last, in this
    /// thread.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn logits_here(&self, x: &[f32], logits: &mut [f32]) {
        self.run(x, |_, _, _| {}, |last, features| self.last(last, features, logits));
    }

    /// Does the last step.
    fn last(&self, step: &Step, features: &[f32], logits: &mut [f32]) {
        let Kernel::Dense { layer, weight, bias } = &step.kernel else {
            unreachable!("a checked graph ends with a dense layer")
        };
        layer.forward_here(self.isa, features, weight, bias, logits);
    }

    /// Writes the features (n, [`feature_count`](Self::feature_count)) of n images given as normalised
    /// pixels, in this thread: what the last layer goes by. Images with near features look alike to the
    /// network.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn features_here(&self, x: &[f32], features: &mut [f32]) {
        self.run(x, |_, _, _| {}, |_, values| features.copy_from_slice(values));
    }

    /// Writes the layer features (n, [`layer_feature_count`](Self::layer_feature_count)) of n images given
    /// as normalised pixels, in this thread: of the last pixels that the network makes the mean of each
    /// channel in the upper left quarter, the upper right, the lower left and the lower right one; the
    /// [features](Self::features_here); and the energy of the logits, −log Σ exp (Liu et al., arXiv
    /// 2010.03759). Of an odd side the middle is of both halves. Writes these logits (n, classes) too.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn layer_features_here(&self, x: &[f32], out: &mut [f32], logits: &mut [f32]) {
        let (width, count) = (self.layer_feature_count(), self.feature_count());
        // Written by both, one after the other.
        let out = std::cell::RefCell::new(out);
        let quarters = |map: ImageShape, images: &Range<usize>, values: &[f32]| {
            let mut out = out.borrow_mut();
            let rows = out[images.start * width..].chunks_exact_mut(width);
            for (row, pixels) in rows.zip(values.chunks_exact(map.values())) {
                write_quarters(map, pixels, &mut row[..4 * map.channels]);
            }
        };
        self.run(x, quarters, |last, features| {
            let mut out = out.borrow_mut();
            self.last(last, features, logits);
            let of_images = features.chunks_exact(count).zip(logits.chunks_exact(self.classes));
            for (row, (features, logits)) in out.chunks_exact_mut(width).zip(of_images) {
                row[width - 1 - count..width - 1].copy_from_slice(features);
                let largest = logits.iter().copied().fold(f32::MIN, f32::max);
                let sum: f32 = logits.iter().map(|logit| libm::expf(logit - largest)).sum();
                row[width - 1] = -largest - libm::logf(sum);
            }
        });
    }

    /// As [`logits_here`](Self::logits_here), on all threads of rayon's current pool. A single image
    /// stays in this thread.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn logits(&self, x: &[f32], logits: &mut [f32]) {
        let here = |x: &[f32], logits: &mut [f32], _: &mut [f32]| self.logits_here(x, logits);
        self.in_chunks(x, [self.classes, 0], [logits, &mut []], here);
    }

    /// As [`features_here`](Self::features_here), on all threads of rayon's current pool.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn features(&self, x: &[f32], features: &mut [f32]) {
        let here = |x: &[f32], features: &mut [f32], _: &mut [f32]| self.features_here(x, features);
        self.in_chunks(x, [self.feature_count(), 0], [features, &mut []], here);
    }

    /// As [`layer_features_here`](Self::layer_features_here), on all threads of rayon's current pool.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn layer_features(&self, x: &[f32], out: &mut [f32], logits: &mut [f32]) {
        let here = |x: &[f32], out: &mut [f32], logits: &mut [f32]| {
            self.layer_features_here(x, out, logits);
        };
        self.in_chunks(x, [self.layer_feature_count(), self.classes], [out, logits], here);
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

    /// Makes two results of some images at a time, of so many numbers for each image.
    fn in_chunks(
        &self,
        x: &[f32],
        widths: [usize; 2],
        [mut first, mut second]: [&mut [f32]; 2],
        here: impl Fn(&[f32], &mut [f32], &mut [f32]) + Sync,
    ) {
        let pixels = self.input.values();
        let n = x.len() / pixels;
        let lengths = [first.len(), second.len()];
        assert_eq!((x.len(), lengths), (n * pixels, widths.map(|width| n * width)), "lengths");
        if n == 1 {
            return here(x, first, second);
        }
        let rows = chunk_len(n).min(MAX_ROWS / self.sizes[1].max(1)).max(1);
        let mut parts = Vec::new();
        for x in x.chunks(rows * pixels) {
            let images = x.len() / pixels;
            let first =
                first.split_off_mut(..images * widths[0]).expect("a length that was checked");
            let second =
                second.split_off_mut(..images * widths[1]).expect("a length that was checked");
            parts.push((x, first, second));
        }
        parts.into_par_iter().for_each(|(x, first, second)| here(x, first, second));
    }

    /// Does all steps but the last, which is given to `finish` with the features of all images. The last
    /// pixels of some images are given to `last_pixels`, with their shape and which images they are of.
    fn run(
        &self,
        x: &[f32],
        last_pixels: impl Fn(ImageShape, &Range<usize>, &[f32]),
        finish: impl FnOnce(&Step, &[f32]),
    ) {
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
            let x = &x[group.start * pixels..group.end * pixels];
            for (at, step) in steps[..self.of_pixels].iter().enumerate() {
                self.step(step, x, &group, few, n, memory);
                if let Some((last, map)) = self.last_pixels
                    && last == at
                {
                    last_pixels(map, &group, &memory[self.range(step.to, &group, few, n)]);
                }
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

/// The mean of each channel in each quarter.
fn write_quarters(map: ImageShape, pixels: &[f32], means: &mut [f32]) {
    let ImageShape { channels, side } = map;
    let half = side.div_ceil(2);
    let halves = [0..half, side - half..side];
    means.fill(0.0);
    for (quarter, means) in means.chunks_exact_mut(channels).enumerate() {
        for row in halves[quarter / 2].clone() {
            let columns = &halves[quarter % 2];
            let places =
                (row * side + columns.start) * channels..(row * side + columns.end) * channels;
            for pixel in pixels[places].chunks_exact(channels) {
                means.iter_mut().zip(pixel).for_each(|(mean, value)| *mean += value);
            }
        }
        means.iter_mut().for_each(|mean| *mean /= (half * half) as f32);
    }
}

fn told(Method { name, multiplications }: Method) -> (Option<&'static str>, usize) {
    (Some(name), multiplications)
}
