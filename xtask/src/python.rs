//! Python environments.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The Python of an environment.
pub(crate) fn python_of(venv: &Path) -> Result<PathBuf> {
    let place = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let python = venv.join(place);
    if !python.is_file() {
        bail!("{} is no Python environment: there is no {place} in it", venv.display());
    }
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_no_environment_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = python_of(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&folder.path().display().to_string()), "{error}");
    }
}
