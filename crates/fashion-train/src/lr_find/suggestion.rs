//! The rates that the curve of a range test suggests.

use crate::lr_find::RangePoint;
use serde::Serialize;
use std::fmt;

/// Points at the end that are not looked at, since there the loss explodes; fastai leaves out as many.
const LAST: usize = 5;
/// The part of the points, from the first, that is not looked at, since there the smoothed loss is
/// that of a few batches; the same as fastai's.
const FIRST: usize = 10;
/// The fewest points for a suggestion: five to look at.
const FEWEST: usize = 11;

/// Learning rates to train with.
///
/// They are read from the smoothed losses without the first tenth and the last five, as in fastai.
/// They differ by much, since the curve alone does not say how long one is going to train. After
/// eight epochs with each (report-cnn, batches of 128, seed 0), validation accuracies were
///
/// | | valley | middle | tenth of lowest |
/// |---|---|---|---|
/// | Fashion-MNIST, Adam | 89.2% | 90.9% | 88.0% |
/// | Fashion-MNIST, SGD | 87.7% | 89.5% | 90.2% |
/// | built-in sample, Adam | 87.7% | 89.6% | 90.6% |
/// | built-in sample, SGD | 79.0% | 83.3% | 87.8% |
///
/// and the middle moved little from seed to seed. Too low a rate is slow where too high a one ends
/// badly, so the middle is what is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Suggestions {
    /// The geometric mean of the valley and a tenth of the lowest.
    pub middle: f64,
    /// Half of the way down the longest descent, which may have bumps; fastai's `valley`.
    pub valley: f64,
    /// Where the loss falls fastest by the logarithm of the rate, before it is lowest; fastai's
    /// `steep`, which looks behind the lowest too.
    pub steepest: f64,
    /// A tenth of the rate at which the loss is lowest; fastai's `minimum`.
    pub tenth_of_lowest: f64,
    /// Where the loss is lowest: not a rate to train with, but the end of those that are, and so not
    /// written among them.
    #[serde(skip)]
    pub lowest: RangePoint,
}

/// Why a range test suggests nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSuggestion {
    /// There are fewer than eleven points.
    TooFewPoints,
    /// The smoothed loss fell by no more than the losses of two batches usually differ by.
    NeverFell,
    /// The smoothed loss was lowest at the end of the range, so that nobody knows where it would be.
    StillFalling,
}

impl fmt::Display for NoSuggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoSuggestion::TooFewPoints => {
                write!(f, "a suggestion needs at least {FEWEST} steps before training diverges")
            }
            NoSuggestion::NeverFell => f.write_str(
                "the loss never fell by more than batches differ by anyway; try higher rates, more \
                 steps or larger batches",
            ),
            NoSuggestion::StillFalling => f.write_str(
                "the loss was still falling at the end of the range; go on to higher rates",
            ),
        }
    }
}

impl std::error::Error for NoSuggestion {}

impl Suggestions {
    /// What these points suggest, whose rates rise, until training diverged or the range ended.
    pub(super) fn of(points: &[RangePoint], diverged: bool) -> Result<Suggestions, NoSuggestion> {
        if points.len() < FEWEST {
            return Err(NoSuggestion::TooFewPoints);
        }
        let first = points.len() / FIRST;
        let (seen, last) = points[first..].split_at(points.len() - LAST - first);
        let position = position_of_lowest(seen);
        let (falling, lowest) = (&seen[..=position], seen[position]);
        let highest = falling.iter().fold(lowest.smoothed, |highest, p| highest.max(p.smoothed));
        if highest - lowest.smoothed <= difference_of_batches(&points[..=first + position]) {
            return Err(NoSuggestion::NeverFell);
        }
        if !diverged && last.iter().any(|point| point.smoothed < lowest.smoothed) {
            return Err(NoSuggestion::StillFalling);
        }
        let (valley, tenth_of_lowest) = (valley(seen), lowest.learning_rate / 10.0);
        Ok(Suggestions {
            middle: valley.sqrt() * tenth_of_lowest.sqrt(),
            valley,
            steepest: steepest(falling),
            tenth_of_lowest,
            lowest,
        })
    }
}

/// Of the lowest smoothed loss, the first of equals.
fn position_of_lowest(points: &[RangePoint]) -> usize {
    let mut best = 0;
    for (position, point) in points.iter().enumerate() {
        if point.smoothed < points[best].smoothed {
            best = position;
        }
    }
    best
}

/// The median of how much the loss of a batch differs from that of the next.
fn difference_of_batches(points: &[RangePoint]) -> f64 {
    let mut all: Vec<f64> = points.windows(2).map(|p| (p[1].loss - p[0].loss).abs()).collect();
    let middle = all.len() / 2;
    *all.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Half of the way along the longest strictly decreasing subsequence of the losses, whose points
/// fastai takes to be next to each other.
fn valley(points: &[RangePoint]) -> f64 {
    // The highest last loss of the decreasing subsequences of each length, from 1.
    let mut ends: Vec<f64> = Vec::new();
    let mut end = 0;
    for (position, point) in points.iter().enumerate() {
        let shorter = ends.partition_point(|&loss| loss > point.smoothed);
        if let Some(loss) = ends.get_mut(shorter) {
            *loss = point.smoothed;
        } else {
            ends.push(point.smoothed);
            end = position;
        }
    }
    let length = ends.len();
    let position = end + length / 3 + length / 6;
    points[position.saturating_sub(length)].learning_rate
}

/// The rate from which the loss falls fastest to the next; in logarithms they are equally far apart.
fn steepest(points: &[RangePoint]) -> f64 {
    let mut best = (f64::INFINITY, points[0].learning_rate);
    for pair in points.windows(2) {
        let change = pair[1].smoothed - pair[0].smoothed;
        if change < best.0 {
            best = (change, pair[0].learning_rate);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lr_find::range_test::Average;

    fn points(losses: impl IntoIterator<Item = f64>, smoothing: f64) -> Vec<RangePoint> {
        let mut average = Average::new(smoothing);
        let point = |(i, loss)| RangePoint {
            learning_rate: 2f64.powi(i as i32 - 30),
            loss,
            smoothed: average.with(loss),
        };
        losses.into_iter().enumerate().map(point).collect()
    }

    /// Flat, falling, exploding, and falling once more; with bumps.
    fn curve() -> impl Iterator<Item = f64> {
        (0..60i32).map(|i| {
            let bump = f64::from(i * 37 % 11 - 5) / 100.0;
            let down = f64::from((i.min(44) - 20).max(0)) / 20.0;
            let up = f64::from((i - 44).clamp(0, 4).pow(2)) / 4.0
                - (f64::from(3 * (i - 48).max(0)) / 4.0).min(3.0);
            2.3 + bump - down + up
        })
    }

    // import math
    //
    // def curve():
    //     rates, losses = [], []
    //     for i in range(60):
    //         rates.append(2.0 ** (i - 30))
    //         bump = ((i * 37) % 11 - 5) / 100
    //         down = max(0, min(i, 44) - 20) / 20
    //         up = min(max(0, i - 44), 4) ** 2 / 4 - min(3 * max(0, i - 48) / 4, 3)
    //         losses.append(2.3 + bump - down + up)
    //     return rates, losses
    //
    // def smooth(losses, beta):
    //     value, out = 0.0, []
    //     for count, loss in enumerate(losses, 1):
    //         value = beta * value + (1 - beta) * loss
    //         out.append(value / (1 - beta**count))
    //     return out
    //
    // def valley(lrs, losses):  # fastai's
    //     n = len(losses)
    //     start = end = 0
    //     lds = [1] * n
    //     for i in range(1, n):
    //         for j in range(i):
    //             if losses[i] < losses[j] and lds[i] < lds[j] + 1:
    //                 lds[i] = lds[j] + 1
    //             if lds[end] < lds[i]:
    //                 end = i
    //                 start = end - lds[end]
    //     sections = (end - start) / 3
    //     return lrs[start + int(sections) + int(sections / 2)]
    //
    // def steep(lrs, losses):
    //     pairs = zip(lrs, lrs[1:], losses, losses[1:])
    //     slopes = [(b - a) / (math.log(q) - math.log(p)) for p, q, a, b in pairs]
    //     return lrs[slopes.index(min(slopes))]
    //
    // rates, losses = curve()
    // for beta in (0.98, 0.5):
    //     smoothed = smooth(losses, beta)
    //     print([smoothed[i] for i in (0, 1, 30, 59)])
    //     r, l = rates[6:-5], smoothed[6:-5]
    //     low = l.index(min(l))
    //     v, s, t = valley(r, l), steep(r[:low + 1], l[:low + 1]), r[low] / 10
    //     print(v, s, r[low], math.sqrt(v * t), l[low])
    #[test]
    fn smoothing_and_suggestions_are_those_of_the_reference() {
        for (smoothing, smoothed, valley, steepest, lowest, middle, loss) in [
            (
                0.98,
                [2.25, 2.2702020202020177, 2.189490909528976, 2.138759936360232],
                0.5,
                8192.0,
                32768.0,
                40.47715405015526,
                1.8485328491770487,
            ),
            (
                0.5,
                [2.25, 2.276666666666667, 1.8756961643442958, 2.096781332950473],
                0.5,
                8192.0,
                16384.0,
                28.621670111997307,
                1.1307181211037596,
            ),
        ] {
            let points = points(curve(), smoothing);
            let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-12 * b, "{a}, not {b}");
            for (position, expected) in [0, 1, 30, 59].into_iter().zip(smoothed) {
                near(points[position].smoothed, expected);
            }
            let found = Suggestions::of(&points, false).unwrap();
            assert_eq!((found.valley, found.steepest), (valley, steepest));
            assert_eq!(found.lowest.learning_rate, lowest);
            near(found.lowest.smoothed, loss);
            near(found.tenth_of_lowest, lowest / 10.0);
            near(found.middle, middle);
        }
    }

    // losses = [3.0 - (i // 3) / 4 for i in range(40)]
    // print(valley(rates[4:35], losses[4:35]))
    #[test]
    fn a_descent_has_no_level_stretches() {
        let stairs = points((0..40).map(|i| 3.0 - f64::from(i / 3) / 4.0), 0.0);
        assert_eq!(Suggestions::of(&stairs, true).unwrap().valley, 0.0625);
    }

    #[test]
    fn the_first_tenth_is_not_looked_at() {
        let mut losses: Vec<f64> = curve().collect();
        losses[5] = 0.0;
        let found = Suggestions::of(&points(losses.clone(), 0.0), false).unwrap();
        assert!(found.lowest.learning_rate > found.valley);
        losses[6] = 0.0;
        let found = Suggestions::of(&points(losses, 0.0), false);
        assert_eq!(found.unwrap_err(), NoSuggestion::NeverFell);
    }

    #[test]
    fn a_loss_that_falls_to_the_end_suggests_something_only_if_training_diverged_there() {
        let falling = points((0..30).map(|i| 3.0 - f64::from(i) / 10.0), 0.9);
        assert_eq!(Suggestions::of(&falling, false).unwrap_err(), NoSuggestion::StillFalling);
        assert_eq!(Suggestions::of(&falling, true).unwrap().lowest, falling[24]);
    }

    #[test]
    fn nothing_is_suggested_where_the_loss_does_not_fall() {
        // Bumps alone, a loss that only rises, and one that is always the same.
        let bumps = (0..60).map(|i| 2.3 + f64::from(i * 37 % 11 - 5) / 100.0);
        let rising = (0..60).map(|i| 2.3 + f64::from(i));
        for losses in [bumps.collect::<Vec<_>>(), rising.collect(), vec![2.3; 60]] {
            let found = Suggestions::of(&points(losses, 0.98), false);
            assert_eq!(found.unwrap_err(), NoSuggestion::NeverFell);
        }
    }

    #[test]
    fn eleven_points_are_enough() {
        let falling = |n: i32| points((0..n).map(|i| 3.0 - f64::from(i * i) / 20.0), 0.5);
        Suggestions::of(&falling(11), true).unwrap();
        for n in [0, 1, 10] {
            assert_eq!(Suggestions::of(&falling(n), true).unwrap_err(), NoSuggestion::TooFewPoints);
        }
        let text = NoSuggestion::TooFewPoints.to_string();
        assert_eq!(text, "a suggestion needs at least 11 steps before training diverges");
    }
}
