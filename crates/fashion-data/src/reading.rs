//! From what files hold to data sets: what the labels stand for.

use crate::dataset::is_shape;
use crate::picture::Limits;
use crate::prepare::Prepare;
use crate::{Classes, Dataset, Error, Keys, MAX_CLASSES, memory};

/// How files are to be read where they do not say it themselves.
///
/// ```
/// use fashion_data::{Classes, Reading};
/// let bins = Classes::new(["reuse", "recycle", "waste"])?;
/// let reading = Reading { classes: Some(bins), ..Reading::default() };
/// assert_eq!(reading.keys, Default::default());
/// # Ok::<(), fashion_data::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Names of the arrays of npz archives.
    pub keys: Keys,
    /// The names of the classes, instead of those that the data have.
    pub classes: Option<Classes>,
    /// The label of the first class, 0 or 1, where it cannot be told by the labels.
    pub labels_from: Option<u16>,
    /// How pictures in folders are prepared; where they are not, all must be of one size.
    pub prepare: Option<Prepare>,
    /// The most memory that reading may take, in bytes, instead of [what is free](memory::free).
    pub memory: Option<u64>,
    /// The most that is read of one picture.
    pub limits: Limits,
}

/// Images and labels as a file has them.
#[derive(Debug)]
pub(crate) struct Raw {
    /// One image after the other, row by row, channels last.
    pub(crate) pixels: Vec<u8>,
    pub(crate) labels: Vec<u16>,
    /// Side and channels.
    pub(crate) shape: [usize; 2],
    /// The names of the classes, if the file has them.
    pub(crate) classes: Option<Classes>,
}

/// What became of the labels.
#[derive(Debug)]
pub(crate) struct Named {
    /// A data set of each part, all of the same classes and shape.
    pub(crate) parts: Vec<Dataset>,
    /// Whether the classes are garments because nothing says otherwise.
    pub(crate) assumed: bool,
    /// What whoever uses the data should know.
    pub(crate) notes: Vec<String>,
}

impl Reading {
    /// The most memory that reading may take now, if that is known.
    pub(crate) fn free(&self) -> Option<u64> {
        self.memory.or_else(memory::free)
    }

    /// The data set of a file that stands alone.
    pub(crate) fn one(&self, raw: Raw) -> Result<Dataset, Error> {
        self.name(vec![raw])?.parts.pop().ok_or(Error::Empty)
    }

    /// Finds out what the labels of all parts of a data set stand for.
    ///
    /// Labels count from 0. Those that are 1 to K where there are K names count from 1. Without names, a
    /// data set whose labels never are 0 is refused: it may count from 1, or lack a class.
    pub(crate) fn name(&self, mut parts: Vec<Raw>) -> Result<Named, Error> {
        let shape = parts.first().ok_or(Error::Empty)?.shape;
        if let Some(other) = parts.iter().find(|part| part.shape != shape) {
            return Err(Error::Parts {
                problem: format!(
                    "images of {} in one part, of {} in another",
                    described(shape),
                    described(other.shape)
                ),
            });
        }
        let mut own = parts.iter_mut().filter_map(|part| part.classes.take());
        let first = own.next();
        if let (Some(first), Some(other)) =
            (&first, own.find(|other| Some(other) != first.as_ref()))
        {
            let problem = format!("the classes {first} in one part, {other} in another");
            return Err(Error::Parts { problem });
        }
        let named = self.classes.clone().or(first);
        let labels = || parts.iter().flat_map(|part| part.labels.iter().map(|&l| usize::from(l)));
        let (least, most) = (labels().min().ok_or(Error::Empty)?, labels().max().unwrap_or(0));
        let mut notes = Vec::new();
        let from = match (self.labels_from, &named) {
            (Some(from), _) => usize::from(from),
            (None, Some(names)) if least >= 1 && most == names.len() => {
                notes.push(format!(
                    "the labels are 1 to {most}: they are taken to count from 1, so that 1 is {}",
                    names[0]
                ));
                1
            }
            (None, None) if least >= 1 => return Err(Error::LabelsFrom { least, most }),
            _ => 0,
        };
        if least < from {
            return Err(Error::LabelsBelow { from, least });
        }
        let count = most + 1 - from;
        let assumed = named.is_none() && count == 10 && shape == [28, 1];
        let classes = match named {
            Some(names) => names,
            None if assumed => Classes::garments(),
            None if (2..=MAX_CLASSES).contains(&count) => Classes::numbered(count),
            None => {
                let problem = format!("the labels are of {count}, expected 2 to {MAX_CLASSES}");
                return Err(Error::Classes { problem });
            }
        };
        let dataset = |Raw { pixels, mut labels, .. }| {
            labels.iter_mut().for_each(|label| *label -= from as u16);
            Dataset::from_parts(pixels, labels, shape, classes.clone())
        };
        let parts = parts.into_iter().map(dataset).collect::<Result<_, _>>()?;
        Ok(Named { parts, assumed, notes })
    }
}

/// Side and channels in words.
pub(crate) fn described([side, channels]: [usize; 2]) -> String {
    format!("{side}x{side} pixels, {}", if channels == 1 { "grey" } else { "in colour" })
}

/// Side and channels of images in an array of this shape, and whether its channels come before its rows.
pub(crate) fn shape_of(shape: &[usize]) -> Option<([usize; 2], bool)> {
    let ([height, width, channels], first) = match *shape {
        [_, values] if values.isqrt().pow(2) == values => {
            ([values.isqrt(), values.isqrt(), 1], false)
        }
        [_, height, width] => ([height, width, 1], false),
        [_, channels @ (1 | 3), height, width] => ([height, width, channels], true),
        [_, height, width, channels] => ([height, width, channels], false),
        _ => return None,
    };
    (height == width && is_shape(height, channels)).then_some(([height, channels], first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(labels: &[u16], shape: [usize; 2], classes: Option<&[&str]>) -> Raw {
        let [side, channels] = shape;
        Raw {
            pixels: vec![0; labels.len() * side * side * channels],
            labels: labels.to_vec(),
            shape,
            classes: classes.map(|names| Classes::new(names.iter().copied()).unwrap()),
        }
    }

    fn grey(labels: &[u16]) -> Raw {
        raw(labels, [28, 1], None)
    }

    fn said(error: Result<Named, Error>) -> String {
        error.unwrap_err().to_string()
    }

    #[test]
    fn ten_labels_of_grey_tiles_are_garments_and_others_their_numbers() {
        let reading = Reading::default();
        let named = reading.name(vec![grey(&[0, 9]), grey(&[3])]).unwrap();
        assert!(named.assumed && named.notes.is_empty());
        assert!(named.parts.iter().all(|part| part.classes().are_garments()));
        for raw in [raw(&[0, 9], [28, 3], None), raw(&[0, 9], [64, 1], None)] {
            let named = reading.name(vec![raw]).unwrap();
            assert!(!named.assumed);
            assert_eq!(*named.parts[0].classes(), Classes::numbered(10));
        }
        assert_eq!(reading.one(grey(&[0, 46])).unwrap().classes().len(), 47);
    }

    #[test]
    fn labels_that_count_from_one_are_told_from_those_that_lack_a_class() {
        let reading = Reading::default();
        let error = said(reading.name(vec![grey(&[1, 9])]));
        assert!(error.contains("no label is 0: they are 1 to 9"), "{error}");
        let one = Reading { labels_from: Some(1), ..Reading::default() };
        let dataset = one.one(grey(&[1, 3])).unwrap();
        assert_eq!((dataset.labels(), dataset.classes().len()), (&[0, 2][..], 3));
        assert_eq!(
            said(one.name(vec![grey(&[0, 3])])),
            "a label is 0, but they are to count from 1"
        );
        let zero = Reading { labels_from: Some(0), ..Reading::default() };
        assert_eq!(zero.one(grey(&[1, 3])).unwrap().labels(), [1, 3]);

        let names = Some(&["a", "b", "c"][..]);
        let named = reading.name(vec![raw(&[1, 3], [28, 1], names)]).unwrap();
        assert_eq!(named.parts[0].labels(), [0, 2]);
        assert_eq!(
            named.notes,
            ["the labels are 1 to 3: they are taken to count from 1, so that 1 is a"]
        );
        let kept = reading.one(raw(&[1, 2], [28, 1], names)).unwrap();
        assert_eq!(kept.labels(), [1, 2]);
        let error = said(reading.name(vec![raw(&[0, 3], [28, 1], names)]));
        assert_eq!(error, "label 1 is 3, expected a whole number from 0 to 2");
    }

    #[test]
    fn parts_that_differ_are_refused() {
        let reading = Reading::default();
        let error = said(reading.name(vec![grey(&[0, 1]), raw(&[0], [32, 3], None)]));
        assert!(
            error.contains("28x28 pixels, grey in one part, of 32x32 pixels, in colour"),
            "{error}"
        );
        let (a, b) = (Some(&["a", "b"][..]), Some(&["b", "a"][..]));
        let error = said(reading.name(vec![raw(&[0], [28, 1], a), raw(&[0], [28, 1], b)]));
        assert!(error.contains("the classes a, b in one part, b, a in another"), "{error}");
        assert!(reading.name(vec![grey(&[0, 0])]).is_err());
        assert!(reading.name(vec![grey(&[])]).is_err());
    }

    #[test]
    fn images_are_found_in_every_usual_order() {
        for (shape, found) in [
            (&[5, 784][..], Some(([28, 1], false))),
            (&[5, 28, 28], Some(([28, 1], false))),
            (&[5, 28, 28, 1], Some(([28, 1], false))),
            (&[5, 1, 28, 28], Some(([28, 1], true))),
            (&[5, 64, 64, 3], Some(([64, 3], false))),
            (&[5, 3, 64, 64], Some(([64, 3], true))),
            (&[5, 785], None),
            (&[5, 15, 15], None),
            (&[5, 129, 129], None),
            (&[5, 28, 27], None),
            (&[5, 28, 28, 2], None),
            (&[5, 28, 28, 4], None),
            (&[5, 3, 28, 27], None),
            (&[5], None),
            (&[5, 1, 1, 28, 28], None),
            (&[5, usize::MAX, usize::MAX, 3], None),
            (&[5, usize::MAX], None),
        ] {
            assert_eq!(shape_of(shape), found, "{shape:?}");
        }
    }
}
