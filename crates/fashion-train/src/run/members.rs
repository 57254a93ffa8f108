//! Runs of several networks: each member is a run of its own inside of the run's folder.

use super::train::{Outcome, begin, train};
use crate::config::Config;
use crate::environment::{DataPlace, Environment};
use crate::error::Error;
use crate::history::{self, Epoch};
use crate::observer::Observer;
use crate::run::{GoOnFrom, LockedRun, RunFolder};
use crate::settings::Settings;
use crate::trainer::Finish;
use fashion_data::Splits;
use std::path::PathBuf;

impl RunFolder {
    /// Where the members of a run of several networks are: `members/1` and so on.
    pub fn member_paths(&self, settings: &Settings) -> Vec<PathBuf> {
        let folder = self.members_path();
        (1..=settings.members).map(|number| folder.join(number.to_string())).collect()
    }

    pub(super) fn members_path(&self) -> PathBuf {
        self.path().join("members")
    }

    /// How many members of a run have all their epochs.
    pub fn members_done(&self, settings: &Settings) -> usize {
        let done = |path: &PathBuf| {
            let history = RunFolder::open(path).and_then(|run| run.history());
            history.is_ok_and(|history| settings.of_member(0).is_done(&history))
        };
        self.member_paths(settings).iter().filter(|path| done(path)).count()
    }
}

/// Trains the members of a run of [several networks](Settings::members), one after the other, each as
/// [`train`] does, in a run folder of its own: `members/1` and so on. Those that are done are taken as they
/// are. `observer` makes somebody who follows a member, by its settings.
///
/// The run's own history, which it has once all of them are done, is the mean of theirs. Its weights, the
/// members' in one file, are for whoever joins them to write.
///
/// # Errors
/// As [`train`], or if a member's folder holds something else. What was kept before stays as it was.
pub fn train_members<'a>(
    run: &LockedRun,
    config: &Config,
    splits: &Splits,
    data: &DataPlace,
    mut from: GoOnFrom,
    observer: &mut dyn FnMut(&Settings) -> Box<dyn Observer + 'a>,
) -> Result<Outcome, Error> {
    config.check_data(splits, run.path())?;
    begin(run, config, splits)?;
    let mut environment = Environment::here(run.name(), data.clone(), rayon::current_num_threads());
    let mut outcomes = Vec::new();
    for (number, path) in run.member_paths(&config.training).iter().enumerate() {
        let training = config.training.of_member(number);
        let config = Config { training: training.clone(), ..config.clone() };
        let member = match path.join("config.toml").is_file() {
            true => {
                let member = RunFolder::open(path)?;
                if member.config()? != config {
                    let problem =
                        "it is not what the run that it is in says of its networks".into();
                    return Err(Error::OtherRun { path: member.config_path(), problem });
                }
                member
            }
            false => {
                let member = RunFolder::create(Some(path))?;
                begin(&member, &config, splits)?;
                member
            }
        };
        let history = member.history()?;
        let outcome = if training.is_done(&history) {
            Outcome { history, finish: Finish::Complete, learned_nothing: false }
        } else {
            let network = training.network.build(splits.train.classes().len(), training.seed);
            let mut observer = observer(&training);
            let locked = member.clone().lock()?;
            // Only the one that was interrupted has a checkpoint to go on from.
            let from = std::mem::replace(&mut from, GoOnFrom::Last);
            train(&locked, &config, network, splits, data, from, &mut *observer)?
        };
        environment.sessions.extend(member.environment()?.sessions);
        run.write_environment(&environment)?;
        let stopped = outcome.finish == Finish::Stopped;
        outcomes.push(outcome);
        if stopped {
            break;
        }
    }
    let histories: Vec<_> = outcomes.iter().map(|outcome| &outcome.history[..]).collect();
    let history = mean(&histories);
    let finish = outcomes.last().map_or(Finish::Complete, |last| last.finish);
    if finish == Finish::Complete {
        run.make_weights_folder()?;
        run.write(&run.history_path(), history::to_csv(&history).as_bytes())?;
    }
    let learned_nothing = outcomes.iter().all(|outcome| outcome.learned_nothing);
    Ok(Outcome { history, finish, learned_nothing })
}

/// The means over the members that came to each epoch.
fn mean(histories: &[&[Epoch]]) -> Vec<Epoch> {
    let longest = histories.iter().map(|history| history.len()).max().unwrap_or_default();
    let of_epoch = |at: usize| {
        let epochs: Vec<&Epoch> = histories.iter().filter_map(|history| history.get(at)).collect();
        let mean = |of: &dyn Fn(&Epoch) -> Option<f64>| {
            let values = epochs.iter().map(|epoch| of(epoch)).collect::<Option<Vec<f64>>>()?;
            Some(values.iter().sum::<f64>() / values.len() as f64)
        };
        Epoch {
            epoch: at + 1,
            learning_rate: mean(&|epoch| Some(epoch.learning_rate)).unwrap_or_default(),
            train_loss: mean(&|epoch| Some(epoch.train_loss)).unwrap_or_default(),
            train_accuracy: mean(&|epoch| Some(epoch.train_accuracy)).unwrap_or_default(),
            validation_loss: mean(&|epoch| epoch.validation_loss),
            validation_accuracy: mean(&|epoch| epoch.validation_accuracy),
        }
    };
    (0..longest).map(of_epoch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_over_those_that_came_to_an_epoch() {
        let epoch = |epoch, train_loss, validation_accuracy| Epoch {
            epoch,
            learning_rate: 0.5,
            train_loss,
            train_accuracy: 0.25,
            validation_loss: None,
            validation_accuracy,
        };
        let short = [epoch(1, 1.0, Some(0.5))];
        let long = [epoch(1, 2.0, Some(0.75)), epoch(2, 4.0, Some(1.0))];
        let expected = [epoch(1, 1.5, Some(0.625)), epoch(2, 4.0, Some(1.0))];
        assert_eq!(mean(&[&short, &long]), expected);
        assert_eq!(mean(&[]), []);
    }
}
