//! Convolution blocks, and two of them as one operation on the tape.
//!
//! The result of the first block goes straight from its kernel into the second one's, a chunk of
//! samples at a time (eight of a batch of 128), and never becomes a tensor of its own: it stays in the cache, and what the
//! second block's pooling leaves out is not computed at all.

use super::FeatureMap;
use crate::tape::{Pool, tensor_with};
use dfdx::nn::tensor_collection::{ModuleVisitor, TensorCollection, TensorOptions};
use dfdx::shapes::{Const, Dim, Dtype, HasShape, Rank1, Rank4, Shape};
use dfdx::tensor::{Cpu, CpuError, NoneTape, PutTape, SplitTape, Storage, Tape, Tensor};
use dfdx::tensor_ops::Device;
use fashion_kernels::chunks::{CHUNKS, chunk_count, chunk_len, sum_in_order};
use fashion_kernels::conv::ConvPool;
use fashion_kernels::{Buffer, simd::Isa};
use rayon::prelude::*;

/// A 3 × 3 convolution (valid, stride 1), ReLU and 2 × 2 max-pooling: an image of `SIDE_IN` rows,
/// `SIDE_IN` columns and `IN` channels becomes one of `SIDE_OUT` = ⌊(`SIDE_IN` − 2) / 2⌋ and `OUT`.
///
/// Keras's `Conv2D(OUT, 3, activation="relu")` and `MaxPooling2D(2)`. A `SIDE_OUT` that does not
/// follow from `SIDE_IN` does not compile.
#[derive(Clone, Debug)]
pub struct ConvBlock<
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
    E: Dtype = f32,
    D: Storage<E> = Cpu,
> {
    /// Weights (OUT, IN, 3, 3).
    pub weight: Tensor<Rank4<OUT, IN, 3, 3>, E, D>,
    /// Biases (OUT).
    pub bias: Tensor<Rank1<OUT>, E, D>,
}

impl<
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
    E: Dtype,
    D: Device<E>,
> TensorCollection<E, D> for ConvBlock<IN, OUT, SIDE_IN, SIDE_OUT, E, D>
{
    type To<E2: Dtype, D2: Device<E2>> = ConvBlock<IN, OUT, SIDE_IN, SIDE_OUT, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        const { assert!(SIDE_OUT == (SIDE_IN - 2) / 2, "SIDE_OUT must be (SIDE_IN - 2) / 2") }
        visitor.visit_fields(
            (
                Self::tensor(
                    "weight",
                    |s| &s.weight,
                    |s| &mut s.weight,
                    TensorOptions::reset_to_zeros(),
                ),
                Self::tensor("bias", |s| &s.bias, |s| &mut s.bias, TensorOptions::reset_to_zeros()),
            ),
            |(weight, bias)| ConvBlock { weight, bias },
        )
    }
}

/// What the two blocks keep between their forward and backward pass.
///
/// `SIDE_USED` is the side of the middle that the second block reads: 2 `SIDE_OUT` + 2.
pub(crate) struct Workspace<
    const IN: usize,
    const MID: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_USED: usize,
    const SIDE_OUT: usize,
> {
    first: ConvPool,
    second: ConvPool,
    x: Buffer,
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

impl<
    const IN: usize,
    const MID: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_USED: usize,
    const SIDE_OUT: usize,
> Default for Workspace<IN, MID, OUT, SIDE_IN, SIDE_USED, SIDE_OUT>
{
    fn default() -> Self {
        Workspace {
            first: ConvPool::new(IN, MID, SIDE_IN, SIDE_USED),
            second: ConvPool::new(MID, OUT, SIDE_USED, SIDE_OUT),
            x: Buffer::default(),
            mid: Buffer::default(),
            mid_winners: Vec::new(),
            winners: Vec::new(),
            grad_mid: Buffer::default(),
            partials: Buffer::default(),
            gradient: Buffer::default(),
            weight: Buffer::default(),
            bias: Buffer::default(),
        }
    }
}

pub(crate) type ConvPairPool<
    const IN: usize,
    const MID: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_USED: usize,
    const SIDE_OUT: usize,
> = Pool<Workspace<IN, MID, OUT, SIDE_IN, SIDE_USED, SIDE_OUT>>;

/// `x (B, SIDE_IN, SIDE_IN, IN)` → `(B, SIDE_OUT, SIDE_OUT, OUT)`, channels last.
///
/// For the images themselves, one channel: no gradient flows to `x`.
pub(crate) fn conv_pair<
    B: Dim,
    const IN: usize,
    const MID: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_MID: usize,
    const SIDE_USED: usize,
    const SIDE_OUT: usize,
    T: Tape<f32, Cpu>,
>(
    isa: Isa,
    first: &ConvBlock<IN, MID, SIDE_IN, SIDE_MID>,
    second: &ConvBlock<MID, OUT, SIDE_MID, SIDE_OUT>,
    pool: &ConvPairPool<IN, MID, OUT, SIDE_IN, SIDE_USED, SIDE_OUT>,
    x: FeatureMap<B, SIDE_IN, IN, T>,
) -> Result<FeatureMap<B, SIDE_OUT, OUT, T>, CpuError> {
    const {
        assert!(IN == 1, "the gradient of the input is not computed: it must be the images");
        assert!(SIDE_USED == 2 * SIDE_OUT + 2, "the second block reads 2 SIDE_OUT + 2 rows");
        assert!(SIDE_USED <= SIDE_MID, "the second block reads more than the first one has");
    }
    let (x, mut tape) = x.split_tape();
    let batch = x.shape().0;
    let n = batch.size();
    let mut ws = pool.take();
    ws.load(first, second, &x);
    let out = tensor_with(x.device(), (batch, Const, Const, Const), |y| ws.forward(isa, n, y))?;
    if !T::OWNS_TAPE {
        pool.put_back(ws);
        return Ok(out.put_tape(tape));
    }
    let pool = pool.clone();
    let out_ghost = out.ghost();
    let (first_weight, first_bias) = (first.weight.ghost(), first.bias.ghost());
    let (second_weight, second_bias) = (second.weight.ghost(), second.bias.ghost());
    tape.add_backward_op(move |grads| {
        ws.backward(isa, n, grads.get_or_alloc_mut(&out_ghost)?);
        // Two gradients of one layer cannot be borrowed at once: the bias waits outside.
        let cut = ws.first.gradient_len();
        let mut bias = std::mem::take(&mut **grads.get_or_alloc_mut(&first_bias)?);
        let weight = grads.get_or_alloc_mut(&first_weight)?;
        ws.first.unpack_gradient(&ws.gradient[..cut], weight, &mut bias);
        **grads.get_or_alloc_mut(&first_bias)? = bias;
        let mut bias = std::mem::take(&mut **grads.get_or_alloc_mut(&second_bias)?);
        let weight = grads.get_or_alloc_mut(&second_weight)?;
        ws.second.unpack_gradient(&ws.gradient[cut..], weight, &mut bias);
        **grads.get_or_alloc_mut(&second_bias)? = bias;
        pool.put_back(ws);
        Ok(())
    });
    Ok(out.put_tape(tape))
}

impl<
    const IN: usize,
    const MID: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_USED: usize,
    const SIDE_OUT: usize,
> Workspace<IN, MID, OUT, SIDE_IN, SIDE_USED, SIDE_OUT>
{
    const X: usize = SIDE_IN * SIDE_IN * IN;
    const MIDDLE: usize = SIDE_USED * SIDE_USED * MID;
    const Y: usize = SIDE_OUT * SIDE_OUT * OUT;
    const FIRST: usize = MID * IN * 9 + MID;
    const GRADIENT: usize = Self::FIRST + OUT * MID * 9 + OUT;

    /// Copies the images and packs the weights, at the same time where there are two threads.
    fn load<B: Dim, const SIDE_MID: usize>(
        &mut self,
        first: &ConvBlock<IN, MID, SIDE_IN, SIDE_MID>,
        second: &ConvBlock<MID, OUT, SIDE_MID, SIDE_OUT>,
        x: &FeatureMap<B, SIDE_IN, IN, NoneTape>,
    ) {
        let mut images = std::mem::take(&mut self.x);
        let len = x.shape().num_elements();
        images.grow(len);
        let pack = || self.load_weights(first, second);
        rayon::join(pack, || x.copy_into(&mut images[..len]));
        self.x = images;
    }

    fn load_weights<const SIDE_MID: usize>(
        &mut self,
        first: &ConvBlock<IN, MID, SIDE_IN, SIDE_MID>,
        second: &ConvBlock<MID, OUT, SIDE_MID, SIDE_OUT>,
    ) {
        self.weight.grow((IN * MID * 9).max(MID * OUT * 9));
        self.bias.grow(MID.max(OUT));
        first.weight.copy_into(&mut self.weight[..MID * IN * 9]);
        first.bias.copy_into(&mut self.bias[..MID]);
        self.first.pack(&self.weight[..MID * IN * 9], &self.bias[..MID]);
        second.weight.copy_into(&mut self.weight[..OUT * MID * 9]);
        second.bias.copy_into(&mut self.bias[..OUT]);
        self.second.pack(&self.weight[..OUT * MID * 9], &self.bias[..OUT]);
    }

    fn forward(&mut self, isa: Isa, n: usize, y: &mut [f32]) {
        let chunk = chunk_len(n);
        self.mid.grow(n * Self::MIDDLE);
        self.mid_winners.resize(self.mid_winners.len().max(n * Self::MIDDLE), 0);
        self.winners.resize(self.winners.len().max(n * Self::Y), 0);
        let (first, second) = (&self.first, &self.second);
        (
            self.x[..n * Self::X].par_chunks(chunk * Self::X),
            self.mid[..n * Self::MIDDLE].par_chunks_mut(chunk * Self::MIDDLE),
            self.mid_winners[..n * Self::MIDDLE].par_chunks_mut(chunk * Self::MIDDLE),
            y.par_chunks_mut(chunk * Self::Y),
            self.winners[..n * Self::Y].par_chunks_mut(chunk * Self::Y),
        )
            .into_par_iter()
            .for_each(|(x, mid, mid_winners, y, winners)| {
                first.forward(isa, x, mid, Some(mid_winners));
                second.forward(isa, mid, y, Some(winners));
            });
    }

    /// Leaves the gradient of the first block's weights, then of the second's, in `gradient`.
    fn backward(&mut self, isa: Isa, n: usize, grad: &[f32]) {
        let chunk = chunk_len(n);
        self.grad_mid.grow(n * Self::MIDDLE);
        self.partials.grow(CHUNKS * Self::GRADIENT);
        self.gradient.grow(Self::GRADIENT);
        let (first, second) = (&self.first, &self.second);
        (
            self.x[..n * Self::X].par_chunks(chunk * Self::X),
            self.mid[..n * Self::MIDDLE].par_chunks(chunk * Self::MIDDLE),
            self.mid_winners[..n * Self::MIDDLE].par_chunks(chunk * Self::MIDDLE),
            self.winners[..n * Self::Y].par_chunks(chunk * Self::Y),
            grad.par_chunks(chunk * Self::Y),
            self.grad_mid[..n * Self::MIDDLE].par_chunks_mut(chunk * Self::MIDDLE),
            self.partials.par_chunks_mut(Self::GRADIENT),
        )
            .into_par_iter()
            .for_each(|(x, mid, mid_winners, winners, grad, grad_mid, partial)| {
                partial.fill(0.0);
                let (to_first, to_second) = partial.split_at_mut(Self::FIRST);
                second.backward(isa, mid, winners, grad, to_second, Some(grad_mid));
                first.backward(isa, x, mid_winners, grad_mid, to_first, None);
            });
        let count = chunk_count(n);
        sum_in_order(isa, &self.partials, Self::GRADIENT, count, &mut self.gradient);
    }
}
