//! The table in which Kaggle has Fashion-MNIST: a line for each image, `label,pixel1,...,pixel784`.
//!
//! Numbers and commas only: labels from 0 to 9, pixels from 0 to 255, or all 0 and 1, row by row. The
//! first line may name the columns.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::error::InFile;
use crate::pixels::stretch_binary;
use crate::{Dataset, Error, MAX_ARRAY_BYTES, NUM_CLASSES, PIXELS};

/// The label and the pixels.
const COLUMNS: usize = 1 + PIXELS;

/// The longest line, in bytes; 785 numbers of three digits take 3,140.
const MAX_LINE: usize = 1 << 16;

/// Reads a table.
///
/// # Errors
///
/// [`Error::File`] with the path, the line and what is wrong there.
pub fn read(path: &Path) -> Result<Dataset, Error> {
    File::open(path)
        .map_err(Error::from)
        .and_then(|file| read_from(BufReader::with_capacity(1 << 16, file)))
        .in_file(path)
}

/// Reads a table from a stream.
///
/// # Errors
///
/// [`Error::Line`], [`Error::TooLarge`], [`Error::Empty`] or [`Error::Io`].
pub fn read_from(mut input: impl BufRead) -> Result<Dataset, Error> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if input.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let wrong = |problem| Error::Line { line, problem };
        if bytes.len() > MAX_LINE {
            return Err(wrong(format!(
                "it has more than {MAX_LINE} bytes, expected {COLUMNS} numbers"
            )));
        }
        let mut text = bytes.trim_ascii();
        if line == 1 {
            text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
            if !text.first().is_none_or(u8::is_ascii_digit) {
                check_names(text).map_err(wrong)?;
                continue;
            }
        }
        if text.is_empty() {
            continue;
        }
        if pixels.len() as u64 + PIXELS as u64 > MAX_ARRAY_BYTES {
            let bytes = pixels.len() as u64 + PIXELS as u64;
            let what = "what the file holds".into();
            return Err(Error::TooLarge { what, bytes, limit: MAX_ARRAY_BYTES });
        }
        read_row(text, &mut pixels, &mut labels).map_err(wrong)?;
    }
    stretch_binary(&mut pixels);
    Dataset::from_parts(pixels, labels)
}

/// Adds one image and its label.
fn read_row(text: &[u8], pixels: &mut Vec<u8>, labels: &mut Vec<u8>) -> Result<(), String> {
    let fields = text.split(|&byte| byte == b',').count();
    if fields != COLUMNS {
        return Err(format!(
            "it has {fields} columns, expected {COLUMNS}: a label and {PIXELS} pixels, separated by \
             commas"
        ));
    }
    for (column, field) in text.split(|&byte| byte == b',').enumerate() {
        let value = number(field.trim_ascii());
        match (column, value) {
            (0, Some(label)) if usize::from(label) < NUM_CLASSES => labels.push(label),
            (0, _) => {
                return Err(format!(
                    "the label is `{}`, expected a whole number from 0 to 9",
                    shown(field)
                ));
            }
            (_, Some(pixel)) => pixels.push(pixel),
            (_, None) => {
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
fn check_names(text: &[u8]) -> Result<(), String> {
    let fields = || text.split(|&byte| byte == b',').map(|field| shown(field).to_lowercase());
    let named = |first: usize| {
        let pixels = (first..first + PIXELS).map(|pixel| format!("pixel{pixel}"));
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
    Err(match odd {
        Some((column, name)) if column < COLUMNS => format!(
            "column {} is called `{name}`, expected `{}`: the columns are label, pixel1, ..., \
             pixel{PIXELS}",
            column + 1,
            expected(column)
        ),
        _ => format!(
            "it has {} columns, expected {COLUMNS}: label, pixel1, ..., pixel{PIXELS}",
            fields().count()
        ),
    })
}

/// A number of one to three digits, up to 255.
fn number(digits: &[u8]) -> Option<u8> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u8, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The beginning of a field, for a message.
fn shown(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field.trim_ascii());
    text.trim_matches('"').chars().take(20).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
