//! A convolution asks the allocator for nothing once its scratch memory is there.

use allocation_counter::measure;
use fashion_kernels::conv::Conv3x3;
use fashion_kernels::simd::Isa;

fn check<const I: usize, const O: usize, const A: usize, const B: usize>() {
    let mut conv = Conv3x3::<I, O, A, B>::default();
    let (weight, bias) = (vec![0.1; O * I * 9], vec![0.1; O]);
    let (x, grad) = (vec![1.0; 3 * A * A * I], vec![1.0; 3 * B * B * O]);
    let (mut y, mut grad_x) = (grad.clone(), x.clone());
    let mut gradient = vec![0.0; Conv3x3::<I, O, A, B>::GRADIENT];
    let (mut to_weight, mut to_bias) = (weight.clone(), bias.clone());
    let isa = Isa::best();
    let mut step = || {
        conv.pack(&weight, Some(&bias));
        conv.forward(isa, &x, &mut y, true);
        conv.input_gradient(isa, &grad, &mut grad_x);
        conv.weight_gradient(isa, &x, &grad, &mut gradient);
        Conv3x3::<I, O, A, B>::unpack_gradient(&gradient, &mut to_weight, &mut to_bias);
    };
    step();
    assert_eq!(measure(step).count_total, 0, "Conv3x3<{I}, {O}, {A}, {B}>");
}

#[test]
fn a_steady_step_allocates_nothing() {
    check::<16, 32, 7, 7>();
    check::<16, 32, 7, 4>();
    check::<1, 16, 6, 3>();
}
