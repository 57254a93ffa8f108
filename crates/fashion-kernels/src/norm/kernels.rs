//! The passes over some samples or positions, in one thread.

use super::{Normalisation, Slopes};
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
    pub(super) other: Option<&'a [f32]>,
    pub(super) y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Forward { x, by, other, y } = self;
        let channels = by.channels();
        assert!(x.len() == y.len() && other.is_none_or(|other| other.len() == y.len()));
        assert!(y.len().is_multiple_of(channels));
        strips!(channels, (NV, channel) => {
            let coefficients = Coefficients::<S, NV>::new(s, by, channel);
            for position in (0..y.len()).step_by(channels) {
                for v in 0..NV {
                    let at = position + channel + v * LANES;
                    // SAFETY: a position has `channels` values, of which NV vectors are left.
                    unsafe {
                        let (_, mut value) = coefficients.of(s, x, at, v);
                        if let Some(other) = other {
                            value = s.add(value, s.load(other.as_ptr().add(at)));
                        }
                        // What is NaN stays so.
                        let limit = coefficients.limit;
                        let value = s.select(s.gt(limit, value), limit, value);
                        s.store(y.as_mut_ptr().add(at), value);
                    }
                }
            }
        });
    }
}

/// What normalises NV vectors of channels.
struct Coefficients<S: Simd, const NV: usize> {
    mean: [S::V; NV],
    /// Scale · inverse deviation.
    factor: [S::V; NV],
    shift: [S::V; NV],
    /// ReLU is a lower limit, and no ReLU a limit that nothing is below.
    limit: S::V,
}

impl<S: Simd, const NV: usize> Coefficients<S, NV> {
    #[inline(always)]
    fn new(s: S, by: Normalisation<'_>, channel: usize) -> Self {
        let inverse = load::<S, NV>(s, by.inverse_deviation, channel);
        let scale = load::<S, NV>(s, by.scale, channel);
        Coefficients {
            mean: load(s, by.mean, channel),
            factor: std::array::from_fn(|v| s.mul(inverse[v], scale[v])),
            shift: load(s, by.shift, channel),
            limit: s.splat(if by.relu { 0.0 } else { f32::NEG_INFINITY }),
        }
    }

    /// The input at `at` without its mean, and the output before ReLU, of the vector `v`.
    ///
    /// # Safety
    /// `x` must have 16 values from `at` on.
    #[inline(always)]
    unsafe fn of(&self, s: S, x: &[f32], at: usize, v: usize) -> (S::V, S::V) {
        // SAFETY: the caller vouches for the values.
        let x = s.sub(unsafe { s.load(x.as_ptr().add(at)) }, self.mean[v]);
        (x, s.fma(x, self.factor[v], self.shift[v]))
    }

    /// The input at `at` without its mean, and the gradient before ReLU.
    ///
    /// # Safety
    /// `x` and `grad` must have 16 values from `at` on.
    #[inline(always)]
    unsafe fn masked(&self, s: S, x: &[f32], grad: &[f32], at: usize, v: usize) -> (S::V, S::V) {
        // SAFETY: the caller vouches for the values.
        unsafe {
            let (x, y) = self.of(s, x, at, v);
            let g = s.load(grad.as_ptr().add(at));
            (x, s.select(s.gt(y, self.limit), g, s.zero()))
        }
    }
}

/// NV vectors of `values` from `channel` on.
#[inline(always)]
fn load<S: Simd, const NV: usize>(s: S, values: &[f32], channel: usize) -> [S::V; NV] {
    let values = &values[channel..][..NV * LANES];
    // SAFETY: the slice has NV vectors.
    std::array::from_fn(|v| unsafe { s.load(values.as_ptr().add(v * LANES)) })
}

/// Adds, for each channel, the sums of the gradient, and of its products with what the mean was
/// subtracted from.
pub(super) struct Sums<'a> {
    pub(super) x: &'a [f32],
    pub(super) by: Normalisation<'a>,
    pub(super) grad: &'a [f32],
    pub(super) sample_len: usize,
    pub(super) sums: &'a mut [f64],
}

impl Kernel for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Sums { x, by, grad, sample_len, sums } = self;
        let channels = by.channels();
        assert_eq!(grad.len(), x.len());
        assert!(x.len().is_multiple_of(sample_len) && sample_len.is_multiple_of(channels));
        let (sums, products) = sums.split_at_mut(channels);
        for first in (0..x.len()).step_by(sample_len) {
            strips!(channels, (NV, channel) => {
                let coefficients = Coefficients::<S, NV>::new(s, by, channel);
                let (mut sum, mut product) = ([s.zero(); NV], [s.zero(); NV]);
                for position in (first..first + sample_len).step_by(channels) {
                    for v in 0..NV {
                        let at = position + channel + v * LANES;
                        // SAFETY: a position has `channels` values, of which NV vectors are left.
                        unsafe {
                            let (x, g) = coefficients.masked(s, x, grad, at, v);
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

/// Writes scale · inverse deviation · g + `of_x` · (x − mean) + `constant`.
pub(super) struct Backward<'a> {
    pub(super) x: &'a [f32],
    pub(super) by: Normalisation<'a>,
    pub(super) slopes: Slopes<'a>,
    pub(super) grad: &'a [f32],
    pub(super) grad_x: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Backward { x, by, slopes, grad, grad_x } = self;
        let (channels, len) = (by.channels(), grad_x.len());
        assert!(x.len() == len && grad.len() == len && len.is_multiple_of(channels));
        strips!(channels, (NV, channel) => {
            let coefficients = Coefficients::<S, NV>::new(s, by, channel);
            let of_x = load::<S, NV>(s, slopes.of_x, channel);
            let constant = load::<S, NV>(s, slopes.constant, channel);
            for position in (0..len).step_by(channels) {
                for v in 0..NV {
                    let at = position + channel + v * LANES;
                    // SAFETY: a position has `channels` values, of which NV vectors are left.
                    unsafe {
                        let (x, g) = coefficients.masked(s, x, grad, at, v);
                        let sum = s.fma(g, coefficients.factor[v], constant[v]);
                        s.store(grad_x.as_mut_ptr().add(at), s.fma(x, of_x[v], sum));
                    }
                }
            }
        });
    }
}
