//! The most arithmetic that this processor can do, on one core and on several (all of them), as one
//! JSON object a line: `cargo run --release -p fashion-kernels --example peak -- [THREADS]`.
//!
//! `FASHION_SIMD` chooses the instructions.

use fashion_kernels::{peak, simd::Isa};

fn main() {
    let isa = Isa::current();
    let several = std::env::args().nth(1).and_then(|threads| threads.parse().ok());
    let several = several
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    for threads in if several > 1 { vec![1, several] } else { vec![1] } {
        let gflops = peak::gflops(isa, threads);
        println!(
            r#"{{"peer":"peak","version":"{isa}","threads":{threads},"what":"peak","gflops":{gflops:.1}}}"#
        );
    }
}
