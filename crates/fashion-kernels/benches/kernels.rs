//! Time of each kernel at the report network's sizes, batch 128.
//!
//! `cargo bench -p fashion-kernels`; criterion prints the time and the arithmetic done per second
//! (elements are floating-point operations, a multiply-add being two, as a direct dense computation
//! would need them).

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fashion_kernels::adam::Adam;
use fashion_kernels::conv::ConvPool;
use fashion_kernels::dense::Dense;
use fashion_kernels::loss::cross_entropy_gradient;
use fashion_kernels::simd::Path;
use std::hint::black_box;

const BATCH: usize = 128;

fn values(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.0 - 1.0).collect()
}

fn block<const I: usize, const O: usize, const A: usize, const B: usize>(c: &mut Criterion) {
    let path = Path::best();
    let mut block = ConvPool::<I, O, A, B>::default();
    let (weight, bias) = (values(O * I * 9, 2), values(O, 3));
    block.pack(&weight, &bias);
    let (x, grad) = (values(BATCH * A * A * I, 1), values(BATCH * B * B * O, 4));
    let (mut y, mut winners) = (grad.clone(), vec![0; grad.len()]);
    let (mut gradient, mut grad_x) = (vec![0.0; ConvPool::<I, O, A, B>::GRADIENT], x.clone());
    let flops = (2 * BATCH * 4 * B * B * O * 9 * I) as u64;
    let mut group = c.benchmark_group(format!("conv {I} to {O}, one thread"));
    group.throughput(Throughput::Elements(flops));
    group.bench_function("pack", |b| {
        b.iter(|| block.pack(black_box(&weight), &bias));
    });
    group.bench_function("forward", |b| {
        b.iter(|| block.forward(path, black_box(&x), &mut y, Some(&mut winners)));
    });
    group.throughput(Throughput::Elements(if I > 1 { 2 * flops } else { flops }));
    group.bench_function("backward", |b| {
        b.iter(|| {
            let grad_x = (I > 1).then_some(&mut grad_x[..]);
            block.backward(path, black_box(&x), &winners, &grad, &mut gradient, grad_x);
        });
    });
}

fn dense(c: &mut Criterion) {
    let path = Path::best();
    for (inputs, outputs) in [(1600, 128), (128, 10)] {
        let layer = Dense { inputs, outputs, relu: true };
        let (x, w, b) =
            (values(BATCH * inputs, 1), values(outputs * inputs, 2), values(outputs, 3));
        let (grad, mut y) = (values(BATCH * outputs, 4), values(BATCH * outputs, 5));
        let (mut grad_x, mut grad_w, mut grad_b) = (x.clone(), w.clone(), b.clone());
        let mut group = c.benchmark_group(format!("dense {inputs} to {outputs}, all threads"));
        group.throughput(Throughput::Elements((2 * BATCH * inputs * outputs) as u64));
        group.bench_function("forward", |bench| {
            bench.iter(|| layer.forward(path, black_box(&x), &w, &b, &mut y));
        });
        group.bench_function("input gradient", |bench| {
            bench.iter(|| layer.input_gradient(path, &w, black_box(&grad), &mut grad_x));
        });
        group.bench_function("weight gradient", |bench| {
            bench.iter(|| {
                layer.weight_gradient(path, &x, black_box(&grad), &mut grad_w, &mut grad_b);
            });
        });
    }
}

fn loss_and_adam(c: &mut Criterion) {
    let (logits, mut grad) = (values(BATCH * 10, 1), vec![0.0; BATCH * 10]);
    let targets: Vec<f32> = (0..BATCH * 10).map(|i| f32::from(u8::from(i % 11 == 0))).collect();
    c.bench_function("cross-entropy gradient", |b| {
        b.iter(|| cross_entropy_gradient(10, black_box(&logits), &targets, 1.0, &mut grad));
    });
    let adam = Adam { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
    let gradient = values(225_034, 1);
    c.bench_function("Adam, 225,034 parameters, all threads", |b| {
        b.iter_batched_ref(
            || (gradient.clone(), vec![0.0; gradient.len()], vec![0.0; gradient.len()]),
            |(p, m, v)| adam.update(Path::best(), 1, &gradient, p, m, v),
            BatchSize::LargeInput,
        );
    });
}

criterion_group!(benches, block::<1, 32, 28, 12>, block::<32, 64, 12, 5>, dense, loss_and_adam);
criterion_main!(benches);
