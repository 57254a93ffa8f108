//! Values and seeds as options have them.

use crate::args::setting;
use fashion_train::value_from_text;
use std::ops::Range;
use toml::{Table, Value};

/// A setting that varies, and its values as a file would have them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Vary {
    /// The setting's name in files.
    pub(crate) name: String,
    /// A list or a range.
    pub(crate) values: Value,
}

impl Vary {
    /// Reads `SETTING=VALUES`.
    pub(crate) fn parse(text: &str) -> Result<Vary, String> {
        let (name, values) = text
            .split_once('=')
            .ok_or("expected SETTING=VALUES, such as lr=0.1,0.01 or lr=1e-4..1e-1:log")?;
        let values = match values.split_once("..") {
            Some((from, rest)) => range(from, rest)?,
            None if values.trim().is_empty() => Value::Array(Vec::new()),
            None => Value::Array(values.split(',').map(value_from_text).collect()),
        };
        Ok(Vary { name: setting(name.trim()), values })
    }
}

fn range(from: &str, rest: &str) -> Result<Value, String> {
    let mut parts = rest.split(':');
    let to = parts.next().unwrap_or_default();
    let mut table = Table::from_iter([
        ("from".to_owned(), value_from_text(from)),
        ("to".to_owned(), value_from_text(to)),
    ]);
    for part in parts {
        let (key, value) = match part.parse::<i64>() {
            Ok(count) => ("count", count.into()),
            Err(_) if part == "log" || part == "linear" => ("scale", part.into()),
            Err(_) => {
                let problem = "after the range, expected :log, :linear, or a count such as :5";
                return Err(format!("{problem}, not :{part}"));
            }
        };
        if table.insert(key.to_owned(), value).is_some() {
            return Err(format!("the range has two of what :{part} says"));
        }
    }
    Ok(Value::Table(table))
}

/// Seeds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seeds(pub(crate) Vec<u64>);

impl Seeds {
    /// Reads a list, or how many there are from 0; `7,` is the seed 7 alone.
    pub(crate) fn parse(text: &str) -> Result<Seeds, String> {
        let expected = "expected a list such as 0,1,2, or how many from 0, such as 3";
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| expected.to_owned());
        if text.contains(',') {
            let list = text.strip_suffix(',').unwrap_or(text);
            return list.split(',').map(number).collect::<Result<_, _>>().map(Seeds);
        }
        let count: Range<u64> = 0..number(text)?;
        // More than can be is refused with the list's own message.
        Ok(Seeds(count.take(10_000).collect()))
    }
}

/// Reads a budget.
pub(crate) fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.trim().parse().ok().filter(|m: &f64| m.is_finite() && *m > 0.0);
    minutes.ok_or_else(|| "expected a number of minutes above 0, such as 30".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_a_file_has_them() {
        for (text, name, values) in [
            ("lr=1e-3,1", "learning_rate", "[0.001, 1]"),
            (
                "--batch-size=16..1024:log",
                "batch_size",
                "{ from = 16, to = 1024, scale = \"log\" }",
            ),
            ("min-lr=0..1e-4:5", "min_learning_rate", "{ from = 0, to = 0.0001, count = 5 }"),
            (
                "beta1=-1..1:3:linear",
                "beta1",
                "{ from = -1, to = 1, count = 3, scale = \"linear\" }",
            ),
            ("schedule=cosine, one-cycle", "schedule", "[\"cosine\", \"one-cycle\"]"),
            ("nesterov=true,false", "nesterov", "[true, false]"),
            ("clr=", "clr", "[]"),
        ] {
            let vary = Vary::parse(text).unwrap();
            assert_eq!((&vary.name[..], &vary.values.to_string()[..]), (name, values));
        }
        for (text, part) in [
            ("lr", "expected SETTING=VALUES"),
            ("lr=1..2:lag", "not :lag"),
            ("lr=1..2:3:4", "two of what :4 says"),
        ] {
            let error = Vary::parse(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn seeds_are_a_list_or_how_many() {
        let seeds = |text: &str| Seeds::parse(text).map(|Seeds(seeds)| seeds);
        assert_eq!(seeds("3"), Ok(vec![0, 1, 2]));
        assert_eq!(seeds("5,7"), Ok(vec![5, 7]));
        assert_eq!(seeds("7,"), Ok(vec![7]));
        assert!(seeds("a").unwrap_err().contains("0,1,2") && seeds("1,,2").is_err());
    }
}
