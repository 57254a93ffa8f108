//! The passes over some samples or positions, in one thread.

use super::Normalisation;
use crate::simd::{Kernel, LANES, Simd, strips};

/// Adds, for each channel, the sums over the samples of their mean, of its square, and of the
/// squared deviations from it.
pub(super) struct Moments<'a> {
    pub(super) x: &'a [f32],
    pub(super) sample_len: usize,
    pub(super) channels: usize,
    pub(super) sums: &'a mut [f64],
}

impl Kernel for Moments<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Moments { x, sample_len, channels, sums } = self;
        let (means, rest) = sums.split_at_mut(channels);
        let (squares, deviations) = rest.split_at_mut(channels);
        let positions = (sample_len / channels) as f32;
        for x in x.chunks_exact(sample_len) {
            strips!(channels, (NV, channel) => {
                let mut sum = [s.zero(); NV];
                for x in x.chunks_exact(channels) {
                    for (v, sum) in sum.iter_mut().enumerate() {
                        // SAFETY: a position has `channels` values, of which NV vectors are left.
                        *sum = s.add(*sum, unsafe { s.load(x.as_ptr().add(channel + v * LANES)) });
                    }
                }
                let about = sum.map(|sum| s.div(sum, s.splat(positions)));
                let (mut rest, mut square) = ([s.zero(); NV], [s.zero(); NV]);
                for x in x.chunks_exact(channels) {
                    for v in 0..NV {
                        // SAFETY: as above.
                        let x = unsafe { s.load(x.as_ptr().add(channel + v * LANES)) };
                        let difference = s.sub(x, about[v]);
                        rest[v] = s.add(rest[v], difference);
                        square[v] = s.fma(difference, difference, square[v]);
                    }
                }
                for v in 0..NV {
                    let [about, rest, square] = [about[v], rest[v], square[v]].map(|v| lanes(s, v));
                    for lane in 0..LANES {
                        let rest = f64::from(rest[lane]) / f64::from(positions);
                        let mean = f64::from(about[lane]) + rest;
                        let at = channel + v * LANES + lane;
                        means[at] += mean;
                        squares[at] += mean * mean;
                        deviations[at] +=
                            f64::from(square[lane]) - f64::from(positions) * rest * rest;
                    }
                }
            });
        }
    }
}

#[inline(always)]
fn lanes<S: Simd>(s: S, v: S::V) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    // SAFETY: there is room for 16 values.
    unsafe { s.store(lanes.as_mut_ptr(), v) };
    lanes
}

/// Writes what [`super::forward`] says.
pub(super) struct Forward<'a> {
    pub(super) x: &'a [f32],
    pub(super) by: Normalisation<'a>,
    pub(super) relu: bool,
    pub(super) y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Forward { x, by, relu, y } = self;
        let channels = by.channels();
        // ReLU is a lower limit, and no ReLU a limit that nothing is below.
        let limit = s.splat(if relu { 0.0 } else { f32::NEG_INFINITY });
        strips!(channels, (NV, channel) => {
            let mean = load::<S, NV>(s, by.mean, channel);
            let factor = factor::<S, NV>(s, by, channel);
            let shift = load::<S, NV>(s, by.shift, channel);
            for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
                for v in 0..NV {
                    let at = channel + v * LANES;
                    // SAFETY: a position has `channels` values, of which NV vectors are left.
                    unsafe {
                        let x = s.sub(s.load(x.as_ptr().add(at)), mean[v]);
                        let value = s.fma(x, factor[v], shift[v]);
                        // What is NaN stays so.
                        let value = s.select(s.gt(limit, value), limit, value);
                        s.store(y.as_mut_ptr().add(at), value);
                    }
                }
            }
        });
    }
}

/// NV vectors of `values` from `channel` on.
#[inline(always)]
fn load<S: Simd, const NV: usize>(s: S, values: &[f32], channel: usize) -> [S::V; NV] {
    let values = &values[channel..][..NV * LANES];
    // SAFETY: the slice has NV vectors.
    std::array::from_fn(|v| unsafe { s.load(values.as_ptr().add(v * LANES)) })
}

/// Scale · inverse deviation.
#[inline(always)]
fn factor<S: Simd, const NV: usize>(s: S, by: Normalisation<'_>, channel: usize) -> [S::V; NV] {
    let inverse = load::<S, NV>(s, by.inverse_deviation, channel);
    let scale = load::<S, NV>(s, by.scale, channel);
    std::array::from_fn(|v| s.mul(inverse[v], scale[v]))
}

/// The gradient before ReLU, at `at`.
///
/// # Safety
/// `grad`, and `y` where there is one, must have 16 values from `at` on.
#[inline(always)]
unsafe fn masked<S: Simd>(s: S, grad: &[f32], y: Option<&[f32]>, at: usize) -> S::V {
    // SAFETY: the caller vouches for the values.
    unsafe {
        let g = s.load(grad.as_ptr().add(at));
        match y {
            Some(y) => s.select(s.gt(s.load(y.as_ptr().add(at)), s.zero()), g, s.zero()),
            None => g,
        }
    }
}

/// Adds, for each channel, the sums of the gradient, and of its products with what the mean was
/// subtracted from.
pub(super) struct Sums<'a> {
    pub(super) x: &'a [f32],
    pub(super) y: Option<&'a [f32]>,
    pub(super) grad: &'a [f32],
    pub(super) mean: &'a [f32],
    pub(super) sample_len: usize,
    pub(super) sums: &'a mut [f64],
}

impl Kernel for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Sums { x, y, grad, mean, sample_len, sums } = self;
        let channels = mean.len();
        assert!(grad.len() == x.len() && y.is_none_or(|y| y.len() == x.len()));
        assert!(x.len().is_multiple_of(sample_len) && sample_len.is_multiple_of(channels));
        let (sums, products) = sums.split_at_mut(channels);
        for first in (0..x.len()).step_by(sample_len) {
            strips!(channels, (NV, channel) => {
                let mean = load::<S, NV>(s, mean, channel);
                let (mut sum, mut product) = ([s.zero(); NV], [s.zero(); NV]);
                for position in (first..first + sample_len).step_by(channels) {
                    for v in 0..NV {
                        let at = position + channel + v * LANES;
                        // SAFETY: a position has `channels` values, of which NV vectors are left.
                        unsafe {
                            let g = masked(s, grad, y, at);
                            let x = s.sub(s.load(x.as_ptr().add(at)), mean[v]);
                            sum[v] = s.add(sum[v], g);
                            product[v] = s.fma(g, x, product[v]);
                        }
                    }
                }
                for v in 0..NV {
                    let (sum, product) = (lanes(s, sum[v]), lanes(s, product[v]));
                    for lane in 0..LANES {
                        sums[channel + v * LANES + lane] += f64::from(sum[lane]);
                        products[channel + v * LANES + lane] += f64::from(product[lane]);
                    }
                }
            });
        }
    }
}

/// Adds scale · inverse deviation · g + `of_x` · (x − mean) + `constant`.
pub(super) struct Backward<'a> {
    pub(super) x: &'a [f32],
    pub(super) y: Option<&'a [f32]>,
    pub(super) by: Normalisation<'a>,
    pub(super) grad: &'a [f32],
    pub(super) of_x: &'a [f32],
    pub(super) constant: &'a [f32],
    pub(super) grad_x: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Backward { x, y, by, grad, of_x, constant, grad_x } = self;
        let (channels, len) = (by.channels(), grad_x.len());
        assert!(x.len() == len && grad.len() == len && y.is_none_or(|y| y.len() == len));
        assert!(len.is_multiple_of(channels));
        strips!(channels, (NV, channel) => {
            let mean = load::<S, NV>(s, by.mean, channel);
            let factor = factor::<S, NV>(s, by, channel);
            let of_x = load::<S, NV>(s, of_x, channel);
            let constant = load::<S, NV>(s, constant, channel);
            for position in (0..len).step_by(channels) {
                for v in 0..NV {
                    let at = position + channel + v * LANES;
                    // SAFETY: a position has `channels` values, of which NV vectors are left.
                    unsafe {
                        let x = s.sub(s.load(x.as_ptr().add(at)), mean[v]);
                        let sum = s.fma(masked(s, grad, y, at), factor[v], constant[v]);
                        let to = grad_x.as_mut_ptr().add(at);
                        s.store(to, s.add(s.load(to), s.fma(x, of_x[v], sum)));
                    }
                }
            }
        });
    }
}
