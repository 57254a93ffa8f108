//! The layers of deeper networks, batch 128, on one thread: those of a `vgg` (widths 32, 48 and 96) and
//! of a `resnet` (16, 32 and 64), at sides 28, 14 and 7.
//!
//! `cargo bench -p fashion-kernels --bench layers`; the table's figures are those of the `kernels`
//! benchmark: operations of direct arithmetic, so that a convolution by Winograd's may stand above the
//! peak. Normalisation and pooling are bound by memory.

mod common;

use common::{Table, values, weights};
use fashion_kernels::chunks::CHUNKS;
use fashion_kernels::conv::{Conv, ConvShape};
use fashion_kernels::norm::{self, Normalisation, Taken};
use fashion_kernels::pool::{Global, MaxPool};
use fashion_kernels::simd::Isa;
use std::hint::black_box;
use std::time::Duration;

const BATCH: usize = 128;
const CHUNK: usize = BATCH / CHUNKS;

/// 3 × 3 with padding 1, at stride 1.
const fn same(inputs: usize, outputs: usize, side: usize) -> ConvShape {
    ConvShape { inputs, outputs, side, kernel: 3, stride: 1, padding: 1 }
}

const fn halved(inputs: usize, outputs: usize, side: usize) -> ConvShape {
    ConvShape { stride: 2, ..same(inputs, outputs, side) }
}

/// What is added to a block whose sides it halves.
const fn shortcut(inputs: usize, outputs: usize, side: usize) -> ConvShape {
    ConvShape { kernel: 1, padding: 0, ..halved(inputs, outputs, side) }
}

const SHAPES: [(&str, ConvShape); 15] = [
    ("vgg", same(1, 32, 28)),
    ("vgg", same(32, 48, 14)),
    ("vgg", same(48, 48, 14)),
    ("vgg", same(48, 96, 7)),
    ("vgg", same(96, 96, 7)),
    ("resnet", same(1, 16, 28)),
    ("resnet", same(16, 16, 28)),
    ("resnet", halved(16, 32, 28)),
    ("resnet", shortcut(16, 32, 28)),
    ("resnet", same(32, 32, 14)),
    ("resnet", halved(32, 64, 14)),
    ("resnet", shortcut(32, 64, 14)),
    ("resnet", same(64, 64, 7)),
    ("resnet", ConvShape { kernel: 1, padding: 0, ..same(64, 64, 7) }),
    ("resnet-64", halved(3, 16, 64)),
];

fn main() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    one.install(|| {
        let mut table = Table::new(Duration::from_millis(300));
        for (network, shape) in SHAPES {
            convolution(&mut table, network, shape);
        }
        for (channels, side) in [(32, 28), (48, 14), (96, 7)] {
            normalisation(&mut table, channels, side);
        }
        pooling(&mut table);
        table.print("Layer, 128 images, one thread", "all of these");
    });
}

/// The three passes, chunk by chunk.
fn convolution(table: &mut Table, network: &str, shape: ConvShape) {
    let isa = Isa::current();
    let ConvShape { inputs, outputs, side, kernel, stride, .. } = shape;
    let mut conv = Conv::new(shape);
    conv.pack(&weights(shape.weight_len(), 1, inputs * kernel * kernel), None);
    let x = values(BATCH * shape.input_len(), 2, 1.0);
    let grad = values(BATCH * shape.output_len(), 3, 1e-3);
    let (mut y, mut grad_x) = (grad.clone(), x.clone());
    let mut gradient = vec![0.0; shape.gradient_len()];
    let (input, output) = (CHUNK * shape.input_len(), CHUNK * shape.output_len());
    let name = |pass: &str| {
        let to = format!("{inputs} to {outputs} at {side}");
        format!("{network}: {kernel}×{kernel}, stride {stride}, {to}, {pass}")
    };
    let operations = Some(BATCH * shape.multiply_adds());
    table.row(&name("forward"), operations, || {
        for (x, y) in x.chunks(input).zip(y.chunks_mut(output)) {
            conv.forward(isa, black_box(x), y, true);
        }
    });
    table.row(&name("gradient of input"), operations, || {
        for (grad, grad_x) in grad.chunks(output).zip(grad_x.chunks_mut(input)) {
            conv.input_gradient(isa, black_box(grad), grad_x);
        }
    });
    table.row(&name("gradient of weights"), operations, || {
        for (x, grad) in x.chunks(input).zip(grad.chunks(output)) {
            conv.weight_gradient(isa, black_box(x), grad, &mut gradient);
        }
    });
}

fn normalisation(table: &mut Table, channels: usize, side: usize) {
    let isa = Isa::current();
    let sample_len = side * side * channels;
    let x = values(BATCH * sample_len, 4, 1.0);
    let (mut y, grad, mut grad_x) = (x.clone(), x.clone(), x.clone());
    let [mut mean, mut variance, mut inverse] = [(); 3].map(|()| vec![0.0; channels]);
    let (scale, shift) = (vec![1.0; channels], vec![0.0; channels]);
    let name = |pass: &str| format!("batch-norm, {channels} at {side}, {pass}");
    table.row(&name("moments"), None, || {
        norm::moments(isa, black_box(&x), sample_len, channels, &mut mean, &mut variance);
    });
    norm::inverse_deviation(&variance, 1e-5, &mut inverse);
    let by =
        Normalisation { mean: &mean, inverse_deviation: &inverse, scale: &scale, shift: &shift };
    table.row(&name("forward"), None, || norm::forward(isa, black_box(&x), by, true, &mut y));
    let (mut to_scale, mut to_shift) = (scale.clone(), shift.clone());
    table.row(&name("backward"), None, || {
        let taken = Taken { x: black_box(&x), y: Some(&y), by };
        norm::backward(isa, taken, sample_len, &grad, &mut grad_x, &mut to_scale, &mut to_shift);
    });
}

fn pooling(table: &mut Table) {
    let isa = Isa::current();
    let pool = MaxPool { side: 28, channels: 32 };
    let mut x = values(BATCH * pool.input_len(), 5, 1.0);
    let mut y = vec![0.0; BATCH * pool.output_len()];
    let mut winners = vec![0; y.len()];
    table.row("max-pooling, 32 at 28, forward", None, || {
        pool.forward(isa, black_box(&x), &mut y, Some(&mut winners));
    });
    table.row("max-pooling, 32 at 28, backward", None, || {
        pool.backward(isa, &winners, black_box(&y), &mut x);
    });
    let pool = Global { positions: 49, channels: 96 };
    let mut x = values(BATCH * pool.input_len(), 6, 1.0);
    let (mut y, mut winners) = (vec![0.0; BATCH * 96], vec![0; BATCH * 96]);
    table.row("global max-pooling, 96 at 7, forward", None, || {
        pool.max(isa, black_box(&x), &mut y, Some(&mut winners));
    });
    table.row("global max-pooling, 96 at 7, backward", None, || {
        pool.max_gradient(&winners, black_box(&y), &mut x);
    });
    table.row("global average, 96 at 7, forward", None, || {
        pool.average(isa, black_box(&x), &mut y);
    });
    table.row("global average, 96 at 7, backward", None, || {
        pool.average_gradient(isa, black_box(&y), &mut x);
    });
}
