//! `config.toml`: everything that decides a run's result, and nothing else.

use crate::error::Error;
use crate::settings::{Settings, check_keys};
use fashion_data::{Classes, Splits};
use fashion_model::Architecture;
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::{Table, Value};

/// The version of `config.toml` that this program writes and reads.
pub const SCHEMA: &str = "fashion-run/1";

/// The name of the file in a run that says where each picture was.
pub(crate) const SPLIT: &str = "split.csv";

/// What was trained, on what and how. Two runs with equal configurations give equal files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// [`SCHEMA`].
    pub schema: String,
    /// The network's name, whoever has defined it.
    pub architecture: String,
    /// The data.
    pub data: DataConfig,
    /// The settings.
    pub training: Settings,
}

/// The data of a run: what they are called, and SHA-256 of their parts in IDX form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// As every output has it: official, built-in sample, or custom.
    pub origin: String,
    /// SHA-256 of the training images.
    pub train_images: String,
    /// SHA-256 of the training labels.
    pub train_labels: String,
    /// SHA-256 of the test images.
    pub test_images: String,
    /// SHA-256 of the test labels.
    pub test_labels: String,
    /// SHA-256 of the validation images, where the data have such a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_images: Option<String>,
    /// SHA-256 of the validation labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_labels: Option<String>,
    /// The names of the classes, where they are not the garments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
}

impl DataConfig {
    /// The digests of the parts, in the order of [`Checksums::parts`](fashion_data::Checksums::parts) and
    /// [`validation_parts`](fashion_data::Checksums::validation_parts).
    pub fn sums(&self) -> [Option<&str>; 6] {
        [
            Some(&*self.train_images),
            Some(&*self.train_labels),
            Some(&*self.test_images),
            Some(&*self.test_labels),
            self.validation_images.as_deref(),
            self.validation_labels.as_deref(),
        ]
    }
}

/// A configuration that somebody has written, or the `config.toml` of a run: whatever it leaves out
/// is somebody else's to say.
///
/// ```
/// use fashion_train::{ConfigFile, Settings};
/// use std::path::Path;
///
/// let path = Path::new("train.toml");
/// let file = ConfigFile::parse("[training]\nepochs = 20\nschedule = 'cosine'", path)?;
/// assert_eq!(file.settings(&Settings::default(), path)?.epochs, 20);
/// # Ok::<(), fashion_train::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ConfigFile {
    /// [`SCHEMA`].
    pub schema: Option<String>,
    /// The network's name.
    pub architecture: Option<String>,
    /// The data.
    pub data: Option<DataConfig>,
    /// The settings, by their names.
    pub training: Table,
}

/// Refuses a file of another version than this program reads.
pub(crate) fn check_schema(found: &str, expected: &str, path: &Path) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    let problem = format!("its schema is {found:?}; expected {expected:?}");
    Err(Error::Damaged { path: path.into(), problem })
}

impl ConfigFile {
    /// Reads a file's text; `path` is for errors. The settings' names and values are looked at by
    /// [`settings`](Self::settings).
    ///
    /// # Errors
    /// [`Error::NotToml`], [`Error::UnknownKey`] with the nearest one there is, or
    /// [`Error::Damaged`] if the file is of another version.
    pub fn parse(text: &str, path: &Path) -> Result<ConfigFile, Error> {
        let not_toml =
            |e: toml::de::Error| Error::NotToml { path: path.into(), problem: e.to_string() };
        let table: Table = text.parse().map_err(not_toml)?;
        let known = ["schema", "architecture", "data", "training"];
        check_keys(&table, &known, "[training]", path)?;
        let mut file: ConfigFile = toml::from_str(text).map_err(not_toml)?;
        check_schema(file.schema.as_deref().unwrap_or(SCHEMA), SCHEMA, path)?;
        if let Some(name) = file.architecture.as_deref() {
            // Before `network` was a setting, this alone said it.
            let known = name.parse::<Architecture>().is_ok();
            let network = file.training.get("network").and_then(Value::as_str);
            if network.is_some_and(|network| known && network != name) {
                let network = network.unwrap_or_default();
                let problem = format!("its architecture is {name:?}, but its network {network:?}");
                return Err(Error::Damaged { path: path.into(), problem });
            }
            if known {
                file.training.insert("network".to_owned(), name.into());
            }
        }
        Ok(file)
    }

    /// `base`, but for the settings that the file has.
    ///
    /// # Errors
    /// As [`Settings::with`].
    pub fn settings(&self, base: &Settings, path: &Path) -> Result<Settings, Error> {
        base.with(&self.training, path)
    }
}

impl Config {
    /// A configuration for these data and settings, in which
    /// [`Validation::Auto`](crate::Validation::Auto) is what it comes to.
    pub fn new(architecture: &str, splits: &Splits, training: Settings) -> Config {
        let sums = splits.checksums.clone();
        let [validation_images, validation_labels] =
            sums.validation.map_or([None, None], |v| v.map(Some));
        let training = Settings { validation: training.validation.with(splits), ..training };
        Config {
            schema: SCHEMA.to_owned(),
            architecture: architecture.to_owned(),
            data: DataConfig {
                origin: splits.origin.to_string(),
                train_images: sums.train_images,
                train_labels: sums.train_labels,
                test_images: sums.test_images,
                test_labels: sums.test_labels,
                validation_images,
                validation_labels,
                classes: names(splits),
            },
            training,
        }
    }

    /// The file's text.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("numbers and strings are always valid TOML")
    }

    /// Reads the file's text; `path` is for errors.
    ///
    /// # Errors
    /// As [`ConfigFile::parse`], and if the text lacks anything but settings, which have defaults, or
    /// a setting is out of range.
    pub fn from_toml(text: &str, path: &Path) -> Result<Config, Error> {
        let missing = |name: &str| Error::Damaged {
            path: path.into(),
            problem: format!("{name} is missing; a run's configuration has it"),
        };
        let file = ConfigFile::parse(text, path)?;
        let config = Config {
            schema: file.schema.clone().ok_or_else(|| missing("schema"))?,
            training: file.settings(&Settings::default(), path)?,
            architecture: file.architecture.ok_or_else(|| missing("architecture"))?,
            data: file.data.ok_or_else(|| missing("[data]"))?,
        };
        config.training.check()?;
        Ok(config)
    }

    /// Makes sure that these are the data of the run in `folder`.
    ///
    /// # Errors
    /// [`Error::OtherData`] with the pictures that have come, gone or changed since, if the run has their
    /// table, `split.csv`, else with the part that differs.
    pub fn check_data(&self, splits: &Splits, folder: &Path) -> Result<(), Error> {
        let data = &self.data;
        let none = [("validation images", "none"), ("validation labels", "none")];
        let validation = splits.checksums.validation_parts().unwrap_or(none);
        let parts = splits.checksums.parts().into_iter().chain(validation);
        for ((part, found), expected) in parts.zip(data.sums()) {
            // A part that has been added since is not the run's.
            let Some(expected) = expected else { continue };
            if found != expected {
                let table = std::fs::read_to_string(folder.join(SPLIT)).ok();
                let pictures = table.and_then(|table| splits.changes_since(&table));
                let problem = pictures.map(|changes| format!("of its pictures {changes}"));
                let sums = || {
                    format!("{part} has SHA-256 {expected}, but the data given now have {found}")
                };
                let problem = problem.unwrap_or_else(sums);
                return Err(Error::OtherData { path: folder.into(), problem });
            }
        }
        let found = names(splits);
        if found != data.classes {
            let [expected, found] = [&data.classes, &found].map(|names| match &names[..] {
                [] => Classes::garments().to_string(),
                names => names.join(", "),
            });
            return Err(Error::OtherClasses { path: folder.into(), expected, found });
        }
        Ok(())
    }
}

/// The names of the classes, where they are not the garments.
fn names(splits: &Splits) -> Vec<String> {
    let classes = splits.train.classes();
    if classes.are_garments() { Vec::new() } else { classes.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_is_written_and_knows_its_data() {
        let splits = fashion_sample::generate(0);
        let config = Config::new("report-cnn", &splits, Settings::default());
        let text = config.to_toml();
        let path = Path::new("config.toml");
        assert_eq!(Config::from_toml(&text, path).unwrap(), config);
        config.check_data(&splits, path).unwrap();
        let mut other = config.clone();
        other.data.test_labels = "00".into();
        let error = other.check_data(&splits, path).unwrap_err().to_string();
        assert!(error.contains("test labels has SHA-256 00"), "{error}");
        for (from, to, part) in [
            ("fashion-run/1", "fashion-run/9", "expected \"fashion-run/1\""),
            ("\nepochs", "\nepoch", "there is no setting epoch; did you mean epochs?"),
            ("batch_size = 128", "batch_size = 0", "batch_size is 0"),
            ("[training]", "[trainings]", "there is no key trainings; did you mean training?"),
            ("[training]", "", "unknown"),
            ("architecture =", "# ", "architecture is missing"),
            ("epochs = 10", "epochs = ", "line "),
        ] {
            let error = Config::from_toml(&text.replace(from, to), path).unwrap_err().to_string();
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }
}
