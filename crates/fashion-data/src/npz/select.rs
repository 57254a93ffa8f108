//! Which array of an archive is the images, and which the labels.

use super::header::Header;
use crate::reading::shape_of;
use crate::{Error, MAX_CLASSES, Split};

/// Names of the arrays in npz archives, where they are not to be found by the usual names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// The array of images.
    pub images: Option<String>,
    /// The array of labels.
    pub labels: Option<String>,
}

/// One array of an archive.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its position in the archive.
    pub(super) index: usize,
    /// Its name without `.npy`.
    pub(super) name: String,
    /// What is wrong with it matters only where this array is asked for.
    pub(super) header: Result<Header, String>,
}

impl Entry {
    /// The header.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] with the array's name if it cannot be read.
    pub(super) fn header(&self) -> Result<&Header, Error> {
        let problem = |problem| Error::Damaged(format!("array `{}` {problem}", self.name));
        self.header.as_ref().map_err(problem)
    }

    fn describe(&self) -> String {
        match &self.header {
            Ok(header) => format!("`{}` {}", self.name, header.describe()),
            Err(problem) => format!("`{}`, which {problem}", self.name),
        }
    }

    /// Whether it holds strings.
    pub(super) fn is_text(&self) -> bool {
        self.header.as_ref().is_ok_and(|header| header.text.is_some())
    }

    /// The number of items.
    fn items(&self) -> Option<usize> {
        self.header.as_ref().ok()?.shape.first().copied()
    }
}

const IMAGE_SHAPES: &str = "(N, side, side), (N, side * side), (N, side, side, C) or (N, C, side, side) with \
                            a side of 16 to 128 and 1 or 3 channels";
const LABEL_SHAPES: &str = "(N,), (N, 1) or, one-hot, (N, K) with K up to 1000";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Images,
    Labels,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Labels => "labels",
        }
    }

    /// Usual names, in lower case. `arr_0` and `arr_1`, which `numpy.savez` gives to arrays without
    /// a name, say nothing about what they hold.
    fn plain_names(self) -> &'static [&'static str] {
        match self {
            Self::Images => &["x", "image", "images", "pixels", "data", "features", "inputs"],
            Self::Labels => &["y", "label", "labels", "target", "targets", "classes"],
        }
    }

    /// Whether this is one of the usual names, alone or with the part it belongs to: `X`,
    /// `x_train`, `train_images`, `testLabels`.
    fn is_named(self, name: &str, split: Split) -> bool {
        let name = name.to_ascii_lowercase();
        let part = split.name();
        let bare = name
            .strip_prefix(part)
            .or_else(|| name.strip_suffix(part))
            .map_or(name.as_str(), |rest| rest.trim_matches(['_', '-']));
        self.plain_names().contains(&bare)
    }

    fn fits(self, shape: &[usize]) -> bool {
        match self {
            Self::Images => shape_of(shape).is_some(),
            Self::Labels => matches!(shape, [_] | [_, 1..=MAX_CLASSES]),
        }
    }
}

/// The images and the labels.
pub(super) fn select<'a>(
    entries: &'a [Entry],
    split: Split,
    keys: &Keys,
) -> Result<[&'a Entry; 2], Error> {
    let images = one(entries, Role::Images, &[split], keys.images.as_deref(), None)?;
    let labels = one(entries, Role::Labels, &[split], keys.labels.as_deref(), images.items())?;
    Ok([images, labels])
}

/// The images alone, whichever part they are of.
pub(super) fn images<'a>(entries: &'a [Entry], key: Option<&str>) -> Result<&'a Entry, Error> {
    one(entries, Role::Images, &Split::ALL, key, None)
}

/// The one array for a role: the one asked for, else the one with a usual name, else the only one of
/// a fitting shape and type (and, of labels, of the right number, if any has it).
fn one<'a>(
    entries: &'a [Entry],
    role: Role,
    splits: &[Split],
    key: Option<&str>,
    items: Option<usize>,
) -> Result<&'a Entry, Error> {
    let error = |problem| Error::Key {
        role: role.name(),
        problem,
        contents: entries.iter().map(Entry::describe).collect(),
    };
    if let Some(key) = key {
        return entries
            .iter()
            .find(|entry| entry.name == key)
            .ok_or_else(|| error(format!("there is no array `{key}`")));
    }
    let unique = |found: &[&'a Entry], why: &str| match found {
        [] => Ok(None),
        [entry] => Ok(Some(*entry)),
        _ => {
            let names: Vec<_> = found.iter().map(|entry| format!("`{}`", entry.name)).collect();
            let names = names.join(" and ");
            Err(error(format!("{names} could each be the {} by their {why}", role.name())))
        }
    };
    let is_named = |entry: &&Entry| {
        !entry.is_text() && splits.iter().any(|&split| role.is_named(&entry.name, split))
    };
    let named: Vec<_> = entries.iter().filter(is_named).collect();
    if let Some(entry) = unique(&named, "names")? {
        return Ok(entry);
    }
    let fitting: Vec<_> = entries
        .iter()
        .filter(|entry| {
            let header = entry.header.as_ref();
            header.is_ok_and(|header| header.element.is_some() && role.fits(&header.shape))
        })
        .collect();
    let right: Vec<_> = fitting.iter().copied().filter(|e| e.items() == items).collect();
    let candidates = if right.is_empty() { fitting } else { right };
    unique(&candidates, "shapes")?
        .ok_or_else(|| error(format!("no array can be the {}", role.name())))
}

/// Checks the shapes of the chosen arrays: side and channels of the images, and whether the channels
/// come before the rows.
pub(super) fn check_shapes(images: &Entry, labels: &Entry) -> Result<([usize; 2], bool), Error> {
    let shape = image_shape(images)?;
    let of_labels = &labels.header()?.shape;
    match Role::Labels.fits(of_labels) {
        true => Ok(shape),
        false => Err(misshapen(labels, of_labels, LABEL_SHAPES)),
    }
}

/// As [`check_shapes`], of images alone.
pub(super) fn image_shape(images: &Entry) -> Result<([usize; 2], bool), Error> {
    let shape = &images.header()?.shape;
    shape_of(shape).ok_or_else(|| misshapen(images, shape, IMAGE_SHAPES))
}

fn misshapen(entry: &Entry, found: &[usize], expected: &'static str) -> Error {
    Error::Shape { what: format!("array `{}`", entry.name), found: found.to_vec(), expected }
}

/// Checks that there is one label for each image, and an image at all.
pub(super) fn check_counts(images: &Entry, labels: &Entry) -> Result<(), Error> {
    match (images.header()?.shape[0], labels.header()?.shape[0]) {
        (0, 0) => Err(Error::Empty),
        (images, labels) if images != labels => Err(Error::Counts { images, labels }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(arrays: &[(&str, &str, &str)]) -> Vec<Entry> {
        let entry = |(index, (name, descr, shape)): (usize, &(&str, &str, &str))| {
            let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}");
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend((text.len() as u16).to_le_bytes());
            bytes.extend(text.bytes());
            let header = Header::read(&mut bytes.as_slice()).map_err(|error| error.to_string());
            Entry { index, name: (*name).into(), header }
        };
        arrays.iter().enumerate().map(entry).collect()
    }

    fn chosen(split: Split, keys: &Keys, arrays: &[(&str, &str, &str)]) -> Result<String, String> {
        let entries = entries(arrays);
        select(&entries, split, keys)
            .map(|[images, labels]| format!("{} {}", images.name, labels.name))
            .map_err(|error| error.to_string())
    }

    const IMAGES: &str = "(5, 28, 28)";
    const LABELS: &str = "(5,)";

    #[test]
    fn arrays_are_found_by_name_then_by_shape() {
        let none = Keys::default();
        for (images, labels) in [
            ("x", "y"),
            ("X", "y"),
            ("images", "labels"),
            ("x_train", "y_train"),
            ("train_images", "train_labels"),
            ("trainX", "trainY"),
            ("arr_0", "arr_1"),
            ("arr_1", "arr_0"),
            ("bilder", "klassen"),
        ] {
            let found =
                chosen(Split::Train, &none, &[(labels, "<i8", LABELS), (images, "|u1", IMAGES)]);
            assert_eq!(found.unwrap(), format!("{images} {labels}"));
        }
    }

    #[test]
    fn an_archive_of_both_parts_gives_each_its_own() {
        let keras = [
            ("x_train", "|u1", "(7, 28, 28)"),
            ("y_train", "|u1", "(7,)"),
            ("x_test", "|u1", "(5, 28, 28)"),
            ("y_test", "|u1", "(5,)"),
        ];
        let none = Keys::default();
        assert_eq!(chosen(Split::Train, &none, &keras).unwrap(), "x_train y_train");
        assert_eq!(chosen(Split::Test, &none, &keras).unwrap(), "x_test y_test");
    }

    #[test]
    fn labels_of_the_right_number_are_preferred_and_other_types_ignored() {
        let none = Keys::default();
        let arrays = [
            ("a", "<f4", IMAGES),
            ("b", "<i8", "(3,)"),
            ("c", "<i8", "(5, 1)"),
            ("d", "|S9", LABELS),
        ];
        assert_eq!(chosen(Split::Train, &none, &arrays).unwrap(), "a c");
    }

    #[test]
    fn doubt_is_an_error_that_names_the_arrays() {
        let none = Keys::default();
        let arrays = [("a", "|u1", IMAGES), ("b", "<f4", "(5, 784)"), ("y", "|u1", LABELS)];
        assert_eq!(
            chosen(Split::Train, &none, &arrays).unwrap_err(),
            "`a` and `b` could each be the images by their shapes; the archive holds \
             `a` uint8 (5, 28, 28), `b` float32 (5, 784), `y` uint8 (5,); say which is the array of \
             images"
        );
        let error = chosen(Split::Test, &none, &arrays[2..]).unwrap_err();
        assert!(error.starts_with("no array can be the images; the archive holds"), "{error}");
        let keys = Keys { images: Some("b".into()), labels: None };
        assert_eq!(chosen(Split::Train, &keys, &arrays).unwrap(), "b y");
        let keys = Keys { images: Some("a".into()), labels: Some("z".into()) };
        let error = chosen(Split::Train, &keys, &arrays).unwrap_err();
        assert!(error.starts_with("there is no array `z`; "), "{error}");
        assert!(error.ends_with("which is the array of labels"), "{error}");
    }
}
