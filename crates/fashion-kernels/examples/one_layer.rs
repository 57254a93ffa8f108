//! Kernels without any framework: one dense layer learns whether a point lies inside the unit
//! circle: `cargo run -p fashion-kernels --example one_layer`.

use fashion_kernels::adam::Adam;
use fashion_kernels::dense::Dense;
use fashion_kernels::loss::{argmax, cross_entropy, cross_entropy_gradient};
use fashion_kernels::simd::Isa;

const N: usize = 200;

fn main() {
    let isa = Isa::best();
    let layer = Dense { inputs: 3, outputs: 2, relu: false };
    // Points (x, y, x² + y²), inside or outside the unit circle.
    let (mut x, mut targets) = (Vec::new(), Vec::new());
    for i in 0..N {
        let (angle, radius) = (i as f32 * 0.7, 0.2 + 1.6 * i as f32 / N as f32);
        let (a, b) = (radius * angle.cos(), radius * angle.sin());
        x.extend([a, b, a * a + b * b]);
        targets.extend(if radius < 1.0 { [1.0, 0.0] } else { [0.0, 1.0] });
    }
    // Weights and bias in one slice, so that Adam takes one call.
    let (mut parameters, mut mean, mut square) = ([0.0; 8], [0.0; 8], [0.0; 8]);
    let adam =
        Adam { learning_rate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weight_decay: 0.0 };
    let mut logits = vec![0.0; 2 * N];
    for step in 1..=300 {
        let (weight, bias) = parameters.split_at(6);
        layer.forward(isa, &x, weight, bias, &mut logits);
        let (mut grad, mut gradient) = (vec![0.0; 2 * N], [0.0; 8]);
        cross_entropy_gradient(2, &logits, &targets, 1.0, &mut grad);
        let (grad_weight, grad_bias) = gradient.split_at_mut(6);
        layer.weight_gradient(isa, &x, &grad, grad_weight, grad_bias);
        adam.update(isa, step, &gradient, &mut parameters, &mut mean, &mut square);
    }
    let rows = logits.chunks(2).zip(targets.chunks(2));
    let right = rows.filter(|(z, t)| argmax(z) == argmax(t)).count();
    let loss = cross_entropy(2, &logits, &targets);
    println!("{isa}: loss {loss:.3}, {right} of {N} points right");
    assert!(right > N * 95 / 100, "it learns");
}
