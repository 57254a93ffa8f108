use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;

use crate::reading::described;
use crate::split::hold_out_by_content;
use crate::{Checksums, Dataset, Error, HoldOut, Origin, stratified_split};

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
    /// Where each picture went, in the order of their paths, where the data were pictures; else empty.
    pub placed: Vec<Placed>,
    /// Whether the pictures were not in parts, and were split by their content when they were read.
    pub split_here: bool,
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

/// Where a picture of a data set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The picture, as seen from the folder of the data.
    pub path: PathBuf,
    /// Its label.
    pub label: u16,
    /// Its part.
    pub split: Split,
    /// Its place in the data set of its part.
    pub index: usize,
    /// The first 64 bits of the SHA-256 of its file.
    pub hash: u64,
}

impl Placed {
    /// The path with `/` between its parts.
    #[must_use]
    pub fn name(&self) -> String {
        let parts: Vec<_> = self.path.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }
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
            split_here: false,
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

    /// Holds out a share of the training items: pictures whose parts were decided here by the content of
    /// their files, so that those held out stay so whatever others come and go and copies stay together,
    /// and that share of each class on average; other items as of [`stratified_split`].
    ///
    /// Of pictures the seed and the SHA-256 of a file decide. A class all of whose pictures would be held
    /// out keeps one for training, and where none would be, one is, until others come.
    ///
    /// # Errors
    ///
    /// [`Error::Fraction`] if `fraction` is not between 0 and 1 (both excluded) or nothing could be held
    /// out.
    pub fn hold_out(&self, fraction: f64, seed: u64) -> Result<HoldOut, Error> {
        let labels = self.train.labels();
        if !self.split_here {
            return stratified_split(labels, fraction, seed);
        }
        let mut hashes = vec![0; labels.len()];
        for Placed { index, hash, .. } in self.placed.iter().filter(|p| p.split == Split::Train) {
            if let Some(of_item) = hashes.get_mut(*index) {
                *of_item = *hash;
            }
        }
        hold_out_by_content(&hashes, labels, fraction, seed)
    }

    /// The names of the pictures, as [`Placed::name`] has them, by part and index.
    #[must_use]
    pub fn names(&self) -> HashMap<(Split, usize), String> {
        self.placed.iter().map(|placed| ((placed.split, placed.index), placed.name())).collect()
    }

    /// [`placed`](Self::placed) as a table with the columns path, class, part, index and content; `None`
    /// where it is empty. Pictures held out of the training set are in the part `validation`, and keep
    /// their index in the training set; those of a validation part are then `unused`. The content is the
    /// first 16 digits of the SHA-256 of a file.
    ///
    /// ```
    /// use fashion_data::{Dataset, Placed, Split, Splits};
    /// use ndarray::{Array1, Array3};
    ///
    /// let part = |level| Dataset::of_garments(Array3::from_elem((1, 28, 28), level), Array1::zeros(1));
    /// let mut splits = Splits::new(part(1)?, part(2)?)?;
    /// assert_eq!(splits.split_csv(None), None);
    /// let path = ["T-shirt, top", "1.png"].iter().collect();
    /// splits.placed = vec![Placed { path, label: 0, split: Split::Test, index: 0, hash: 0xabc }];
    /// let expected = "path,class,part,index,content\n\
    ///                 \"T-shirt, top/1.png\",T-shirt/top,test,0,0000000000000abc\n";
    /// assert_eq!(splits.split_csv(None).as_deref(), Some(expected));
    /// # Ok::<(), fashion_data::Error>(())
    /// ```
    #[must_use]
    pub fn split_csv(&self, hold_out: Option<&HoldOut>) -> Option<String> {
        if self.placed.is_empty() {
            return None;
        }
        let held_out = hold_out.filter(|parts| parts.part == Split::Train);
        let held_out = held_out.map(|parts| &parts.held_out);
        let mut csv = "path,class,part,index,content\n".to_owned();
        for placed in &self.placed {
            let Placed { label, split, index, hash, .. } = placed;
            let is_held_out = held_out.is_some_and(|items| items.binary_search(index).is_ok());
            let split = match *split {
                Split::Train if is_held_out => Split::Validation.name(),
                Split::Validation if held_out.is_some() => "unused",
                split => split.name(),
            };
            let class = quoted(&self.train.classes()[usize::from(*label)]);
            csv += &format!("{},{class},{split},{index},{hash:016x}\n", quoted(&placed.name()));
        }
        Some(csv)
    }

    /// What has become of the pictures since [`split_csv`](Self::split_csv) gave this table, in words:
    /// how many are new, gone or changed, and the first three of each; `None` where these pictures have
    /// no table or nothing has.
    #[must_use]
    pub fn changes_since(&self, split_csv: &str) -> Option<String> {
        /// The content of each picture.
        fn rows(csv: &str) -> BTreeMap<&str, &str> {
            let rows = csv.lines().skip(1).filter_map(|line| line.rsplit_once(','));
            rows.map(|(row, content)| (path_of(row), content)).collect()
        }
        /// The first field of a row.
        fn path_of(row: &str) -> &str {
            let end = match row.starts_with('"') {
                true => row.find("\",").map(|quote| quote + 1),
                false => row.find(','),
            };
            &row[..end.unwrap_or(row.len())]
        }
        let now = self.split_csv(None)?;
        if now.lines().next() != split_csv.lines().next() {
            return None;
        }
        let (then, now) = (rows(split_csv), rows(&now));
        let of = |what: &str, paths: Vec<&&str>| {
            (!paths.is_empty()).then(|| {
                format!(
                    "{} {what}: {}",
                    paths.len(),
                    first_three(paths.iter().map(|p| p.trim_matches('"')))
                )
            })
        };
        let changes = [
            of("new", now.keys().filter(|path| !then.contains_key(**path)).collect()),
            of("gone", then.keys().filter(|path| !now.contains_key(**path)).collect()),
            of(
                "changed",
                now.iter()
                    .filter(|(path, content)| then.get(**path).is_some_and(|then| then != *content))
                    .map(|(path, _)| path)
                    .collect(),
            ),
        ];
        let changes: Vec<String> = changes.into_iter().flatten().collect();
        (!changes.is_empty()).then(|| changes.join("; "))
    }
}

/// A field of a CSV.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// The first three of some things, and whether there are more.
pub(crate) fn first_three<T: AsRef<str>>(mut things: impl Iterator<Item = T>) -> String {
    let first: Vec<T> = things.by_ref().take(3).collect();
    let first = first.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if things.next().is_some() { first + ", ..." } else { first }
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
