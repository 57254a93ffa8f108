//! Where the columns of a file stand.

use csv::StringRecord;

use crate::{Error, MAX_CLASSES};

/// Characters of a file that an error repeats.
const EXCERPT: usize = 60;

/// Positions of the columns in a line.
pub(super) struct Columns {
    pub(super) split: Option<usize>,
    pub(super) index: Option<usize>,
    pub(super) label: usize,
    /// The predicted class, only where it must be the most probable one.
    pub(super) predicted: Option<usize>,
    /// The probability of each class.
    pub(super) probabilities: Vec<usize>,
}

impl Columns {
    /// Exactly `split,index,true,predicted,p0,…`.
    pub(super) fn of_a_run(file: &str, header: &StringRecord) -> Result<Self, Error> {
        let fixed = ["split", "index", "true", "predicted"];
        let classes = header.len().saturating_sub(fixed.len());
        let fits = header.iter().take(fixed.len()).eq(fixed)
            && header.iter().skip(fixed.len()).enumerate().all(|(k, name)| is_class(name, k));
        if !fits || !(2..=MAX_CLASSES).contains(&classes) {
            let expected = "split,index,true,predicted,p0,p1,… as a run writes them";
            return Err(misfit(file, header, expected.to_owned()));
        }
        Ok(Self {
            split: Some(0),
            index: Some(1),
            label: 2,
            predicted: Some(3),
            probabilities: (fixed.len()..header.len()).collect(),
        })
    }

    /// `true,p0,p1,…` in any order, `index` and `split` where they are there, and whatever else.
    pub(super) fn of_any(file: &str, header: &StringRecord) -> Result<Self, Error> {
        let mut found = [None; 3];
        let mut probabilities = Vec::new();
        for (position, name) in header.iter().enumerate() {
            let place = match (name, class_number(name)) {
                ("split", _) => &mut found[0],
                ("index", _) => &mut found[1],
                ("true", _) => &mut found[2],
                (_, Some(class)) if class >= MAX_CLASSES => {
                    return Err(misfit(file, header, format!("at most {MAX_CLASSES} classes")));
                }
                (_, Some(class)) => {
                    if class >= probabilities.len() {
                        probabilities.resize(class + 1, None);
                    }
                    &mut probabilities[class]
                }
                _ => continue,
            };
            if place.replace(position).is_some() {
                return Err(misfit(file, header, format!("the column {name} only once")));
            }
        }
        let [split, index, label] = found;
        let needed = "true and p0,p1,… to the last class, in any order; rename the columns";
        let label = label.ok_or_else(|| misfit(file, header, needed.to_owned()))?;
        let classes = probabilities.len();
        let probabilities: Option<Vec<_>> = probabilities.into_iter().collect();
        match probabilities {
            Some(probabilities) if (2..=MAX_CLASSES).contains(&classes) => {
                Ok(Self { split, index, label, predicted: None, probabilities })
            }
            _ => Err(misfit(file, header, needed.to_owned())),
        }
    }
}

/// The class of a column named `p` and a number without leading zeros.
fn class_number(name: &str) -> Option<usize> {
    let class = name.strip_prefix('p')?.parse().ok()?;
    is_class(name, class).then_some(class)
}

fn is_class(name: &str, class: usize) -> bool {
    name.strip_prefix('p').is_some_and(|number| number == class.to_string())
}

fn misfit(file: &str, header: &StringRecord, expected: String) -> Error {
    let found = header.iter().collect::<Vec<_>>().join(",");
    Error::Columns { file: file.to_owned(), found: excerpt(&found), expected }
}

/// The start of a text, for an error.
pub(super) fn excerpt(text: &str) -> String {
    if text.chars().count() <= EXCERPT {
        return text.to_owned();
    }
    text.chars().take(EXCERPT).chain(std::iter::once('…')).collect()
}
