//! What the benchmarks share: values, and a table of what was measured.

use criterion::Criterion;
use fashion_kernels::peak;
use fashion_kernels::simd::Isa;
use std::time::{Duration, Instant};

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

/// What was measured, besides what criterion prints.
pub(crate) struct Table {
    criterion: Criterion,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    /// The shortest of the measured times.
    seconds: f64,
    /// Multiply-adds, where that is what takes the time.
    operations: Option<usize>,
}

impl Table {
    /// Each kernel is measured for so long.
    pub(crate) fn new(time: Duration) -> Table {
        let criterion = Criterion::default()
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(time)
            .configure_from_args();
        Table { criterion, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, name: &str, operations: Option<usize>, mut kernel: impl FnMut()) {
        let mut seconds = f64::INFINITY;
        self.criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                let start = Instant::now();
                (0..times).for_each(|_| kernel());
                let took = start.elapsed();
                seconds = seconds.min(took.as_secs_f64() / times as f64);
                took
            });
        });
        if seconds.is_finite() {
            self.rows.push(Row { name: name.to_owned(), seconds, operations });
        }
    }

    /// Markdown, as `cargo xtask bench-peers` takes it over.
    pub(crate) fn print(&self, title: &str, all: &str) {
        let peak = peak::gflops(Isa::current(), 1);
        let whole: f64 = self.rows.iter().map(|row| row.seconds).sum();
        println!("\n| {title} | µs | Of all | GFLOP/s | Of the peak |");
        println!("| --- | ---: | ---: | ---: | ---: |");
        for Row { name, seconds, operations } in &self.rows {
            let share = 100.0 * seconds / whole;
            print!("| {name} | {:.0} | {share:.1}% |", 1e6 * seconds);
            match operations {
                Some(operations) => {
                    let rate = 2e-9 * *operations as f64 / seconds;
                    println!(" {rate:.0} | {:.0}% |", 100.0 * rate / peak);
                }
                None => println!(" – | – |"),
            }
        }
        println!("| **{all}** | **{:.0}** | 100% | | |", 1e6 * whole);
        println!("\nThe peak: {peak:.0} GFLOP/s on one thread ({}).", Isa::current());
    }
}
