//! `cross-check`: comparisons with PyTorch, scikit-learn, NumPy and TensorBoard.
//!
//! `cargo test` compares with literals that these programs once printed; this runs the programs.
//! A check is a Python file in `xtask/cross-check` and a line in [`CHECKS`].

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;

use crate::command;
use crate::python::python_of;
use crate::workspace::Workspace;

/// The checks: a name, which is also the script's, and what is compared.
const CHECKS: [(&str, &str); 4] = [
    ("logs", "a run's event files, read by TensorBoard, against its JSON lines and CSV"),
    ("metrics", "a run's metrics.json against scikit-learn"),
    ("npz", "npz files as NumPy writes them against their contents"),
    ("weights", "weights and probabilities against PyTorch, in both directions"),
];

/// Compare with PyTorch, scikit-learn, NumPy and TensorBoard, in a Python environment made for it
///
/// Needs Python 3.11 or later with venv and pip. The first call downloads the pinned packages from
/// the Python package index, a few gigabytes, into target/cross-check.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Run only this check; may be given more than once
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,

    /// Use this Python environment as it is instead of making one
    #[arg(long, value_name = "DIR")]
    venv: Option<PathBuf>,

    /// The Python to make the environment with
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if let Some(unknown) = args.only.iter().find(|only| CHECKS.iter().all(|c| c.0 != **only)) {
        bail!(
            "there is no check `{unknown}`; there are {}",
            CHECKS.map(|check| check.0).join(", ")
        );
    }
    let scripts = workspace.root().join("xtask").join("cross-check");
    let python = match &args.venv {
        Some(venv) => python_of(venv)?,
        None => {
            let venv = workspace.root().join("target").join("cross-check").join("venv");
            make(&venv, &scripts.join("requirements.txt"), &args.python)?;
            python_of(&venv)?
        }
    };
    let fashion = workspace.build_release()?;
    for (name, what) in CHECKS {
        if !args.only.is_empty() && !args.only.iter().any(|only| only == name) {
            continue;
        }
        eprintln!("== {name}: {what}");
        let work = tempfile::tempdir().context("cannot make a temporary folder")?;
        let mut script = Command::new(&python);
        script.arg("-B").arg(scripts.join(format!("{name}.py")));
        script.arg(&fashion).arg(work.path());
        // What the checks train on is theirs to say.
        command::run(script.env_remove("FASHION_DATA"))
            .with_context(|| format!("the check `{name}` failed"))?;
        eprintln!("== {name}: passed");
    }
    Ok(())
}

/// Makes the environment, or does nothing if it has these requirements already.
fn make(venv: &Path, requirements: &Path, python: &str) -> Result<()> {
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    // Written last, so that an environment that was only half made is made again.
    let stamp = venv.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    command::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(venv)).context(
        "cannot make a Python environment; install Python with venv, or name one with --python or \
         an existing environment with --venv",
    )?;
    let mut pip = Command::new(python_of(venv)?);
    pip.args(["-m", "pip", "--disable-pip-version-check", "install", "--requirement"]);
    command::run(pip.arg(requirements))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_script_and_every_version_is_pinned() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cross-check");
        for (name, _) in CHECKS {
            assert!(folder.join(format!("{name}.py")).is_file(), "{name}");
        }
        let requirements = fs::read_to_string(folder.join("requirements.txt")).unwrap();
        for line in requirements.lines() {
            assert!(line.starts_with('#') || line.contains("=="), "{line}");
        }
    }

    #[test]
    fn an_environment_with_these_requirements_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let requirements = folder.path().join("requirements.txt");
        fs::write(&requirements, "a==1\n").unwrap();
        fs::write(folder.path().join("installed.txt"), "a==1\n").unwrap();
        make(folder.path(), &requirements, "no-such-python").unwrap();
        fs::write(&requirements, "a==2\n").unwrap();
        let error = make(folder.path(), &requirements, "no-such-python").unwrap_err();
        assert!(format!("{error:#}").contains("no-such-python"), "{error:#}");
    }
}
