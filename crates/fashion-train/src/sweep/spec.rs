//! What a sweep tries: the file `sweep.toml`.

use super::shard::Shard;
use super::space::{RECIPE, Space, Values, bad, of_one, recipe};
use crate::config::{Config, DataConfig, check_schema};
use crate::error::Error;
use crate::recipe::Recipe;
use crate::settings::{Settings, check_keys, check_names};
use fashion_data::Splits;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use toml::{Table, Value};

/// The version of `sweep.toml` that this program writes and reads.
pub const SCHEMA: &str = "fashion-sweep/1";

/// The points that are drawn where nobody says how many.
pub(super) const DEFAULT_SAMPLES: usize = 20;

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
    /// How many points are drawn, if they are: 20 where this is `None`, or, where a budget ends what ASHA
    /// draws, at most 1,000.
    pub samples: Option<usize>,
    /// Decides which.
    pub search_seed: u64,
    /// Minutes of work, of all sittings together, after which no run is begun. Whatever runs then stops at
    /// the end of its epoch, and is kept. It decides how many points are tried, and nothing of any run.
    pub budget_minutes: Option<f64>,
    /// The data, once they are known.
    pub data: Option<DataConfig>,
    /// When successive halving prunes, and ASHA promotes.
    pub halving: HalvingSpec,
    /// The settings that all points share. Those that vary count for nothing here, nor does the seed.
    #[serde(skip)]
    pub base: Settings,
    /// Which of them were [set](Self::set) one by one, and so win over a recipe.
    #[serde(skip)]
    pub named: BTreeSet<String>,
    /// The settings that vary, and `recipe`, where recipes do.
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
    /// Combinations drawn by chance, one after the other, of which the better are promoted as soon as they
    /// are known to be: asynchronous successive halving (Li et al., 2020).
    Asha,
}

/// When successive halving prunes or ASHA promotes, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HalvingSpec {
    /// Epochs after which points are compared first.
    pub min_epochs: usize,
    /// One point of so many goes on then, to so many times the epochs.
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
            samples: None,
            search_seed: 0,
            budget_minutes: None,
            data: None,
            halving: HalvingSpec::default(),
            base: Settings::default(),
            named: BTreeSet::new(),
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
    recipe: Option<Value>,
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
            "recipe",
            "architecture",
            "data",
            "method",
            "seeds",
            "samples",
            "search_seed",
            "budget_minutes",
            "halving",
            "base",
            "space",
        ];
        check_keys(&table, &known, "[base], or [space] if they vary", path)?;
        if let Some(Value::Table(halving)) = table.get("halving") {
            check_names("key of [halving]", halving, &["min_epochs", "factor"], path)?;
        }
        let mut spec: Spec = toml::from_str(text).map_err(not_toml)?;
        let Rest { schema, recipe: held, base, space } = toml::from_str(text).map_err(not_toml)?;
        check_schema(schema.as_deref().unwrap_or(SCHEMA), SCHEMA, path)?;
        for (name, values) in space {
            let values = Values::read(&name, &values, path)?;
            spec.space.insert(name, values);
        }
        if let Some(held) = held {
            if spec.space.contains_key(RECIPE) {
                let problem = "it is in [space] too; leave it out of one of them";
                return Err(bad(path, RECIPE, held, problem));
            }
            spec.base = of_one(recipe(&held, path)?);
        }
        if let Some(misplaced) = base.get(RECIPE) {
            let problem = "it belongs at the top of the file, or into [space] if it varies";
            return Err(bad(path, RECIPE, misplaced.clone(), problem));
        }
        spec.set(&base, path)?;
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

    /// Sets settings of the base; `path` is where they are from.
    ///
    /// # Errors
    /// As [`Settings::with`].
    pub fn set(&mut self, settings: &Table, path: &Path) -> Result<(), Error> {
        self.base = self.base.with(settings, path)?;
        self.named.extend(settings.keys().cloned());
        Ok(())
    }

    /// The same on a recipe, of which one network is trained, but for what was [set](Self::set).
    ///
    /// # Errors
    /// As [`Settings::with`].
    pub fn over(self, recipe: Recipe) -> Result<Spec, Error> {
        let base = of_one(recipe).with(&self.named(), recipe.name.as_ref())?;
        Ok(Spec { base, ..self })
    }

    /// What was set of the base.
    pub(super) fn named(&self) -> Table {
        let mut named = self.base.to_table();
        named.retain(|name, _| self.named.contains(name));
        named
    }

    /// Whether a setting may differ from point to point.
    pub fn varies(&self, setting: &str) -> bool {
        let by_recipe = self.space.contains_key(RECIPE) && !self.named.contains(setting);
        by_recipe || self.space.contains_key(setting)
    }

    /// Whether the base does not say what a setting is.
    fn is_open(&self, setting: &str) -> bool {
        setting == "seed" || self.varies(setting)
    }

    /// Whether nothing but a budget ends the drawing of points.
    pub fn is_open_ended(&self) -> bool {
        self.method == Method::Asha && self.budget_minutes.is_some() && self.samples.is_none()
    }

    /// Whether runs that wait to be continued are results, too: they may wait for ever.
    pub(super) fn has_paused(&self) -> bool {
        self.method == Method::Asha || self.budget_minutes.is_some()
    }

    /// Whether points are compared on the way.
    fn has_rungs(&self) -> bool {
        matches!(self.method, Method::Halving | Method::Asha)
    }

    /// After how many epochs points are compared, in order, where the longest run has `longest`. None in
    /// grids and random search.
    pub(super) fn rungs(&self, longest: usize) -> Vec<usize> {
        let HalvingSpec { min_epochs, factor } = self.halving;
        let first = self.has_rungs().then_some(min_epochs);
        let rungs = std::iter::successors(first, |rung| rung.checked_mul(factor));
        rungs.take_while(|rung| *rung < longest).collect()
    }

    /// Makes sure that a part of the sweep can be done alone.
    ///
    /// # Errors
    /// [`Error::Setting`] for a part of a sweep with ASHA, or with a budget.
    pub fn check_shard(&self, shard: Shard) -> Result<(), Error> {
        let expected = match (shard, self.method, self.budget_minutes) {
            (Shard::WHOLE, ..) => return Ok(()),
            (_, Method::Asha, _) => {
                "no shards with the method asha, which decides by all results as they come; halving \
                 has shards"
            }
            (.., Some(_)) => {
                "no shards of a sweep with a budget, which is of one process's time; leave one of them \
                 out"
            }
            _ => return Ok(()),
        };
        Err(Error::Setting { name: "shard", value: shard.to_string(), expected })
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
        if let Some(minutes) = self.budget_minutes.filter(|m| !(m.is_finite() && *m > 0.0)) {
            let problem = "expected a number of minutes above 0, such as 30";
            return refuse("budget_minutes", minutes.into(), problem);
        }
        let factor = self.halving.factor;
        if self.has_rungs() && factor < 2 {
            refuse("halving.factor", integer(factor as u64), "expected at least 2")
        } else if self.method == Method::Halving && self.varies("epochs") {
            let problem =
                "halving gives each point the epochs that it deserves; set them in [base]";
            refuse("epochs", "in [space]".into(), problem)
        } else {
            Ok(())
        }
    }

    /// Checks that points can be compared before the longest run has ended.
    pub(super) fn check_rungs(&self, longest: usize, path: &Path) -> Result<(), Error> {
        let min_epochs = self.halving.min_epochs;
        if !self.has_rungs() || (1..longest).contains(&min_epochs) {
            return Ok(());
        }
        let problem = format!("expected 1 or more, and fewer than epochs, {longest}");
        Err(bad(path, "halving.min_epochs", min_epochs as i64, &problem))
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
        for name in ["from", "teacher", "bins"] {
            let Some(Values::List(list)) = space.get_mut(name) else { continue };
            for value in list {
                let known = Settings::default().with_one(name, value, path)?.with_digests()?;
                *value = known.to_table().remove(name).unwrap_or_else(|| value.clone());
            }
        }
        let samples = self.samples.or_else(|| (!self.is_open_ended()).then_some(DEFAULT_SAMPLES));
        let (architecture, data) = (Some(config.architecture), Some(config.data));
        Ok(Spec { architecture, data, samples, base, space, ..self })
    }
}
