//! How long may be worked on a sweep, and how long was.

use super::Sweep;
use crate::error::{AtPath, Error};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::time::Instant;

/// The file of a sweep with a budget that says how long was worked on it.
const SPENT: &str = "spent.json";

#[derive(Default, Serialize, Deserialize)]
struct Spent {
    seconds: f64,
}

impl Sweep {
    /// Minutes that were worked on it, in all sittings, as of the last whole epoch; 0 without a budget.
    ///
    /// # Errors
    /// If what says so cannot be read.
    pub fn minutes_spent(&self) -> Result<f64, Error> {
        let path = self.folder.join(SPENT);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0.0),
            read => read.at(&path)?,
        };
        match serde_json::from_str(&text) {
            Ok(Spent { seconds }) => Ok(seconds / 60.0),
            Err(error) => Err(Error::Damaged { path, problem: error.to_string() }),
        }
    }

    /// Gives it a budget of so many minutes, those that are spent included.
    ///
    /// # Errors
    /// [`Error::BadValue`] if that is no number above 0, or the system's refusal.
    pub fn set_budget(&mut self, minutes: f64) -> Result<(), Error> {
        self.spec.budget_minutes = Some(minutes);
        self.spec.check(&self.folder.join("sweep.toml"))?;
        self.write("sweep.toml", &self.spec.to_toml())
    }
}

/// The time of a sitting.
pub(super) struct Budget<'a> {
    sweep: &'a Sweep,
    /// Seconds of the sittings before.
    before: f64,
    began: Instant,
}

impl<'a> Budget<'a> {
    /// Begins a sitting.
    pub(super) fn begin(sweep: &'a Sweep) -> Result<Budget<'a>, Error> {
        Ok(Budget { sweep, before: 60.0 * sweep.minutes_spent()?, began: Instant::now() })
    }

    fn seconds(&self) -> f64 {
        self.before + self.began.elapsed().as_secs_f64()
    }

    /// Whether no run is to be begun any more.
    pub(super) fn is_spent(&self) -> bool {
        self.sweep.spec.budget_minutes.is_some_and(|minutes| self.seconds() >= 60.0 * minutes)
    }

    /// Writes down how long it was, where there is a budget.
    pub(super) fn note(&self) -> Result<(), Error> {
        if self.sweep.spec.budget_minutes.is_none() {
            return Ok(());
        }
        let spent = Spent { seconds: self.seconds() };
        let json = serde_json::to_string(&spent).expect("numbers are always valid JSON");
        self.sweep.write(SPENT, &(json + "\n"))
    }
}
