//! What a sweep has found so far.

use super::halving::{self, Merit};
use super::spec::Method;
use super::trial::{Outcome, Status, Trial};
use super::work::Board;
use super::{Point, Sweep, asha, csv};
use crate::environment::Session;
use crate::error::Error;
use crate::history::Epoch;
use serde::Serialize;
use std::cmp::Ordering;

/// What a sweep has found so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// The points of which there is a trial below, the best first: those that successive halving kept
    /// longest or ASHA promoted furthest, then those of which fewer seeds diverged, then by mean
    /// validation accuracy.
    pub points: Vec<PointResult>,
    /// The trials that have ended, in their order, and of ASHA or a sweep with a budget those that have a
    /// whole epoch: [`Status::Paused`].
    pub trials: Vec<TrialResult>,
    /// The trials that have not ended; where nothing but a budget ends the drawing of points, of those that
    /// were drawn.
    pub missing: Vec<Trial>,
}

/// What a trial gave.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialResult {
    /// The trial.
    pub trial: Trial,
    /// How it ended, or what it gave so far.
    pub outcome: Outcome,
    /// Its epochs.
    pub history: Vec<Epoch>,
    /// How long was worked on it, in seconds; `None` where that was not noted.
    pub seconds: Option<f64>,
    /// Training images per second, validation and files included.
    pub images_per_second: Option<f64>,
}

/// What a point gave: a line of `points.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PointResult {
    /// The point.
    #[serde(flatten)]
    pub point: Point,
    /// How many of its trials have ended.
    pub seeds_done: usize,
    /// How many of those diverged. They count in no mean.
    pub seeds_diverged: usize,
    /// Whether successive halving gave it up, or ASHA at its end.
    pub pruned: bool,
    /// How many of its trials could go on.
    pub seeds_paused: usize,
    /// The most epochs that one of its trials has done.
    pub epochs_done: usize,
    /// Mean validation accuracy of the best epoch, 0–1, over the seeds.
    pub validation_accuracy_mean: Option<f64>,
    /// Its standard deviation.
    pub validation_accuracy_sd: Option<f64>,
    /// Mean validation loss of the best epoch, in nats, over the seeds.
    pub validation_loss_mean: Option<f64>,
    /// Its standard deviation.
    pub validation_loss_sd: Option<f64>,
    /// Mean training loss of the last epoch, in nats, over the seeds.
    #[serde(skip)]
    pub train_loss_mean: Option<f64>,
    /// Its standard deviation.
    #[serde(skip)]
    pub train_loss_sd: Option<f64>,
    /// How often successive halving kept it, or ASHA promoted it.
    #[serde(skip)]
    rung: usize,
}

/// The mean of some values, `None` for no values, and their standard deviation (with n − 1), `None` for
/// less than two.
///
/// ```
/// use fashion_train::sweep::mean_and_deviation;
/// assert_eq!(mean_and_deviation(&[1.0, 2.0, 3.0]), (Some(2.0), Some(1.0)));
/// ```
pub fn mean_and_deviation(values: &[f64]) -> (Option<f64>, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let deviation = (squares / (n - 1.0)).sqrt();
    ((!values.is_empty()).then_some(mean), (values.len() > 1).then_some(deviation))
}

impl PointResult {
    fn new(point: &Point, results: &[TrialResult], rung: usize) -> PointResult {
        let outcomes = || results.iter().map(|result| &result.outcome);
        let number = |status| outcomes().filter(|outcome| outcome.status == status).count();
        let over_seeds = |of: fn(&Outcome) -> Option<f64>| {
            let sound = outcomes().filter(|outcome| outcome.status != Status::Diverged);
            mean_and_deviation(&sound.filter_map(of).collect::<Vec<_>>())
        };
        let accuracy = over_seeds(|outcome| outcome.validation_accuracy);
        let loss = over_seeds(|outcome| outcome.validation_loss);
        let train_loss = over_seeds(|outcome| outcome.train_loss);
        PointResult {
            point: point.clone(),
            seeds_done: results.len() - number(Status::Paused),
            seeds_paused: number(Status::Paused),
            seeds_diverged: number(Status::Diverged),
            pruned: number(Status::Pruned) > 0,
            epochs_done: outcomes().map(|outcome| outcome.epochs).max().unwrap_or_default(),
            validation_accuracy_mean: accuracy.0,
            validation_accuracy_sd: accuracy.1,
            validation_loss_mean: loss.0,
            validation_loss_sd: loss.1,
            train_loss_mean: train_loss.0,
            train_loss_sd: train_loss.1,
            rung,
        }
    }

    fn merit(&self) -> Merit {
        let mean = self.validation_accuracy_mean.unwrap_or_default();
        Merit { diverged: self.seeds_diverged, mean }
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
        self.points.first().filter(|point| point.validation_accuracy_mean.is_some())
    }

    /// The trials of a point that have ended.
    pub fn trials_of(&self, point: &Point) -> impl Iterator<Item = &TrialResult> {
        let before = self.trials.partition_point(|result| result.trial.point < point.number);
        self.trials[before..].iter().take_while(|result| result.trial.point == point.number)
    }

    /// How many trials have ended.
    pub fn ended(&self) -> usize {
        self.points.iter().map(|point| point.seeds_done).sum()
    }

    /// How many trials diverged.
    pub fn diverged(&self) -> usize {
        self.points.iter().map(|point| point.seeds_diverged).sum()
    }

    /// Writes the tables `results.csv` (a line for each trial that has ended), `points.csv` (a line for
    /// each point, the best first) and `timings.csv` (how long each trial took, which may differ between
    /// equal sweeps) into the sweep's folder.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn write(&self, sweep: &Sweep) -> Result<(), Error> {
        sweep.write("results.csv", &csv::trials(self, sweep))?;
        sweep.write("points.csv", &csv::points(self, sweep))?;
        sweep.write("timings.csv", &csv::timings(self))
    }
}

impl Sweep {
    /// What is there: the outcomes of the trials that have ended, and which are missing.
    ///
    /// # Errors
    /// If a file cannot be read, or a trial is not of this sweep.
    pub fn collect(&self) -> Result<Results, Error> {
        let board = Board::new(self.progress()?);
        let kept = match self.spec.method {
            Method::Asha => asha::kept(self, &board),
            Method::Grid | Method::Random | Method::Halving => halving::kept(self, &board.all),
        };
        let drawn = match self.spec.is_open_ended() {
            true => asha::drawn(self, &board),
            false => self.points.len(),
        };
        let (mut trials, mut missing) = (Vec::new(), Vec::new());
        for (trial, (outcome, history)) in self.trials.iter().cloned().zip(board.all) {
            let outcome = match outcome {
                Some(outcome) => outcome,
                None if trial.point > drawn => continue,
                None => {
                    missing.push(trial.clone());
                    if history.is_empty() || !self.spec.has_paused() {
                        continue;
                    }
                    Outcome::new(Status::Paused, &history)
                }
            };
            let environment = self.run_of(&trial).and_then(|run| run.environment().ok());
            let sessions = environment.map(|environment| environment.sessions).unwrap_or_default();
            let sum = |of: fn(&Session) -> f64| sessions.iter().map(of).sum::<f64>();
            let seconds = (!sessions.is_empty()).then(|| sum(|session| session.seconds));
            let images = sum(|session| session.images_per_second * session.seconds);
            let images_per_second = seconds.map(|seconds| images / seconds.max(1e-9));
            trials.push(TrialResult { trial, outcome, history, seconds, images_per_second });
        }
        let by_point = trials.chunk_by(|one, next| one.trial.point == next.trial.point);
        let result = |results: &[TrialResult]| {
            let at = results[0].trial.point - 1;
            PointResult::new(&self.points[at], results, kept[at])
        };
        let mut points: Vec<PointResult> = by_point.map(result).collect();
        points.sort_by(PointResult::order);
        Ok(Results { points, trials, missing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_longer_is_better_then_what_diverged_less_then_the_accuracy() {
        let point = |number, rung, seeds_diverged, mean| PointResult {
            point: Point { number, ..Point::default() },
            seeds_diverged,
            validation_accuracy_mean: Some(mean),
            rung,
            ..PointResult::default()
        };
        let mut points = [
            point(1, 0, 0, 0.9),
            point(2, 1, 0, 0.7),
            point(3, 1, 1, 0.9),
            point(4, 1, 0, 0.8),
            point(5, 2, 0, 0.1),
            point(6, 1, 0, 0.7),
            PointResult { validation_accuracy_mean: None, ..point(7, 1, 3, 0.0) },
        ];
        points.sort_by(PointResult::order);
        let numbers = points.map(|point| point.point.number);
        assert_eq!(numbers, [5, 4, 2, 6, 3, 7, 1]);
    }
}
