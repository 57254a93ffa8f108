//! What a sweep tries: the file `sweep.toml`.

use super::space::{Space, Values, bad};
use crate::config::{Config, DataConfig, check_schema};
use crate::error::Error;
use crate::settings::{Settings, check_keys, check_names};
use fashion_data::Splits;
use serde::{Deserialize, Deserializer, Serialize};
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spec {
    /// The network's name, once that is decided.
    pub architecture: Option<String>,
    /// How points are chosen.
    pub method: Method,
    /// Each point is trained once with every seed.
    #[serde(deserialize_with = "seeds")]
    pub seeds: Vec<u64>,
    /// How many points are drawn, if they are.
    pub samples: usize,
    /// Decides which.
    pub search_seed: u64,
    /// The data, once they are known.
    pub data: Option<DataConfig>,
    /// When successive halving prunes.
    pub halving: HalvingSpec,
    /// The settings that all points share. Those that vary count for nothing here, nor does the seed.
    #[serde(skip)]
    pub base: Settings,
    /// The settings that vary.
    #[serde(skip)]
    pub space: Space,
}

/// How points are chosen, and for how long each is trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Every combination of the values, the last setting fastest.
    #[default]
    Grid,
    /// Combinations drawn by chance (Bergstra and Bengio, 2012).
    Random,
    /// Combinations drawn by chance, of which the worse are given up early: successive halving
    /// (Jamieson and Talwalkar, 2016).
    Halving,
}

/// When successive halving prunes, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HalvingSpec {
    /// Epochs after which it prunes first.
    pub min_epochs: usize,
    /// One point of so many goes on then, for so many times the epochs.
    pub factor: usize,
}

impl Default for HalvingSpec {
    fn default() -> Self {
        HalvingSpec { min_epochs: 1, factor: 3 }
    }
}

impl Default for Spec {
    fn default() -> Self {
        Spec {
            architecture: None,
            method: Method::Grid,
            seeds: vec![0, 1, 2],
            samples: 20,
            search_seed: 0,
            data: None,
            halving: HalvingSpec::default(),
            base: Settings::default(),
            space: Space::default(),
        }
    }
}

/// Reads a list, or how many there are from 0.
fn seeds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seeds {
        Count(u32),
        List(Vec<u64>),
    }
    Ok(match Seeds::deserialize(deserializer)? {
        // More than can be are refused, and need not be made for that.
        Seeds::Count(count) => (0..count.into()).take(MAX_SEEDS + 1).collect(),
        Seeds::List(list) => list,
    })
}

/// What a file has besides, which is read with its own care.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Rest {
    schema: Option<String>,
    base: Table,
    space: Table,
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
        check_keys(&table, &known, "[base], or [space] if they vary", path)?;
        if let Some(Value::Table(halving)) = table.get("halving") {
            check_names("key of [halving]", halving, &["min_epochs", "factor"], path)?;
        }
        let mut spec: Spec = toml::from_str(text).map_err(not_toml)?;
        let Rest { schema, base, space } = toml::from_str(text).map_err(not_toml)?;
        check_schema(schema.as_deref().unwrap_or(SCHEMA), SCHEMA, path)?;
        spec.base = spec.base.with(&base, path)?;
        for (name, values) in space {
            let values = Values::read(&name, &values, path)?;
            spec.space.insert(name, values);
        }
        for (name, value) in base {
            let problem = if name == "seed" {
                "every point is trained with each of the seeds; set seeds"
            } else if spec.space.contains_key(&name) {
                "it is in [space] too; leave it out of one of them"
            } else {
                continue;
            };
            return Err(bad(path, &name, value, problem));
        }
        Ok(spec)
    }

    /// The file's text, with everything that has a default.
    pub fn to_toml(&self) -> String {
        let mut base = self.base.to_table();
        base.retain(|name, _| !self.is_open(name));
        let own = toml::to_string(self).expect("numbers and strings are always valid TOML");
        // A table's own writer would put ranges after all lists.
        let line = |(name, values): (&String, &Values)| format!("{name} = {}\n", values.to_value());
        let space: String = self.space.iter().map(line).collect();
        format!("schema = {SCHEMA:?}\n{own}\n[base]\n{base}\n[space]\n{space}")
    }

    /// Whether the base does not say what a setting is.
    fn is_open(&self, setting: &str) -> bool {
        setting == "seed" || self.space.contains_key(setting)
    }

    /// Checks what is the sweep's own.
    pub(super) fn check(&self, path: &Path) -> Result<(), Error> {
        let refuse = |name, value: Value, problem: &str| Err(bad(path, name, value, problem));
        let integer = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let seeds = || self.seeds.iter().copied().map(integer).collect::<Vec<_>>().into();
        if !(1..=MAX_SEEDS).contains(&self.seeds.len()) {
            let problem = format!("expected 1 to {MAX_SEEDS} seeds, such as [0, 1, 2] or 3");
            return refuse("seeds", seeds(), &problem);
        }
        let twice = |(at, seed): &(usize, &u64)| self.seeds[..*at].contains(seed);
        if let Some((_, seed)) = self.seeds.iter().enumerate().find(twice) {
            return refuse("seeds", seeds(), &format!("{seed} is there twice"));
        }
        for seed in self.seeds.iter().chain([&self.search_seed]) {
            Settings { seed: *seed, ..Settings::default() }.check()?;
        }
        let HalvingSpec { min_epochs, factor } = self.halving;
        let epochs = self.base.epochs;
        if self.method != Method::Halving {
            Ok(())
        } else if factor < 2 {
            refuse("halving.factor", integer(factor as u64), "expected at least 2")
        } else if self.space.contains_key("epochs") {
            let problem =
                "halving gives each point the epochs that it deserves; set them in [base]";
            refuse("epochs", "in [space]".into(), problem)
        } else if !(1..epochs).contains(&min_epochs) {
            let problem = format!("expected 1 or more, and fewer than epochs, {epochs}");
            refuse("halving.min_epochs", integer(min_epochs as u64), &problem)
        } else {
            Ok(())
        }
    }

    /// The same for this network and these data, complete.
    ///
    /// # Errors
    /// [`Error::OtherRun`] or [`Error::OtherData`] if the file says that it is for others.
    pub fn resolved(self, architecture: &str, splits: &Splits, path: &Path) -> Result<Spec, Error> {
        if let Some(other) = self.architecture.as_ref().filter(|&name| name != architecture) {
            let problem = format!("it is for the network {other}, not {architecture}");
            return Err(Error::OtherRun { path: path.into(), problem });
        }
        let mut config = Config::new(architecture, splits, self.base.clone());
        let validation = config.training.validation;
        if let Some(data) = &self.data {
            config.data = data.clone();
            config.check_data(splits, path)?;
        }
        // What counts for nothing must not make equal sweeps differ.
        let mut usual = Settings::default().to_table();
        usual.retain(|name, _| self.is_open(name));
        let base =
            Settings { validation, ..self.base.clone() }.with(&usual, path)?.with_digests()?;
        let mut space = self.space.clone();
        for name in ["from", "teacher"] {
            let Some(Values::List(list)) = space.get_mut(name) else { continue };
            for value in list {
                let known = Settings::default().with_one(name, value, path)?.with_digests()?;
                *value = known.to_table().remove(name).unwrap_or_else(|| value.clone());
            }
        }
        let (architecture, data) = (Some(config.architecture), Some(config.data));
        Ok(Spec { architecture, data, base, space, ..self })
    }
}
