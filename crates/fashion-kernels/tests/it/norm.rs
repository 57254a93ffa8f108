//! Batch normalisation and pooling against plain sums in double precision, on every path.

use crate::common::{paths, values};
use fashion_kernels::norm::{Batch, Normalise, moments};
use fashion_kernels::pool;

/// Samples, positions and channels: whole strips, ragged ones, less than a strip.
const SIZES: [(usize, usize, usize); 5] =
    [(1, 9, 16), (5, 49, 48), (37, 4, 32), (3, 70, 21), (2, 1, 3)];

fn mean_of(x: &[f32], channels: usize, channel: usize, f: impl Fn(usize, f64) -> f64) -> f64 {
    let of = (channel..x.len()).step_by(channels).map(|at| f(at, f64::from(x[at])));
    of.sum::<f64>() * channels as f64 / x.len() as f64
}

#[test]
fn statistics_and_gradients_are_what_they_say() {
    for (n, positions, channels) in SIZES {
        let len = n * positions * channels;
        // A mean that is large beside the deviation.
        let x: Vec<f32> = values(len, 1).iter().map(|v| 3.0 + v).collect();
        let (grad, scale, shift) = (values(len, 2), values(channels, 3), values(channels, 4));
        let sample = positions * channels;
        let mut all = Vec::new();
        for isa in paths() {
            let (mut mean, mut variance) = (vec![0.0; channels], vec![0.0; channels]);
            moments(isa, &x, sample, &mut mean, &mut variance);
            let inverse: Vec<f32> = variance.iter().map(|v| 1.0 / (v + 1e-5).sqrt()).collect();
            let factor: Vec<f32> = scale.iter().zip(&inverse).map(|(s, i)| s * i).collect();
            let mut y = vec![f32::NAN; len];
            let normalise = Normalise { mean: &mean, factor: &factor, shift: &shift, relu: true };
            normalise.forward(isa, &x, &mut y);
            let mut grad_x = vec![1.0; len];
            let (mut grad_scale, mut grad_shift) = (vec![0.0; channels], vec![0.0; channels]);
            let batch = Batch {
                x: &x,
                y: Some(&y),
                sample,
                mean: &mean,
                inverse_deviation: &inverse,
                scale: &scale,
            };
            batch.backward(isa, &grad, &mut grad_x, &mut grad_scale, &mut grad_shift);
            all.push([mean, variance, y, grad_x, grad_scale, grad_shift]);
        }
        let [mean, variance, y, grad_x, grad_scale, grad_shift] = &all[0];
        assert!(all.iter().all(|other| *other == all[0]), "{n} {positions} {channels}");
        for c in 0..channels {
            let close = |what: &str, here: f32, expected: f64| {
                let error = (f64::from(here) - expected).abs();
                assert!(error < 2e-5 * expected.abs().max(1.0), "{what}: {here} not {expected}");
            };
            let m = mean_of(&x, channels, c, |_, x| x);
            let v = mean_of(&x, channels, c, |_, x| (x - m).powi(2));
            close("mean", mean[c], m);
            close("variance", variance[c], v);
            let inverse = 1.0 / (v + 1e-5).sqrt();
            let (s, b) = (f64::from(scale[c]), f64::from(shift[c]));
            let normal = |x: f64| (x - m) * inverse;
            let g = |at: usize| if y[at] > 0.0 { f64::from(grad[at]) } else { 0.0 };
            let of_grad = mean_of(&x, channels, c, |at, _| g(at));
            let of_products = mean_of(&x, channels, c, |at, x| g(at) * normal(x));
            let count = (n * positions) as f64;
            close("gradient of the scale", grad_scale[c], of_products * count);
            close("gradient of the shift", grad_shift[c], of_grad * count);
            for at in (c..len).step_by(channels) {
                let x = normal(f64::from(x[at]));
                close("output", y[at], (x * s + b).max(0.0));
                let expected = 1.0 + s * inverse * (g(at) - of_grad - x * of_products);
                let error = (f64::from(grad_x[at]) - expected).abs();
                assert!(error < 1e-4 * (1.0 + inverse), "{} not {expected}", grad_x[at]);
            }
        }
    }
}

#[test]
fn pools_are_what_they_say() {
    for (n, side, channels) in [(1, 2, 16), (3, 7, 48), (2, 14, 32), (2, 5, 21), (1, 3, 1)] {
        let (half, pixels) = (side / 2, side * side);
        // Few values, so that many are equal.
        let x: Vec<f32> =
            values(n * pixels * channels, 1).iter().map(|v| (3.0 * v).round()).collect();
        let at = |sample: usize, row: usize, column: usize, c: usize| {
            ((sample * side + row) * side + column) * channels + c
        };
        for isa in paths() {
            let mut y = vec![f32::NAN; n * half * half * channels];
            let mut winners = vec![9; y.len()];
            pool::max(isa, &x, (side, channels), &mut y, Some(&mut winners));
            let (mut largest, mut where_) = (vec![0.0; n * channels], vec![0; n * channels]);
            pool::global_max(isa, &x, (pixels, channels), &mut largest, Some(&mut where_));
            let mut means = vec![0.0; n * channels];
            pool::global_average(isa, &x, (pixels, channels), &mut means);
            let grad = values(y.len(), 2);
            let mut grad_x = vec![0.0; x.len()];
            pool::max_gradient((side, channels), &winners, &grad, &mut grad_x);
            let mut expected = vec![0.0; x.len()];
            for (cell, ((&y, &winner), &g)) in y.iter().zip(&winners).zip(&grad).enumerate() {
                let (place, c) = (cell / channels, cell % channels);
                let (sample, row, column) =
                    (place / (half * half), 2 * (place / half % half), 2 * (place % half));
                let window = [0, 1, 2, 3].map(|p| at(sample, row + p / 2, column + p % 2, c));
                let first = window.iter().position(|&w| window.iter().all(|&v| x[w] >= x[v]));
                let first = first.unwrap();
                assert_eq!((y, usize::from(winner)), (x[window[first]], first));
                expected[window[first]] += g;
            }
            assert_eq!(grad_x, expected);
            let of_global = values(n * channels, 3);
            let (mut by_max, mut by_mean) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            pool::global_max_gradient((pixels, channels), &where_, &of_global, &mut by_max);
            pool::global_average_gradient((pixels, channels), &of_global, &mut by_mean);
            for (i, ((&largest, &winner), &mean)) in
                largest.iter().zip(&where_).zip(&means).enumerate()
            {
                let (sample, c) = (i / channels, i % channels);
                let all: Vec<f32> =
                    (0..pixels).map(|p| x[at(sample, p / side, p % side, c)]).collect();
                let first = all.iter().position(|v| all.iter().all(|w| v >= w)).unwrap();
                assert_eq!((largest, winner as usize), (all[first], first));
                assert!((mean - all.iter().sum::<f32>() / pixels as f32).abs() < 1e-6);
                for p in 0..pixels {
                    let place = at(sample, p / side, p % side, c);
                    let expected = if p == first { of_global[i] } else { 0.0 };
                    assert_eq!(by_max[place], expected);
                    assert_eq!(by_mean[place], of_global[i] / pixels as f32);
                }
            }
        }
    }
}
