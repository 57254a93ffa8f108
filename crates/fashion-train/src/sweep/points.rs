//! The points that a sweep tries.

use super::space::{Space, Values, bad};
use super::spec::{Method, Spec};
use crate::error::Error;
use crate::settings::{Settings, value_to_text};
use fashion_data::random::{Purpose, below, stream, uniform};
use std::path::Path;
use toml::Value;

/// The most points of a sweep.
const MAX_POINTS: usize = 100_000;

/// One combination of settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Counted from 1.
    pub number: usize,
    /// The value of each setting that varies, in the order of the space.
    pub values: Vec<Value>,
    /// All settings; the seed counts for nothing.
    pub settings: Settings,
}

impl Point {
    /// The settings that vary, with its values: `learning_rate 0.1`, `batch_size 16`.
    pub fn settings_in(&self, space: &Space) -> Vec<String> {
        let named = space.names().into_iter().zip(&self.values);
        named.map(|(name, value)| format!("{name} {}", value_to_text(value))).collect()
    }

    /// `point 3 (learning_rate 0.1, batch_size 16)`.
    pub fn describe(&self, space: &Space) -> String {
        match &self.settings_in(space)[..] {
            [] => format!("point {}", self.number),
            settings => format!("point {} ({})", self.number, settings.join(", ")),
        }
    }
}

/// All points of a sweep, each of them checked.
pub(super) fn points(spec: &Spec, path: &Path) -> Result<Vec<Point>, Error> {
    let combinations = match spec.method {
        Method::Grid => grid(&spec.space, path)?,
        Method::Random | Method::Halving => drawn(spec, path)?,
    };
    let points = combinations.into_iter().enumerate().map(|(at, values)| {
        let mut settings = spec.base;
        for (name, value) in spec.space.names().iter().zip(&values) {
            settings = settings.with_one(name, value, path)?;
        }
        let point = Point { number: at + 1, values, settings };
        check(&settings).map_err(|source| Error::Point {
            path: path.into(),
            point: point.describe(&spec.space),
            source: Box::new(source),
        })?;
        Ok(point)
    });
    points.collect()
}

fn check(settings: &Settings) -> Result<(), Error> {
    settings.check()?;
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
fn grid(space: &Space, path: &Path) -> Result<Vec<Vec<Value>>, Error> {
    let mut all = vec![Vec::new()];
    for (name, values) in space.iter() {
        let list = match values {
            Values::List(list) => list.clone(),
            Values::Range(range) => range.spaced().ok_or_else(|| {
                let problem = "a grid needs a list, or a range with a count such as count = 5";
                bad(path, name, &values.to_value(), problem)
            })?,
        };
        if all.len() * list.len() > MAX_POINTS {
            return Err(bad(
                path,
                name,
                &values.to_value(),
                &format!(
                    "the grid would have more than {MAX_POINTS} points; method = \"random\" tries \
                     some of them"
                ),
            ));
        }
        all = all
            .iter()
            .flat_map(|start: &Vec<Value>| {
                list.iter().map(|value| [&start[..], std::slice::from_ref(value)].concat())
            })
            .collect();
    }
    Ok(all)
}

/// Different combinations by chance, as many as there are to be samples.
///
/// Each value has a random stream of its own, keyed by (search seed, position of the setting, number
/// of the draw); a draw that gives a point again is passed over.
fn drawn(spec: &Spec, path: &Path) -> Result<Vec<Vec<Value>>, Error> {
    let samples = spec.samples;
    let few = |problem: String| bad(path, "samples", &(samples as i64).into(), &problem);
    if !(1..=MAX_POINTS).contains(&samples) {
        return Err(few(format!("expected 1 to {MAX_POINTS}")));
    }
    let mut seen = std::collections::HashSet::new();
    let mut all = Vec::new();
    for draw in 0.. {
        let values: Vec<Value> = spec
            .space
            .iter()
            .enumerate()
            .map(|(at, (_, values))| {
                let mut rng = stream(spec.search_seed, Purpose::Search, at as u64, draw);
                let mut one_of =
                    |list: &[Value]| list[below(&mut rng, list.len() as u32) as usize].clone();
                match values {
                    Values::List(list) => one_of(list),
                    Values::Range(range) => match range.spaced() {
                        Some(list) => one_of(&list),
                        None => range.at(uniform(&mut rng).into()),
                    },
                }
            })
            .collect();
        if seen.insert(values.iter().map(value_to_text).collect::<Vec<_>>()) {
            all.push(values);
        }
        if all.len() == samples {
            break;
        }
        // So many draws find all there is to find.
        if draw >= 1000 + 100 * samples as u64 {
            return Err(few(format!(
                "only {} different points were found in [space]; draw no more than that, or let more \
                 settings vary, or try all of them with method = \"grid\"",
                all.len()
            )));
        }
    }
    Ok(all)
}
