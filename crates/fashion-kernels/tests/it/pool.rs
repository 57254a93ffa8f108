//! Pooling against the reference and by hand, on every path.

use crate::common::{bits, paths, scaled, values};
use fashion_kernels::pool::{Global, MaxPool};
use fashion_kernels::reference::max_pool;
use fashion_kernels::simd::Isa;

/// By hand; PyTorch's way to these is
///
/// ```python
/// x = torch.tensor([1., 4, 4, 0, 9, 4, 2, 3, 5, 9, 7, 7, 7, 6, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9])
/// x = x.reshape(1, 1, 5, 5).requires_grad_()
/// for y in (F.max_pool2d(x, 2), F.adaptive_max_pool2d(x, 1), F.adaptive_avg_pool2d(x, 1)):
///     x.grad = None
///     (y.flatten() * torch.arange(1., y.numel() + 1)).sum().backward()
///     print(y.flatten(), x.grad.reshape(5, 5))
/// ```
#[test]
fn an_image_of_five_rows_by_hand() {
    // Equal values in a window, the largest in what an odd side drops, and first at place 4.
    let one = [
        [1.0, 4.0, 4.0, 0.0, 9.0],
        [4.0, 2.0, 3.0, 5.0, 9.0],
        [7.0, 7.0, 7.0, 6.0, 9.0],
        [9.0, 9.0, 9.0, 9.0, 9.0],
        [9.0, 9.0, 9.0, 9.0, 9.0],
    ];
    let spread = |values: &[f32]| values.iter().flat_map(|&v| [v; 16]).collect::<Vec<f32>>();
    let x = spread(&one.concat());
    for isa in paths() {
        let pool = MaxPool { side: 5, channels: 16 };
        let (mut y, mut winners, mut grad_x) = (vec![0.0; 64], vec![0; 64], vec![7.0; 400]);
        pool.forward(isa, &x, &mut y, Some(&mut winners));
        assert_eq!(y, spread(&[4.0, 5.0, 9.0, 9.0]), "{isa}");
        pool.backward(isa, &winners, &spread(&[1.0, 2.0, 3.0, 4.0]), &mut grad_x, false);
        let mut expected = [0.0; 25];
        (expected[1], expected[8], expected[15], expected[17]) = (1.0, 2.0, 3.0, 4.0);
        assert_eq!(grad_x, spread(&expected), "{isa}");

        let pool = Global { positions: 25, channels: 16 };
        let (mut y, mut winners, mut grad_x) = ([0.0; 16], [0; 16], vec![7.0; 400]);
        pool.max(isa, &x, &mut y, Some(&mut winners));
        pool.max_gradient(&winners, &[1.0; 16], &mut grad_x, false);
        assert_eq!((y, winners, grad_x[4 * 16]), ([9.0; 16], [4; 16], 1.0), "{isa}");
        assert_eq!(grad_x.iter().sum::<f32>(), 16.0, "{isa}");

        let mut grad_x = vec![7.0; 400];
        pool.average(isa, &x, &mut y);
        pool.average_gradient(isa, &[1.0; 16], &mut grad_x, false);
        // 167 / 25 and 1 / 25.
        assert_eq!((y, grad_x), ([6.68; 16], vec![0.04; 400]), "{isa}");
    }
}

#[test]
fn max_pooling_matches_the_reference_at_every_side() {
    let sides = (2..=32).chain([63, 64]);
    for (side, channels) in sides.flat_map(|side| [(side, 16), (side, 48)]) {
        let pool = MaxPool { side, channels };
        let n = 1 + 8 / side;
        // Few different values, so that equal ones meet.
        let x: Vec<f32> = scaled(n * pool.input_len(), 1, 3.0).iter().map(|v| v.round()).collect();
        let grad = values(n * pool.output_len(), 2);
        let (mut y, mut winners) = (vec![], vec![]);
        let mut grad_x = vec![1.0; x.len()];
        for (sample, x) in x.chunks(pool.input_len()).enumerate() {
            let (these, who) = max_pool(side, channels, x);
            for (at, &winner) in who.iter().enumerate() {
                let (cell, c) = (at / channels, at % channels);
                let (row, column) = (cell / (side / 2), cell % (side / 2));
                let position = usize::from(winner);
                let pixel = (2 * row + position / 2) * side + 2 * column + position % 2;
                let g = grad[sample * pool.output_len() + at];
                grad_x[sample * pool.input_len() + pixel * channels + c] += g;
            }
            y.extend(these);
            winners.extend(who);
        }
        for isa in paths() {
            let what = format!("{pool:?} {isa}");
            let (mut got, mut who) = (vec![f32::NAN; y.len()], vec![9; y.len()]);
            pool.forward(isa, &x, &mut got, Some(&mut who));
            assert_eq!((bits(&got), &who), (bits(&y), &winners), "{what}");
            got.fill(f32::NAN);
            pool.forward(isa, &x, &mut got, None);
            assert_eq!(bits(&got), bits(&y), "{what}, without winners");
            let mut to_x = vec![1.0; x.len()];
            pool.backward(isa, &who, &grad, &mut to_x, true);
            assert_eq!(bits(&to_x), bits(&grad_x), "{what}, backward");
        }
    }
}

#[test]
fn the_largest_of_an_image_is_the_first_of_equals() {
    for (positions, channels) in [(1, 16), (9, 16), (49, 96), (784, 48), (4096, 16)] {
        let pool = Global { positions, channels };
        let x: Vec<f32> =
            scaled(3 * pool.input_len(), 1, 30.0).iter().map(|v| v.round() - 50.0).collect();
        let grad = values(3 * channels, 2);
        let (mut y, mut winners) = (vec![], vec![]);
        let mut grad_x = vec![1.0; x.len()];
        for (sample, x) in x.chunks(pool.input_len()).enumerate() {
            for c in 0..channels {
                let value = |position: usize| x[position * channels + c];
                let first = |best, at| if value(at) > value(best) { at } else { best };
                let winner = (0..positions).fold(0, first);
                y.push(value(winner));
                winners.push(winner as u32);
                let at = (sample * positions + winner) * channels + c;
                grad_x[at] += grad[sample * channels + c];
            }
        }
        for isa in paths() {
            let what = format!("{pool:?} {isa}");
            let (mut got, mut who) = (vec![f32::NAN; y.len()], vec![u32::MAX; y.len()]);
            pool.max(isa, &x, &mut got, Some(&mut who));
            assert_eq!((bits(&got), &who), (bits(&y), &winners), "{what}");
            got.fill(f32::NAN);
            pool.max(isa, &x, &mut got, None);
            assert_eq!(bits(&got), bits(&y), "{what}, without winners");
            let mut to_x = vec![1.0; x.len()];
            pool.max_gradient(&who, &grad, &mut to_x, true);
            assert_eq!(bits(&to_x), bits(&grad_x), "{what}, backward");
        }
    }
}

#[test]
fn the_average_is_a_sum_divided_and_its_gradient_is_spread() {
    for (positions, channels) in [(1, 16), (9, 16), (49, 96), (784, 48), (4096, 16)] {
        let pool = Global { positions, channels };
        let x = values(3 * pool.input_len(), 1);
        let grad = values(3 * channels, 2);
        let of = positions as f32;
        let y: Vec<f32> = x
            .chunks(pool.input_len())
            .flat_map(|x| {
                let sum =
                    move |c| (0..positions).map(|at| x[at * channels + c]).fold(0.0, |a, b| a + b);
                (0..channels).map(move |c| sum(c) / of)
            })
            .collect();
        let grad_x: Vec<f32> = grad
            .chunks(channels)
            .flat_map(|grad| std::iter::repeat_n(grad, positions))
            .flatten()
            .map(|g| 1.0 + g / of)
            .collect();
        for isa in paths() {
            let mut got = vec![f32::NAN; y.len()];
            pool.average(isa, &x, &mut got);
            assert_eq!(bits(&got), bits(&y), "{pool:?} {isa}");
            let mut to_x = vec![1.0; x.len()];
            pool.average_gradient(isa, &grad, &mut to_x, true);
            assert_eq!(bits(&to_x), bits(&grad_x), "{pool:?} {isa}, backward");
        }
    }
}

#[test]
fn no_samples_are_no_work() {
    let (pool, global) = (MaxPool { side: 5, channels: 16 }, Global { positions: 9, channels: 16 });
    pool.forward(Isa::best(), &[], &mut [], Some(&mut []));
    pool.backward(Isa::best(), &[], &[], &mut [], true);
    global.max(Isa::best(), &[], &mut [], Some(&mut []));
    global.max_gradient(&[], &[], &mut [], true);
    global.average(Isa::best(), &[], &mut []);
    global.average_gradient(Isa::best(), &[], &mut [], true);
}

#[test]
#[should_panic(expected = "channels: a multiple of 16")]
fn channels_that_are_no_vectors_are_refused() {
    let pool = MaxPool { side: 2, channels: 8 };
    pool.forward(Isa::best(), &[0.0; 32], &mut [0.0; 8], None);
}
