//! What the benchmarks share: values, the kernels at the end of every network, and a table of what was
//! measured.
//!
//! Each kernel of a training step of batch 128 is measured alone, on one thread. After criterion's own
//! lines comes a table of every kernel's time, its operations per second, and two shares:
//!
//! - of the processor's peak, which it reaches with nothing but multiply-adds. Operations are those of
//!   direct, dense arithmetic on what is needed: a multiply-add is two, outputs that pooling drops are not
//!   counted, products with zeros are. So convolutions, which do without most of these products, may
//!   stand above the peak.
//! - of the roofline: no kernel is faster than its operations are at the peak, nor than reading its inputs
//!   and weights and writing its outputs, once, without any arithmetic. Where there is no figure for
//!   operations, the latter is what bounds it.
//!
//! Both bounds are measured in the same minute as the kernel.
//!
//! A kernel that is measured over and over finds what fits there in the caches, where a step has filled
//! them with other layers' values in between. With `FROM_MEMORY=1` in the environment they are filled with
//! something else before each call, so that all is read from memory: a step lies between the two.

use criterion::Criterion;
use fashion_kernels::adam::Adam;
use fashion_kernels::clip;
use fashion_kernels::dense::Dense;
use fashion_kernels::loss::{cross_entropy, cross_entropy_gradient};
use fashion_kernels::peak;
use fashion_kernels::simd::Isa;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Images of a step.
pub(crate) const BATCH: usize = 128;

/// Even values around zero, within ±`limit`.
pub(crate) fn values(n: usize, seed: usize, limit: f32) -> Vec<f32> {
    let mut state = seed as u32 + 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| limit * next()).collect()
}

/// Weights as a network begins with them (Glorot and Bengio).
pub(crate) fn weights(n: usize, seed: usize, fans: usize) -> Vec<f32> {
    values(n, seed, (6.0 / fans as f32).sqrt())
}

/// The three passes of a dense layer; returns its result.
pub(crate) fn dense(table: &mut Table, layer: Dense, x: &[f32]) -> Vec<f32> {
    let Dense { inputs, outputs, .. } = layer;
    let isa = Isa::current();
    let (w, b) = (weights(outputs * inputs, 6, inputs + outputs), vec![0.0; outputs]);
    let (grad, mut y) = (values(BATCH * outputs, 7, 1e-3), vec![0.0; BATCH * outputs]);
    let (mut grad_x, mut grad_w, mut grad_b) = (x.to_vec(), w.clone(), b.clone());
    let work = |read, written| Work::of(read, written).multiplying(BATCH * inputs * outputs);
    let name = |what: &str| format!("dense {inputs} to {outputs}, {what}");
    table.row(&name("forward"), work(x.len() + w.len(), y.len()), || {
        layer.forward(isa, black_box(x), &w, &b, &mut y);
    });
    table.row(&name("gradient of input"), work(grad.len() + w.len(), x.len()), || {
        layer.input_gradient(isa, &w, black_box(&grad), &mut grad_x);
    });
    table.row(&name("gradient of weights"), work(x.len() + grad.len(), w.len()), || {
        layer.weight_gradient(isa, x, black_box(&grad), &mut grad_w, &mut grad_b);
    });
    y
}

/// What comes after the last layer's logits and gradients.
pub(crate) fn loss_and_update(table: &mut Table, parameters: usize) {
    let isa = Isa::current();
    let (logits, mut grad) = (values(BATCH * 10, 8, 3.0), vec![0.0; BATCH * 10]);
    let targets: Vec<f32> = (0..BATCH * 10).map(|i| f32::from(u8::from(i % 11 == 0))).collect();
    let work = Work::of(2 * logits.len(), grad.len());
    table.row("cross-entropy and its gradient", work, || {
        black_box(cross_entropy(10, black_box(&logits), &targets));
        cross_entropy_gradient(10, &logits, &targets, 1.0, &mut grad);
    });
    let gradient = values(parameters, 9, 1e-3);
    table.row("norm of the gradient", Work::of(parameters, 0), || {
        black_box(clip::sum_of_squares(isa, black_box(&gradient)));
    });
    let adam =
        Adam { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weight_decay: 0.0 };
    let (mut p, mut m) = (gradient.clone(), vec![0.0; gradient.len()]);
    let mut v = m.clone();
    table.row("Adam", Work::of(parameters, 3 * parameters), || {
        adam.update(isa, 1, black_box(&gradient), &mut p, &mut m, &mut v);
    });
}

/// What a kernel cannot do without.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    /// Values read and values written, each once. What is changed in its place counts as written.
    read: usize,
    written: usize,
    /// None where they are not what takes the time.
    multiply_adds: usize,
    /// How often a step has such a kernel.
    times: usize,
}

impl Work {
    /// Of a kernel that a step has once, and that is bound by memory.
    pub(crate) fn of(read: usize, written: usize) -> Work {
        Work { read, written, multiply_adds: 0, times: 1 }
    }

    pub(crate) fn multiplying(self, multiply_adds: usize) -> Work {
        Work { multiply_adds, ..self }
    }

    #[allow(dead_code, reason = "not of the report's network")]
    pub(crate) fn times(self, times: usize) -> Work {
        Work { times, ..self }
    }
}

/// What was measured, besides what criterion prints.
pub(crate) struct Table {
    network: &'static str,
    criterion: Criterion,
    /// More values than a cache holds, where kernels are to find none of theirs there.
    others: Option<Vec<f32>>,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    work: Work,
    /// The shortest of the measured times.
    seconds: f64,
    /// To read and write as much.
    streaming: f64,
}

impl Table {
    /// Each kernel is measured for so long.
    pub(crate) fn new(network: &'static str, time: Duration) -> Table {
        let criterion = Criterion::default()
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(time)
            .configure_from_args();
        let others = std::env::var_os("FROM_MEMORY").map(|_| vec![1.0; 24 << 20]);
        Table { network, criterion, others, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, name: &str, work: Work, mut kernel: impl FnMut()) {
        let mut seconds = f64::INFINITY;
        let others = &mut self.others;
        let mut measure = |times: u64| {
            let start = Instant::now();
            (0..times).for_each(|_| kernel());
            let took = start.elapsed();
            seconds = seconds.min(took.as_secs_f64() / times as f64);
            took
        };
        self.criterion.bench_function(&format!("{}: {name}", self.network), |bencher| {
            bencher.iter_custom(|times| match others {
                None => measure(times),
                Some(others) => {
                    // The filling takes longer than most kernels: a few calls stand for all.
                    let calls = times.min(3);
                    let one = |_| {
                        black_box(&mut *others).iter_mut().for_each(|value| *value += 1.0);
                        measure(1)
                    };
                    (0..calls).map(one).sum::<Duration>().mul_f64(times as f64 / calls as f64)
                }
            });
        });
        if seconds.is_finite() {
            let streaming = peak::stream(Isa::current(), 4 * work.read, 4 * work.written);
            self.rows.push(Row { name: name.to_owned(), work, seconds, streaming });
        }
    }

    /// Markdown, as `cargo xtask bench-peers` takes it over. Nothing where nothing was measured.
    pub(crate) fn print(&self) {
        if self.rows.is_empty() {
            return;
        }
        let (isa, network) = (Isa::current(), self.network);
        let peak = peak::gflops(isa, 1);
        let whole: f64 = self.rows.iter().map(|row| row.work.times as f64 * row.seconds).sum();
        println!(
            "\n| {network}: kernel | times | µs | Of all | GFLOP/s | Of the peak | Of the roofline |"
        );
        println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        for Row { name, work, seconds, streaming } in &self.rows {
            let times = work.times;
            let share = 100.0 * times as f64 * seconds / whole;
            let (us, digits) = (1e6 * seconds, usize::from(*seconds < 10e-6));
            print!("| {name} | {times} | {us:.digits$} | {share:.1}% |");
            let operations = 2e-9 * work.multiply_adds as f64;
            if operations > 0.0 {
                let rate = operations / seconds;
                print!(" {rate:.0} | {:.0}% |", 100.0 * rate / peak);
            } else {
                print!(" – | – |");
            }
            println!(" {:.0}% |", 100.0 * streaming.max(operations / peak) / seconds);
        }
        println!("| **all kernels of a step** | | **{:.0}** | 100% | | | |", 1e6 * whole);
        let copies = [256, 4 << 10, 64 << 10].map(|kib: usize| {
            let rate = 1024e-9 * kib as f64 / peak::stream(isa, 512 * kib, 512 * kib);
            format!("{rate:.0} GB/s in {kib} KiB")
        });
        println!("\nThe peak: {peak:.0} GFLOP/s on one thread ({isa}).");
        println!("Reading and writing as much: {}.", copies.join(", "));
    }
}
