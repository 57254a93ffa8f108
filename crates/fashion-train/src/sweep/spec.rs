//! What a sweep tries: the file `sweep.toml`.

use super::method::{HalvingSpec, Method};
use super::points::{Point, points};
use super::space::{Space, bad};
use crate::config::{Config, DataConfig};
use crate::error::Error;
use crate::settings::{Settings, check_keys, unknown_key};
use fashion_data::Splits;
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::{Table, Value};

/// The version of `sweep.toml` that this program writes and reads.
pub const SCHEMA: &str = "fashion-sweep/1";

/// The largest number of seeds.
const MAX_SEEDS: usize = 1000;

/// What a sweep tries.
///
/// ```
/// use fashion_train::sweep::Spec;
/// use std::path::Path;
///
/// let text = "seeds = 2\n[base]\nepochs = 5\n[space]\nlearning_rate = [0.1, 0.01, 0.001]";
/// let path = Path::new("sweep.toml");
/// let spec = Spec::parse(text, path)?;
/// assert_eq!(spec.points(path)?.len(), 3);
/// assert_eq!((spec.seeds, spec.base.epochs), (vec![0, 1], 5));
/// # Ok::<(), fashion_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The network's name, once that is decided.
    pub architecture: Option<String>,
    /// The data, once they are known.
    pub data: Option<DataConfig>,
    /// How points are chosen.
    pub method: Method,
    /// Each point is trained once with every seed.
    pub seeds: Vec<u64>,
    /// How many points are drawn, if they are.
    pub samples: usize,
    /// Decides which.
    pub search_seed: u64,
    /// When successive halving prunes.
    pub halving: HalvingSpec,
    /// The settings that all points share. Those that vary count for nothing here, nor does the seed.
    pub base: Settings,
    /// The settings that vary.
    pub space: Space,
}

impl Default for Spec {
    fn default() -> Self {
        Spec {
            architecture: None,
            data: None,
            method: Method::Grid,
            seeds: vec![0, 1, 2],
            samples: 20,
            search_seed: 0,
            halving: HalvingSpec::default(),
            base: Settings::default(),
            space: Space::default(),
        }
    }
}

/// A list, or how many there are from 0.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seeds {
    Count(u32),
    List(Vec<u64>),
}

/// The file as it is read; what it leaves out has its default.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Read {
    schema: Option<String>,
    architecture: Option<String>,
    data: Option<DataConfig>,
    method: Method,
    seeds: Option<Seeds>,
    samples: Option<usize>,
    search_seed: u64,
    halving: HalvingSpec,
    base: Table,
    space: Table,
}

/// The file as it is written, but for `[space]`.
#[derive(Serialize)]
struct Written<'a> {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    architecture: Option<&'a str>,
    method: Method,
    seeds: &'a [u64],
    samples: usize,
    search_seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a DataConfig>,
    halving: HalvingSpec,
    base: Table,
}

impl Spec {
    /// Reads a file's text; `path` is for errors. That the points are possible is looked at by
    /// [`points`](Self::points).
    ///
    /// # Errors
    /// [`Error::NotToml`], [`Error::UnknownKey`] with the nearest one there is, [`Error::BadValue`]
    /// for a value that its key cannot have, or [`Error::Damaged`] if the file is of another version.
    pub fn parse(text: &str, path: &Path) -> Result<Spec, Error> {
        let not_toml =
            |e: toml::de::Error| Error::NotToml { path: path.into(), problem: e.to_string() };
        let table: Table = text.parse().map_err(not_toml)?;
        check_names(&table, path)?;
        let read: Read = toml::from_str(text).map_err(not_toml)?;
        if let Some(found) = read.schema.filter(|schema| schema != SCHEMA) {
            let problem = format!("its schema is {found:?}; expected {SCHEMA:?}");
            return Err(Error::Damaged { path: path.into(), problem });
        }
        let usual = Spec::default();
        let base = usual.base.with(&read.base, path)?;
        let space = Space::from_table(&read.space, path)?;
        for (name, value) in &read.base {
            let problem = match space.names().contains(&name.as_str()) {
                _ if name == "seed" => "every point is trained with each of the seeds; set seeds",
                true => "it is in [space] too; leave it out of one of them",
                false => continue,
            };
            return Err(bad(path, name, value, problem));
        }
        Ok(Spec {
            architecture: read.architecture,
            data: read.data,
            method: read.method,
            seeds: match read.seeds {
                None => usual.seeds,
                Some(Seeds::Count(count)) => (0..count.into()).collect(),
                Some(Seeds::List(list)) => list,
            },
            samples: read.samples.unwrap_or(usual.samples),
            search_seed: read.search_seed,
            halving: read.halving,
            base,
            space,
        })
    }

    /// The file's text, with everything that has a default.
    pub fn to_toml(&self) -> String {
        let mut base = self.base.to_table();
        base.retain(|name, _| name != "seed" && !self.space.names().contains(&name));
        let written = Written {
            schema: SCHEMA,
            architecture: self.architecture.as_deref(),
            method: self.method,
            seeds: &self.seeds,
            samples: self.samples,
            search_seed: self.search_seed,
            data: self.data.as_ref(),
            halving: self.halving,
            base,
        };
        let text = toml::to_string(&written).expect("numbers and strings are always valid TOML");
        format!("{text}\n[space]\n{}", self.space.to_toml())
    }

    /// The points of the sweep, in order.
    ///
    /// # Errors
    /// [`Error::BadValue`] if a part of the sweep's own is out of range, [`Error::Point`] if a point
    /// is not possible.
    pub fn points(&self, path: &Path) -> Result<Vec<Point>, Error> {
        self.check(path)?;
        points(self, path)
    }

    fn check(&self, path: &Path) -> Result<(), Error> {
        let integer = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let seeds = Value::Array(self.seeds.iter().copied().map(integer).collect());
        if !(1..=MAX_SEEDS).contains(&self.seeds.len()) {
            let problem = format!("expected 1 to {MAX_SEEDS} seeds, such as [0, 1, 2] or 3");
            return Err(bad(path, "seeds", &seeds, &problem));
        }
        for (at, seed) in self.seeds.iter().enumerate() {
            if self.seeds[..at].contains(seed) {
                return Err(bad(path, "seeds", &seeds, &format!("{seed} is there twice")));
            }
        }
        for seed in self.seeds.iter().chain([&self.search_seed]) {
            Settings { seed: *seed, ..Settings::default() }.check()?;
        }
        if self.method != Method::Halving {
            return Ok(());
        }
        let HalvingSpec { min_epochs, factor } = self.halving;
        if factor < 2 {
            return Err(bad(
                path,
                "halving.factor",
                &integer(factor as u64),
                "expected at least 2",
            ));
        }
        if self.space.names().contains(&"epochs") {
            let problem =
                "halving gives each point the epochs that it deserves; set them in [base]";
            return Err(bad(path, "epochs", &"in [space]".into(), problem));
        }
        if !(1..self.base.epochs).contains(&min_epochs) {
            let problem =
                format!("expected 1 or more, and fewer than epochs, {}", self.base.epochs);
            return Err(bad(path, "halving.min_epochs", &integer(min_epochs as u64), &problem));
        }
        Ok(())
    }

    /// The same for this network and these data, complete.
    ///
    /// # Errors
    /// [`Error::OtherRun`] or [`Error::OtherData`] if the file says that it is for others.
    pub fn resolved(self, architecture: &str, splits: &Splits, path: &Path) -> Result<Spec, Error> {
        if let Some(other) = self.architecture.filter(|name| name != architecture) {
            let problem = format!("it is for the network {other}, not {architecture}");
            return Err(Error::OtherRun { path: path.into(), problem });
        }
        let mut config = Config::new(architecture, splits, self.base);
        if let Some(data) = self.data {
            config.data = data;
            config.check_data(splits, path)?;
        }
        let mut base = self.base;
        // What counts for nothing must not make equal sweeps differ.
        for (name, value) in Settings::default().to_table() {
            if name == "seed" || self.space.names().contains(&name.as_str()) {
                base = base.with_one(&name, &value, path)?;
            }
        }
        let (architecture, data) = (Some(config.architecture), Some(config.data));
        Ok(Spec { architecture, data, base, ..self })
    }
}

fn check_names(table: &Table, path: &Path) -> Result<(), Error> {
    let known = [
        "schema",
        "architecture",
        "data",
        "method",
        "seeds",
        "samples",
        "search_seed",
        "halving",
        "base",
        "space",
    ];
    check_keys(table, &known, "[base], or [space] if they vary", path)?;
    let known = ["min_epochs", "factor"];
    let halving = table.get("halving").and_then(Value::as_table);
    match halving.and_then(|table| table.keys().find(|key| !known.contains(&key.as_str()))) {
        Some(key) => Err(unknown_key("key of [halving]", key, &known, path)),
        None => Ok(()),
    }
}
