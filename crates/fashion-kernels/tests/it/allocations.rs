//! Convolutions and Muon ask the allocator for nothing once their scratch memory is there.

use allocation_counter::measure;
use fashion_kernels::conv::{Conv, ConvShape};
use fashion_kernels::muon::Muon;
use fashion_kernels::simd::Isa;

fn check(shape: ConvShape) {
    let mut conv = Conv::new(shape);
    let (weight, bias) = (vec![0.1; shape.weight_len()], vec![0.1; shape.outputs]);
    let (x, grad) = (vec![1.0; 3 * shape.input_len()], vec![1.0; 3 * shape.output_len()]);
    let (mut y, mut grad_x) = (grad.clone(), x.clone());
    let mut gradient = vec![0.0; shape.gradient_len()];
    let (mut to_weight, mut to_bias) = (weight.clone(), bias.clone());
    let isa = Isa::best();
    let mut step = || {
        conv.pack(&weight, Some(&bias));
        conv.forward(isa, &x, &mut y, true);
        conv.input_gradient(isa, &grad, &mut grad_x, false);
        conv.weight_gradient(isa, &x, &grad, &mut gradient);
        conv.unpack_gradient(&gradient, &mut to_weight, Some(&mut to_bias));
    };
    step();
    assert_eq!(measure(step).count_total, 0, "{shape:?}");
}

#[test]
fn a_steady_step_allocates_nothing() {
    let shape = ConvShape { inputs: 16, outputs: 32, side: 7, kernel: 3, stride: 1, padding: 1 };
    check(shape);
    check(ConvShape { stride: 2, ..shape });
    check(ConvShape { kernel: 1, padding: 0, ..shape });
    check(ConvShape { inputs: 1, ..shape });
}

#[test]
fn nor_does_a_steady_step_of_muon() {
    let muon =
        Muon { learning_rate: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.0, steps: 5 };
    let shapes = [(48, 288), (32, 9), (96, 864)];
    let mut layers =
        shapes.map(|(rows, columns)| (rows, [(); 3].map(|()| vec![0.1; rows * columns])));
    let mut step = || {
        for (rows, [gradient, parameters, mean]) in &mut layers {
            muon.update(Isa::best(), *rows, gradient, parameters, mean);
        }
    };
    // Counted is what the own thread asks for, and this one does all of it.
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one.install(|| {
        // Scratch memory grows until all of it is large enough for its largest use.
        (0..4).for_each(|_| step());
        assert_eq!(measure(step).count_total, 0);
    });
}
