//! Successive halving: which points go on.
//!
//! All points are trained for a few epochs; the best ⌈n / factor⌉ go on for `factor` times as many,
//! and so forth, until those that are left have had all epochs (Jamieson and Talwalkar, "Non-stochastic
//! best arm identification and hyperparameter optimization", 2016). Every run has the full number of
//! epochs in its settings from the start, so that schedules run as they would alone.
//!
//! What is decided follows from the histories alone, so that nothing is kept of it, and every process
//! that sees them decides the same.

use super::Sweep;
use super::spec::Spec;
use super::trial::{Progress, Status};
use crate::history::best;

/// What a trial is worth after some epochs: the validation accuracy of its best epoch, or nothing where
/// it has diverged.
pub(super) type Worth = Option<f64>;

/// What a trial is worth after `rung` epochs, or after all where it stopped before; `None` where it has
/// not come so far.
pub(super) fn worth_after(rung: usize, (outcome, history): &Progress) -> Option<Worth> {
    let accuracy = |epochs| best(epochs).and_then(|epoch| epoch.validation_accuracy).map(Some);
    if history.len() >= rung {
        return accuracy(&history[..rung]);
    }
    // On a network file system the outcome may be seen before the history's last lines.
    let outcome = outcome.as_ref().filter(|outcome| outcome.epochs == history.len())?;
    match outcome.status {
        Status::Diverged => Some(None),
        Status::Complete | Status::EarlyStopped => accuracy(history),
        Status::Pruned | Status::Paused => None,
    }
}

/// What a point is worth: the fewer of its seeds have diverged the better, then the higher the mean
/// accuracy of the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Merit {
    pub(super) diverged: usize,
    pub(super) mean: f64,
}

impl Merit {
    pub(super) fn of(seeds: &[Worth]) -> Merit {
        let sound = seeds.iter().flatten().count();
        let mean = seeds.iter().flatten().sum::<f64>() / sound.max(1) as f64;
        Merit { diverged: seeds.len() - sound, mean }
    }

    /// Less is better.
    pub(super) fn order(&self, other: &Merit) -> std::cmp::Ordering {
        self.diverged.cmp(&other.diverged).then(other.mean.total_cmp(&self.mean))
    }
}

/// How often successive halving has kept each point, as far as that can be known yet; `trials` are how
/// far all trials have come.
pub(super) fn kept(sweep: &Sweep, trials: &[Progress]) -> Vec<usize> {
    let spec = &sweep.spec;
    let seeds = spec.seeds.len();
    let mut kept = vec![0; trials.len() / seeds];
    let mut alive: Vec<usize> = (1..=kept.len()).collect();
    for rung in sweep.rungs() {
        let of_point = |point: &usize| &trials[(point - 1) * seeds..point * seeds];
        let worth = |trial: &Progress| worth_after(rung, trial);
        let worths = alive.iter().flat_map(of_point).map(worth);
        let Some(worths) = worths.collect::<Option<Vec<Worth>>>() else { break };
        alive = promoted(&alive, &worths, spec);
        for &point in &alive {
            kept[point - 1] += 1;
        }
    }
    kept
}

/// The points, the best first; of two that are worth the same, the first. `worths` has those of each
/// point's seeds.
pub(super) fn ranked(points: &[usize], worths: &[Worth], spec: &Spec) -> Vec<usize> {
    let merits = worths.chunks(spec.seeds.len()).map(Merit::of);
    let mut ranked: Vec<(usize, Merit)> = points.iter().copied().zip(merits).collect();
    ranked.sort_by(|(_, one), (_, other)| one.order(other));
    ranked.into_iter().map(|(point, _)| point).collect()
}

/// Which of the points go on, in their order.
fn promoted(points: &[usize], worths: &[Worth], spec: &Spec) -> Vec<usize> {
    let mut kept = ranked(points, worths, spec);
    kept.truncate(points.len().div_ceil(spec.halving.factor));
    kept.sort_unstable();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Epoch;
    use crate::sweep::{HalvingSpec, Method, Outcome};

    #[test]
    fn rungs_rise_by_the_factor_and_stay_below_the_end() {
        let rungs = |min_epochs, factor, epochs| {
            let halving = HalvingSpec { min_epochs, factor };
            Spec { method: Method::Halving, halving, ..Spec::default() }.rungs(epochs)
        };
        assert_eq!(rungs(1, 3, 9), [1, 3]);
        assert_eq!(rungs(1, 3, 10), [1, 3, 9]);
        assert_eq!(rungs(2, 2, 17), [2, 4, 8, 16]);
        assert_eq!(rungs(4, 3, 5), [4]);
        assert!(Spec::default().rungs(10).is_empty());
    }

    #[test]
    fn the_best_third_goes_on_and_ties_go_to_the_first() {
        let (a, d) = (Some, None);
        let points = [
            (0, [a(0.5), a(0.7)]),
            (1, [a(0.9), d]),
            (2, [a(0.75), a(0.5)]),
            (3, [d, d]),
            (4, [a(0.5), a(0.75)]),
            (7, [a(0.75), a(0.5)]),
            (9, [a(0.1), a(0.1)]),
        ];
        let promoted = |points: &[(usize, [Worth; 2])], factor| {
            let halving = HalvingSpec { factor, ..HalvingSpec::default() };
            let spec = Spec { seeds: vec![0, 1], halving, ..Spec::default() };
            let (numbers, worths): (Vec<usize>, Vec<[Worth; 2]>) = points.iter().copied().unzip();
            super::promoted(&numbers, worths.as_flattened(), &spec)
        };
        assert_eq!(promoted(&points, 3), [2, 4, 7]);
        assert_eq!(promoted(&points, 4), [2, 4]);
        assert_eq!(promoted(&points, 7), [2]);
        // The mean of both seeds counts, not the best of them; a diverged one is below all others.
        assert_eq!(promoted(&points, 2), [0, 2, 4, 7]);
        assert_eq!(promoted(&[points[1], points[3], points[6]], 2), [1, 9]);
    }

    #[test]
    fn a_trial_is_judged_by_what_it_had_done_at_the_rung() {
        let epoch = |(at, accuracy): (usize, &f64)| Epoch {
            epoch: at + 1,
            learning_rate: 0.1,
            train_loss: 1.0,
            train_accuracy: 0.5,
            validation_loss: Some(1.0),
            validation_accuracy: Some(*accuracy),
        };
        let history: Vec<Epoch> = [0.5, 0.4, 0.9].iter().enumerate().map(epoch).collect();
        let ended = |status, epochs| Outcome { epochs, ..Outcome::new(status, &[]) };
        let diverged = ended(Status::Diverged, 3);
        let after = |rung, history: &[Epoch], outcome: Option<&Outcome>| {
            worth_after(rung, &(outcome.cloned(), history.to_vec()))
        };
        // What came later counts for nothing, be it better or the end.
        assert_eq!(after(2, &history, Some(&diverged)), Some(Some(0.5)));
        assert_eq!(after(3, &history, None), Some(Some(0.9)));
        assert_eq!(after(4, &history, Some(&diverged)), Some(None));
        let stopped = ended(Status::EarlyStopped, 3);
        assert_eq!(after(4, &history, Some(&stopped)), Some(Some(0.9)));
        // Not there yet, or its last lines are not.
        assert_eq!(after(4, &history, None), None);
        assert_eq!(after(3, &history[..2], Some(&diverged)), None);
    }
}
