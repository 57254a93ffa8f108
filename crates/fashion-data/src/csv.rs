//! The table in which Kaggle has Fashion-MNIST: a line for each image, `label,pixel1,...,pixel784`.
//!
//! Numbers and commas only: labels, then the pixels of a square grey image from 0 to 255, or all 0 and 1,
//! row by row. The first line may name the columns.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::dataset::is_shape;
use crate::error::InFile;
use crate::memory::Need;
use crate::pixels::stretch_binary;
use crate::reading::Raw;
use crate::{Dataset, Error, MAX_CLASSES, MAX_SIDE, Reading};

/// The longest line, in bytes: numbers of three digits for the largest image.
const MAX_LINE: usize = 4 * (1 + MAX_SIDE * MAX_SIDE);

/// Reads a table.
///
/// # Errors
///
/// [`Error::File`] with the path, the line and what is wrong there.
pub fn read(path: &Path, reading: &Reading) -> Result<Dataset, Error> {
    read_raw(path, reading.free()).and_then(|raw| reading.one(raw).in_file(path))
}

/// Refuses what takes more than `free` bytes of memory.
pub(crate) fn read_raw(path: &Path, free: Option<u64>) -> Result<Raw, Error> {
    let read = || {
        need(path)?.check(|| "reading so large a table".to_owned(), free)?;
        raw_from(BufReader::with_capacity(1 << 16, File::open(path)?), free)
    };
    read().in_file(path)
}

/// What reading a table takes at least, by its size: a level has three digits and a comma at the most.
pub(crate) fn need(path: &Path) -> Result<Need, Error> {
    Ok(Need { kept: path.metadata()?.len() / 4, passing: 0 })
}

/// Reads a table from a stream.
///
/// # Errors
///
/// [`Error::Line`], [`Error::TooLarge`], [`Error::Empty`] or [`Error::Io`].
pub fn read_from(input: impl BufRead, reading: &Reading) -> Result<Dataset, Error> {
    raw_from(input, reading.free()).and_then(|raw| reading.one(raw))
}

fn raw_from(mut input: impl BufRead, free: Option<u64>) -> Result<Raw, Error> {
    let (mut pixels, mut labels, mut side) = (Vec::new(), Vec::new(), None);
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if input.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let wrong = |problem| Error::Line { line, problem };
        if bytes.len() > MAX_LINE {
            return Err(wrong(format!("it has more than {MAX_LINE} bytes, expected {COLUMNS}")));
        }
        let mut text = bytes.trim_ascii();
        if line == 1 {
            text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        }
        if text.is_empty() {
            continue;
        }
        let side = match side {
            Some(side) => side,
            None => *side.insert(side_of(text).map_err(wrong)?),
        };
        if line == 1 && !text[0].is_ascii_digit() {
            check_names(text, side * side).map_err(wrong)?;
            continue;
        }
        let kept = (pixels.len() + side * side) as u64;
        Need { kept, passing: 0 }
            .check(|| format!("what the file holds up to line {line}"), free)?;
        read_row(text, side * side, &mut pixels, &mut labels).map_err(wrong)?;
    }
    stretch_binary(&mut pixels);
    let side = side.ok_or(Error::Empty)?;
    Ok(Raw { pixels, labels, shape: [side, 1], classes: None })
}

/// What a line must have.
const COLUMNS: &str = "a label and the pixels of a square image (785 columns for 28x28), separated by \
                       commas";

/// The side of the images, of which a line has one, after its label.
fn side_of(text: &[u8]) -> Result<usize, String> {
    let columns = text.split(|&byte| byte == b',').count();
    let side = (columns - 1).isqrt();
    match side * side == columns - 1 && is_shape(side, 1) {
        true => Ok(side),
        false => Err(format!("it has {columns} columns, expected {COLUMNS}")),
    }
}

/// Adds one image and its label.
fn read_row(
    text: &[u8],
    of_image: usize,
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u16>,
) -> Result<(), String> {
    let fields = text.split(|&byte| byte == b',').count();
    if fields != 1 + of_image {
        return Err(format!(
            "it has {fields} columns, expected {} as the lines before: {COLUMNS}",
            1 + of_image
        ));
    }
    for (column, field) in text.split(|&byte| byte == b',').enumerate() {
        let value = number(field.trim_ascii());
        match (column, value) {
            (0, Some(label)) => labels.push(label),
            (0, None) => {
                return Err(format!(
                    "the label is `{}`, expected a whole number from 0 to {MAX_CLASSES}",
                    shown(field)
                ));
            }
            (_, Some(pixel @ 0..=255)) => pixels.push(pixel as u8),
            _ => {
                return Err(format!(
                    "pixel {column} is `{}`, expected a whole number from 0 to 255",
                    shown(field)
                ));
            }
        }
    }
    Ok(())
}

/// The columns must be those of the images, row by row; pixels are counted from 1, or from 0.
fn check_names(text: &[u8], pixels: usize) -> Result<(), String> {
    let fields = || text.split(|&byte| byte == b',').map(|field| shown(field).to_lowercase());
    let named = |first: usize| {
        let pixels = (first..first + pixels).map(|pixel| format!("pixel{pixel}"));
        fields().eq(std::iter::once("label".to_owned()).chain(pixels))
    };
    if named(1) || named(0) {
        return Ok(());
    }
    let expected = |column: usize| match column {
        0 => "label".to_owned(),
        pixel => format!("pixel{pixel}"),
    };
    let odd = fields().enumerate().find(|(column, name)| *name != expected(*column));
    let (column, name) = odd.unwrap_or_default();
    Err(format!(
        "column {} is called `{name}`, expected `{}`: the columns are label, pixel1, ..., \
         pixel{pixels}",
        column + 1,
        expected(column)
    ))
}

/// A whole number up to [`MAX_CLASSES`].
fn number(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u16, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        let value = value * 10 + u16::from(digit);
        (usize::from(value) <= MAX_CLASSES).then_some(value)
    })
}

/// The beginning of a field, for a message.
fn shown(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field.trim_ascii());
    text.trim_matches('"').chars().take(20).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
