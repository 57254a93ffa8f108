//! Named `f32` tensors in a safetensors file, the same bytes for the same content.

use crate::error::Error;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
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
/// Whatever type of floating-point numbers they are of, values become `f32`. What PyTorch adds is taken
/// off or left out: the prefixes `module.` and `_orig_mod.` that all names have (of `DataParallel` and
/// `torch.compile`), and the counters `num_batches_tracked`.
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
        if name.ends_with("num_batches_tracked") {
            continue;
        }
        let Some(values) = numbers(view.dtype(), view.data()) else {
            let found = format!("{:?}", view.dtype());
            return Err(Error::Type { name: name.to_owned(), found });
        };
        check_finite(name, &values)?;
        tensors.insert(name.to_owned(), NamedTensor { shape: view.shape().to_vec(), values });
    }
    for prefix in ["_orig_mod.", "module.", "_orig_mod."] {
        if !tensors.is_empty() && tensors.keys().all(|name| name.starts_with(prefix)) {
            let bare = |(name, tensor): (String, _)| (name[prefix.len()..].to_owned(), tensor);
            tensors = tensors.into_iter().map(bare).collect();
        }
    }
    Ok((tensors, metadata))
}

/// A tensor's values, if they are floating-point numbers.
fn numbers(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    let values = match dtype {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
        Dtype::F64 => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b) as f32).collect(),
        Dtype::BF16 => {
            let bits = bytes.as_chunks().0.iter().map(|&b| u16::from_le_bytes(b));
            bits.map(|bits| f32::from_bits(u32::from(bits) << 16)).collect()
        }
        Dtype::F16 => bytes.as_chunks().0.iter().map(|&b| half(u16::from_le_bytes(b))).collect(),
        _ => return None,
    };
    Some(values)
}

/// The value of an IEEE 754 binary16 number; every one of them is an `f32`.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

/// Reads a file.
///
/// # Errors
/// [`Error::File`] with what is wrong.
pub fn load(path: &Path) -> Result<(Tensors, Metadata), Error> {
    read(path).and_then(|bytes| decode(&bytes)).map_err(|problem| problem.in_file(path))
}

/// The bytes of a file that is no larger than [`MAX_BYTES`].
///
/// # Errors
/// [`Error::Io`], or [`Error::TooLarge`].
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
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
