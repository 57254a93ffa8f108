//! Folders of PNGs, one folder for each class.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Seek};
use std::path::{Path, PathBuf};

use png::{ColorType, Decoder, Limits, Transformations};

use crate::error::InFile;
use crate::{CLASSES, Dataset, Error, NUM_CLASSES, PIXELS, SIDE};

/// Reads `CLASS/*.png` in a folder.
///
/// A class folder is named by the class or by its number: `Ankle boot`, `ankle-boot`, `ankleboot` or
/// `9`; `T-shirt` will do for `T-shirt/top`. All ten must be there. Images are 28×28 and grey, or in
/// colour with equal channels. Files are taken class by class in the order of their names, numbers
/// by value; but if all names in all classes are different numbers, the items are taken in the order
/// of those.
///
/// # Errors
///
/// [`Error::File`] with the file or folder and what is wrong with it.
pub fn read(folder: &Path) -> Result<Dataset, Error> {
    let mut items = Vec::new();
    for (label, class) in (0..).zip(class_folders(folder)?) {
        let mut files = png_files(&class)?;
        files.sort_by_cached_key(|path| sort_key(path));
        items.extend(files.into_iter().map(|path| (path, label)));
    }
    let numbered: BTreeMap<u64, usize> = (0..items.len())
        .filter_map(|index| number(&items[index].0).map(|number| (number, index)))
        .collect();
    let order: Vec<usize> = if numbered.len() == items.len() {
        numbered.into_values().collect()
    } else {
        (0..items.len()).collect()
    };
    let mut pixels = Vec::with_capacity(items.len() * PIXELS);
    let mut labels = Vec::with_capacity(items.len());
    for index in order {
        let (path, label) = &items[index];
        let file = fs::File::open(path).in_file(path)?;
        pixels.extend_from_slice(&decode(BufReader::new(file)).in_file(path)?);
        labels.push(*label);
    }
    Dataset::from_parts(pixels, labels).in_file(folder)
}

/// The ten class folders, in order.
fn class_folders(folder: &Path) -> Result<[PathBuf; NUM_CLASSES], Error> {
    let mut classes: [Option<PathBuf>; NUM_CLASSES] = Default::default();
    for entry in fs::read_dir(folder).in_file(folder)? {
        let path = entry.in_file(folder)?.path();
        let name = file_name(&path);
        if !path.is_dir() || name.starts_with('.') {
            continue;
        }
        let label = label_of(&name).ok_or_else(|| {
            let problem = format!(
                "is not the folder of a class; expected 0 to 9 or one of {}",
                CLASSES.join(", ")
            );
            Error::Layout(problem).in_file(&path)
        })?;
        if let Some(other) = classes[label].replace(path.clone()) {
            let mut found = vec![file_name(&other), name];
            found.sort();
            return Err(Error::Ambiguous { found }.in_file(folder));
        }
    }
    let missing: Vec<_> =
        (0..NUM_CLASSES).filter(|&label| classes[label].is_none()).map(|l| CLASSES[l]).collect();
    if !missing.is_empty() {
        let problem =
            format!("has no folder for {}; expected one for each class", missing.join(", "));
        return Err(Error::Layout(problem).in_file(folder));
    }
    Ok(classes.map(Option::unwrap_or_default))
}

/// The label that a folder's name stands for.
fn label_of(name: &str) -> Option<usize> {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let name = plain(name);
    if let Ok(label @ 0..NUM_CLASSES) = name.parse() {
        return Some(label);
    }
    if name == "tshirt" {
        return Some(0);
    }
    CLASSES.iter().position(|class| plain(class) == name)
}

fn png_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).in_file(folder)? {
        let path = entry.in_file(folder)?.path();
        let is_png =
            path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
        if is_png && !file_name(&path).starts_with('.') {
            files.push(path);
        }
    }
    Ok(files)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn number(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

/// Numbers by value before all other names.
fn sort_key(path: &Path) -> (u64, String) {
    (number(path).unwrap_or(u64::MAX), file_name(path))
}

/// The 784 grey levels of a 28×28 PNG, as they stand in the file.
///
/// # Errors
///
/// [`Error::Damaged`], [`Error::Shape`], or [`Error::Pixel`] if it is not grey, opaque and 8-bit.
pub fn decode(input: impl BufRead + Seek) -> Result<[u8; PIXELS], Error> {
    let damaged = |error| Error::Damaged(format!("cannot be read as a PNG: {error}"));
    let mut decoder = Decoder::new_with_limits(input, Limits { bytes: 1 << 20 });
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    let info = decoder.read_header_info().map_err(damaged)?;
    let (width, height) = (info.width as usize, info.height as usize);
    if (height, width) != (SIDE, SIDE) {
        let (what, found) = ("the image".into(), vec![height, width]);
        return Err(Error::Shape { what, found, expected: "(28, 28)" });
    }
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (color, depth) = reader.output_color_type();
    let not_grey =
        |problem: &str| Error::Pixel { what: "the image".into(), problem: problem.into() };
    if depth != png::BitDepth::Eight {
        return Err(not_grey("it has 16 bits a channel, expected 8"));
    }
    let mut samples = [0; PIXELS * 4];
    let channels = color.samples();
    reader.next_frame(&mut samples[..PIXELS * channels]).map_err(damaged)?;
    let mut pixels = [0; PIXELS];
    for (pixel, sample) in pixels.iter_mut().zip(samples.chunks_exact(channels)) {
        let (grey, alpha) = match color {
            ColorType::GrayscaleAlpha | ColorType::Rgba => sample.split_at(channels - 1),
            _ => (sample, &[255][..]),
        };
        if alpha != [255] {
            return Err(not_grey("it is partly transparent, expected opaque pixels"));
        }
        if grey.iter().any(|&level| level != grey[0]) {
            return Err(not_grey("it is in colour, expected grey"));
        }
        *pixel = grey[0];
    }
    Ok(pixels)
}
