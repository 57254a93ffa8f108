//! What varies in a sweep, and over which values.

use crate::error::Error;
use crate::recipe::Recipe;
use crate::settings::{Settings, check_names, value_to_number, value_to_text};
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
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Values {
    /// These, in this order.
    List(Vec<Value>),
    /// Numbers of a range.
    Range(Range),
}

/// The settings that vary, in the order in which they were named, and their values.
pub type Space = toml::map::Map<String, Values>;

pub(super) fn bad(path: &Path, name: &str, value: impl Into<Value>, problem: &str) -> Error {
    Error::BadValue {
        path: path.into(),
        name: name.to_owned(),
        value: value.into().to_string(),
        problem: problem.to_owned(),
    }
}

/// The name under which recipes vary, or one is held.
pub(super) const RECIPE: &str = "recipe";

/// The settings of a recipe, of one network: the points of a sweep are compared by what one does.
pub(super) fn of_one(recipe: Recipe) -> Settings {
    Settings { members: 1, ..recipe.settings() }
}

/// The recipe that a value names.
pub(super) fn recipe(value: &Value, path: &Path) -> Result<Recipe, Error> {
    value.as_str().and_then(Recipe::named).ok_or_else(|| {
        let names: Vec<&str> = Recipe::ALL.iter().map(|recipe| recipe.name).collect();
        bad(path, RECIPE, value.clone(), &format!("expected one of {}", names.join(", ")))
    })
}

/// A value as files of this program have it.
fn canonical(name: &str, value: &Value, path: &Path) -> Result<Value, Error> {
    match name {
        RECIPE => recipe(value, path).map(|recipe| recipe.name.into()),
        _ => Settings::canonical(name, value, path),
    }
}

impl Values {
    /// Reads the values of a setting, or of `recipe`: a list, or a table with `from` and `to`, and if need be `scale`
    /// and `count`; `path` is where it is from.
    ///
    /// ```
    /// use fashion_train::sweep::Values;
    /// use std::path::Path;
    ///
    /// let path = Path::new("sweep.toml");
    /// let values = Values::read("learning_rate", &vec![0.1, 0.01].into(), path)?;
    /// assert_eq!(values.ends(), Some((0.01, 0.1)));
    ///
    /// let error = Values::read("learning_rate", &vec!["fast"].into(), path).unwrap_err();
    /// assert!(error.to_string().starts_with("sweep.toml: learning_rate = \"fast\": invalid type"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownKey`] for a setting that does not exist, [`Error::BadValue`] for a value that
    /// the setting cannot have, a setting that cannot vary, or an empty list or range.
    pub fn read(name: &str, value: &Value, path: &Path) -> Result<Values, Error> {
        let refuse = |problem| Err(bad(path, name, value.clone(), problem));
        match (name, value) {
            ("seed", _) => refuse("every point is trained with each of the seeds; set seeds"),
            ("target_accuracy", _) => refuse("it changes nothing in training, so it cannot vary"),
            (_, Value::Array(list)) => Ok(Values::List(self::list(name, list, path)?)),
            (_, Value::Table(table)) => Ok(Values::Range(range(name, table, path)?)),
            _ => {
                // A misspelt name is told first.
                canonical(name, value, path)?;
                refuse(
                    "expected a list such as [0.1, 0.01], or a range such as \
                     { from = 0.01, to = 0.1 }; what does not vary belongs in [base]",
                )
            }
        }
    }

    /// As files have them.
    pub(super) fn to_value(&self) -> Value {
        Value::try_from(self).expect("numbers and words are TOML")
    }

    /// The values one by one, unless they are all numbers of a range.
    pub(super) fn listed(&self) -> Option<Vec<Value>> {
        match self {
            Values::List(list) => Some(list.clone()),
            Values::Range(range) => range.spaced(),
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

fn list(name: &str, list: &[Value], path: &Path) -> Result<Vec<Value>, Error> {
    let mut values = Vec::new();
    for value in list {
        let value = canonical(name, value, path)?;
        if values.contains(&value) {
            let problem = format!("{} is there twice", value_to_text(&value));
            return Err(bad(path, name, list.to_vec(), &problem));
        }
        values.push(value);
    }
    if values.is_empty() {
        // A misspelt name is told even so.
        if name != RECIPE && !Settings::default().to_table().contains_key(name) {
            Settings::canonical(name, &1.into(), path)?;
        }
        return Err(bad(path, name, values, "expected at least one value"));
    }
    Ok(values)
}

fn range(name: &str, table: &Table, path: &Path) -> Result<Range, Error> {
    let bad = |problem: &str| bad(path, name, table.clone(), problem);
    check_names("key of a range", table, &["from", "to", "scale", "count"], path)?;
    let mut range: Range =
        table.clone().try_into().map_err(|e: toml::de::Error| bad(e.message().trim()))?;
    for end in [&mut range.from, &mut range.to] {
        *end = canonical(name, end, path)?;
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
