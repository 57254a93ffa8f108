//! An item that was judged, with its picture.

use fashion_eval::JudgedItem;

use crate::{Error, encode, occlusion};

/// An item that was judged, with its picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<'a> {
    /// What it was taken for, with K probabilities, as far as possible those that `predict` gives.
    pub judged: JudgedItem,
    /// Its pixels, row by row: see [`MAX_SIDE`](crate::MAX_SIDE).
    pub pixels: &'a [u8],
    /// What the probability of the predicted class loses where the picture is covered, row by row (side,
    /// side), from −1 to 1, which the page shows of misclassified items; may be empty.
    pub map: Vec<f32>,
    /// The training items most like it in the eyes of the classifier, the nearest first; may be
    /// empty.
    pub neighbours: Vec<Neighbour>,
}

/// A training item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Neighbour {
    /// Where it stands in the training set, from 0.
    pub index: usize,
    /// The class that its label says.
    pub label: usize,
}

impl Item<'_> {
    /// Whether it was taken for another class than its own.
    pub fn is_wrong(&self) -> bool {
        self.judged.label != self.judged.predicted
    }

    /// Checks that it has a picture, and classes below `classes` with a probability for each; `name`
    /// is what the errors call it.
    pub(crate) fn check(&self, name: &str, classes: usize) -> Result<(), Error> {
        encode::check_pixels(self.pixels, || name.to_owned())?;
        if !self.map.is_empty() {
            occlusion::check(self.pixels, &self.map, || name.to_owned())?;
        }
        check_class(name, self.judged.label, classes)?;
        check_class(name, self.judged.predicted, classes)?;
        for neighbour in &self.neighbours {
            let name = format!("{name}, neighbour {}", neighbour.index);
            check_class(&name, neighbour.label, classes)?;
        }
        let found = self.judged.probabilities.len();
        if found != classes {
            let what = format!("{found} probabilities");
            let expected = format!("{classes}, one for each class");
            return Err(Error::Classes { item: name.to_owned(), what, expected });
        }
        Ok(())
    }
}

/// Checks that a class is one of so many.
pub(crate) fn check_class(item: &str, class: usize, classes: usize) -> Result<(), Error> {
    if class < classes {
        return Ok(());
    }
    let (what, expected) = (format!("class {class}"), format!("a class below {classes}"));
    Err(Error::Classes { item: item.to_owned(), what, expected })
}
