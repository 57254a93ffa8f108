use std::fmt;
use std::path::PathBuf;

use crate::reading::described;
use crate::{Checksums, Dataset, Error, Origin};

/// A whole data set: what to train on, what to test on, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splits {
    /// The training items.
    pub train: Dataset,
    /// The test items.
    pub test: Dataset,
    /// The validation items, where the data have a part of their own for that.
    pub validation: Option<Dataset>,
    /// What this data is.
    pub origin: Origin,
    /// Whether the classes are taken to be the garments only because nothing says otherwise.
    pub assumed: bool,
    /// SHA-256 of the parts, whatever files they came from.
    pub checksums: Checksums,
    /// What whoever uses the data should know of them, in sentences without a full stop: classes
    /// without training images, and what was left out when they were read.
    pub notes: Vec<String>,
    /// What looked like a picture of a class, or lay where one should, and was not read.
    pub unread: Vec<Unread>,
    /// Where each picture went, in the order of their paths, where the data were not in parts and were
    /// split when they were read; else empty.
    pub placed: Vec<Placed>,
}

/// A file that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its part; `None` where the data are not in parts.
    pub split: Option<Split>,
    /// The file.
    pub path: PathBuf,
    /// Why it was not read.
    pub problem: String,
}

/// Where a picture went when data were split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The picture, as seen from the folder of the data.
    pub path: PathBuf,
    /// Its label.
    pub label: u16,
    /// Its part.
    pub split: Split,
}

impl Splits {
    /// Puts two parts together and tells by their checksums what they are.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if one of the four parts is MNIST's.
    pub fn new(train: Dataset, test: Dataset) -> Result<Self, Error> {
        let checksums = Checksums::new(&train, &test);
        let origin = checksums.origin()?;
        let notes = absent_classes(&train).into_iter().chain(nearly_black(&train, &test)).collect();
        Ok(Self {
            train,
            test,
            validation: None,
            origin,
            assumed: false,
            checksums,
            notes,
            unread: Vec::new(),
            placed: Vec::new(),
        })
    }

    /// The same with a part to validate on, of the same classes and image shape.
    ///
    /// # Errors
    ///
    /// [`Error::Parts`] if its classes or shape are others, [`Error::Refused`] if it is MNIST's.
    pub fn with_validation(mut self, validation: Dataset) -> Result<Self, Error> {
        let shape = |part: &Dataset| described([part.side(), part.channels()]);
        let (own, other) = (shape(&self.train), shape(&validation));
        if own != other {
            let problem = format!("images of {own} in one part, of {other} in another");
            return Err(Error::Parts { problem });
        }
        if self.train.classes() != validation.classes() {
            let (own, other) = (self.train.classes(), validation.classes());
            let problem = format!("the classes {own} in one part, {other} in another");
            return Err(Error::Parts { problem });
        }
        self.checksums = self.checksums.with_validation(&validation)?;
        self.validation = Some(validation);
        Ok(self)
    }

    /// A part, if there is such a one.
    #[must_use]
    pub fn part(&self, split: Split) -> Option<&Dataset> {
        match split {
            Split::Train => Some(&self.train),
            Split::Validation => self.validation.as_ref(),
            Split::Test => Some(&self.test),
        }
    }

    /// The parts that there are, in order.
    pub fn parts(&self) -> impl Iterator<Item = (Split, &Dataset)> {
        Split::ALL.into_iter().filter_map(|split| Some((split, self.part(split)?)))
    }

    /// [`placed`](Self::placed) as a table with the columns path, class and part; `None` where it is
    /// empty. Parts of a path are separated by `/`.
    ///
    /// ```
    /// use fashion_data::{Dataset, Placed, Split, Splits};
    /// use ndarray::{Array1, Array3};
    ///
    /// let part = |level| Dataset::of_garments(Array3::from_elem((1, 28, 28), level), Array1::zeros(1));
    /// let mut splits = Splits::new(part(1)?, part(2)?)?;
    /// assert_eq!(splits.split_csv(), None);
    /// let path = ["T-shirt, top", "1.png"].iter().collect();
    /// splits.placed = vec![Placed { path, label: 0, split: Split::Test }];
    /// let expected = "path,class,part\n\"T-shirt, top/1.png\",T-shirt/top,test\n";
    /// assert_eq!(splits.split_csv().as_deref(), Some(expected));
    /// # Ok::<(), fashion_data::Error>(())
    /// ```
    #[must_use]
    pub fn split_csv(&self) -> Option<String> {
        if self.placed.is_empty() {
            return None;
        }
        let quoted = |text: &str| match text.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.to_owned(),
        };
        let mut csv = "path,class,part\n".to_owned();
        for Placed { path, label, split } in &self.placed {
            let path: Vec<_> = path.iter().map(|name| name.to_string_lossy()).collect();
            let class = quoted(&self.train.classes()[usize::from(*label)]);
            csv += &format!("{},{class},{split}\n", quoted(&path.join("/")));
        }
        Some(csv)
    }
}

/// What there is to say of thresholded images whose white is the darkest grey, as pictures may be.
fn nearly_black(train: &Dataset, test: &Dataset) -> Option<String> {
    let most = [train, test].map(|part| part.all_pixels().iter().max().copied());
    (most.into_iter().flatten().max() == Some(1)).then(|| {
        "no pixel of the images is above 1, of 255: they are nearly black; if they are black and white, \
         write 255 for white"
            .to_owned()
    })
}

/// What there is to say where classes have no training images.
fn absent_classes(train: &Dataset) -> Option<String> {
    let classes = train.classes().iter().zip(train.class_counts());
    let absent: Vec<_> =
        classes.filter(|&(_, count)| count == 0).map(|(class, _)| class.as_str()).collect();
    (!absent.is_empty()).then(|| {
        format!("there is no training image of {}, which cannot be learned", absent.join(", "))
    })
}

/// Which part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// The training items.
    Train,
    /// Items to choose by, which are neither trained on nor tested on.
    Validation,
    /// The test items.
    Test,
}

impl Split {
    /// All, in order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// Those that every data set has, in order.
    pub(crate) const ALWAYS: [Self; 2] = [Self::Train, Self::Test];

    /// `train`, `validation` or `test`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
