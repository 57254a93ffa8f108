//! Clipping by the global norm, and the search for values that are not finite.

use crate::common::{assert_close, assert_same_bits, bits, paths, scaled, values};
use fashion_kernels::clip::{all_finite, factor, scale, sum_of_squares};
use fashion_kernels::simd::Isa;

/// Lengths with and without a rest of a vector; of one piece, several, and several a chunk.
const LENGTHS: [usize; 9] = [0, 1, 15, 16, 33, 64, 8192, 20_001, 300_007];

/// ```python
/// g = [values(6, 1) * 3, values(4, 2)]
/// p = [torch.nn.Parameter(torch.zeros(len(g))) for g in g]
/// for most in (2, 20):
///     for p_, g_ in zip(p, g): p_.grad = g_.clone()
///     print(torch.nn.utils.clip_grad_norm_(p, most), [p.grad for p in p])
/// ```
#[test]
fn clipping_matches_pytorch() {
    for isa in paths() {
        let mut gradients = [scaled(6, 1, 3.0), values(4, 2)];
        let squares: f64 = gradients.iter().map(|g| sum_of_squares(isa, g)).sum();
        assert!((squares.sqrt() - 4.99137115).abs() < 1e-6, "{squares}");

        let before = gradients.clone();
        gradients.iter_mut().for_each(|g| scale(isa, factor(20.0, squares.sqrt()), g));
        assert_eq!(gradients, before, "a small gradient stays as it is");

        gradients.iter_mut().for_each(|g| scale(isa, factor(2.0, squares.sqrt()), g));
        let expected =
            [-0.513973773, -0.625655055, -0.737336278, -0.849017501, -0.960698664, -1.07237995];
        assert_close("first", &gradients[0], &expected, 1e-6);
        let expected = [0.0580422133, 0.0208151378, -0.0164119359, -0.0536390096];
        assert_close("second", &gradients[1], &expected, 1e-6);
    }
}

#[test]
fn sums_of_squares_have_the_precision_of_f64_and_the_same_bits_everywhere() {
    for len in LENGTHS {
        let v = values(len, 3);
        assert_same_bits(&format!("{len} values"), |isa| sum_of_squares(isa, &v).to_bits());
        // In parts, since one long sum in a row rounds more than what is tested.
        let part = |v: &[f32]| v.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>();
        let expected: f64 = v.chunks(500).map(part).sum();
        let error = (sum_of_squares(Isa::best(), &v) - expected).abs();
        assert!(error <= 1e-14 * expected, "{len}: off by {error:e}");
    }
}

#[test]
fn sums_of_squares_neither_overflow_nor_vanish() {
    for (value, len) in [(f32::MAX, 20_000), (f32::from_bits(1), 20_000), (1e-30, 3)] {
        let expected = f64::from(value) * f64::from(value) * len as f64;
        for isa in paths() {
            let got = sum_of_squares(isa, &vec![-value; len]);
            assert!((got / expected - 1.0).abs() < 1e-12, "{isa}: {got:e} not {expected:e}");
        }
    }
}

#[test]
fn one_value_that_is_not_finite_is_found_wherever_it_is() {
    for len in LENGTHS {
        let mut v = values(len, 5);
        if len > 3 {
            (v[1], v[2], v[3]) = (f32::MAX, f32::MIN, f32::from_bits(1));
        }
        for isa in paths() {
            assert!(all_finite(isa, &v), "{isa} {len}");
            assert!(sum_of_squares(isa, &v).is_finite(), "{isa} {len}");
        }
        // Every place of a short slice, some of a long one, the last one among them.
        for at in (0..len).rev().step_by(1 + len / 70) {
            let before = v[at];
            for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                v[at] = bad;
                for isa in paths() {
                    assert!(!all_finite(isa, &v), "{isa}: {bad} at {at} of {len}");
                    let sum = sum_of_squares(isa, &v);
                    assert!(!sum.is_finite(), "{isa}: {bad} at {at} of {len}");
                }
            }
            v[at] = before;
        }
    }
    // Two infinities of opposite sign are no zero.
    let pair = [f32::INFINITY, f32::NEG_INFINITY];
    paths().for_each(|isa| assert!(!all_finite(isa, &pair), "{isa}"));
}

#[test]
fn the_factor_is_one_below_the_limit_and_never_hides_what_is_not_finite() {
    assert_eq!(factor(1.0, 0.0), 1.0);
    assert_eq!(factor(1.0, 1.0), (1.0 / 1.000_001) as f32);
    assert_eq!(factor(5.0, 10.0), (5.0 / 10.000_001) as f32);
    assert_eq!(factor(1.0, f64::INFINITY), 0.0);
    assert!(factor(1.0, f64::NAN).is_nan());
}

#[test]
fn scaling_multiplies_each_value_and_leaves_all_bits_at_one() {
    for len in LENGTHS {
        let v = values(len, 6);
        assert_same_bits(&format!("{len} values"), |isa| {
            let mut scaled = v.clone();
            scale(isa, 0.3, &mut scaled);
            bits(&scaled)
        });
        let mut scaled = v.clone();
        scale(Isa::best(), 0.3, &mut scaled);
        assert!(scaled.iter().zip(&v).all(|(s, v)| *s == 0.3 * v));
        let mut same = v.clone();
        scale(Isa::best(), 1.0, &mut same);
        assert_eq!(bits(&same), bits(&v));
    }
}
