//! Which classes go into which bins.

use crate::error::Error;
use fashion_eval::Bins;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The key whose value is no list of classes, but the bin of all that are in no other one.
const DEFAULT: &str = "default";

/// Bins and their classes, many to one: a file that says so, or what it said.
///
/// In TOML a line for each bin, and one for the bin of all classes that none names:
///
/// ```
/// use fashion_train::BinRules;
///
/// let rules = BinRules::from_toml(r#"
///     shoes = ["Sandal", "Sneaker", "Ankle boot"]
///     tops = ["T-shirt/top", "Shirt", "Pullover", "Coat"]
///     default = "rest"
/// "#)?;
/// let classes = ["Shirt", "T-shirt/top", "Pullover", "Coat", "Bag", "Sandal", "Sneaker", "Ankle boot"];
/// let bins = rules.for_classes(&classes)?;
/// assert_eq!(bins.names(), ["tops", "rest", "shoes"]);
/// # Ok::<(), fashion_train::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BinRules {
    /// The file that they are from, for errors; nothing where they stand in a configuration.
    file: Option<PathBuf>,
    /// Nothing as long as the file has not been read.
    rules: Option<Rules>,
}

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rules {
    bins: Vec<(String, Vec<String>)>,
    default: Option<String>,
}

impl BinRules {
    /// Those of a file, which is read when they are needed.
    pub fn file(path: impl Into<PathBuf>) -> BinRules {
        BinRules { file: Some(path.into()), rules: None }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`Error::Bins`] if it is not TOML, or a value is neither a list of classes nor the default bin.
    pub fn from_toml(text: &str) -> Result<BinRules, Error> {
        let rules = Rules::read(text).map_err(|problem| Error::Bins { file: None, problem })?;
        Ok(BinRules { file: None, rules: Some(rules) })
    }

    /// The same with what the file says, so that it counts whatever becomes of the file.
    ///
    /// # Errors
    /// [`Error::Bins`] with the file, if it cannot be read or is none of bins.
    pub fn read(self) -> Result<BinRules, Error> {
        let (None, Some(path)) = (&self.rules, &self.file) else { return Ok(self) };
        let text = std::fs::read_to_string(path).map_err(|error| {
            format!("{error}; expected a file that says which classes go into which bin")
        });
        let rules = text.and_then(|text| Rules::read(&text)).map_err(|problem| self.wrong(problem));
        Ok(BinRules { rules: Some(rules?), ..self })
    }

    /// The bins that they make of these classes.
    ///
    /// # Errors
    /// As of [`read`](Self::read), and what [`Bins::new`] refuses.
    pub fn for_classes(&self, classes: &[impl AsRef<str>]) -> Result<Bins, Error> {
        let Rules { bins, default } = self.clone().read()?.rules.unwrap_or_default();
        let rules = bins.iter().map(|(bin, classes)| (bin, classes));
        Bins::new(rules, default.as_deref(), classes).map_err(|error| self.wrong(error.to_string()))
    }

    fn wrong(&self, problem: String) -> Error {
        Error::Bins { file: self.file.clone(), problem }
    }
}

impl Rules {
    fn read(text: &str) -> Result<Rules, String> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        Self::of(table)
    }

    fn of(table: Table) -> Result<Rules, String> {
        let mut rules = Rules::default();
        for (bin, value) in table {
            let classes = || {
                let list = value.as_array()?.iter().map(|class| class.as_str().map(str::to_owned));
                list.collect::<Option<Vec<_>>>()
            };
            if let Some(classes) = classes() {
                rules.bins.push((bin, classes));
            } else if let (true, Some(name)) = (bin == DEFAULT, value.as_str()) {
                rules.default = Some(name.to_owned());
            } else {
                let expected = match bin == DEFAULT {
                    true => "the name of the bin of all other classes, such as \"rest\"",
                    false => "a list of classes, such as [\"Shirt\", \"Coat\"]",
                };
                return Err(format!("{bin} = {value}; expected {expected}"));
            }
        }
        Ok(rules)
    }

    fn to_table(&self) -> Table {
        let list = |classes: &Vec<String>| classes.iter().cloned().map(Value::String).collect();
        let bins =
            self.bins.iter().map(|(bin, classes)| (bin.clone(), Value::Array(list(classes))));
        let default =
            self.default.iter().map(|name| (DEFAULT.to_owned(), Value::String(name.clone())));
        bins.chain(default).collect()
    }
}

/// Rules that say the same are the same, wherever they are from.
impl PartialEq for BinRules {
    fn eq(&self, other: &BinRules) -> bool {
        self.rules == other.rules && (self.rules.is_some() || self.file == other.file)
    }
}

/// The file where it is known, else the bins and how many classes each has.
impl fmt::Display for BinRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, &self.rules) {
            (Some(path), None) => path.display().fmt(f),
            (_, rules) => {
                let rules = rules.clone().unwrap_or_default();
                let of = |(bin, classes): &(String, Vec<String>)| match classes.len() {
                    1 => format!("{bin} of {}", classes[0]),
                    count => format!("{bin} of {count} classes"),
                };
                let mut parts: Vec<String> = rules.bins.iter().map(of).collect();
                parts.extend(rules.default.map(|default| format!("{default} of the others")));
                f.write_str(&parts.join(", "))
            }
        }
    }
}

/// Bins, or the word `none`.
pub(super) mod or_none {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        bins: &Option<BinRules>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match bins {
            None => serializer.serialize_str("none"),
            Some(BinRules { rules: Some(rules), .. }) => rules.to_table().serialize(serializer),
            Some(file) => serializer.collect_str(file),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<BinRules>, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "none" => Ok(None),
            Value::String(path) if !path.trim().is_empty() => {
                Ok(Some(BinRules::file(Path::new(&path))))
            }
            Value::Table(table) => {
                let rules = Rules::of(table).map_err(serde::de::Error::custom)?;
                Ok(Some(BinRules { file: None, rules: Some(rules) }))
            }
            other => Err(serde::de::Error::custom(format!(
                "expected a file of bins, a table of them or \"none\", found {other}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    #[test]
    fn a_file_is_read_once_and_is_then_in_the_settings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bins.toml");
        std::fs::write(&path, "tops = ['Shirt', 'Coat']\ndefault = 'rest'").unwrap();
        let table = toml::toml! { epochs = 3 };
        let settings = Settings::default().with(&table, &path).unwrap();
        let unread = Settings { bins: Some(BinRules::file(&path)), ..settings };
        assert_eq!(unread.to_table()["bins"].as_str(), path.to_str());
        let read = unread.clone().with_digests().unwrap();
        std::fs::remove_file(&path).unwrap();
        let text = toml::to_string(&read).unwrap();
        assert!(
            text.ends_with("[bins]\ntops = [\"Shirt\", \"Coat\"]\ndefault = \"rest\"\n"),
            "{text}"
        );
        assert_eq!(toml::from_str::<Settings>(&text).unwrap(), read);
        let bins = read.bins.unwrap();
        assert_eq!(bins.to_string(), "tops of 2 classes, rest of the others");
        let classes = ["Bag", "Shirt", "Coat"];
        assert_eq!(bins.for_classes(&classes).unwrap().of_classes(), [0, 1, 1]);
        let error = unread.with_digests().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bins.toml");
        for (text, part) in [
            ("tops = ", "line 1"),
            ("tops = 'Shirt'", "tops = \"Shirt\"; expected a list of classes"),
            ("tops = [1]", "expected a list of classes"),
            ("default = 3", "default = 3; expected the name of the bin"),
            ("tops = ['Shirt']\ntops = ['Coat']", "duplicate key"),
            ("tops = ['Skirt']\ndefault = 'rest'", "\"Skirt\", which there is not"),
            ("", "in no bin: Shirt, Coat"),
        ] {
            std::fs::write(&path, text).unwrap();
            let rules = BinRules::file(&path);
            let error = rules.for_classes(&["Shirt", "Coat"]).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("bins.toml: "), "{error} lacks {part}");
        }
        let inline = BinRules::from_toml("a = ['Shirt', 'Coat']").unwrap();
        let error = inline.for_classes(&["Shirt", "Coat"]).unwrap_err().to_string();
        assert!(error.starts_with("bins: all classes are in"), "{error}");
    }
}
