//! The points that a sweep tries.

use super::space::{RECIPE, Space, Values, bad, of_one, recipe};
use super::spec::{DEFAULT_SAMPLES, Method, Spec};
use crate::error::Error;
use crate::settings::{Settings, value_to_text};
use fashion_data::random::{Purpose, below, stream, uniform};
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use toml::{Table, Value};

/// The most points of a sweep.
const MAX_POINTS: usize = 100_000;

/// The most points that are drawn where a budget is to end it.
const MAX_OPEN: usize = 1000;

/// One combination of settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Point {
    /// Counted from 1.
    #[serde(rename = "point")]
    pub number: usize,
    /// The settings that vary, in the order of the space.
    #[serde(rename = "settings", serialize_with = "by_name")]
    pub values: Table,
    /// All settings; the seed counts for nothing.
    #[serde(skip)]
    pub settings: Settings,
}

fn by_name<S: Serializer>(values: &Table, serializer: S) -> Result<S::Ok, S::Error> {
    values.iter().collect::<BTreeMap<_, _>>().serialize(serializer)
}

impl Point {
    /// The settings that vary, with its values: `learning_rate 0.1`, `batch_size 16`.
    pub fn named_values(&self) -> Vec<String> {
        self.values.iter().map(|(name, value)| format!("{name} {}", value_to_text(value))).collect()
    }

    /// `point 3 (learning_rate 0.1, batch_size 16)`.
    pub fn describe(&self) -> String {
        match &self.named_values()[..] {
            [] => format!("point {}", self.number),
            values => format!("point {} ({})", self.number, values.join(", ")),
        }
    }
}

impl Spec {
    /// The points of the sweep, in order.
    ///
    /// # Errors
    /// [`Error::BadValue`] if a part of the sweep's own is out of range, [`Error::Point`] if a point
    /// is not possible.
    pub fn points(&self, path: &Path) -> Result<Vec<Point>, Error> {
        self.check(path)?;
        let combinations = match self.method {
            Method::Grid => grid(&self.space, path)?,
            Method::Random | Method::Halving | Method::Asha => drawn(self, path)?,
        };
        let points = combinations.into_iter().enumerate().map(|(at, values)| {
            let settings = self.settings_of(&values, path)?;
            let point = Point { number: at + 1, values, settings };
            check(&point.settings).map_err(|source| Error::Point {
                path: path.into(),
                point: point.describe(),
                source: Box::new(source),
            })?;
            Ok(point)
        });
        let points = points.collect::<Result<Vec<_>, Error>>()?;
        self.check_rungs(longest(&points), path)?;
        Ok(points)
    }

    /// The settings of a point: a recipe's, where recipes vary, then what was set of the base, then its
    /// own values.
    fn settings_of(&self, values: &Table, path: &Path) -> Result<Settings, Error> {
        let mut values = values.clone();
        let base = match values.remove(RECIPE) {
            Some(name) => of_one(recipe(&name, path)?).with(&self.named(), path)?,
            None => self.base.clone(),
        };
        let mut settings = base.with(&values, path)?;
        if let Some(data) = &self.data {
            settings.validation = settings.validation.with_part(data.validation_images.is_some());
        }
        Ok(settings)
    }
}

/// The epochs of the longest run.
pub(super) fn longest(points: &[Point]) -> usize {
    points.iter().map(|point| point.settings.epochs).max().unwrap_or_default()
}

fn check(settings: &Settings) -> Result<(), Error> {
    settings.check()?;
    if settings.members > 1 {
        return Err(Error::Setting {
            name: "members",
            value: settings.members.to_string(),
            expected: "1 in a sweep, which compares single networks; `ensemble` joins its runs",
        });
    }
    if settings.validation.chooses() {
        return Ok(());
    }
    Err(Error::Setting {
        name: "validation",
        value: settings.validation.to_string(),
        expected: "a share of the training set such as 0.1, by which a sweep can choose",
    })
}

/// Every combination, the last setting fastest.
fn grid(space: &Space, path: &Path) -> Result<Vec<Table>, Error> {
    let mut all = vec![Table::new()];
    for (name, values) in space {
        let bad = |problem: &str| bad(path, name, values.to_value(), problem);
        let list = values.listed();
        let list = list
            .ok_or_else(|| bad("a grid needs a list, or a range with a count such as count = 5"))?;
        if all.len() * list.len() > MAX_POINTS {
            return Err(bad(&format!(
                "the grid would have more than {MAX_POINTS} points; method = \"random\" tries some of \
                 them"
            )));
        }
        let with = |start: &Table, value: &Value| {
            let added = [(name.clone(), value.clone())];
            start.clone().into_iter().chain(added).collect()
        };
        all = all.iter().flat_map(|start| list.iter().map(|value| with(start, value))).collect();
    }
    Ok(all)
}

/// Different combinations by chance, as many as there are to be samples.
///
/// Each value has a random stream of its own, keyed by (search seed, position of the setting, number
/// of the draw); a draw that gives a point again is passed over.
fn drawn(spec: &Spec, path: &Path) -> Result<Vec<Table>, Error> {
    let usual = if spec.is_open_ended() { MAX_OPEN } else { DEFAULT_SAMPLES };
    let samples = spec.samples.unwrap_or(usual);
    let few = |problem: String| bad(path, "samples", samples as i64, &problem);
    if !(1..=MAX_POINTS).contains(&samples) {
        return Err(few(format!("expected 1 to {MAX_POINTS}")));
    }
    let drawn = |draw: u64| {
        let value = |(at, (name, values)): (usize, (&String, &Values))| {
            let mut rng = stream(spec.search_seed, Purpose::Search, at as u64, draw);
            let value = match values {
                Values::Range(range) if range.count.is_none() => range.at(uniform(&mut rng).into()),
                _ => {
                    let list = values.listed().unwrap_or_default();
                    list[below(&mut rng, list.len() as u32) as usize].clone()
                }
            };
            (name.clone(), value)
        };
        spec.space.iter().enumerate().map(value).collect::<Table>()
    };
    let mut seen = HashSet::new();
    let is_new =
        |values: &Table| seen.insert(values.values().map(value_to_text).collect::<Vec<_>>());
    // So many draws find all there is to find.
    let draws = 0..=1000 + 100 * samples as u64;
    let all: Vec<Table> = draws.map(drawn).filter(is_new).take(samples).collect();
    if all.len() < samples && !spec.is_open_ended() {
        return Err(few(format!(
            "only {} different points were found in [space]; draw no more than that, or let more \
             settings vary, or try all of them with method = \"grid\"",
            all.len()
        )));
    }
    Ok(all)
}
