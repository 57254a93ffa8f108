//! What varies in a sweep, and over which values.

use crate::error::Error;
use crate::settings::{Settings, unknown_key, value_to_number, value_to_text};
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::{Table, Value};

/// How numbers of a range are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// Evenly in their logarithms: as many between 0.001 and 0.01 as between 0.01 and 0.1.
    Log,
}

/// Numbers from one to another, both included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// The smallest: whole where the setting is.
    pub from: Value,
    /// The largest, likewise.
    pub to: Value,
    /// How they are spread.
    #[serde(default)]
    pub scale: Scale,
    /// Only this many of them, evenly spaced.
    pub count: Option<usize>,
}

/// The values that a setting takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// These, in this order.
    List(Vec<Value>),
    /// Numbers of a range.
    Range(Range),
}

/// The settings that vary, in the order in which they were named, and their values.
///
/// ```
/// use fashion_train::sweep::Space;
/// use std::path::Path;
///
/// let table = "learning_rate = [0.1, 0.01]\nbatch_size = { from = 16, to = 1024, scale = 'log' }";
/// let space = Space::from_table(&table.parse()?, Path::new("sweep.toml"))?;
/// assert_eq!(space.names(), ["learning_rate", "batch_size"]);
///
/// let table = "learning_rate = [0.1, 'fast']".parse()?;
/// let error = Space::from_table(&table, Path::new("sweep.toml")).unwrap_err();
/// assert!(error.to_string().starts_with("sweep.toml: learning_rate = \"fast\": invalid type"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space(Vec<(String, Values)>);

impl Space {
    /// Reads a table that has a list or a range for each setting that varies; `path` is where it is
    /// from.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn from_table(table: &Table, path: &Path) -> Result<Space, Error> {
        let mut space = Space::default();
        for (name, value) in table {
            space.set(name, value, path)?;
        }
        Ok(space)
    }

    /// Lets a setting vary over a list, or over a table with `from` and `to`, and if need be `scale`
    /// and `count`. It takes the place of the values it had before.
    ///
    /// # Errors
    /// [`Error::UnknownKey`] for a setting that does not exist, [`Error::BadValue`] for a value that
    /// the setting cannot have, a setting that cannot vary, or an empty list or range.
    pub fn set(&mut self, name: &str, value: &Value, path: &Path) -> Result<(), Error> {
        let bad = |problem: &str| bad(path, name, value, problem);
        if let Some(problem) = cannot_vary(name) {
            return Err(bad(problem));
        }
        let values = match value {
            Value::Array(list) => Values::List(self::list(name, list, path)?),
            Value::Table(table) => Values::Range(range(name, table, path)?),
            // A misspelt name is told first.
            _ => {
                Settings::canonical(name, value, path)?;
                return Err(bad("expected a list such as [0.1, 0.01], or a range such as \
                                { from = 0.01, to = 0.1 }; what does not vary belongs in [base]"));
            }
        };
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, place)) => *place = values,
            None => self.0.push((name.to_owned(), values)),
        }
        Ok(())
    }

    /// Lets a setting vary no more.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| other != name);
    }

    /// The names of the settings.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| &name[..]).collect()
    }

    /// The settings and their values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Values)> {
        self.0.iter().map(|(name, values)| (&name[..], values))
    }

    /// Whether nothing varies.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lines below `[space]`. (A table's own writer would put ranges after all lists.)
    pub(super) fn to_toml(&self) -> String {
        self.0.iter().map(|(name, values)| format!("{name} = {}\n", values.to_value())).collect()
    }
}

fn cannot_vary(name: &str) -> Option<&'static str> {
    match name {
        "seed" => Some("every point is trained with each of the seeds; set seeds"),
        "target_accuracy" => Some("it changes nothing in training, so it cannot vary"),
        _ => None,
    }
}

pub(super) fn bad(path: &Path, name: &str, value: &Value, problem: &str) -> Error {
    Error::BadValue {
        path: path.into(),
        name: name.to_owned(),
        value: value.to_string(),
        problem: problem.to_owned(),
    }
}

fn list(name: &str, list: &[Value], path: &Path) -> Result<Vec<Value>, Error> {
    let mut values = Vec::new();
    for value in list {
        let value = Settings::canonical(name, value, path)?;
        if values.contains(&value) {
            let problem = format!("{} is there twice", value_to_text(&value));
            return Err(bad(path, name, &list.to_vec().into(), &problem));
        }
        values.push(value);
    }
    match values.is_empty() {
        // A misspelt name is told even so.
        true => {
            Settings::canonical(name, &1.into(), path)?;
            Err(bad(path, name, &Value::Array(Vec::new()), "expected at least one value"))
        }
        false => Ok(values),
    }
}

fn range(name: &str, table: &Table, path: &Path) -> Result<Range, Error> {
    let bad = |problem: &str| bad(path, name, &table.clone().into(), problem);
    let known = ["from", "to", "scale", "count"];
    if let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(unknown_key("key of a range", key, &known, path));
    }
    let mut range: Range =
        table.clone().try_into().map_err(|e: toml::de::Error| bad(e.message().trim()))?;
    for end in [&mut range.from, &mut range.to] {
        *end = Settings::canonical(name, end, path)?;
        if value_to_number(end).is_none() {
            return Err(bad("a range is of numbers; give a list"));
        }
    }
    let (from, to) = range.ends();
    if !(from.is_finite() && to.is_finite() && from < to) {
        return Err(bad("expected from to be less than to"));
    }
    if range.scale == Scale::Log && from <= 0.0 {
        return Err(bad("with scale = \"log\", expected from to be above 0"));
    }
    if range.count.is_some_and(|count| count < 2) {
        return Err(bad("expected a count of at least 2"));
    }
    if range.spaced().is_some_and(|spaced| spaced.windows(2).any(|pair| pair[0] == pair[1])) {
        return Err(bad("there are not so many different numbers in it; set a smaller count"));
    }
    Ok(range)
}

impl Range {
    /// The smallest and the largest number.
    pub fn ends(&self) -> (f64, f64) {
        let end = |value| value_to_number(value).unwrap_or(f64::NAN);
        (end(&self.from), end(&self.to))
    }

    /// The `count` numbers, if only so many are meant: both ends exactly, and between them rounded to
    /// four digits, or to whole numbers.
    pub(super) fn spaced(&self) -> Option<Vec<Value>> {
        let last = self.count?.saturating_sub(1);
        let value = |step: usize| match step {
            0 => self.from.clone(),
            _ if step == last => self.to.clone(),
            _ => self.between(0.0, step as f64 / last as f64),
        };
        Some((0..=last).map(value).collect())
    }

    /// The number at a share of the range, from 0 to below 1, rounded to four digits. Each whole
    /// number has the share of the interval of one around it.
    pub(super) fn at(&self, share: f64) -> Value {
        self.between(if self.from.is_integer() { 0.5 } else { 0.0 }, share)
    }

    /// The number at a share of the range that is wider than this one by a margin at both ends.
    fn between(&self, margin: f64, share: f64) -> Value {
        let (least, most) = self.ends();
        let (from, to) = (least - margin, most + margin);
        let number = match self.scale {
            Scale::Linear => from + share * (to - from),
            Scale::Log => {
                let (from, to) = (libm::log(from), libm::log(to));
                libm::exp(from + share * (to - from))
            }
        };
        if self.from.is_integer() {
            // Both ends are whole.
            Value::Integer(number.round().clamp(least, most) as i64)
        } else if number == least || number == most {
            Value::Float(number)
        } else {
            // More digits would only be harder to read.
            let rounded = format!("{number:.3e}").parse().unwrap_or(number);
            Value::Float(f64::clamp(rounded, least, most))
        }
    }
}

impl Values {
    /// As files have them.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Values::List(list) => Value::Array(list.clone()),
            Values::Range(range) => Value::try_from(range).expect("numbers and words are TOML"),
        }
    }

    /// The ends of a range, or the least and the greatest of a list of numbers.
    pub fn ends(&self) -> Option<(f64, f64)> {
        let list = match self {
            Values::Range(range) => return Some(range.ends()),
            Values::List(list) => list,
        };
        let numbers: Vec<f64> = list.iter().map(value_to_number).collect::<Option<_>>()?;
        let least = numbers.iter().copied().reduce(f64::min)?;
        Some((least, numbers.into_iter().fold(least, f64::max)))
    }
}
