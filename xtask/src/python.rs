//! Python environments.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

/// Which environment to use.
#[derive(clap::Args)]
pub(crate) struct Python {
    /// Use this Python environment as it is instead of making one
    #[arg(long, value_name = "DIR")]
    pub(crate) venv: Option<PathBuf>,

    /// The Python to make the environment with
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub(crate) python: String,
}

impl Python {
    /// The command that makes an empty environment.
    pub(crate) fn make(&self, venv: &Path) -> Command {
        let mut make = Command::new(&self.python);
        make.args(["-m", "venv", "--clear"]).arg(venv);
        make
    }
}

/// The command that installs into an environment, to be told what.
pub(crate) fn install(venv: &Path) -> Result<Command> {
    let mut pip = Command::new(python_of(venv)?);
    pip.args(["-m", "pip", "--disable-pip-version-check", "install"]);
    Ok(pip)
}

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
