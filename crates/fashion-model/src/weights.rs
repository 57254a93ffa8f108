//! Weights in safetensors, with PyTorch's names and layouts.
//!
//! A file from here loads in PyTorch with `model.load_state_dict(safetensors.torch.load_file(path))`
//! where the modules are called `conv1`, `conv2`, `fc1` and `fc2`, and the other way round:
//! convolutions are (out, in, row, column), dense layers (out, in), and the columns of `fc1` run
//! channel, row, column.

use crate::error::Error;
use crate::network::Network;
use fashion_data::CLASSES;
use fashion_data::files::write_atomically;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// How pixels are prepared: k / 255.
pub const NORMALISATION: &str = "0-1";

/// The most that is read of a weights file, in bytes.
pub const MAX_BYTES: u64 = 1 << 30;

/// What a weights file says about itself: strings by name.
///
/// `architecture`, `classes` (a JSON array) and `normalisation` are written always and checked when
/// they are there; anything else is kept as it is.
pub type Metadata = BTreeMap<String, String>;

/// The file's bytes: the same for the same weights and metadata.
///
/// # Errors
/// [`Error::NotFinite`] if a parameter is NaN or infinite.
pub fn to_bytes<N: Network>(network: &N, extra: &Metadata) -> Result<Vec<u8>, Error> {
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    let mut bad = None;
    network.for_each_parameter(|name, shape, values| {
        bad = bad.take().or_else(|| check_finite(name, values).err());
        let mut values = values.to_vec();
        N::to_file_layout(name, &mut values);
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        tensors.push((name.to_owned(), shape.to_vec(), bytes));
    });
    if let Some(error) = bad {
        return Err(error);
    }
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (name, view.expect("four bytes for each value"))
    });
    let bytes = safetensors::serialize(views, None).map_err(|e| Error::Damaged(e.to_string()))?;
    let mut metadata = extra.clone();
    metadata.insert("architecture".into(), N::NAME.into());
    metadata.insert("classes".into(), classes_json());
    metadata.insert("normalisation".into(), NORMALISATION.into());
    Ok(with_metadata(&bytes, &metadata))
}

/// Puts metadata into a file that has none, in the order of their names. (`safetensors` itself
/// writes them in an order that changes from run to run.)
fn with_metadata(bytes: &[u8], metadata: &Metadata) -> Vec<u8> {
    let (length, rest) = bytes.split_first_chunk::<8>().expect("a header's length");
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let json = serde_json::to_string(metadata).expect("strings are always valid JSON");
    let mut new = format!("{{\"__metadata__\":{json},").into_bytes();
    new.extend(header[1..].trim_ascii_end());
    // The data begin on a multiple of eight bytes.
    new.resize(new.len().next_multiple_of(8), b' ');
    [&(new.len() as u64).to_le_bytes()[..], &new, data].concat()
}

/// Reads what [`to_bytes`] or PyTorch wrote. Without metadata, names and shapes must fit.
///
/// # Errors
/// Everything but `File`, `Io` and `TooLarge` of [`Error`].
pub fn from_bytes<N: Network>(bytes: &[u8]) -> Result<(N, Metadata), Error> {
    let damaged = |e: safetensors::SafeTensorError| Error::Damaged(e.to_string());
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let metadata: Metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
    check_metadata::<N>(&metadata)?;
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let mut network = N::initialised(0);
    let mut names = Vec::new();
    let mut outcome = Ok(());
    network.for_each_parameter_mut(|name, shape, values| {
        names.push(name.to_owned());
        if outcome.is_ok() {
            outcome = read_tensor(&file, name, shape).map(|mut read| {
                N::from_file_layout(name, &mut read);
                values.copy_from_slice(&read);
            });
        }
    });
    outcome?;
    let mut there = file.names();
    there.sort_unstable();
    match there.into_iter().find(|&name| !names.iter().any(|known| known == name)) {
        Some(name) => Err(Error::Extra { name: name.to_owned(), architecture: N::NAME }),
        None => Ok((network, metadata)),
    }
}

fn check_metadata<N: Network>(metadata: &Metadata) -> Result<(), Error> {
    if let Some(found) = metadata.get("architecture").filter(|&found| found != N::NAME) {
        return Err(Error::Architecture { found: found.clone(), expected: N::NAME });
    }
    if let Some(found) = metadata.get("classes")
        && serde_json::from_str::<Vec<String>>(found).ok().is_none_or(|names| names != CLASSES)
    {
        return Err(Error::Classes { found: found.clone(), expected: classes_json() });
    }
    match metadata.get("normalisation").filter(|&found| found != NORMALISATION) {
        Some(found) => Err(Error::Normalisation { found: found.clone(), expected: NORMALISATION }),
        None => Ok(()),
    }
}

fn read_tensor(file: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
    let Ok(tensor) = file.tensor(name) else {
        let mut there: Vec<String> = file.names().into_iter().map(str::to_owned).collect();
        there.sort_unstable();
        return Err(Error::Missing { name: name.into(), shape: shape.into(), there });
    };
    if tensor.dtype() != Dtype::F32 {
        return Err(Error::Type { name: name.into(), found: format!("{:?}", tensor.dtype()) });
    }
    if tensor.shape() != shape {
        let found = tensor.shape().to_vec();
        return Err(Error::Shape { name: name.into(), found, expected: shape.into() });
    }
    let (bytes, _) = tensor.data().as_chunks::<4>();
    let values: Vec<f32> = bytes.iter().map(|&b| f32::from_le_bytes(b)).collect();
    check_finite(name, &values)?;
    Ok(values)
}

fn check_finite(name: &str, values: &[f32]) -> Result<(), Error> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(position) => {
            Err(Error::NotFinite { name: name.into(), position, value: values[position] })
        }
        None => Ok(()),
    }
}

fn classes_json() -> String {
    serde_json::to_string(&CLASSES).expect("strings are always valid JSON")
}

/// Writes the weights to a file, whole or not at all; an existing one is replaced.
///
/// # Errors
/// [`Error::File`] with what is wrong.
pub fn save<N: Network>(path: &Path, network: &N, extra: &Metadata) -> Result<(), Error> {
    to_bytes(network, extra)
        .and_then(|bytes| Ok(write_atomically(path, |file| file.write_all(&bytes))?))
        .map_err(|problem| Error::File { path: path.into(), problem: problem.into() })
}

/// Reads weights from a file.
///
/// # Errors
/// [`Error::File`] with what is wrong.
pub fn load<N: Network>(path: &Path) -> Result<(N, Metadata), Error> {
    read_limited(path)
        .and_then(|bytes| from_bytes(&bytes))
        .map_err(|problem| Error::File { path: path.into(), problem: problem.into() })
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
