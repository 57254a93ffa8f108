//! Which convolutions there are, and their sizes.

use crate::simd::LANES;

/// Sides and channels of a [`Conv`](super::Conv), as PyTorch's
/// `Conv2d(inputs, outputs, kernel, stride, padding)` has them.
///
/// The input is (side, side, inputs), the output (`side_out`, `side_out`, outputs), channels last.
///
/// ```
/// use fashion_kernels::conv::ConvShape;
/// let shape = ConvShape { inputs: 16, outputs: 32, side: 28, kernel: 3, stride: 2, padding: 1 };
/// assert_eq!((shape.refusal(), shape.side_out(), shape.weight_len()), (None, 14, 32 * 16 * 9));
/// let odd = ConvShape { inputs: 20, ..shape };
/// assert_eq!(odd.refusal(), Some("a convolution's inputs must be 1, 3 or a multiple of 16"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// Input channels: 1, 3 or a multiple of 16, at most 2048.
    pub inputs: usize,
    /// Output channels: a multiple of 16, at most 2048.
    pub outputs: usize,
    /// Rows and columns of the input, at most 1024.
    pub side: usize,
    /// Rows and columns of a filter: 1 or 3.
    pub kernel: usize,
    /// Distance of the windows: 1 or 2.
    pub stride: usize,
    /// Rows and columns of zeros around the input: 0 or 1, and 0 for a kernel of 1.
    pub padding: usize,
}

impl ConvShape {
    /// Why no kernel can do it; `None` where one can.
    ///
    /// The other functions are for shapes that are not refused: of one that is, they may panic.
    pub const fn refusal(self) -> Option<&'static str> {
        let ConvShape { inputs, outputs, side, kernel, stride, padding } = self;
        if kernel != 1 && kernel != 3 {
            return Some("a convolution's kernel must be 1 or 3");
        }
        if stride != 1 && stride != 2 {
            return Some("a convolution's stride must be 1 or 2");
        }
        if padding > kernel / 2 {
            return Some("a convolution's padding must be 0 or 1, and 0 for a kernel of 1");
        }
        if inputs == 0 || (inputs != 1 && inputs != 3 && !inputs.is_multiple_of(LANES)) {
            return Some("a convolution's inputs must be 1, 3 or a multiple of 16");
        }
        if outputs == 0 || !outputs.is_multiple_of(LANES) {
            return Some("a convolution's outputs must be a multiple of 16");
        }
        // So that no size overflows.
        if inputs > 2048 || outputs > 2048 {
            return Some("a convolution has at most 2048 channels");
        }
        if side > 1024 {
            return Some("a convolution's side must be at most 1024");
        }
        if side == 0 || side + 2 * padding < kernel {
            return Some("a convolution's kernel must fit into the padded input");
        }
        None
    }

    /// Rows and columns of the output: ⌊(`side` + 2 `padding` − `kernel`) / `stride`⌋ + 1.
    pub const fn side_out(self) -> usize {
        (self.side + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// `f32` values of one input sample.
    pub const fn input_len(self) -> usize {
        self.side * self.side * self.inputs
    }

    /// `f32` values of one output sample.
    pub const fn output_len(self) -> usize {
        self.side_out() * self.side_out() * self.outputs
    }

    /// Values of the weights (outputs, inputs, kernel, kernel).
    pub const fn weight_len(self) -> usize {
        self.outputs * self.inputs * self.taps()
    }

    /// Values of a whole gradient: of the weights, then `outputs` of the bias.
    pub const fn gradient_len(self) -> usize {
        self.weight_len() + self.outputs
    }

    /// Multiply-adds of one sample, those with the padding's zeros among them.
    pub const fn multiply_adds(self) -> usize {
        self.side_out() * self.side_out() * self.weight_len()
    }

    /// Places of a filter.
    pub(crate) const fn taps(self) -> usize {
        self.kernel * self.kernel
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_kernel_does_is_refused() {
        let fine = ConvShape { inputs: 16, outputs: 32, side: 7, kernel: 3, stride: 2, padding: 1 };
        assert_eq!(fine.refusal(), None);
        assert_eq!((fine.side_out(), fine.input_len(), fine.output_len()), (4, 784, 512));
        assert_eq!((fine.gradient_len(), fine.multiply_adds()), (4640, 16 * 4608));
        for (shape, word) in [
            (ConvShape { kernel: 5, ..fine }, "kernel"),
            (ConvShape { kernel: 0, ..fine }, "kernel"),
            (ConvShape { stride: 0, ..fine }, "stride"),
            (ConvShape { stride: 3, ..fine }, "stride"),
            (ConvShape { padding: 2, ..fine }, "padding"),
            (ConvShape { kernel: 1, ..fine }, "padding"),
            (ConvShape { inputs: 0, ..fine }, "inputs"),
            (ConvShape { inputs: 2, ..fine }, "inputs"),
            (ConvShape { inputs: 24, ..fine }, "inputs"),
            (ConvShape { outputs: 0, ..fine }, "outputs"),
            (ConvShape { outputs: 8, ..fine }, "outputs"),
            (ConvShape { outputs: usize::MAX - 15, ..fine }, "channels"),
            (ConvShape { inputs: 2064, ..fine }, "channels"),
            (ConvShape { side: usize::MAX, ..fine }, "side"),
            (ConvShape { side: 0, ..fine }, "fit"),
            (ConvShape { side: 2, padding: 0, ..fine }, "fit"),
        ] {
            let refusal = shape.refusal().unwrap_or_default();
            assert!(refusal.contains(word), "{shape:?}: {refusal:?}");
        }
    }
}
