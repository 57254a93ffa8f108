//! The backward pass with many input channels, from the winners alone.
//!
//! Of the four positions under a pooling window only the winner gets the gradient, and none where
//! ReLU gave zero: at most a quarter of a dense backward pass's products are not with zero. Both
//! passes here first sort what is left into short lists, then run over them without branches.
//!
//! - **Weights**: per output channel a list of (patch, gradient). The channel's 9 × 32 sums are
//!   eighteen vectors that stay in registers while its list runs; each entry is the three
//!   contiguous runs of the patch under the winner's window, times the gradient.
//! - **Input**: per pooling window four lists of output channels, one for each winning position. The
//!   window's 4 × 4 input pixels of sixteen channels are sixteen sums in registers; the channel's
//!   nine taps are added to the nine of them that the position covers, which the loop over the
//!   position makes fixed registers.

use super::{BlockShape, ConvPool, cells};
use crate::simd::{LANES, Simd};

/// Longest list: windows of a sample, or output channels; `ConvPool` has no more.
const LIST: usize = 1024;

#[inline(always)]
pub(super) fn backward<S: Simd>(
    s: S,
    block: &ConvPool,
    x: &[f32],
    winners: &[u8],
    grad: &[f32],
    gradient: &mut [f32],
    mut grad_x: Option<&mut [f32]>,
) {
    let BlockShape { inputs, outputs, side_in, .. } = block.shape;
    let (input, output) = (block.input_len(), block.output_len());
    let mut patches = [(0, 0.0); LIST];
    let mut channels = [[0; LIST]; 5];
    for sample in 0..x.len() / input {
        let winners = &winners[sample * output..][..output];
        let grad = &grad[sample * output..][..output];
        let x = &x[sample * input..][..input];
        for o in 0..outputs {
            let len = list_patches(block.shape, o, winners, grad, &mut patches);
            let gradient = &mut gradient[o * 9 * inputs..][..9 * inputs];
            add_weight_gradient(s, (inputs, side_in), x, &patches[..len], gradient);
        }
        if let Some(grad_x) = &mut grad_x {
            let grad_x = &mut grad_x[sample * input..][..input];
            input_gradient(s, block, winners, grad, &mut channels, grad_x);
        }
    }
}

/// Lists where the windows that channel `o` won begin, with their gradients.
#[inline(always)]
fn list_patches(
    BlockShape { inputs, outputs, side_in, side_out }: BlockShape,
    o: usize,
    winners: &[u8],
    grad: &[f32],
    list: &mut [(usize, f32); LIST],
) -> usize {
    assert!(o < outputs && side_out * side_out <= LIST);
    assert!(winners.len() == side_out * side_out * outputs && grad.len() == winners.len());
    // From the corner of the pooling window to where each position's window begins.
    let to_position = [0, inputs, side_in * inputs, (side_in + 1) * inputs];
    let (mut len, mut at) = (0, o);
    for (row, column) in cells(side_out) {
        let corner = (2 * row * side_in + 2 * column) * inputs;
        // SAFETY: there are `outputs` winners and gradients a cell, and no more cells than entries.
        unsafe {
            let winner = *winners.get_unchecked(at);
            let patch = corner + to_position[usize::from(winner & 3)];
            // Written always and kept if alive: no branch to mispredict.
            *list.get_unchecked_mut(len) = (patch, *grad.get_unchecked(at));
            len += usize::from(winner < 4);
        }
        at += outputs;
    }
    len
}

/// Adds one sample's gradient of one output channel's weights, laid out (9, inputs).
#[inline(always)]
fn add_weight_gradient<S: Simd>(
    s: S,
    (inputs, side): (usize, usize),
    x: &[f32],
    list: &[(usize, f32)],
    gradient: &mut [f32],
) {
    if S::WIDE && inputs == 2 * LANES {
        add_patches::<S, 3, 6>(s, x, side * inputs, list, gradient);
    } else if S::WIDE && inputs == LANES {
        add_patches::<S, 3, 3>(s, x, side * inputs, list, gradient);
    } else if inputs.is_multiple_of(2 * LANES) {
        add_runs::<S, 6>(s, (inputs, side), x, list, gradient);
    } else {
        add_runs::<S, 3>(s, (inputs, side), x, list, gradient);
    }
}

/// The same run by run, NV vectors at a time.
#[inline(always)]
fn add_runs<S: Simd, const NV: usize>(
    s: S,
    (inputs, side): (usize, usize),
    x: &[f32],
    list: &[(usize, f32)],
    gradient: &mut [f32],
) {
    for at in (0..3 * inputs).step_by(NV * LANES) {
        for run in 0..3 {
            let gradient = &mut gradient[run * 3 * inputs + at..][..NV * LANES];
            let x = &x[run * side * inputs + at..];
            add_patches::<S, 1, NV>(s, x, side * inputs, list, gradient);
        }
    }
}

/// Adds gradient × patch for each entry; a patch is RUNS runs, `stride` apart, of NV vectors.
#[inline(always)]
fn add_patches<S: Simd, const RUNS: usize, const NV: usize>(
    s: S,
    x: &[f32],
    stride: usize,
    list: &[(usize, f32)],
    gradient: &mut [f32],
) {
    assert!(gradient.len() >= RUNS * NV * LANES);
    let mut sums = [[s.zero(); NV]; RUNS];
    for (run, sums) in sums.iter_mut().enumerate() {
        for (v, sum) in sums.iter_mut().enumerate() {
            // SAFETY: `gradient` is long enough, as asserted.
            *sum = unsafe { s.load(gradient.as_ptr().add((run * NV + v) * LANES)) };
        }
    }
    for &(patch, g) in list {
        assert!(patch + (RUNS - 1) * stride + NV * LANES <= x.len());
        let g = s.splat(g);
        for (run, sums) in sums.iter_mut().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                let at = patch + run * stride + v * LANES;
                // SAFETY: the patch is inside `x`, as asserted.
                *sum = s.fma(g, unsafe { s.load(x.as_ptr().add(at)) }, *sum);
            }
        }
    }
    for (run, sums) in sums.into_iter().enumerate() {
        for (v, sum) in sums.into_iter().enumerate() {
            // SAFETY: as above.
            unsafe { s.store(gradient.as_mut_ptr().add((run * NV + v) * LANES), sum) };
        }
    }
}

/// Writes one sample's gradient of the input.
#[inline(always)]
fn input_gradient<S: Simd>(
    s: S,
    block: &ConvPool,
    winners: &[u8],
    grad: &[f32],
    lists: &mut [[u16; LIST]; 5],
    grad_x: &mut [f32],
) {
    let BlockShape { inputs, outputs, side_in, side_out } = block.shape;
    assert!(grad_x.len() == block.input_len() && block.backward.len() == outputs * 9 * inputs);
    assert!(2 * side_out + 2 <= side_in);
    grad_x.fill(0.0);
    for (cell, (row, column)) in cells(side_out).enumerate() {
        let corner = (2 * row * side_in + 2 * column) * inputs;
        let grad = &grad[cell * outputs..][..outputs];
        // One list for each position, and one for the dead, which nobody reads.
        let mut lens = [0usize; 5];
        for (o, &winner) in winners[cell * outputs..][..outputs].iter().enumerate() {
            let winner = usize::from(winner);
            lists[winner][lens[winner]] = o as u16;
            lens[winner] += 1;
        }
        for channel in (0..inputs).step_by(LANES) {
            let mut sums = [[s.zero(); 4]; 4];
            for (r, sums) in sums.iter_mut().enumerate() {
                for (c, sum) in sums.iter_mut().enumerate() {
                    let at = corner + (r * side_in + c) * inputs + channel;
                    // SAFETY: the 4 × 4 pixels from `corner` lie inside the sample, since
                    // 2 side_out + 2 <= side_in.
                    *sum = unsafe { s.load(grad_x.as_ptr().add(at)) };
                }
            }
            macro_rules! position {
                ($position:literal) => {
                    for &o in &lists[$position][..lens[$position]] {
                        let o = usize::from(o);
                        let g = s.splat(grad[o]);
                        for tap in 0..9 {
                            let (r, c) = ($position / 2 + tap / 3, $position % 2 + tap % 3);
                            // SAFETY: `o` is below outputs, and the weights have outputs × 9 × inputs values.
                            let w = unsafe {
                                s.load(block.backward.as_ptr().add((o * 9 + tap) * inputs + channel))
                            };
                            sums[r][c] = s.fma(g, w, sums[r][c]);
                        }
                    }
                };
            }
            position!(0);
            position!(1);
            position!(2);
            position!(3);
            for (r, sums) in sums.into_iter().enumerate() {
                for (c, sum) in sums.into_iter().enumerate() {
                    let at = corner + (r * side_in + c) * inputs + channel;
                    // SAFETY: as for the load.
                    unsafe { s.store(grad_x.as_mut_ptr().add(at), sum) };
                }
            }
        }
    }
}
