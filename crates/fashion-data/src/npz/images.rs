//! The images of an archive or an array a few at a time, without labels.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::elements::{self, Part};
use super::header::{Element, Header};
use super::npy::Npy;
use super::select::{self, Entry};
use super::{Archive, channels_last, element_of};
use crate::Error;
use crate::error::InFile;
use crate::memory::{self, Need};

/// Bytes of the elements that are in memory at a time, or those of one image if that is more.
const AT_A_TIME: u64 = 1 << 20;

/// The images of an npz archive or an npy file, of which a MiB is in memory at a time: all of them
/// only where they are in Fortran order.
///
/// ```
/// use fashion_data::npz::Images;
/// use std::ops::ControlFlow;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("tiles.npy");
/// ndarray_npy::write_npy(&path, &ndarray::Array3::<f32>::ones((5, 28, 28)))?;
/// let images = Images::open(&path, None)?;
/// assert_eq!((images.len(), images.side(), images.channels()), (5, 28, 1));
/// let mut white = 0;
/// images.read(&mut |pixels| {
///     white += usize::from(pixels == [255; 28 * 28]);
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(white, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Images {
    path: PathBuf,
    /// The array, and whether it is one of an archive.
    array: Entry,
    archived: bool,
    /// Side and channels.
    shape: [usize; 2],
    channels_first: bool,
    /// Whether no element is above 1.
    unit: bool,
}

impl Images {
    /// Finds the images: of an archive, the array that is called `key` if that is given, else as
    /// [`read`](super::read) finds them, whichever part they are of.
    ///
    /// What 1 stands for, white or almost black, is told by the first element above 1, up to which the
    /// array is read.
    ///
    /// # Errors
    ///
    /// [`Error::File`] with the path and what is wrong; [`Error::Empty`] inside it where there are no
    /// images, [`Error::TooLarge`] where they would have to be in memory together, and cannot.
    pub fn open(path: &Path, key: Option<&str>) -> Result<Self, Error> {
        Self::find(path, key).in_file(path)
    }

    fn find(path: &Path, key: Option<&str>) -> Result<Self, Error> {
        let archived = !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy"));
        let array = if archived {
            let mut file = BufReader::new(File::open(path)?);
            let mut archive = Archive::open(&mut file)?;
            let entries = archive.entries()?;
            let chosen = select::images(&entries, key)?.clone();
            archive.check_size(&chosen)?;
            chosen
        } else {
            let header = Ok(Npy::open(path)?.header);
            Entry { index: 0, name: "images".to_owned(), header }
        };
        let (shape, channels_first) = select::image_shape(&array)?;
        let element = element_of(&array)?;
        let mut images =
            Self { path: path.to_owned(), array, archived, shape, channels_first, unit: false };
        if images.is_empty() {
            return Err(Error::Empty);
        }
        if images.header()?.fortran_order {
            let bytes = images.header()?.data_bytes(element.size(), "the array")?;
            let need = Need { kept: (images.len() * images.values()) as u64, passing: bytes };
            need.check(|| "reading images in Fortran order".to_owned(), memory::free())?;
        }
        let mut largest = 0.0_f64;
        images.parts(&mut |input, header, element, _| {
            largest = largest.max(elements::largest(input, header, element)?);
            Ok(if largest > 1.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        images.unit = largest <= 1.0;
        Ok(images)
    }

    /// The number of images, at least 1.
    #[must_use]
    pub fn len(&self) -> usize {
        self.array.header.as_ref().map_or(0, |header| header.shape[0])
    }

    /// Always false; here because `len` is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows of an image, and columns.
    #[must_use]
    pub fn side(&self) -> usize {
        self.shape[0]
    }

    /// Channels of an image: 1, grey, or 3, RGB.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.shape[1]
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands out the images in their order, row by row, channels last, until `each` wants no more.
    ///
    /// The checksum of an archive is compared at the end: until this has returned, images may be those of
    /// a damaged file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] with the path and what is wrong, after the images before it.
    pub fn read(&self, each: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), Error> {
        let size = self.values();
        let read = self.parts(&mut |input, header, element, first| {
            let part = Some(Part { first, unit: self.unit });
            let mut pixels = elements::levels(input, header, element, &self.array.name, part)?;
            if self.channels_first {
                channels_last(&mut pixels, self.shape);
            }
            Ok(pixels.chunks_exact(size).try_for_each(&mut *each))
        });
        read.in_file(&self.path)
    }

    /// Values of an image.
    fn values(&self) -> usize {
        self.shape[0] * self.shape[0] * self.shape[1]
    }

    fn header(&self) -> Result<&Header, Error> {
        self.array.header()
    }

    /// Hands out the elements of some images after the other, with a header of their own, and how many
    /// images come before them.
    fn parts(&self, each: Each<'_>) -> Result<(), Error> {
        if !self.archived {
            return self.parts_of(&mut Npy::open(&self.path)?.file, each);
        }
        let mut file = BufReader::with_capacity(1 << 16, File::open(&self.path)?);
        let mut archive = Archive::open(&mut file)?;
        archive.read_bytes(&self.array, |input, _| self.parts_of(input, each))
    }

    fn parts_of(&self, input: &mut dyn Read, each: Each<'_>) -> Result<(), Error> {
        let (header, element) = (self.header()?, element_of(&self.array)?);
        let all = self.len();
        let of_image = header.data_bytes(element.size(), "the array")? / all as u64;
        let count = match header.fortran_order {
            true => all,
            false => (AT_A_TIME / of_image).max(1) as usize,
        };
        for first in (0..all).step_by(count) {
            let mut part = header.clone();
            part.shape[0] = count.min(all - first);
            let bytes = of_image * part.shape[0] as u64;
            if each(&mut (&mut *input).take(bytes), &part, element, first)?.is_break() {
                return Ok(());
            }
        }
        // At the end an archive compares its checksum.
        let end = io::copy(&mut (&mut *input).take(1), &mut io::sink());
        end.map(|_| ()).map_err(|error| elements::damaged(&error))
    }
}

type Each<'a> =
    &'a mut dyn FnMut(&mut dyn Read, &Header, Element, usize) -> Result<ControlFlow<()>, Error>;
