use std::fmt;

use crate::{Checksums, Dataset, Error, Origin};

/// A whole data set: what to train on, what to test on, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splits {
    /// The training items.
    pub train: Dataset,
    /// The test items.
    pub test: Dataset,
    /// What this data is.
    pub origin: Origin,
    /// Whether the classes are taken to be the garments only because nothing says otherwise.
    pub assumed: bool,
    /// SHA-256 of the four parts, whatever files they came from.
    pub checksums: Checksums,
    /// What whoever uses the data should know of them, in sentences without a full stop: classes
    /// without training images, and what was left out when they were read.
    pub notes: Vec<String>,
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
        Ok(Self { train, test, origin, assumed: false, checksums, notes })
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
    /// The test items.
    Test,
}

impl Split {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Train, Self::Test];

    /// `train` or `test`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
