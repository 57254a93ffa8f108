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
    /// The probability of each class.
    pub(super) probabilities: Vec<usize>,
}

impl Columns {
    /// `true,p0,p1,…` in any order, `index` and `split` where they are there, and whatever else.
    pub(super) fn of(file: &str, header: &StringRecord) -> Result<Self, Error> {
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
                Ok(Self { split, index, label, probabilities })
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
