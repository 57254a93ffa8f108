//! Settings from a TOML table: what it names replaces what was there.

use crate::error::Error;
use crate::settings::Settings;
use std::path::Path;
use toml::{Table, Value};

impl Settings {
    /// The settings as a table.
    ///
    /// # Panics
    /// If the seed is 2⁶³ or more, which [`check`](Self::check) refuses.
    pub fn to_table(&self) -> Table {
        Table::try_from(self).expect("settings are numbers and words, and none is as large as 2^63")
    }

    /// These settings, but for those that the table names. Nothing is checked but that each exists
    /// and has a value of its kind; see [`check`](Self::check).
    ///
    /// ```
    /// use fashion_train::Settings;
    /// use std::path::Path;
    ///
    /// let table = "batch_size = 64\nschedule = 'cosine'".parse()?;
    /// let settings = Settings::default().with(&table, Path::new("train.toml"))?;
    /// assert_eq!((settings.batch_size, settings.epochs), (64, 10));
    ///
    /// let table = "learning_rat = 0.1".parse()?;
    /// let error = Settings::default().with(&table, Path::new("train.toml")).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "train.toml: there is no setting learning_rat; did you mean learning_rate?"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownKey`] with the nearest name, or [`Error::BadValue`]; `path` is where the
    /// table is from.
    pub fn with(&self, table: &Table, path: &Path) -> Result<Settings, Error> {
        let mut settings = self.clone();
        for (name, value) in table {
            settings = settings.with_one(name, value, path)?;
        }
        Ok(settings)
    }

    /// These settings, but for one.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn with_one(&self, name: &str, value: &Value, path: &Path) -> Result<Settings, Error> {
        let mut all = self.to_table();
        if !all.contains_key(name) {
            let names: Vec<&str> = Settings::all().iter().map(|setting| setting.name).collect();
            return Err(unknown_key("setting", name, &names, path));
        }
        all.insert(name.to_owned(), value.clone());
        all.try_into().map_err(|error: toml::de::Error| Error::BadValue {
            path: path.into(),
            name: name.to_owned(),
            value: value.to_string(),
            problem: error.message().trim().to_owned(),
        })
    }

    /// A value of a setting as files of this program have it: `0.1` for `"0.1"`, `1.0` for `1`.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub(crate) fn canonical(name: &str, value: &Value, path: &Path) -> Result<Value, Error> {
        let settings = Settings::default().with_one(name, value, path)?;
        Ok(settings.to_table().remove(name).unwrap_or_else(|| value.clone()))
    }
}

/// Looks for a key of a file's table that does not exist. `home` says where settings belong, for one
/// that is a setting's name.
pub(crate) fn check_keys(
    table: &Table,
    known: &[&str],
    home: &str,
    path: &Path,
) -> Result<(), Error> {
    let of_settings = |key: &&String| Settings::all().iter().any(|setting| setting.name == *key);
    match table.keys().find(|key| !known.contains(&key.as_str())).filter(of_settings) {
        Some(key) => Err(Error::UnknownKey {
            path: path.into(),
            what: "key",
            name: key.clone(),
            advice: format!("settings belong below a line {home}"),
        }),
        None => check_names("key", table, known, path),
    }
}

/// Looks for a key of a table that does not exist; `what` is what it would be.
pub(crate) fn check_names(
    what: &'static str,
    table: &Table,
    known: &[&str],
    path: &Path,
) -> Result<(), Error> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(unknown_key(what, key, known, path)),
        None => Ok(()),
    }
}

/// The error for a key that does not exist, with the one that was probably meant.
fn unknown_key(what: &'static str, name: &str, known: &[&str], path: &Path) -> Error {
    let likeness = |other: &str| strsim::jaro_winkler(name, other);
    let nearest = known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let advice = match nearest.filter(|nearest| likeness(nearest) > 0.8) {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => format!("there are {}", known.join(", ")),
    };
    Error::UnknownKey { path: path.into(), what, name: name.to_owned(), advice }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{ClassWeights, Validation};

    fn with(text: &str) -> Result<Settings, Error> {
        Settings::default().with(&text.parse().unwrap(), Path::new("train.toml"))
    }

    #[test]
    fn every_setting_is_in_the_table_and_comes_back() {
        let settings = Settings {
            target_accuracy: Some(0.99),
            class_weights: ClassWeights::Given(
                [1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.1].into(),
            ),
            validation: Validation::None,
            ..Settings::default()
        };
        for settings in [settings.clone(), Settings::default()] {
            let text = toml::to_string(&settings).unwrap();
            assert_eq!(toml::from_str::<Settings>(&text).unwrap(), settings, "{text}");
            assert_eq!(
                Settings::default().with(&settings.to_table(), Path::new("")).unwrap(),
                settings
            );
        }
        // A setting that files would leave out must not pass unseen.
        let table = settings.to_table();
        assert!(Settings::all().iter().map(|setting| setting.name).eq(table.keys()));
    }

    #[test]
    fn numbers_may_be_written_as_people_do() {
        let settings =
            with("learning_rate = 1\nvalidation = 0.2\ntarget_accuracy = 'none'").unwrap();
        assert_eq!((settings.learning_rate, settings.target_accuracy), (1.0, None));
        assert_eq!(settings.validation, Validation::Fraction(0.2));
        assert_eq!(with("validation = '0.2'").unwrap().validation, Validation::Fraction(0.2));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, expected) in [
            ("epoch = 3", "train.toml: there is no setting epoch; did you mean epochs?"),
            ("zzz = 3", "there are network, epochs, batch_size"),
            ("epochs = 'ten'", "train.toml: epochs = \"ten\": invalid type: string \"ten\""),
            ("epochs = -1", "epochs = -1: "),
            ("optimiser = 'adan'", "unknown variant `adan`, expected one of `adam`"),
            ("validation = 'most'", "expected a fraction between 0 and 1"),
        ] {
            let error = with(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        }
    }
}
