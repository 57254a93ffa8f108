//! What a sweep has found so far.

use super::halving::{self, Merit, Worth};
use super::trial::{Outcome, Status, Trial};
use super::{Method, Point, Sweep, csv};
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
    pub accuracy: Option<Spread>,
    /// Validation loss of the best epoch, in nats, over the seeds.
    pub loss: Option<Spread>,
    /// Training loss of the last epoch, in nats, over the seeds.
    pub train_loss: Option<Spread>,
    /// How often successive halving kept it.
    rung: usize,
}

/// A mean and how far values are from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (with n − 1); `None` for one value.
    pub deviation: Option<f64>,
}

impl Spread {
    /// Of some values; `None` for none.
    ///
    /// ```
    /// use fashion_train::sweep::Spread;
    /// let spread = Spread::of(&[1.0, 2.0, 3.0]);
    /// assert_eq!(spread, Some(Spread { mean: 2.0, deviation: Some(1.0) }));
    /// ```
    pub fn of(values: &[f64]) -> Option<Spread> {
        let n = values.len() as f64;
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / n)?;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        Some(Spread { mean, deviation })
    }
}

impl PointResult {
    fn merit(&self) -> Merit {
        let accuracies = self.accuracy.iter().map(|accuracy| Worth::Accuracy(accuracy.mean));
        // One accuracy, their mean, stands for all that have one.
        let diverged = std::iter::repeat_n(Worth::Diverged, self.diverged);
        Merit::of(&accuracies.chain(diverged).collect::<Vec<_>>())
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
        self.points.first().filter(|point| point.accuracy.is_some())
    }

    /// The trials of a point that have ended.
    pub fn trials_of(&self, point: &Point) -> impl Iterator<Item = &TrialResult> {
        self.trials.iter().filter(move |result| result.trial.point == point.number)
    }

    /// How many trials diverged.
    pub fn diverged(&self) -> usize {
        self.points.iter().map(|point| point.diverged).sum()
    }

    /// `results.csv`: a line for each trial that has ended, with a column for each setting that
    /// varies.
    pub fn trials_csv(&self) -> String {
        csv::trials(self)
    }

    /// `points.csv`: a line for each point, the best first.
    pub fn points_csv(&self) -> String {
        csv::points(self)
    }

    /// `timings.csv`: how long each trial took, which may differ between equal sweeps.
    pub fn timings_csv(&self) -> String {
        csv::timings(self)
    }

    /// Writes the three files into the sweep's folder.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn write(&self, sweep: &Sweep) -> Result<(), Error> {
        sweep.write("results.csv", &self.trials_csv())?;
        sweep.write("points.csv", &self.points_csv())?;
        sweep.write("timings.csv", &self.timings_csv())
    }
}

pub(super) fn collect(sweep: &Sweep) -> Result<Results, Error> {
    let (mut trials, mut missing) = (Vec::new(), Vec::new());
    for trial in &sweep.trials {
        let folder = sweep.trial_folder(trial);
        folder.check(&sweep.config_of(trial))?;
        let Some(outcome) = folder.outcome()? else {
            missing.push(*trial);
            continue;
        };
        let environment = folder.run().and_then(|run| run.environment().ok());
        let sessions = environment.map(|environment| environment.sessions).unwrap_or_default();
        let sum = |of: fn(&Session) -> f64| sessions.iter().map(of).sum::<f64>();
        let seconds = (!sessions.is_empty()).then(|| sum(|session| session.seconds));
        let images = sum(|session| session.images_per_second * session.seconds);
        trials.push(TrialResult {
            trial: *trial,
            outcome,
            history: folder.history()?,
            seconds,
            images_per_second: seconds.map(|seconds| images / seconds.max(1e-9)),
        });
    }
    let kept = kept(sweep)?;
    let mut points: Vec<PointResult> = sweep
        .points
        .iter()
        .filter_map(|point| {
            let of_it: Vec<&Outcome> = trials
                .iter()
                .filter(|result| result.trial.point == point.number)
                .map(|result| &result.outcome)
                .collect();
            (!of_it.is_empty()).then(|| summary(point, &of_it, kept[point.number - 1]))
        })
        .collect();
    points.sort_by(PointResult::order);
    let names = sweep.spec.space.names().into_iter().map(str::to_owned).collect();
    Ok(Results { names, points, trials, missing })
}

fn summary(point: &Point, outcomes: &[&Outcome], rung: usize) -> PointResult {
    let number = |status| outcomes.iter().filter(|outcome| outcome.status == status).count();
    let spread = |of: fn(&Outcome) -> Option<f64>| {
        let sound = outcomes.iter().filter(|outcome| outcome.status != Status::Diverged);
        Spread::of(&sound.filter_map(|outcome| of(outcome)).collect::<Vec<_>>())
    };
    PointResult {
        point: point.clone(),
        seeds: outcomes.len(),
        diverged: number(Status::Diverged),
        pruned: number(Status::Pruned) > 0,
        epochs: outcomes.iter().map(|outcome| outcome.epochs).max().unwrap_or_default(),
        accuracy: spread(|outcome| outcome.validation_accuracy),
        loss: spread(|outcome| outcome.validation_loss),
        train_loss: spread(|outcome| outcome.train_loss),
        rung,
    }
}

/// How often successive halving has kept each point, as far as that can be known yet.
fn kept(sweep: &Sweep) -> Result<Vec<usize>, Error> {
    let spec = &sweep.spec;
    let mut kept = vec![0; sweep.points.len()];
    let mut alive: Vec<usize> = (1..=sweep.points.len()).collect();
    if spec.method == Method::Halving {
        for rung in halving::rungs(spec.halving, spec.base.epochs) {
            let worths: Option<Vec<Worth>> = sweep.worths(&alive, rung)?.into_iter().collect();
            let Some(worths) = worths else { break };
            let seeds = worths.chunks(spec.seeds.len()).map(Merit::of);
            let merits: Vec<(usize, Merit)> = alive.into_iter().zip(seeds).collect();
            alive = halving::promoted(&merits, spec.halving.factor);
            for &point in &alive {
                kept[point - 1] += 1;
            }
        }
    }
    Ok(kept)
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
            accuracy: Some(Spread { mean, deviation: None }),
            loss: None,
            train_loss: None,
            rung,
        };
        let mut points = [
            point(1, 0, 0, 0.9),
            point(2, 1, 0, 0.7),
            point(3, 1, 1, 0.9),
            point(4, 1, 0, 0.8),
            point(5, 2, 0, 0.1),
            point(6, 1, 0, 0.7),
            PointResult { accuracy: None, ..point(7, 1, 3, 0.0) },
        ];
        points.sort_by(PointResult::order);
        let numbers = points.map(|point| point.point.number);
        assert_eq!(numbers, [5, 4, 2, 6, 3, 7, 1]);
    }
}
