//! Each kernel of a training step of the report's network, batch 128, on one thread.
//!
//! `cargo bench -p fashion-kernels`; after criterion's own lines comes a table of every kernel's time,
//! its operations per second, and their share of the processor's peak, measured in the same run.
//!
//! Operations are those of direct, dense arithmetic on what is needed: a multiply-add is two, outputs
//! that pooling drops are not counted, products with zeros are. So the convolutions, which do without
//! most of these products, may stand above the peak. Memory-bound kernels have no such figure.

mod common;

use common::{Table, values, weights};
use fashion_kernels::adam::Adam;
use fashion_kernels::chunks::{CHUNKS, sum_in_order};
use fashion_kernels::conv::ConvPool;
use fashion_kernels::dense::Dense;
use fashion_kernels::loss::{cross_entropy, cross_entropy_gradient};
use fashion_kernels::simd::Isa;
use std::hint::black_box;
use std::time::Duration;

const BATCH: usize = 128;
/// Samples that go from one block to the next while they are in the cache.
const CHUNK: usize = BATCH / CHUNKS;

/// Multiply-adds of the blocks' needed outputs, over the batch.
const FIRST: usize = BATCH * 24 * 24 * 32 * 9;
const SECOND: usize = BATCH * 10 * 10 * 64 * 9 * 32;

fn main() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    one.install(|| {
        let mut table = Table::new(Duration::from_secs(1));
        let features = convolutions(&mut table);
        dense_layers(&mut table, &features);
        loss_and_update(&mut table);
        table.print("Kernel, 128 images, one thread", "all kernels of a step");
    });
}

/// Both blocks, chunk by chunk as a step does them; returns their result.
fn convolutions(table: &mut Table) -> Vec<f32> {
    let isa = Isa::current();
    let (mut first, mut second) = (ConvPool::new(1, 32, 28, 12), ConvPool::new(32, 64, 12, 5));
    let first_weight = weights(32 * 9, 1, 33 * 9);
    let second_weight = weights(64 * 32 * 9, 2, 96 * 9);
    table.row("weights packed for the blocks", None, || {
        first.pack(black_box(&first_weight), &[0.0; 32]);
        second.pack(black_box(&second_weight), &[0.0; 64]);
    });
    let pixels: Vec<f32> =
        values(BATCH * first.input_len(), 3, 0.5).iter().map(|v| v + 0.5).collect();
    let mut middle = vec![0.0; BATCH * first.output_len()];
    let mut first_winners = vec![0; middle.len()];
    let mut features = vec![0.0; BATCH * second.output_len()];
    let mut winners = vec![0; features.len()];

    table.row("first block, forward", Some(FIRST), || {
        for chunk in 0..CHUNKS {
            let out = range(chunk, first.output_len());
            let x = &pixels[range(chunk, first.input_len())];
            first.forward(
                isa,
                black_box(x),
                &mut middle[out.clone()],
                Some(&mut first_winners[out]),
            );
        }
    });
    table.row("second block, forward", Some(SECOND), || {
        for chunk in 0..CHUNKS {
            let out = range(chunk, second.output_len());
            let x = &middle[range(chunk, first.output_len())];
            second.forward(isa, black_box(x), &mut features[out.clone()], Some(&mut winners[out]));
        }
    });

    let grad = values(features.len(), 4, 1e-3);
    let mut grad_middle = vec![0.0; middle.len()];
    let mut gradient = vec![0.0; second.gradient_len()];
    table.row("second block, gradients of weights and input", Some(2 * SECOND), || {
        for chunk in 0..CHUNKS {
            let (at, out) = (range(chunk, first.output_len()), range(chunk, second.output_len()));
            let (x, winners) = (&middle[at.clone()], &winners[out.clone()]);
            let grad_x = Some(&mut grad_middle[at]);
            second.backward(isa, black_box(x), winners, &grad[out], &mut gradient, grad_x);
        }
    });
    let mut gradient = vec![0.0; first.gradient_len()];
    table.row("first block, gradient of weights", Some(FIRST), || {
        for chunk in 0..CHUNKS {
            let (at, out) = (range(chunk, first.input_len()), range(chunk, first.output_len()));
            let (x, winners) = (&pixels[at], &first_winners[out.clone()]);
            first.backward(isa, black_box(x), winners, &grad_middle[out], &mut gradient, None);
        }
    });
    let stride = first.gradient_len() + second.gradient_len();
    let (partials, mut sum) = (values(CHUNKS * stride, 5, 1.0), vec![0.0; stride]);
    table.row("gradients of the chunks added up", None, || {
        sum_in_order(isa, black_box(&partials), stride, CHUNKS, &mut sum);
    });
    features
}

/// Where a chunk's values are, `len` a sample.
fn range(chunk: usize, len: usize) -> std::ops::Range<usize> {
    chunk * CHUNK * len..(chunk + 1) * CHUNK * len
}

fn dense_layers(table: &mut Table, features: &[f32]) {
    let isa = Isa::current();
    let mut x = features.to_vec();
    for (inputs, outputs, relu) in [(1600, 128, true), (128, 10, false)] {
        let layer = Dense { inputs, outputs, relu };
        let (w, b) = (weights(outputs * inputs, 6, inputs + outputs), vec![0.0; outputs]);
        let (grad, mut y) = (values(BATCH * outputs, 7, 1e-3), vec![0.0; BATCH * outputs]);
        let (mut grad_x, mut grad_w, mut grad_b) = (x.clone(), w.clone(), b.clone());
        let operations = Some(BATCH * inputs * outputs);
        let name = |what: &str| format!("dense {inputs} to {outputs}, {what}");
        table.row(&name("forward"), operations, || {
            layer.forward(isa, black_box(&x), &w, &b, &mut y);
        });
        table.row(&name("gradient of input"), operations, || {
            layer.input_gradient(isa, &w, black_box(&grad), &mut grad_x);
        });
        table.row(&name("gradient of weights"), operations, || {
            layer.weight_gradient(isa, &x, black_box(&grad), &mut grad_w, &mut grad_b);
        });
        x = y;
    }
}

fn loss_and_update(table: &mut Table) {
    let (logits, mut grad) = (values(BATCH * 10, 8, 3.0), vec![0.0; BATCH * 10]);
    let targets: Vec<f32> = (0..BATCH * 10).map(|i| f32::from(u8::from(i % 11 == 0))).collect();
    table.row("cross-entropy and its gradient", None, || {
        black_box(cross_entropy(10, black_box(&logits), &targets));
        cross_entropy_gradient(10, &logits, &targets, 1.0, &mut grad);
    });
    let adam =
        Adam { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weight_decay: 0.0 };
    let gradient = values(225_034, 9, 1e-3);
    let (mut p, mut m) = (gradient.clone(), vec![0.0; gradient.len()]);
    let mut v = m.clone();
    table.row("Adam, 225,034 parameters", None, || {
        adam.update(Isa::current(), 1, black_box(&gradient), &mut p, &mut m, &mut v);
    });
}
