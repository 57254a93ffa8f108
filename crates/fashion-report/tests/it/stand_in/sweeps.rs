//! Made-up range tests and sweeps.

use fashion_report::{
    CurveEnd, EpochPoint, RangeMarks, RangePoint, SettingValue, SweepCurve, SweepPoint,
};

/// The learning rates of a grid, two a decade.
pub(crate) const RATES: [f64; 9] = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1];

/// Something between −1 and 1 that looks like chance, and averages out over neighbours.
fn noise(i: usize) -> f64 {
    let x = (i as f64 * 12.9898 + 4.1).sin() * 43758.5453;
    2.0 * (x - x.floor()) - 1.0
}

/// A range test of `n` batches from 1e-7 until the loss explodes, smoothed as Smith's follow-ups do.
pub(crate) fn range_test(n: usize) -> (Vec<RangePoint>, RangeMarks) {
    let mut average = 0.0;
    let mut points = Vec::new();
    for i in 0..n {
        let exponent = -7.0 + 7.6 * i as f64 / n as f64;
        let learnt = 0.45 + 1.86 / (1.0 + (2.6 * (exponent + 3.3)).exp());
        let exploding = (5.5 * (exponent + 0.6)).exp();
        let loss = learnt + 0.12 * noise(i) + exploding.min(1e6);
        average = 0.95 * average + 0.05 * loss;
        let smoothed = average / (1.0 - 0.95f64.powi(i as i32 + 1));
        points.push(RangePoint { learning_rate: 10f64.powf(exponent), loss, smoothed });
    }
    let at = |rate: f64| {
        let point = points.iter().find(|p| p.learning_rate >= rate);
        point.map(|p| (p.learning_rate, p.smoothed))
    };
    let lowest = points.iter().min_by(|a, b| a.smoothed.total_cmp(&b.smoothed));
    let marks = RangeMarks {
        suggestion: at(1.2e-3),
        lowest: lowest.map(|p| (p.learning_rate, p.smoothed)),
        diverged: points.last().map(|p| p.learning_rate),
    };
    (points, marks)
}

/// A point with these scores.
pub(crate) fn point(values: Vec<SettingValue>, scores: &[f64], diverged: usize) -> SweepPoint {
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let squares = scores.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    SweepPoint {
        values,
        scores: scores.into(),
        mean: (n > 0.0).then_some(mean),
        deviation: (n > 1.0).then(|| (squares / (n - 1.0)).sqrt()),
        diverged,
    }
}

/// Nine learning rates with three seeds each; the greatest diverge. The best is the fifth.
pub(crate) fn by_rate() -> Vec<SweepPoint> {
    let means = [0.655, 0.803, 0.868, 0.901, 0.9135, 0.9085, 0.862, 0.1, 0.1];
    let points = RATES.iter().zip(means).enumerate().map(|(i, (rate, mean))| {
        let wide = if (0.86..0.87).contains(&mean) { 0.008 } else { 0.003 };
        let seeds = [3, 3, 3, 3, 3, 3, 3, 1, 0][i];
        let scores: Vec<f64> = (0..seeds).map(|s| mean + wide * noise(7 * i + s)).collect();
        point(vec![(*rate).into()], &scores, 3 - seeds)
    });
    points.collect()
}

/// A random search of `n` trials over six settings, and which of them is the best.
pub(crate) fn random_search(n: usize) -> (Vec<SweepPoint>, usize) {
    let trial = |i: usize| {
        let draw = |k: usize| 0.5 + 0.5 * noise(11 * i + 3 * k + 1);
        let rate = 10f64.powf(-5.0 + 4.0 * draw(0));
        let batch = [16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0][(7.0 * draw(1)) as usize];
        let dropout = 0.5 * draw(2);
        let decay = [0.0, 1e-5, 1e-4, 1e-3, 1e-2][(5.0 * draw(3)) as usize];
        let schedule = ["constant", "cosine", "one-cycle"][(3.0 * draw(4)) as usize];
        let smoothing = [0.0, 0.05, 0.1][(3.0 * draw(5)) as usize];
        let off = rate.log10() + 3.0;
        let score = 0.918 - 0.02 * off * off - 0.02 * dropout + 0.004 * noise(i);
        let score = if off > 1.2 { 0.1 + 0.2 * draw(6) } else { score };
        let numbers = [rate, batch, dropout, decay, smoothing].map(SettingValue::Number);
        let mut values = numbers.to_vec();
        values.insert(4, schedule.into());
        if off > 1.35 { point(values, &[], 1) } else { point(values, &[score], 0) }
    };
    let points: Vec<SweepPoint> = (0..n).map(trial).collect();
    let mean = |i: &usize| points[*i].mean.unwrap_or(0.0);
    let best = (0..n).max_by(|a, b| mean(a).total_cmp(&mean(b))).unwrap_or(0);
    (points, best)
}

/// The settings of [`random_search`].
pub(crate) const SETTINGS: [&str; 6] =
    ["learning rate", "batch size", "dropout", "weight decay", "schedule", "label smoothing"];

/// Learning curves of these learning rates over ten epochs; the greatest diverge at the third.
pub(crate) fn curves(rates: &[f64]) -> Vec<SweepCurve> {
    let curve = |(i, &rate): (usize, &f64)| {
        let off = rate.log10() + 3.0;
        let diverged = off > 1.6;
        let epochs: Vec<EpochPoint> = (1..=if diverged { 3 } else { 10 })
            .map(|epoch| {
                let t = f64::from(epoch) * 10f64.powf(0.75 * off.min(0.5));
                let stuck = 0.05 * (off - 0.4).max(0.0);
                let train_loss = 0.07 + stuck + 2.0 / (1.0 + 4.5 * t).powf(0.8);
                let explosion = if diverged { 10f64.powi(epoch) } else { 0.0 };
                let chance = 0.003 * noise(17 * i + epoch as usize);
                let held_out_accuracy = 0.927 - 0.16 * train_loss.powf(0.8) - stuck + chance;
                EpochPoint {
                    epoch: epoch as usize,
                    train_loss: train_loss + explosion,
                    validation_accuracy: Some(if diverged { 0.1 } else { held_out_accuracy }),
                    ..EpochPoint::default()
                }
            })
            .collect();
        let accuracy = epochs.iter().filter_map(|e| e.validation_accuracy).fold(0.0, f64::max);
        let end = if diverged { CurveEnd::Diverged } else { CurveEnd::Finished };
        let accuracy = (!diverged).then_some(accuracy);
        SweepCurve { value: rate.into(), epochs, accuracy, end }
    };
    rates.iter().enumerate().map(curve).collect()
}

/// Learning curves of `n` rates, of which the worse half stops every few epochs.
pub(crate) fn halving(n: usize) -> Vec<SweepCurve> {
    let rates: Vec<f64> =
        (0..n).map(|i| 10f64.powf(-5.0 + 3.4 * i as f64 / n.max(2) as f64)).collect();
    let mut curves = curves(&rates);
    for (epochs, kept) in [(2, n.div_ceil(2)), (5, n.div_ceil(4))] {
        let last = |c: &SweepCurve| c.epochs[epochs - 1].validation_accuracy.unwrap_or(f64::NAN);
        curves.sort_by(|a, b| match (a.end, b.end) {
            (CurveEnd::Finished, CurveEnd::Finished) => last(b).total_cmp(&last(a)),
            (a, b) => (a != CurveEnd::Finished).cmp(&(b != CurveEnd::Finished)),
        });
        for curve in curves.iter_mut().skip(kept).filter(|c| c.end == CurveEnd::Finished) {
            curve.epochs.truncate(epochs);
            curve.end = CurveEnd::Stopped;
            curve.accuracy = curve.epochs.last().and_then(|e| e.validation_accuracy);
        }
    }
    curves
}
