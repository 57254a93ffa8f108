//! The values of a batch between two layers, and their gradient.
//!
//! **Normalised values are computed where they are read.** Between a convolution and the next one,
//! batch normalisation only needs sums over the batch. So it leaves a node without values, which knows
//! what they follow from; who reads a chunk of samples normalises it on the way, while it is in the
//! cache. In the backward pass the same is true of the gradient of what was normalised.
//!
//! **The last reader to add its part of a gradient makes it whole**, and takes the sums that batch
//! normalisation needs of each chunk before this leaves the cache.

use crate::memory::{Held, Memory};
use crate::tape::{add, lock};
use fashion_kernels::chunks::{CHUNKS, chunk_len};
use fashion_kernels::norm::{self, Normalisation, Slopes};
use fashion_kernels::simd::Isa;
use rayon::prelude::*;
use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// The samples of each chunk of a batch of `n`; the last chunks may have none.
pub(crate) fn chunks(n: usize) -> [Range<usize>; CHUNKS] {
    let len = chunk_len(n);
    std::array::from_fn(|chunk| n.min(chunk * len)..n.min((chunk + 1) * len))
}

/// The parts of each chunk, `len` values each; the last may have less, or none.
pub(crate) fn parts<T>(values: &mut [T], len: usize) -> [&mut [T]; CHUNKS] {
    let mut parts = values.chunks_mut(len.max(1));
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The values of a batch, and their gradient.
#[derive(Debug)]
pub(crate) struct Node {
    /// Samples.
    n: usize,
    /// Values of one.
    sample: usize,
    /// None before somebody has computed them.
    values: OnceLock<Held>,
    /// What they follow from, where they are not written by whom they come from.
    normalised: Option<Normalised>,
    /// What [`norm::moments`] needs, where whom they come from has taken it.
    moments: Mutex<Option<Held>>,
    memory: Memory,
    /// Whether there is something to be trained before it.
    wanted: bool,
    /// Layers that read it and have not given their part of the gradient yet.
    readers: AtomicUsize,
    gradient: Mutex<Option<Gradient>>,
}

/// What normalised values follow from.
#[derive(Debug)]
struct Normalised {
    x: Reader,
    norm: Arc<Norm>,
    /// What [`norm::slopes`] needs, where the last reader has taken it.
    sums: Mutex<Option<Held>>,
}

/// What normalises: the mean, the inverse deviation, the scale and the shift of each channel.
#[derive(Debug)]
pub(crate) struct Norm {
    pub(crate) channels: usize,
    pub(crate) relu: bool,
    pub(crate) values: Held,
}

impl Norm {
    pub(crate) fn by(&self) -> Normalisation<'_> {
        let mut values = self.values.chunks_exact(self.channels);
        let mut next = || values.next().expect("four values a channel");
        Normalisation {
            mean: next(),
            inverse_deviation: next(),
            scale: next(),
            shift: next(),
            relu: self.relu,
        }
    }
}

/// The gradient of a node.
#[derive(Debug)]
pub(crate) enum Gradient {
    Values(Arc<Held>),
    /// It follows from the gradient of what the node became by normalisation; the slopes are those of
    /// [`norm::backward`], two values a channel.
    Normalised {
        grad: Arc<Held>,
        norm: Arc<Norm>,
        slopes: Held,
    },
}

impl Node {
    pub(crate) fn new(n: usize, values: Held, memory: &Memory) -> Node {
        let sample = values.len() / n.max(1);
        Node { values: OnceLock::from(values), ..Node::empty(n, sample, memory.clone()) }
    }

    fn empty(n: usize, sample: usize, memory: Memory) -> Node {
        Node {
            n,
            sample,
            values: OnceLock::new(),
            normalised: None,
            moments: Mutex::default(),
            memory,
            wanted: true,
            readers: AtomicUsize::new(0),
            gradient: Mutex::default(),
        }
    }

    /// The same, with or without something to be trained before it.
    pub(crate) fn wanted_if(self, wanted: bool) -> Node {
        Node { wanted, ..self }
    }

    /// Whether its gradient is wanted, for something that is trained before it.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// What becomes of `x` by normalisation.
    pub(crate) fn normalised(x: Reader, norm: Arc<Norm>) -> Node {
        let empty = Node::empty(x.n, x.sample, x.memory.clone());
        Node { normalised: Some(Normalised { x, norm, sums: Mutex::default() }), ..empty }
    }

    /// With what [`norm::moments`] needs of each chunk.
    pub(crate) fn with_moments(self, moments: Held) -> Node {
        Node { moments: Mutex::new(Some(moments)), ..self }
    }

    /// What it follows from by normalisation.
    ///
    /// # Panics
    /// If it does not.
    pub(crate) fn source(&self) -> &Reader {
        &self.normalised.as_ref().expect("values that follow by normalisation").x
    }

    pub(crate) fn take_moments(&self) -> Option<Held> {
        lock(&self.moments).take()
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Values of all samples.
    pub(crate) fn len(&self) -> usize {
        self.n * self.sample
    }

    /// Values of a chunk.
    pub(crate) fn chunk_len(&self) -> usize {
        chunk_len(self.n) * self.sample
    }

    fn span(&self, samples: &Range<usize>) -> Range<usize> {
        samples.start * self.sample..samples.end * self.sample
    }

    fn is_pending(&self) -> bool {
        self.values.get().is_none()
    }

    /// The room that [`read`](Self::read) needs for `len` values: none where they are in memory.
    pub(crate) fn pending(&self, len: usize) -> usize {
        if self.is_pending() { len } else { 0 }
    }

    /// Its values.
    ///
    /// # Panics
    /// If nobody has computed them yet.
    pub(crate) fn values(&self) -> &[f32] {
        self.values.get().expect("values that a reader has computed")
    }

    /// The values of some samples, computed into `to` where they are not in memory.
    pub(crate) fn read<'a>(
        &'a self,
        isa: Isa,
        samples: Range<usize>,
        to: &'a mut [f32],
    ) -> &'a [f32] {
        match (self.values.get(), &self.normalised) {
            (None, Some(of)) => {
                let to = &mut to[..samples.len() * self.sample];
                norm::forward(isa, of.x_of(samples), of.norm.by(), None, to);
                to
            }
            _ => &self.values()[self.span(&samples)],
        }
    }

    /// Computes all the values, for whoever wants them in one piece.
    pub(crate) fn fill(&self, isa: Isa) {
        if self.is_pending() {
            let mut values = self.memory.take(self.len());
            (chunks(self.n), parts(&mut values, self.chunk_len())).into_par_iter().for_each(
                |(samples, to)| {
                    self.read(isa, samples, to);
                },
            );
            // Whoever comes second has the same values.
            let _ = self.values.set(values);
        }
    }

    /// max(self + other, 0) of some samples.
    pub(crate) fn add_relu(&self, isa: Isa, samples: Range<usize>, other: &[f32], to: &mut [f32]) {
        match &self.normalised {
            Some(of) if self.is_pending() && !of.norm.relu => {
                let by = Normalisation { relu: true, ..of.norm.by() };
                norm::forward(isa, of.x_of(samples), by, Some(other), to);
            }
            _ => {
                let mut scratch = fashion_kernels::Scratch::take(to.len());
                let values = self.read(isa, samples, &mut scratch);
                fashion_kernels::relu::add(values, other, true, to);
            }
        }
    }

    /// What its readers have made of its gradient; zeros where they have made nothing.
    pub(crate) fn take_gradient(&self) -> Gradient {
        lock(&self.gradient).take().unwrap_or_else(|| {
            let mut zeros = self.memory.take(self.len());
            zeros.fill(0.0);
            Gradient::Values(Arc::new(zeros))
        })
    }

    /// What [`norm::slopes`] needs of the normalised values' gradient.
    pub(crate) fn take_sums(&self, isa: Isa, grad: &[f32]) -> Held {
        let of = self.normalised.as_ref().expect("values that follow by normalisation");
        if let Some(taken) = lock(&of.sums).take() {
            return taken;
        }
        let mut sums = Sums::new(self);
        (chunks(self.n), sums.parts()).into_par_iter().for_each(|(samples, mut sums)| {
            let grad = &grad[self.span(&samples)];
            sums.add(isa, samples, grad);
        });
        sums.0.expect("sums of values that follow by normalisation").1
    }
}

/// The sums that batch normalisation needs of a gradient, where the node follows by it.
pub(crate) struct Sums<'a>(Option<(&'a Normalised, Held)>);

impl<'a> Sums<'a> {
    fn new(node: &'a Node) -> Sums<'a> {
        Sums(
            node.normalised
                .as_ref()
                .map(|of| (of, node.memory.zero_doubles(CHUNKS * of.sums_of_chunk()))),
        )
    }

    /// Those of each chunk.
    pub(crate) fn parts(&mut self) -> [SumsPart<'_>; CHUNKS] {
        let (of, sums) = match &mut self.0 {
            Some((of, sums)) => (Some(&**of), parts(sums.doubles(), of.sums_of_chunk())),
            None => (None, parts(&mut [], 0)),
        };
        sums.map(|sums| SumsPart(of.map(|of| (of, sums))))
    }

    /// They are those of the whole gradient.
    pub(crate) fn done(self) {
        if let Some((of, sums)) = self.0 {
            *lock(&of.sums) = Some(sums);
        }
    }
}

/// The [`Sums`] of one chunk.
pub(crate) struct SumsPart<'a>(Option<(&'a Normalised, &'a mut [f64])>);

impl SumsPart<'_> {
    /// Adds those of some samples.
    pub(crate) fn add(&mut self, isa: Isa, samples: Range<usize>, grad: &[f32]) {
        if let Some((of, sums)) = &mut self.0 {
            let x = of.x_of(samples);
            norm::add_sums(isa, x, of.norm.by(), of.x.sample, grad, sums);
        }
    }
}

impl Normalised {
    fn x_of(&self, samples: Range<usize>) -> &[f32] {
        &self.x.values()[self.x.span(&samples)]
    }

    fn sums_of_chunk(&self) -> usize {
        norm::SUMS * self.norm.channels
    }
}

impl Gradient {
    /// The room that [`read`](Self::read) needs for `len` values: none where they are in memory.
    pub(crate) fn pending(&self, len: usize) -> usize {
        if matches!(self, Gradient::Normalised { .. }) { len } else { 0 }
    }

    /// That of some samples of its node, computed into `to` where it is not in memory.
    pub(crate) fn read<'a>(
        &'a self,
        isa: Isa,
        node: &Node,
        samples: Range<usize>,
        to: &'a mut [f32],
    ) -> &'a [f32] {
        let span = node.span(&samples);
        match self {
            Gradient::Values(values) => &values[span],
            Gradient::Normalised { grad, norm, slopes } => {
                let (of_x, constant) = slopes.split_at(norm.channels);
                let (x, to) = (&node.values()[span.clone()], &mut to[..span.len()]);
                norm::backward(isa, x, norm.by(), Slopes { of_x, constant }, &grad[span], to);
                to
            }
        }
    }

    /// All of it.
    pub(crate) fn shared(self, isa: Isa, node: &Node) -> Arc<Held> {
        match self {
            Gradient::Values(values) => values,
            Gradient::Normalised { .. } => Arc::new(self.into_values(isa, node)),
        }
    }

    /// All of it, to be changed.
    pub(crate) fn into_values(self, isa: Isa, node: &Node) -> Held {
        match self {
            Gradient::Values(values) => {
                Arc::try_unwrap(values).unwrap_or_else(|shared| shared.copy())
            }
            Gradient::Normalised { .. } => {
                let mut values = node.memory.take(node.len());
                (chunks(node.n), parts(&mut values, node.chunk_len())).into_par_iter().for_each(
                    |(samples, to)| {
                        self.read(isa, node, samples, to);
                    },
                );
                values
            }
        }
    }
}

/// A layer's reading of a node, which makes it give a part of the gradient.
#[derive(Debug)]
pub(crate) struct Reader(Arc<Node>);

impl Deref for Reader {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.0
    }
}

impl Reader {
    pub(crate) fn new(node: Arc<Node>) -> Reader {
        node.readers.fetch_add(1, Ordering::Relaxed);
        Reader(node)
    }

    /// Whether this is the last reader that gives its part of the gradient; to be asked once.
    fn is_last(&self) -> bool {
        self.readers.fetch_sub(1, Ordering::Relaxed) == 1
    }

    /// Where the layer's part of the gradient goes; `None` if nobody wants it. To be called once.
    pub(crate) fn sink(&self, isa: Isa) -> Option<Sink<'_>> {
        let last = self.is_last();
        if !self.wanted {
            return None;
        }
        let before = lock(&self.gradient).take();
        let add = before.is_some();
        let values = match before {
            Some(before) => before.into_values(isa, self),
            None => self.memory.take(self.len()),
        };
        let sums = if last { Sums::new(self) } else { Sums(None) };
        Some(Sink { node: self, values, add, sums })
    }

    /// The sums of a gradient that is to be [received](Self::receive): none unless it is the whole one.
    pub(crate) fn sums(&self) -> Sums<'_> {
        let last = self.readers.load(Ordering::Relaxed) == 1;
        let whole = last && self.wanted && lock(&self.gradient).is_none();
        if whole { Sums::new(self) } else { Sums(None) }
    }

    /// Gives the layer's part of the gradient as it is. To be called once, in place of
    /// [`sink`](Self::sink).
    pub(crate) fn receive(&self, isa: Isa, part: Gradient) {
        self.is_last();
        if !self.wanted {
            return;
        }
        let mut gradient = lock(&self.gradient);
        *gradient = Some(match gradient.take() {
            None => part,
            Some(before) => {
                let mut sum = before.into_values(isa, self);
                match &part {
                    Gradient::Values(part) => add(&mut sum, part),
                    Gradient::Normalised { .. } => add(&mut sum, &part.into_values(isa, self)),
                }
                Gradient::Values(Arc::new(sum))
            }
        });
    }
}

/// Where a layer's part of a gradient goes.
pub(crate) struct Sink<'a> {
    node: &'a Node,
    values: Held,
    /// Whether other parts are there already.
    add: bool,
    sums: Sums<'a>,
}

impl Sink<'_> {
    /// The parts of each chunk.
    pub(crate) fn parts(&mut self) -> [Part<'_>; CHUNKS] {
        let Sink { node, values, add, sums } = self;
        let mut values = parts(values, node.chunk_len()).into_iter();
        let mut samples = chunks(node.n).into_iter();
        sums.parts().map(|sums| Part {
            values: values.next().unwrap_or_default(),
            first: samples.next().map_or(0, |samples| samples.start),
            sample: node.sample,
            add: *add,
            sums,
        })
    }

    /// All of it, and whether it is to be added to.
    pub(crate) fn whole(&mut self) -> (&mut [f32], bool) {
        self.sums = Sums(None);
        (&mut self.values, self.add)
    }

    /// The part has been given.
    pub(crate) fn done(self) {
        *lock(&self.node.gradient) = Some(Gradient::Values(Arc::new(self.values)));
        self.sums.done();
    }
}

/// The part of a [`Sink`] that is of one chunk.
pub(crate) struct Part<'a> {
    values: &'a mut [f32],
    /// The number of its first sample.
    first: usize,
    sample: usize,
    add: bool,
    sums: SumsPart<'a>,
}

impl Part<'_> {
    /// `f` writes the gradient of some samples, or adds it where it is told so.
    pub(crate) fn write(
        &mut self,
        isa: Isa,
        samples: Range<usize>,
        f: impl FnOnce(&mut [f32], bool),
    ) {
        let start = (samples.start - self.first) * self.sample;
        let values = &mut self.values[start..][..samples.len() * self.sample];
        f(values, self.add);
        self.sums.add(isa, samples, values);
    }
}

/// The parts of each chunk of a sink, if there is one.
pub(crate) fn sink_parts<'a>(sink: &'a mut Option<Sink<'_>>) -> [Option<Part<'a>>; CHUNKS] {
    match sink {
        Some(sink) => sink.parts().map(Some),
        None => std::array::from_fn(|_| None),
    }
}
