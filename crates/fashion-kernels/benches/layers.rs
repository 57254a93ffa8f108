//! Each kernel of a training step of `vgg`, `resnet`, `wide-resnet` and `resnet-64`, as `kernels` has those
//! of the report's network: `cargo bench -p fashion-kernels --bench layers`.

mod common;

use common::{BATCH, Table, Work, dense, loss_and_update, values, weights};
use fashion_kernels::chunks::{CHUNKS, sum_in_order};
use fashion_kernels::conv::{Conv, ConvShape};
use fashion_kernels::dense::Dense;
use fashion_kernels::norm::{self, Normalisation, Slopes};
use fashion_kernels::pool::{Global, MaxPool};
use fashion_kernels::relu;
use fashion_kernels::simd::Isa;
use std::hint::black_box;
use std::time::Duration;

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

fn main() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    one.install(|| {
        vgg(Table::new("vgg", TIME));
        resnet(Table::new("resnet", TIME), same(1, 16, 28), &[16, 32, 64]);
        wide_resnet(Table::new("wide-resnet", TIME));
        resnet(Table::new("resnet-64", TIME), halved(3, 16, 64), &[16, 32, 64, 128]);
    });
}

/// How long each kernel is measured.
const TIME: Duration = Duration::from_millis(300);

fn vgg(mut table: Table) {
    let table = &mut table;
    for (inputs, outputs, side) in
        [(1, 32, 28), (32, 48, 14), (48, 48, 14), (48, 96, 7), (96, 96, 7)]
    {
        convolution(table, same(inputs, outputs, side), 1);
    }
    for (channels, side, times) in [(32, 28, 1), (48, 14, 2), (96, 7, 2)] {
        normalisation(table, channels, side, true, times);
    }
    max_pooling(table, MaxPool { side: 28, channels: 32 });
    max_pooling(table, MaxPool { side: 14, channels: 48 });
    global_max_pooling(table, Global { positions: 7 * 7, channels: 96 });
    dense(table, Dense { inputs: 96, outputs: 10, relu: false }, &values(BATCH * 96, 10, 1.0));
    loss_and_update(table, 160_874);
    table.print();
}

fn resnet(mut table: Table, stem: ConvShape, widths: &[usize]) {
    let table = &mut table;
    let (mut side, mut before) = (stem.side_out(), stem.outputs);
    let mut parameters = stem.weight_len() + 2 * before;
    convolution(table, stem, 1);
    for &width in widths {
        // Two blocks of two convolutions each, or one of a halving and a usual one, and one of two.
        let halves = width != before;
        let mut shapes = Vec::new();
        if halves {
            shapes.extend([(halved(before, width, side), 1), (shortcut(before, width, side), 1)]);
            side = side.div_ceil(2);
        }
        shapes.push((same(width, width, side), if halves { 3 } else { 4 }));
        for &(shape, times) in &shapes {
            convolution(table, shape, times);
            parameters += times * (shape.weight_len() + 2 * width);
        }
        // The stem's is of the first width, and the shortcut's has no ReLU.
        normalisation(table, width, side, true, if halves { 2 } else { 3 });
        normalisation(table, width, side, false, if halves { 3 } else { 2 });
        residual(table, width, side, 2);
        before = width;
    }
    global_average(table, Global { positions: side * side, channels: before });
    let head = Dense { inputs: before, outputs: 10, relu: false };
    dense(table, head, &values(BATCH * before, 10, 1.0));
    loss_and_update(table, parameters + 10 * before + 10);
    table.print();
}

fn wide_resnet(mut table: Table) {
    let table = &mut table;
    let mut parameters = 256 * 10 + 10;
    for (shape, times) in [
        (same(1, 64, 28), 1),
        (same(64, 128, 14), 1),
        (same(128, 128, 14), 2),
        (same(128, 256, 7), 1),
        (same(256, 256, 7), 2),
    ] {
        convolution(table, shape, times);
        parameters += times * (shape.weight_len() + 2 * shape.outputs);
    }
    normalisation(table, 64, 28, true, 1);
    for (width, side) in [(128, 14), (256, 7)] {
        normalisation(table, width, side, true, 2);
        normalisation(table, width, side, false, 1);
        residual(table, width, side, 1);
    }
    max_pooling(table, MaxPool { side: 28, channels: 64 });
    max_pooling(table, MaxPool { side: 14, channels: 128 });
    global_max_pooling(table, Global { positions: 7 * 7, channels: 256 });
    dense(table, Dense { inputs: 256, outputs: 10, relu: false }, &values(BATCH * 256, 10, 1.0));
    loss_and_update(table, parameters);
    table.print();
}

/// The three passes, chunk by chunk; that to the input is left out where the input is the images.
fn convolution(table: &mut Table, shape: ConvShape, times: usize) {
    let isa = Isa::current();
    let ConvShape { inputs, outputs, side, kernel, stride, .. } = shape;
    let mut conv = Conv::new(shape);
    let mut weight = weights(shape.weight_len(), 1, inputs * kernel * kernel);
    let x = values(BATCH * shape.input_len(), 2, 1.0);
    let grad = values(BATCH * shape.output_len(), 3, 1e-3);
    let (mut y, mut grad_x) = (grad.clone(), x.clone());
    let mut gradient = vec![0.0; shape.gradient_len()];
    let (input, output) = (CHUNK * shape.input_len(), CHUNK * shape.output_len());
    let name = |pass: &str| {
        let by = if stride == 1 { "" } else { " by 2" };
        format!("{kernel} × {kernel}{by}, {inputs} to {outputs} at {side}, {pass}")
    };
    let work = |read: usize, written| {
        let work = Work::of(read, written).times(times);
        work.multiplying(BATCH * shape.multiply_adds())
    };
    let packed = Work::of(weight.len(), 2 * weight.len()).times(times);
    table.row(&name("weights packed"), packed, || conv.pack(black_box(&weight), None));
    table.row(&name("forward"), work(x.len() + weight.len(), y.len()), || {
        for (x, y) in x.chunks(input).zip(y.chunks_mut(output)) {
            conv.forward(isa, black_box(x), y, false);
        }
    });
    if inputs > 3 {
        let work = work(grad.len() + weight.len(), x.len());
        table.row(&name("gradient of input"), work, || {
            for (grad, grad_x) in grad.chunks(output).zip(grad_x.chunks_mut(input)) {
                conv.input_gradient(isa, black_box(grad), grad_x, false);
            }
        });
    }
    let of_weights = work(x.len() + grad.len(), gradient.len());
    table.row(&name("gradient of weights"), of_weights, || {
        for (x, grad) in x.chunks(input).zip(grad.chunks(output)) {
            conv.weight_gradient(isa, black_box(x), grad, &mut gradient);
        }
    });
    let partials = values(CHUNKS * gradient.len(), 4, 1e-3);
    let summed = Work::of(partials.len(), weight.len()).times(times);
    table.row(&name("gradients added up"), summed, || {
        sum_in_order(isa, black_box(&partials), gradient.len(), CHUNKS, &mut gradient);
        conv.unpack_gradient(&gradient, &mut weight, None);
    });
}

fn normalisation(table: &mut Table, channels: usize, side: usize, relu: bool, times: usize) {
    let isa = Isa::current();
    let sample_len = side * side * channels;
    let x = values(BATCH * sample_len, 5, 1.0);
    let (mut y, grad, mut grad_x) = (x.clone(), x.clone(), x.clone());
    let [mut mean, mut variance, mut inverse, mut to_scale, mut to_shift, mut of_x, mut constant] =
        [(); 7].map(|()| vec![0.0; channels]);
    let (scale, shift) = (vec![1.0; channels], vec![0.0; channels]);
    let name = |pass: &str| {
        let relu = if relu { " and ReLU" } else { "" };
        format!("normalisation{relu}, {channels} at {side}, {pass}")
    };
    let work = |read, written| Work::of(read * x.len(), written * x.len()).times(times);
    let mut sums = vec![0.0; norm::MOMENTS * channels];
    table.row(&name("moments"), work(1, 0), || {
        sums.fill(0.0);
        norm::add_moments(isa, black_box(&x), sample_len, channels, &mut sums);
        norm::moments(&mut sums, (BATCH, side * side), &mut mean, &mut variance);
    });
    norm::inverse_deviation(&variance, 1e-5, &mut inverse);
    let (mean, inverse_deviation) = (&mean, &inverse);
    let by = Normalisation { mean, inverse_deviation, scale: &scale, shift: &shift, relu };
    // Once more in the backward pass, but for the terms of a residual block.
    let (other, forward) =
        if relu { (None, work(1, 1).times(2 * times)) } else { (Some(&grad[..]), work(2, 1)) };
    table.row(&name("forward"), forward, || {
        norm::forward(isa, black_box(&x), by, other, &mut y);
    });
    let mut sums = vec![0.0; norm::SUMS * channels];
    table.row(&name("sums of the gradient"), work(2, 0), || {
        sums.fill(0.0);
        norm::add_sums(isa, black_box(&x), by, sample_len, &grad, &mut sums);
    });
    let (to, slopes) = ((&mut to_scale[..], &mut to_shift[..]), (&mut of_x[..], &mut constant[..]));
    norm::slopes(&mut sums, BATCH * side * side, by, to, slopes);
    let slopes = Slopes { of_x: &of_x, constant: &constant };
    table.row(&name("gradient of input"), work(2, 1), || {
        norm::backward(isa, black_box(&x), by, slopes, &grad, &mut grad_x);
    });
}

fn residual(table: &mut Table, channels: usize, side: usize, times: usize) {
    let n = BATCH * side * side * channels;
    let (y, mut grad) = (values(n, 6, 1.0), values(n, 7, 1.0));
    let name = format!("sum and ReLU, {channels} at {side}, backward");
    table.row(&name, Work::of(n, n).times(times), || {
        relu::mask(black_box(&y), &mut grad);
    });
}

fn max_pooling(table: &mut Table, pool: MaxPool) {
    let isa = Isa::current();
    let mut x = values(BATCH * pool.input_len(), 8, 1.0);
    let mut y = vec![0.0; BATCH * pool.output_len()];
    let mut winners = vec![0; y.len()];
    // A winner is a byte.
    let (outside, inside) = (y.len() + y.len() / 4, x.len());
    let name = |pass: &str| format!("max-pooling, {} at {}, {pass}", pool.channels, pool.side);
    table.row(&name("forward"), Work::of(inside, outside), || {
        pool.forward(isa, black_box(&x), &mut y, Some(&mut winners));
    });
    table.row(&name("backward"), Work::of(outside, inside), || {
        pool.backward(isa, &winners, black_box(&y), &mut x, false);
    });
}

fn global_max_pooling(table: &mut Table, pool: Global) {
    let isa = Isa::current();
    let mut x = values(BATCH * pool.input_len(), 8, 1.0);
    let mut y = vec![0.0; BATCH * pool.channels];
    let mut winners = vec![0; y.len()];
    let (outside, inside) = (2 * y.len(), x.len());
    table.row("global maximum, forward", Work::of(inside, outside), || {
        pool.max(isa, black_box(&x), &mut y, Some(&mut winners));
    });
    table.row("global maximum, backward", Work::of(outside, outside), || {
        pool.max_gradient(&winners, black_box(&y), &mut x, false);
    });
}

fn global_average(table: &mut Table, pool: Global) {
    let isa = Isa::current();
    let mut x = values(BATCH * pool.input_len(), 8, 1.0);
    let mut y = vec![0.0; BATCH * pool.channels];
    let (outside, inside) = (y.len(), x.len());
    table.row("global average, forward", Work::of(inside, outside), || {
        pool.average(isa, black_box(&x), &mut y);
    });
    table.row("global average, backward", Work::of(outside, inside), || {
        pool.average_gradient(isa, black_box(&y), &mut x, false);
    });
}
