//! Pooling, channels last: the largest of 2 × 2 pixels, and the largest or the mean of a whole image.
//!
//! Lanes run along the channels, a multiple of 16, so that each step is a comparison or an addition of
//! pixels. For the backward pass the largest leaves its place: the first of equals wins, as in PyTorch,
//! and gets the whole gradient.
//!
//! Everything here works on some samples, in one thread; [`crate::chunks`] says how a batch is split.

use crate::simd::{Isa, Kernel, LANES, Simd};

/// The winner where ReLU gave zero.
pub(crate) const DEAD: i32 = 4;

/// 2 × 2 max-pooling of stride 2, PyTorch's `MaxPool2d(2)`: an input (side, side, channels) becomes
/// (⌊side / 2⌋, ⌊side / 2⌋, channels). An odd side's last row and column are dropped.
///
/// ```
/// use fashion_kernels::{pool::MaxPool, simd::Isa};
/// let pool = MaxPool { side: 2, channels: 16 };
/// let x = [[1.0; 16], [3.0; 16], [3.0; 16], [2.0; 16]].concat();
/// let (mut y, mut winners) = ([0.0; 16], [0; 16]);
/// pool.forward(Isa::best(), &x, &mut y, Some(&mut winners));
/// assert_eq!((y[0], winners[0]), (3.0, 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxPool {
    /// Rows and columns of the input.
    pub side: usize,
    /// Channels, a multiple of 16.
    pub channels: usize,
}

impl MaxPool {
    /// Rows and columns of the output.
    pub const fn side_out(self) -> usize {
        self.side / 2
    }

    /// `f32` values of one input sample.
    pub const fn input_len(self) -> usize {
        self.side * self.side * self.channels
    }

    /// `f32` values (and winners) of one output sample.
    pub const fn output_len(self) -> usize {
        self.side_out() * self.side_out() * self.channels
    }

    /// Writes `y` of as many samples as `x` has, and the winners if asked for: 0–3, in reading order.
    ///
    /// # Panics
    /// If the lengths do not fit, the side is below 2 or the channels are no multiple of 16.
    pub fn forward(self, isa: Isa, x: &[f32], y: &mut [f32], winners: Option<&mut [u8]>) {
        self.largest(isa, x, y, winners, false);
    }

    /// [`forward`](Self::forward), and then ReLU: the winner is [`DEAD`] where that gave zero.
    pub(crate) fn forward_relu(
        self,
        isa: Isa,
        x: &[f32],
        y: &mut [f32],
        winners: Option<&mut [u8]>,
    ) {
        self.largest(isa, x, y, winners, true);
    }

    fn largest(self, isa: Isa, x: &[f32], y: &mut [f32], winners: Option<&mut [u8]>, relu: bool) {
        self.check(x, y);
        if let Some(winners) = &winners {
            assert_eq!(winners.len(), y.len(), "winners of the pooling");
        }
        isa.run(Largest { pool: self, x, y, winners, relu });
    }

    /// Writes the gradient of the input to `grad_x`, or adds it if `add`, given that of the output and the
    /// winners.
    ///
    /// # Panics
    /// If the lengths do not fit, the side is below 2 or the channels are no multiple of 16.
    pub fn backward(self, isa: Isa, winners: &[u8], grad: &[f32], grad_x: &mut [f32], add: bool) {
        self.check(grad_x, grad);
        assert_eq!(winners.len(), grad.len(), "winners of the pooling");
        if !add && !self.side.is_multiple_of(2) {
            // No window writes to the last row and column.
            grad_x.fill(0.0);
        }
        isa.run(ToWinners { pool: self, winners, grad, grad_x, add });
    }

    fn check(self, x: &[f32], y: &[f32]) {
        assert!(self.side >= 2, "a window of the pooling fits the input");
        check_channels(self.channels);
        let n = x.len() / self.input_len();
        assert_eq!(x.len(), n * self.input_len(), "input of the pooling");
        assert_eq!(y.len(), n * self.output_len(), "output of the pooling");
    }

    /// Where the first pixel of each window of one sample begins, in reading order.
    #[inline(always)]
    fn windows(self) -> impl Iterator<Item = usize> {
        let row_len = self.side * self.channels;
        (0..self.side_out()).flat_map(move |row| {
            (0..self.side_out()).map(move |column| 2 * row * row_len + 2 * column * self.channels)
        })
    }

    /// From there to its four pixels.
    #[inline(always)]
    fn positions(self) -> [usize; 4] {
        let row_len = self.side * self.channels;
        [0, self.channels, row_len, row_len + self.channels]
    }
}

fn check_channels(channels: usize) {
    assert!(channels > 0 && channels.is_multiple_of(LANES), "channels: a multiple of 16");
}

struct Largest<'a> {
    pool: MaxPool,
    x: &'a [f32],
    y: &'a mut [f32],
    winners: Option<&'a mut [u8]>,
    relu: bool,
}

impl Kernel for Largest<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Largest { pool, x, y, mut winners, relu } = self;
        let (channels, positions) = (pool.channels, pool.positions());
        let mut cell = 0;
        for x in x.chunks_exact(pool.input_len()) {
            for window in pool.windows() {
                for channel in (0..channels).step_by(LANES) {
                    // SAFETY: the window's pixels lie inside the sample, and `y` and the winners have
                    // `channels` values a window, as `MaxPool::largest` asserted.
                    unsafe {
                        let x = positions.map(|at| s.load(x.as_ptr().add(window + at + channel)));
                        let (best, winner) =
                            if relu { largest_or_zero(s, x) } else { largest(s, x) };
                        s.store(y.as_mut_ptr().add(cell + channel), best);
                        if let Some(winners) = &mut winners {
                            s.store_u8(winners.as_mut_ptr().add(cell + channel), winner);
                        }
                    }
                }
                cell += channels;
            }
        }
    }
}

/// The largest of a window, and which it is: the first of equals. A NaN never wins.
#[inline(always)]
fn largest<S: Simd>(s: S, [mut best, rest @ ..]: [S::V; 4]) -> (S::V, S::I) {
    let mut winner = s.splat_i(0);
    for (position, x) in rest.into_iter().enumerate() {
        let better = s.gt(x, best);
        best = s.max(x, best);
        winner = s.select_i(better, s.splat_i(position as i32 + 1), winner);
    }
    (best, winner)
}

/// The largest of a window and which it is, or zero and [`DEAD`]. A NaN becomes zero, so it has to be
/// looked for among the weights.
#[inline(always)]
pub(crate) fn largest_or_zero<S: Simd>(s: S, x: [S::V; 4]) -> (S::V, S::I) {
    let (best, winner) = largest(s, x);
    let alive = s.gt(best, s.zero());
    (s.max(best, s.zero()), s.select_i(alive, winner, s.splat_i(DEAD)))
}

struct ToWinners<'a> {
    pool: MaxPool,
    winners: &'a [u8],
    grad: &'a [f32],
    grad_x: &'a mut [f32],
    add: bool,
}

impl Kernel for ToWinners<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ToWinners { pool, winners, grad, grad_x, add } = self;
        let (channels, positions) = (pool.channels, pool.positions());
        let mut cell = 0;
        for grad_x in grad_x.chunks_exact_mut(pool.input_len()) {
            for window in pool.windows() {
                for channel in (0..channels).step_by(LANES) {
                    // SAFETY: as in `Largest`, by `MaxPool::backward`.
                    unsafe {
                        let g = s.load(grad.as_ptr().add(cell + channel));
                        let winner = s.load_u8(winners.as_ptr().add(cell + channel));
                        for (position, at) in positions.into_iter().enumerate() {
                            let won = s.eq_i(winner, s.splat_i(position as i32));
                            let to = grad_x.as_mut_ptr().add(window + at + channel);
                            let g = s.select(won, g, s.zero());
                            s.store(to, if add { s.add(s.load(to), g) } else { g });
                        }
                    }
                }
                cell += channels;
            }
        }
    }
}

/// Pooling over all positions: an input (positions, channels) becomes (channels).
///
/// ```
/// use fashion_kernels::{pool::Global, simd::Isa};
/// let pool = Global { positions: 2, channels: 16 };
/// let x = [[1.0; 16], [3.0; 16]].concat();
/// let (mut y, mut winners) = ([0.0; 16], [0; 16]);
/// pool.max(Isa::best(), &x, &mut y, Some(&mut winners));
/// assert_eq!((y[0], winners[0]), (3.0, 1));
/// pool.average(Isa::best(), &x, &mut y);
/// assert_eq!(y[0], 2.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Global {
    /// Pixels of the input, 1 to 2²⁴.
    pub positions: usize,
    /// Channels, a multiple of 16.
    pub channels: usize,
}

impl Global {
    /// `f32` values of one input sample.
    pub const fn input_len(self) -> usize {
        self.positions * self.channels
    }

    /// Writes the largest value of each channel of as many samples as `x` has, PyTorch's
    /// `AdaptiveMaxPool2d(1)`, and where it was, if asked for.
    ///
    /// # Panics
    /// If the lengths do not fit, or positions or channels are not as their fields say.
    pub fn max(self, isa: Isa, x: &[f32], y: &mut [f32], winners: Option<&mut [u32]>) {
        self.check(x, y);
        if let Some(winners) = &winners {
            assert_eq!(winners.len(), y.len(), "winners of the pooling");
        }
        isa.run(LargestOfAll { pool: self, x, y, winners });
    }

    /// Writes the gradient of [`max`](Self::max)'s input to `grad_x`, or adds it if `add`, given that of its
    /// output and the winners.
    ///
    /// # Panics
    /// If the lengths do not fit, positions or channels are not as their fields say, or a winner is
    /// no position.
    pub fn max_gradient(self, winners: &[u32], grad: &[f32], grad_x: &mut [f32], add: bool) {
        self.check(grad_x, grad);
        assert_eq!(winners.len(), grad.len(), "winners of the pooling");
        if !add {
            grad_x.fill(0.0);
        }
        let samples = winners.chunks_exact(self.channels).zip(grad.chunks_exact(self.channels));
        for ((winners, grad), grad_x) in samples.zip(grad_x.chunks_exact_mut(self.input_len())) {
            for (c, (&winner, g)) in winners.iter().zip(grad).enumerate() {
                grad_x[winner as usize * self.channels + c] += g;
            }
        }
    }

    /// Writes the mean of each channel of as many samples as `x` has, PyTorch's
    /// `AdaptiveAvgPool2d(1)`.
    ///
    /// # Panics
    /// If the lengths do not fit, or positions or channels are not as their fields say.
    pub fn average(self, isa: Isa, x: &[f32], y: &mut [f32]) {
        self.check(x, y);
        isa.run(Average { pool: self, x, y });
    }

    /// Writes the gradient of [`average`](Self::average)'s input to `grad_x`, or adds it if `add`, given that
    /// of its output.
    ///
    /// # Panics
    /// If the lengths do not fit, or positions or channels are not as their fields say.
    pub fn average_gradient(self, isa: Isa, grad: &[f32], grad_x: &mut [f32], add: bool) {
        self.check(grad_x, grad);
        isa.run(Spread { pool: self, grad, grad_x, add });
    }

    fn check(self, x: &[f32], y: &[f32]) {
        // Up to there an `f32` counts exactly.
        assert!((1..=1 << 24).contains(&self.positions), "positions of the pooling: 1 to 2^24");
        check_channels(self.channels);
        let n = x.len() / self.input_len();
        assert_eq!(x.len(), n * self.input_len(), "input of the pooling");
        assert_eq!(y.len(), n * self.channels, "output of the pooling");
    }
}

struct LargestOfAll<'a> {
    pool: Global,
    x: &'a [f32],
    y: &'a mut [f32],
    winners: Option<&'a mut [u32]>,
}

impl Kernel for LargestOfAll<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let LargestOfAll { pool: Global { positions, channels }, x, y, mut winners } = self;
        let samples = x.chunks_exact(positions * channels).zip(y.chunks_exact_mut(channels));
        for (sample, (x, y)) in samples.enumerate() {
            for channel in (0..channels).step_by(LANES) {
                // The places are counted in `f32`, which has more than a byte's room.
                let (mut best, mut winner) = (s.splat(f32::NEG_INFINITY), s.zero());
                for (position, x) in x.chunks_exact(channels).enumerate() {
                    // SAFETY: a position has `channels` values, a multiple of 16.
                    let x = unsafe { s.load(x.as_ptr().add(channel)) };
                    let better = s.gt(x, best);
                    best = s.select(better, x, best);
                    winner = s.select(better, s.splat(position as f32), winner);
                }
                // SAFETY: `y` has `channels` values.
                unsafe { s.store(y.as_mut_ptr().add(channel), best) };
                if let Some(winners) = &mut winners {
                    let mut lanes = [0.0f32; LANES];
                    // SAFETY: there is room for 16 values.
                    unsafe { s.store(lanes.as_mut_ptr(), winner) };
                    let to = &mut winners[sample * channels + channel..][..LANES];
                    to.iter_mut().zip(lanes).for_each(|(to, lane)| *to = lane as u32);
                }
            }
        }
    }
}

struct Average<'a> {
    pool: Global,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Average<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Average { pool: Global { positions, channels }, x, y } = self;
        for (x, y) in x.chunks_exact(positions * channels).zip(y.chunks_exact_mut(channels)) {
            for channel in (0..channels).step_by(LANES) {
                let mut sum = s.zero();
                for x in x.chunks_exact(channels) {
                    // SAFETY: a position has `channels` values, a multiple of 16.
                    sum = s.add(sum, unsafe { s.load(x.as_ptr().add(channel)) });
                }
                let mean = s.div(sum, s.splat(positions as f32));
                // SAFETY: `y` has `channels` values.
                unsafe { s.store(y.as_mut_ptr().add(channel), mean) };
            }
        }
    }
}

struct Spread<'a> {
    pool: Global,
    grad: &'a [f32],
    grad_x: &'a mut [f32],
    add: bool,
}

impl Kernel for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Spread { pool: Global { positions, channels }, grad, grad_x, add } = self;
        let samples = grad_x.chunks_exact_mut(positions * channels);
        for (grad_x, grad) in samples.zip(grad.chunks_exact(channels)) {
            for channel in (0..channels).step_by(LANES) {
                // SAFETY: `grad` has `channels` values.
                let g = unsafe { s.load(grad.as_ptr().add(channel)) };
                let g = s.div(g, s.splat(positions as f32));
                for to in grad_x.chunks_exact_mut(channels) {
                    // SAFETY: a position has `channels` values.
                    unsafe {
                        let to = to.as_mut_ptr().add(channel);
                        s.store(to, if add { s.add(s.load(to), g) } else { g });
                    }
                }
            }
        }
    }
}
