//! The loss and its targets against PyTorch, the reference and finite differences.

use crate::common::{assert_close, bits, scaled, values};
use fashion_kernels::loss::{
    cross_entropy, cross_entropy_each, cross_entropy_gradient, softmax, weigh_targets,
};
use fashion_kernels::reference;

/// ```python
/// z = (values(12, 5).reshape(3, 4) * 4).requires_grad_()
/// t = F.one_hot(torch.tensor([2, 0, 3]), 4).float()
/// print(F.cross_entropy(z, t, reduction="none")); l = F.cross_entropy(z, t); l.backward(); print(l, z.grad, F.softmax(z, 1))
/// ```
#[test]
fn loss_matches_pytorch() {
    let z = scaled(12, 5, 4.0);
    let t = [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    assert_close("loss", &[cross_entropy(4, &z, &t)], &[1.1557199954986572], 1e-6);
    let mut losses = Vec::new();
    cross_entropy_each(4, &z, &t, |loss| losses.push(loss));
    assert_close("losses", &losses, &[1.65679407, 0.913537264, 0.89682865], 1e-6);
    let mut grad = [0.0; 12];
    cross_entropy_gradient(4, &z, &t, 1.0, &mut grad);
    let expected = [
        0.133700967,
        0.0922015756,
        -0.269750178,
        0.0438476317,
        -0.199632376,
        0.0922015905,
        0.0635831803,
        0.0438476317,
        0.00013851223,
        9.55194919e-05,
        0.197145626,
        -0.197379649,
    ];
    assert_close("gradient", &grad, &expected, 1e-6);
    let mut p = [0.0; 12];
    softmax(4, &z, &mut p);
    let expected = [
        0.401102901,
        0.276604772,
        0.190749541,
        0.131542891,
        0.401102901,
        0.276604801,
        0.190749526,
        0.131542891,
        0.000415536662,
        0.000286558468,
        0.591436863,
        0.407861084,
    ];
    assert_close("softmax", &p, &expected, 1e-6);
}

#[test]
fn loss_matches_the_reference_and_finite_differences() {
    const STEP: f32 = 1.0 / 4096.0;
    let z = scaled(50, 7, 6.0);
    let smoothed = (0..50).map(|i| if i % 10 == i / 10 { 0.91 } else { 0.01 }).collect();
    let mut weighed = one_hot(10, &[3, 0, 9, 0, 5]);
    weigh_targets(10, 0.2, Some(&magnitudes(10, 2)), &mut weighed);
    for (what, t) in [("smoothed", smoothed), ("weighed", weighed), ("any", magnitudes(50, 9))] {
        let (loss, expected) = reference::cross_entropy(10, &z, &t);
        assert_close(what, &[cross_entropy(10, &z, &t)], &[loss], 1e-6);
        let mut grad = [0.0; 50];
        cross_entropy_gradient(10, &z, &t, 1.0, &mut grad);
        assert_close(what, &grad, &expected, 1e-6);
        let slopes: Vec<f64> = (0..50)
            .map(|i| {
                let (mut above, mut below) = (z.clone(), z.clone());
                above[i] += STEP;
                below[i] -= STEP;
                let rise = reference::cross_entropy(10, &above, &t).0
                    - reference::cross_entropy(10, &below, &t).0;
                rise / f64::from(above[i] - below[i])
            })
            .collect();
        assert_close(what, &grad, &slopes, 1e-4);
    }
}

#[test]
fn loss_is_finite_for_large_logits_and_nan_for_nan() {
    let loss = cross_entropy(2, &[1000.0, -1000.0], &[0.0, 1.0]);
    assert_eq!(loss, 2000.0);
    assert!(cross_entropy(2, &[f32::NAN, 0.0], &[0.0, 1.0]).is_nan());
    assert!(cross_entropy(2, &[0.0, f32::NAN], &[1.0, 0.0]).is_nan());
}

/// The logits and true classes of [`loss_matches_pytorch`].
///
/// ```python
/// w = torch.tensor([0.5, 1.0, 2.0, 4.0]); y = torch.tensor([2, 0, 3])
/// for eps, weight in [(0.1, None), (0.0, w), (0.2, w)]:
///     z = (values(12, 5).reshape(3, 4) * 4).requires_grad_()
///     l = F.cross_entropy(z, y, label_smoothing=eps, reduction="none")
///     l = (l if weight is None else weight[y] * l).mean(); l.backward(); print(l, z.grad)
/// ```
#[test]
fn rows_are_weighed_as_a_whole_by_their_true_class() {
    let w: Option<&[f32]> = Some(&[0.5, 1.0, 2.0, 4.0]);
    let cases = [
        (
            (0.1, None),
            1.2829262,
            [
                0.125367627,
                0.0838682279,
                -0.244750142,
                0.0355142951,
                -0.174632356,
                0.0838682428,
                0.0552498326,
                0.0355142914,
                -0.00819482189,
                -0.00823781453,
                0.188812271,
                -0.172379628,
            ],
        ),
        (
            (0.0, w),
            2.45255726,
            [
                0.267401911,
                0.184403159,
                -0.539500317,
                0.0876952467,
                -0.0998161888,
                0.0461007897,
                0.0317915874,
                0.0219238117,
                0.000554048936,
                0.000382077949,
                0.788582473,
                -0.7895186,
            ],
        ),
        (
            (0.2, w),
            3.36491158,
            [
                0.234068578,
                0.151069825,
                -0.439500317,
                0.0543619133,
                -0.0748161888,
                0.0377674564,
                0.0234582541,
                0.0135904783,
                -0.0661126177,
                -0.0662845887,
                0.721915807,
                -0.5895186,
            ],
        ),
    ];
    let z = scaled(12, 5, 4.0);
    for ((smoothing, weights), loss, gradient) in cases {
        let what = format!("smoothing {smoothing}, weights {weights:?}");
        let mut t = one_hot(4, &[2, 0, 3]);
        weigh_targets(4, smoothing, weights, &mut t);
        assert_close(&what, &[cross_entropy(4, &z, &t)], &[loss], 1e-6);
        let mut grad = [0.0; 12];
        cross_entropy_gradient(4, &z, &t, 1.0, &mut grad);
        assert_close(&what, &grad, &gradient, 1e-6);
    }
}

#[test]
fn targets_without_smoothing_and_weights_stay_as_they_are() {
    let rows = one_hot(10, &[3, 1, 4, 1, 5, 9, 2]);
    for weights in [None, Some(&[1.0; 10][..])] {
        let mut t = rows.clone();
        weigh_targets(10, 0.0, weights, &mut t);
        assert_eq!(bits(&t), bits(&rows), "{weights:?}");
    }
    // Not one-hot: nobody has asked for anything.
    let mut t = [0.3, 0.9];
    weigh_targets(2, 0.0, None, &mut t);
    assert_eq!(t, [0.3, 0.9]);
}

#[test]
fn a_batch_without_weight_has_no_loss_and_no_gradient() {
    // Nor does the weight of a row depend on its company.
    let mut t = one_hot(3, &[1]);
    weigh_targets(3, 0.0, Some(&[1.0, 50.0, 1.0]), &mut t);
    assert_eq!(t, [0.0, 50.0, 0.0]);
    let mut t = one_hot(3, &[1, 1]);
    weigh_targets(3, 0.1, Some(&[1.0, 0.0, 1.0]), &mut t);
    assert_eq!(t, [0.0; 6]);
    let (z, mut grad) = (values(6, 1), [0.0; 6]);
    assert_eq!(cross_entropy(3, &z, &t), 0.0);
    cross_entropy_gradient(3, &z, &t, 1.0, &mut grad);
    assert_eq!(grad, [0.0; 6]);
}

/// ```python
/// z = (values(12, 5).reshape(3, 4) * 4).requires_grad_(); t = values(12, 9).reshape(3, 4).abs()
/// l = F.cross_entropy(z, t); l.backward(); print(l, z.grad)
/// ```
#[test]
fn rows_of_any_sum_match_pytorch() {
    let (z, t) = (scaled(12, 5, 4.0), magnitudes(12, 9));
    assert_close("loss", &[cross_entropy(4, &z, &t)], &[4.74629545], 1e-6);
    let mut grad = [0.0; 12];
    cross_entropy_gradient(4, &z, &t, 1.0, &mut grad);
    let expected = [
        -0.000262975431,
        0.015283701,
        0.0116413003,
        -0.0266620219,
        0.119212382,
        0.0282952003,
        -0.0440147184,
        -0.103492826,
        -0.197396234,
        -0.228491262,
        0.318107188,
        0.107780367,
    ];
    assert_close("gradient", &grad, &expected, 1e-6);
}

/// Training with one-hot rows gives the bits that it gave before rows could have any sum.
#[test]
fn the_gradient_of_one_hot_rows_has_the_bits_of_softmax_minus_target() {
    let labels: Vec<usize> = (0..200).map(|i| i * 7 % 10).collect();
    let (z, t) = (scaled(2000, 3, 9.0), one_hot(10, &labels));
    let mut expected = scaled(2000, 4, 1e-3);
    let mut grad = expected.clone();
    cross_entropy_gradient(10, &z, &t, 0.7, &mut grad);
    let mut p = vec![0.0; 2000];
    softmax(10, &z, &mut p);
    for (g, (p, t)) in expected.iter_mut().zip(p.iter().zip(&t)) {
        *g += (p - t) * (0.7 / 200.0);
    }
    assert_eq!(bits(&grad), bits(&expected));
}

fn one_hot(classes: usize, labels: &[usize]) -> Vec<f32> {
    let row = |&label: &usize| (0..classes).map(move |class| f32::from(u8::from(class == label)));
    labels.iter().flat_map(row).collect()
}

fn magnitudes(n: usize, seed: usize) -> Vec<f32> {
    values(n, seed).into_iter().map(f32::abs).collect()
}

#[test]
fn the_loss_of_a_mixed_row_is_the_mixture_of_the_losses() {
    let z = values(4, 3);
    let loss = |mut t: Vec<f32>| {
        weigh_targets(4, 0.1, Some(&[0.5, 3.0, 0.0, 1.0]), &mut t);
        f64::from(cross_entropy(4, &z, &t))
    };
    let of = |class| loss(one_hot(4, &[class]));
    for (first, second) in [(0, 1), (1, 2), (3, 0)] {
        let mut row = [0.0; 4];
        (row[first], row[second]) = (0.75, 0.25);
        let mixed = loss(row.to_vec());
        let expected = 0.75 * of(first) + 0.25 * of(second);
        assert!((mixed - expected).abs() < 1e-6, "{first}, {second}: {mixed} {expected}");
    }
}
