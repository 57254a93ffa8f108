//! Each kernel of a training step of the report's network: `cargo bench -p fashion-kernels`. The tables
//! at the end are explained in `common`.

mod common;

use common::{BATCH, Table, Work, dense, loss_and_update, values, weights};
use fashion_kernels::chunks::{CHUNKS, sum_in_order};
use fashion_kernels::conv::ConvPool;
use fashion_kernels::dense::Dense;
use fashion_kernels::simd::Isa;
use std::hint::black_box;
use std::time::Duration;

/// Samples that go from one block to the next while they are in the cache.
const CHUNK: usize = BATCH / CHUNKS;

/// Multiply-adds of the blocks' needed outputs, over the batch.
const FIRST: usize = BATCH * 24 * 24 * 32 * 9;
const SECOND: usize = BATCH * 10 * 10 * 64 * 9 * 32;

fn main() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    one.install(|| {
        let mut table = Table::new("report-cnn", Duration::from_secs(1));
        let features = convolutions(&mut table);
        let hidden = Dense { inputs: 1600, outputs: 128, relu: true };
        let x = dense(&mut table, hidden, &features);
        dense(&mut table, Dense { inputs: 128, outputs: 10, relu: false }, &x);
        loss_and_update(&mut table, 225_034);
        table.print();
    });
}

/// Both blocks, chunk by chunk as a step does them; returns their result.
fn convolutions(table: &mut Table) -> Vec<f32> {
    let isa = Isa::current();
    let (mut first, mut second) = (ConvPool::new(1, 32, 28, 12), ConvPool::new(32, 64, 12, 5));
    let first_weight = weights(32 * 9, 1, 33 * 9);
    let second_weight = weights(64 * 32 * 9, 2, 96 * 9);
    let len = first_weight.len() + second_weight.len();
    table.row("weights packed for the blocks", Work::of(len, 2 * len), || {
        first.pack(black_box(&first_weight), &[0.0; 32]);
        second.pack(black_box(&second_weight), &[0.0; 64]);
    });
    let pixels: Vec<f32> =
        values(BATCH * first.input_len(), 3, 0.5).iter().map(|v| v + 0.5).collect();
    let mut middle = vec![0.0; BATCH * first.output_len()];
    let mut first_winners = vec![0; middle.len()];
    let mut features = vec![0.0; BATCH * second.output_len()];
    let mut winners = vec![0; features.len()];

    // A winner is a byte.
    let kept = |n: usize| n + n / 4;
    let work = Work::of(pixels.len() + first_weight.len(), kept(middle.len())).multiplying(FIRST);
    table.row("first block, forward", work, || {
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
    let work = Work::of(middle.len() + second_weight.len(), kept(features.len()));
    table.row("second block, forward", work.multiplying(SECOND), || {
        for chunk in 0..CHUNKS {
            let out = range(chunk, second.output_len());
            let x = &middle[range(chunk, first.output_len())];
            second.forward(isa, black_box(x), &mut features[out.clone()], Some(&mut winners[out]));
        }
    });

    let grad = values(features.len(), 4, 1e-3);
    let mut grad_middle = vec![0.0; middle.len()];
    let mut gradient = vec![0.0; second.gradient_len()];
    let read = middle.len() + kept(features.len()) + second_weight.len();
    let work = Work::of(read, grad_middle.len() + gradient.len()).multiplying(2 * SECOND);
    table.row("second block, gradients of weights and input", work, || {
        for chunk in 0..CHUNKS {
            let (at, out) = (range(chunk, first.output_len()), range(chunk, second.output_len()));
            let (x, winners) = (&middle[at.clone()], &winners[out.clone()]);
            let grad_x = Some(&mut grad_middle[at]);
            second.backward(isa, black_box(x), winners, &grad[out], &mut gradient, grad_x);
        }
    });
    let mut gradient = vec![0.0; first.gradient_len()];
    let work = Work::of(pixels.len() + kept(grad_middle.len()), gradient.len());
    table.row("first block, gradient of weights", work.multiplying(FIRST), || {
        for chunk in 0..CHUNKS {
            let (at, out) = (range(chunk, first.input_len()), range(chunk, first.output_len()));
            let (x, winners) = (&pixels[at], &first_winners[out.clone()]);
            first.backward(isa, black_box(x), winners, &grad_middle[out], &mut gradient, None);
        }
    });
    let stride = first.gradient_len() + second.gradient_len();
    let (partials, mut sum) = (values(CHUNKS * stride, 5, 1.0), vec![0.0; stride]);
    table.row("gradients of the chunks added up", Work::of(partials.len(), stride), || {
        sum_in_order(isa, black_box(&partials), stride, CHUNKS, &mut sum);
    });
    features
}

/// Where a chunk's values are, `len` a sample.
fn range(chunk: usize, len: usize) -> std::ops::Range<usize> {
    chunk * CHUNK * len..(chunk + 1) * CHUNK * len
}
