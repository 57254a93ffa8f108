//! Two convolution blocks as one operation on the tape.
//!
//! The result of the first block goes straight from its kernel into the second one's, a chunk of
//! samples at a time (eight of a batch of 128), and never becomes a tensor of its own: it stays in the
//! cache, and what the second block's pooling leaves out is not computed at all.

use crate::activation::{Activation, FeatureMap};
use crate::layer::{AnyTensor, Layer, tensors, within};
use crate::node::Node;
use crate::tape::{Pool, zeros};
use dfdx::nn::ModuleMut;
use dfdx::shapes::{Const, Rank1, Rank4};
use dfdx::tensor::{Cpu, CpuError, Tape, Tensor};
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::chunks::{CHUNKS, chunk_count, chunk_len, sum_in_order};
use fashion_kernels::conv::ConvPool;
use fashion_kernels::{Buffer, simd::Isa};
use rayon::prelude::*;
use std::sync::Arc;

/// The parameters of a 3 × 3 convolution (valid, stride 1), ReLU and 2 × 2 max-pooling: an image of
/// `SIDE_IN` rows, `SIDE_IN` columns and `IN` channels becomes one of `SIDE_OUT` = ⌊(`SIDE_IN` − 2) / 2⌋
/// and `OUT`.
///
/// Keras's `Conv2D(OUT, 3, activation="relu")` and `MaxPooling2D(2)`. A `SIDE_OUT` that does not
/// follow from `SIDE_IN` does not compile. It is trained in a [`ConvPair`].
#[derive(Clone, Debug)]
pub struct ConvBlock<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize>
{
    /// Weights (OUT, IN, 3, 3).
    pub weight: Tensor<Rank4<OUT, IN, 3, 3>, f32, Cpu>,
    /// Biases (OUT).
    pub bias: Tensor<Rank1<OUT>, f32, Cpu>,
    frozen: bool,
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> Default
    for ConvBlock<IN, OUT, SIDE_IN, SIDE_OUT>
{
    fn default() -> Self {
        const { assert!(SIDE_OUT == (SIDE_IN - 2) / 2, "SIDE_OUT must be (SIDE_IN - 2) / 2") }
        ConvBlock { weight: zeros(), bias: zeros(), frozen: false }
    }
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> Layer
    for ConvBlock<IN, OUT, SIDE_IN, SIDE_OUT>
{
    fn lower(&self, name: &str, graph: &mut Graph, x: Value) -> Value {
        let conv = Op::Conv { outputs: OUT, kernel: 3, stride: 1, padding: 0, bias: true };
        let x = graph.add(name, conv, &[x]);
        let x = graph.add("", Op::Relu, &[x]);
        graph.add("", Op::MaxPool, &[x])
    }

    tensors!(weight, bias);
}

/// Two [`ConvBlock`]s, the first of which gets the images: no gradient flows to these.
///
/// (B, `SIDE_IN`, `SIDE_IN`, `IN`) → (B, `SIDE_OUT`, `SIDE_OUT`, `OUT`), channels last.
#[derive(Clone, Debug, Default)]
pub struct ConvPair<
    const IN: usize,
    const MID: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_MID: usize,
    const SIDE_OUT: usize,
> {
    /// The first block.
    pub conv1: ConvBlock<IN, MID, SIDE_IN, SIDE_MID>,
    /// The second block.
    pub conv2: ConvBlock<MID, OUT, SIDE_MID, SIDE_OUT>,
    pool: Pool<Workspace>,
}

impl<
    const IN: usize,
    const MID: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_MID: usize,
    const SIDE_OUT: usize,
> Layer for ConvPair<IN, MID, OUT, SIDE_IN, SIDE_MID, SIDE_OUT>
{
    fn lower(&self, name: &str, graph: &mut Graph, x: Value) -> Value {
        let x = self.conv1.lower(&within(name, "conv1"), graph, x);
        self.conv2.lower(&within(name, "conv2"), graph, x)
    }

    fn tensors<'a>(&'a self, all: &mut Vec<&'a dyn AnyTensor>) {
        self.conv1.tensors(all);
        self.conv2.tensors(all);
    }

    fn tensors_mut<'a>(&'a mut self, all: &mut Vec<&'a mut dyn AnyTensor>) {
        self.conv1.tensors_mut(all);
        self.conv2.tensors_mut(all);
    }

    fn freeze(&mut self, name: &str, frozen: &dyn Fn(&str) -> bool) {
        self.conv1.freeze(&within(name, "conv1"), frozen);
        self.conv2.freeze(&within(name, "conv2"), frozen);
    }
}

impl<
    const IN: usize,
    const MID: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_MID: usize,
    const SIDE_OUT: usize,
> ModuleMut<FeatureMap<SIDE_IN, IN>> for ConvPair<IN, MID, OUT, SIDE_IN, SIDE_MID, SIDE_OUT>
{
    type Output = FeatureMap<SIDE_OUT, OUT>;
    type Error = CpuError;

    fn try_forward_mut(&mut self, x: FeatureMap<SIDE_IN, IN>) -> Result<Self::Output, CpuError> {
        const {
            assert!(IN == 1, "the gradient of the input is not computed: it must be the images");
        }
        let isa = Isa::current();
        let (x, n, mut tape) = x.split();
        let pool = self.pool.clone();
        let mut ws = pool.take(|| {
            // The rows of the middle that the second block reads.
            let used = 2 * SIDE_OUT + 2;
            Workspace::new(
                ConvPool::new(IN, MID, SIDE_IN, used),
                ConvPool::new(MID, OUT, used, SIDE_OUT),
            )
        });
        ws.pack(self);
        x.fill(isa);
        let mut y = x.memory().take(n * ws.second.output_len());
        ws.forward(isa, n, x.values(), &mut y);
        let trained = [!self.conv1.frozen, !self.conv2.frozen];
        let wanted = trained != [false; 2];
        let out = Arc::new(Node::new(n, y, x.memory()).wanted_if(wanted));
        let y = Arc::clone(&out);
        if !wanted {
            pool.put_back(ws);
            return Ok(Activation::new((n, Const, Const, Const), y, tape));
        }
        let first = (self.conv1.weight.ghost(), self.conv1.bias.ghost());
        let second = (self.conv2.weight.ghost(), self.conv2.bias.ghost());
        tape.add_backward_op(move |grads| {
            let grad = out.take_gradient().shared(isa, &out);
            ws.backward(isa, n, x.values(), &grad, trained[0]);
            let (of_first, of_second) = ws.gradient.split_at(ws.first.gradient_len());
            // Two gradients cannot be borrowed at once: the bias waits outside.
            if trained[0] {
                let mut bias = std::mem::take(&mut **grads.get_or_alloc_mut(&first.1)?);
                ws.first.unpack_gradient(of_first, grads.get_or_alloc_mut(&first.0)?, &mut bias);
                **grads.get_or_alloc_mut(&first.1)? = bias;
            }
            if trained[1] {
                let mut bias = std::mem::take(&mut **grads.get_or_alloc_mut(&second.1)?);
                ws.second.unpack_gradient(of_second, grads.get_or_alloc_mut(&second.0)?, &mut bias);
                **grads.get_or_alloc_mut(&second.1)? = bias;
            }
            pool.put_back(ws);
            Ok(())
        });
        Ok(Activation::new((n, Const, Const, Const), y, tape))
    }
}

/// What the two blocks keep between their forward and backward pass.
struct Workspace {
    first: ConvPool,
    second: ConvPool,
    mid: Buffer,
    mid_winners: Vec<u8>,
    winners: Vec<u8>,
    grad_mid: Buffer,
    /// A gradient of both blocks for each chunk.
    partials: Buffer,
    gradient: Buffer,
    weight: Buffer,
    bias: Buffer,
}

impl Workspace {
    fn new(first: ConvPool, second: ConvPool) -> Workspace {
        let empty = Buffer::default;
        Workspace {
            first,
            second,
            mid: empty(),
            mid_winners: Vec::new(),
            winners: Vec::new(),
            grad_mid: empty(),
            partials: empty(),
            gradient: empty(),
            weight: empty(),
            bias: empty(),
        }
    }

    /// Takes over the weights as they are now.
    fn pack<
        const IN: usize,
        const MID: usize,
        const OUT: usize,
        const SIDE_IN: usize,
        const SIDE_MID: usize,
        const SIDE_OUT: usize,
    >(
        &mut self,
        pair: &ConvPair<IN, MID, OUT, SIDE_IN, SIDE_MID, SIDE_OUT>,
    ) {
        let Workspace { first, second, weight, bias, .. } = self;
        weight.grow((IN * MID * 9).max(MID * OUT * 9));
        bias.grow(MID.max(OUT));
        pair.conv1.weight.copy_into(&mut weight[..MID * IN * 9]);
        pair.conv1.bias.copy_into(&mut bias[..MID]);
        first.pack(&weight[..MID * IN * 9], &bias[..MID]);
        pair.conv2.weight.copy_into(&mut weight[..OUT * MID * 9]);
        pair.conv2.bias.copy_into(&mut bias[..OUT]);
        second.pack(&weight[..OUT * MID * 9], &bias[..OUT]);
    }

    fn forward(&mut self, isa: Isa, n: usize, x: &[f32], y: &mut [f32]) {
        let chunk = chunk_len(n);
        let Workspace { first, second, mid, mid_winners, winners, .. } = self;
        let (input, middle, output) = (first.input_len(), first.output_len(), second.output_len());
        mid.grow(n * middle);
        mid_winners.resize(mid_winners.len().max(n * middle), 0);
        winners.resize(winners.len().max(n * output), 0);
        (
            x.par_chunks(chunk * input),
            mid[..n * middle].par_chunks_mut(chunk * middle),
            mid_winners[..n * middle].par_chunks_mut(chunk * middle),
            y.par_chunks_mut(chunk * output),
            winners[..n * output].par_chunks_mut(chunk * output),
        )
            .into_par_iter()
            .for_each(|(x, mid, mid_winners, y, winners)| {
                first.forward(isa, x, mid, Some(mid_winners));
                second.forward(isa, mid, y, Some(winners));
            });
    }

    /// Leaves the gradient of the first block's weights, where that is trained, then of the second's, in
    /// `gradient`.
    fn backward(&mut self, isa: Isa, n: usize, x: &[f32], grad: &[f32], first_is_trained: bool) {
        let chunk = chunk_len(n);
        let Workspace { first, second, mid, mid_winners, winners, grad_mid, .. } = self;
        let (input, middle, output) = (first.input_len(), first.output_len(), second.output_len());
        let of_first = first.gradient_len();
        let len = of_first + second.gradient_len();
        grad_mid.grow(n * middle);
        self.partials.grow(CHUNKS * len);
        self.gradient.grow(len);
        (
            x.par_chunks(chunk * input),
            mid[..n * middle].par_chunks(chunk * middle),
            mid_winners[..n * middle].par_chunks(chunk * middle),
            winners[..n * output].par_chunks(chunk * output),
            grad.par_chunks(chunk * output),
            grad_mid[..n * middle].par_chunks_mut(chunk * middle),
            self.partials.par_chunks_mut(len),
        )
            .into_par_iter()
            .for_each(|(x, mid, mid_winners, winners, grad, grad_mid, partial)| {
                partial.fill(0.0);
                let (to_first, to_second) = partial.split_at_mut(of_first);
                if first_is_trained {
                    second.backward(isa, mid, winners, grad, to_second, Some(grad_mid));
                    first.backward(isa, x, mid_winners, grad_mid, to_first, None);
                } else {
                    second.backward(isa, mid, winners, grad, to_second, None);
                }
            });
        sum_in_order(isa, &self.partials, len, chunk_count(n), &mut self.gradient);
    }
}
