//! Named `f32` tensors in a safetensors file, the same bytes for the same content.

use crate::error::Error;
use fashion_data::files::write_atomically;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// The most that is read of a file, in bytes.
pub const MAX_BYTES: u64 = 1 << 30;

/// What a file says about itself: strings by name.
pub type Metadata = BTreeMap<String, String>;

/// A tensor: its shape, and its values row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Sizes of the axes.
    pub shape: Vec<usize>,
    /// As many as the product of the sizes.
    pub values: Vec<f32>,
}

impl NamedTensor {
    /// The values as in a file: four bytes each, the least significant first.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }
}

/// Tensors by name.
pub type Tensors = BTreeMap<String, NamedTensor>;

/// The bytes of a safetensors file.
///
/// # Errors
/// [`Error::NotFinite`] if a value is NaN or infinite, [`Error::Shape`] if a shape does not fit its
/// values.
pub fn encode(tensors: &Tensors, metadata: &Metadata) -> Result<Vec<u8>, Error> {
    let mut raw = Vec::new();
    for (name, tensor) in tensors {
        check_finite(name, &tensor.values)?;
        raw.push((name, tensor, tensor.bytes()));
    }
    let mut views = Vec::new();
    for (name, tensor, bytes) in &raw {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(|_| {
            let (name, found) = ((*name).clone(), vec![tensor.values.len()]);
            Error::Shape { name, found, expected: tensor.shape.clone() }
        })?;
        views.push((name, view));
    }
    let bytes = safetensors::serialize(views, None).map_err(|e| damaged(&e))?;
    Ok(with_metadata(&bytes, metadata))
}

/// Puts metadata into a file that has none, in the order of their names. (`safetensors` itself
/// writes them in an order that changes from run to run.)
fn with_metadata(bytes: &[u8], metadata: &Metadata) -> Vec<u8> {
    let (length, rest) = bytes.split_first_chunk::<8>().expect("a header's length");
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let json = serde_json::to_string(metadata).expect("strings are always valid JSON");
    let mut new = format!("{{\"__metadata__\":{json}").into_bytes();
    let names = header[1..].trim_ascii_end();
    if names != b"}" {
        new.push(b',');
    }
    new.extend(names);
    // The data begin on a multiple of eight bytes.
    new.resize(new.len().next_multiple_of(8), b' ');
    [&(new.len() as u64).to_le_bytes()[..], &new, data].concat()
}

/// Reads a safetensors file's bytes.
///
/// # Errors
/// [`Error::Damaged`], [`Error::Type`] or [`Error::NotFinite`].
pub fn decode(bytes: &[u8]) -> Result<(Tensors, Metadata), Error> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(&e))?;
    let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
    let file = SafeTensors::deserialize(bytes).map_err(|e| damaged(&e))?;
    let mut tensors = Tensors::new();
    // In the order of their names, so that a file is always refused for the same tensor.
    for (name, view) in file.iter().collect::<BTreeMap<_, _>>() {
        if view.dtype() != Dtype::F32 {
            let found = format!("{:?}", view.dtype());
            return Err(Error::Type { name: name.to_owned(), found });
        }
        let (values, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|&b| f32::from_le_bytes(b)).collect();
        check_finite(name, &values)?;
        tensors.insert(name.to_owned(), NamedTensor { shape: view.shape().to_vec(), values });
    }
    Ok((tensors, metadata))
}

/// Writes a file, whole or not at all; an existing one is replaced.
///
/// # Errors
/// [`Error::File`] with what is wrong.
pub fn save(path: &Path, tensors: &Tensors, metadata: &Metadata) -> Result<(), Error> {
    encode(tensors, metadata)
        .and_then(|bytes| Ok(write_atomically(path, |file| file.write_all(&bytes))?))
        .map_err(|problem| problem.in_file(path))
}

/// Reads a file.
///
/// # Errors
/// [`Error::File`] with what is wrong.
pub fn load(path: &Path) -> Result<(Tensors, Metadata), Error> {
    read_limited(path).and_then(|bytes| decode(&bytes)).map_err(|problem| problem.in_file(path))
}

fn read_limited(path: &Path) -> Result<Vec<u8>, Error> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > MAX_BYTES {
        return Err(Error::TooLarge { size, limit: MAX_BYTES });
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check_finite(name: &str, values: &[f32]) -> Result<(), Error> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(position) => {
            Err(Error::NotFinite { name: name.into(), position, value: values[position] })
        }
        None => Ok(()),
    }
}

fn damaged(error: &safetensors::SafeTensorError) -> Error {
    Error::Damaged(error.to_string())
}
