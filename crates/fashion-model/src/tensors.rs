//! Named `f32` tensors in a safetensors file, the same bytes for the same content.

use crate::Error;
use fashion_data::files::write_atomically;
pub use fashion_infer::tensors::*;
use std::io::Write;
use std::path::Path;

/// Writes a file, whole or not at all; an existing one is replaced.
///
/// # Errors
/// [`Error::File`] with what is wrong.
pub fn save(path: &Path, tensors: &Tensors, metadata: &Metadata) -> Result<(), Error> {
    encode(tensors, metadata)
        .and_then(|bytes| Ok(write_atomically(path, |file| file.write_all(&bytes))?))
        .map_err(|problem| problem.in_file(path))
}
