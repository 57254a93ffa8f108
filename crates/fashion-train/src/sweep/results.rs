//! What a sweep has found so far.

use super::halving::{self, Merit, Worth};
use super::trial::{Outcome, Progress, Status, Trial};
use super::{Method, Point, Spec, Sweep, csv};
use crate::environment::Session;
use crate::error::Error;
use crate::history::Epoch;
use std::cmp::Ordering;

/// What a sweep has found so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// The names of the settings that vary.
    pub names: Vec<String>,
    /// The points of which a trial has ended, the best first: those that successive halving kept
    /// longest, then those of which fewer seeds diverged, then by mean validation accuracy.
    pub points: Vec<PointResult>,
    /// The trials that have ended, in their order.
    pub trials: Vec<TrialResult>,
    /// The trials that have not.
    pub missing: Vec<Trial>,
}

/// What a trial gave.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialResult {
    /// The trial.
    pub trial: Trial,
    /// How it ended.
    pub outcome: Outcome,
    /// Its epochs.
    pub history: Vec<Epoch>,
    /// How long was worked on it, in seconds; `None` where that was not noted.
    pub seconds: Option<f64>,
    /// Training images per second, validation and files included.
    pub images_per_second: Option<f64>,
}

/// What a point gave.
#[derive(Clone, Debug, PartialEq)]
pub struct PointResult {
    /// The point.
    pub point: Point,
    /// How many of its trials have ended.
    pub seeds: usize,
    /// How many of those diverged. They count in no mean.
    pub diverged: usize,
    /// Whether successive halving gave it up.
    pub pruned: bool,
    /// The most epochs that one of its trials has done.
    pub epochs: usize,
    /// Validation accuracy of the best epoch, 0–1, over the seeds.
    pub accuracy: Spread,
    /// Validation loss of the best epoch, in nats, over the seeds.
    pub loss: Spread,
    /// Training loss of the last epoch, in nats, over the seeds.
    pub train_loss: Spread,
    /// How often successive halving kept it.
    rung: usize,
}

/// A mean and how far values are from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// Their mean; `None` for no values.
    pub mean: Option<f64>,
    /// Their standard deviation (with n − 1); `None` for less than two.
    pub deviation: Option<f64>,
}

impl Spread {
    /// Of some values.
    ///
    /// ```
    /// use fashion_train::sweep::Spread;
    /// let spread = Spread::of(&[1.0, 2.0, 3.0]);
    /// assert_eq!(spread, Spread { mean: Some(2.0), deviation: Some(1.0) });
    /// ```
    pub fn of(values: &[f64]) -> Spread {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let deviation = (squares / (n - 1.0)).sqrt();
        Spread {
            mean: (!values.is_empty()).then_some(mean),
            deviation: (values.len() > 1).then_some(deviation),
        }
    }
}

impl PointResult {
    fn merit(&self) -> Merit {
        Merit { diverged: self.diverged, mean: self.accuracy.mean.unwrap_or_default() }
    }

    fn order(&self, other: &PointResult) -> Ordering {
        other
            .rung
            .cmp(&self.rung)
            .then(self.merit().order(&other.merit()))
            .then(self.point.number.cmp(&other.point.number))
    }
}

impl Results {
    /// The best point, if any of its seeds did not diverge.
    pub fn best(&self) -> Option<&PointResult> {
        self.points.first().filter(|point| point.accuracy.mean.is_some())
    }

    /// The trials of a point that have ended.
    pub fn trials_of(&self, point: &Point) -> impl Iterator<Item = &TrialResult> {
        self.trials.iter().filter(move |result| result.trial.point == point.number)
    }

    /// How many trials diverged.
    pub fn diverged(&self) -> usize {
        self.points.iter().map(|point| point.diverged).sum()
    }

    /// Writes the tables `results.csv` (a line for each trial that has ended), `points.csv` (a line for
    /// each point, the best first) and `timings.csv` (how long each trial took, which may differ between
    /// equal sweeps) into the sweep's folder.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn write(&self, sweep: &Sweep) -> Result<(), Error> {
        sweep.write("results.csv", &csv::trials(self))?;
        sweep.write("points.csv", &csv::points(self))?;
        sweep.write("timings.csv", &csv::timings(self))
    }
}

pub(super) fn collect(sweep: &Sweep) -> Result<Results, Error> {
    let progress = |trial| {
        let folder = sweep.trial_folder(trial);
        folder.check(&sweep.config_of(trial))?;
        folder.progress(sweep.spec.method == Method::Halving)
    };
    let all: Vec<Progress> = sweep.trials.iter().map(progress).collect::<Result<_, _>>()?;
    let kept = kept(&sweep.spec, &all);
    let (mut trials, mut missing) = (Vec::new(), Vec::new());
    for (&trial, (outcome, history)) in sweep.trials.iter().zip(all) {
        let Some(outcome) = outcome else {
            missing.push(trial);
            continue;
        };
        let environment = sweep.trial_folder(&trial).run().and_then(|run| run.environment().ok());
        let sessions = environment.map(|environment| environment.sessions).unwrap_or_default();
        let sum = |of: fn(&Session) -> f64| sessions.iter().map(of).sum::<f64>();
        let seconds = (!sessions.is_empty()).then(|| sum(|session| session.seconds));
        let images = sum(|session| session.images_per_second * session.seconds);
        let images_per_second = seconds.map(|seconds| images / seconds.max(1e-9));
        trials.push(TrialResult { trial, outcome, history, seconds, images_per_second });
    }
    let by_point = trials.chunk_by(|one, next| one.trial.point == next.trial.point);
    let mut points: Vec<PointResult> = by_point
        .map(|results| {
            let at = results[0].trial.point - 1;
            summary(&sweep.points[at], results, kept[at])
        })
        .collect();
    points.sort_by(PointResult::order);
    let names = sweep.spec.space.names().into_iter().map(str::to_owned).collect();
    Ok(Results { names, points, trials, missing })
}

fn summary(point: &Point, results: &[TrialResult], rung: usize) -> PointResult {
    let outcomes = || results.iter().map(|result| &result.outcome);
    let number = |status| outcomes().filter(|outcome| outcome.status == status).count();
    let spread = |of: fn(&Outcome) -> Option<f64>| {
        let sound = outcomes().filter(|outcome| outcome.status != Status::Diverged);
        Spread::of(&sound.filter_map(of).collect::<Vec<_>>())
    };
    PointResult {
        point: point.clone(),
        seeds: results.len(),
        diverged: number(Status::Diverged),
        pruned: number(Status::Pruned) > 0,
        epochs: outcomes().map(|outcome| outcome.epochs).max().unwrap_or_default(),
        accuracy: spread(|outcome| outcome.validation_accuracy),
        loss: spread(|outcome| outcome.validation_loss),
        train_loss: spread(|outcome| outcome.train_loss),
        rung,
    }
}

/// How often successive halving has kept each point, as far as that can be known yet; `trials` are how
/// far all trials have come.
fn kept(spec: &Spec, trials: &[Progress]) -> Vec<usize> {
    let seeds = spec.seeds.len();
    let mut kept = vec![0; trials.len() / seeds];
    let mut alive: Vec<usize> = (1..=kept.len()).collect();
    for rung in spec.rungs() {
        let of_point = |point: &usize| &trials[(point - 1) * seeds..point * seeds];
        let worth = |trial: &Progress| Worth::after(rung, trial);
        let worths = alive.iter().flat_map(of_point).map(worth);
        let Some(worths) = worths.collect::<Option<Vec<Worth>>>() else { break };
        alive = halving::promoted(&alive, &worths, spec);
        for &point in &alive {
            kept[point - 1] += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn what_was_kept_longer_is_better_then_what_diverged_less_then_the_accuracy() {
        let point = |number, rung, diverged, mean| PointResult {
            point: Point { number, values: Vec::new(), settings: Settings::default() },
            seeds: 3,
            diverged,
            pruned: false,
            epochs: 1,
            accuracy: Spread::of(&[mean]),
            loss: Spread::default(),
            train_loss: Spread::default(),
            rung,
        };
        let mut points = [
            point(1, 0, 0, 0.9),
            point(2, 1, 0, 0.7),
            point(3, 1, 1, 0.9),
            point(4, 1, 0, 0.8),
            point(5, 2, 0, 0.1),
            point(6, 1, 0, 0.7),
            PointResult { accuracy: Spread::default(), ..point(7, 1, 3, 0.0) },
        ];
        points.sort_by(PointResult::order);
        let numbers = points.map(|point| point.point.number);
        assert_eq!(numbers, [5, 4, 2, 6, 3, 7, 1]);
    }
}
