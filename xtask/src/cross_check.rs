//! `cross-check`: comparisons with PyTorch, ONNX Runtime, scikit-learn, NumPy and TensorBoard.
//!
//! `cargo test` compares with literals that these programs once printed; this runs the programs.
//! A check is a Python file in `xtask/cross-check` and a line in [`CHECKS`].

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;

use crate::command;
use crate::python::{Python, install, python_of};
use crate::workspace::Workspace;

/// The checks: a name, which is also the script's, and what is compared.
const CHECKS: [(&str, &str); 9] = [
    (
        "exports",
        "exported models, of ensembles and flips too, in ONNX Runtime against `fashion eval`",
    ),
    (
        "garments",
        "the trained weights of data, on all test images, against PyTorch with the same file",
    ),
    ("logs", "a run's event files, read by TensorBoard, against its JSON lines and CSV"),
    ("metrics", "a run's metrics.json against scikit-learn"),
    ("npz", "npz files as NumPy writes them against their contents"),
    (
        "preparation",
        "photographs prepared as Zalando did against ImageMagick 6, where it is installed",
    ),
    ("steps", "loss, gradients and statistics of a step against PyTorch, for every network"),
    (LONG, "accuracies of `vgg`, trained for five epochs, against PyTorch's; takes twenty minutes"),
    ("weights", "weights and probabilities against PyTorch, in both directions"),
];

/// The check that is done only where it is asked for.
const LONG: &str = "training";

/// Compare with PyTorch, ONNX Runtime, scikit-learn, NumPy and TensorBoard, in a Python environment made
/// for it
///
/// Needs Python 3.11 or later with venv and pip, and `data/train.npz` and `data/test.npz` of
/// `cargo xtask fetch-data` for the checks `exports` and `training`, of which the latter is only done
/// with --only. `garments` is left out without these and without the files in `FASHION_DATA`. The first call downloads the pinned packages from
/// the Python package index, a few gigabytes, into target/cross-check.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Run only this check; may be given more than once
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(CHECKS.map(|c| c.0)))]
    only: Vec<String>,

    #[command(flatten)]
    python: Python,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let scripts = workspace.root().join("xtask").join("cross-check");
    let made = workspace.root().join("target").join("cross-check").join("venv");
    if args.python.venv.is_none() {
        make(&args.python, &made, &scripts.join("requirements.txt"))?;
    }
    let python = python_of(args.python.venv.as_ref().unwrap_or(&made))?;
    let fashion = workspace.build_release()?;
    for (name, what) in CHECKS {
        let asked = args.only.iter().any(|only| only == name);
        if !asked && (!args.only.is_empty() || name == LONG) {
            continue;
        }
        eprintln!("== {name}: {what}");
        let work = tempfile::tempdir().context("cannot make a temporary folder")?;
        let mut script = Command::new(&python);
        script.arg("-B").arg(scripts.join(format!("{name}.py")));
        script.arg(&fashion).arg(work.path());
        // What the checks train on is theirs to say.
        script.env_remove("FASHION_DATA").env("FASHION_NPZ", workspace.root().join("data"));
        script.envs(env::var_os("FASHION_DATA").map(|data| ("FASHION_FILES", data)));
        command::run(&mut script).with_context(|| format!("the check `{name}` failed"))?;
        eprintln!("== {name}: passed");
    }
    Ok(())
}

/// Makes the environment, or does nothing if it has these requirements already.
fn make(python: &Python, venv: &Path, requirements: &Path) -> Result<()> {
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    // Written last, so that an environment that was only half made is made again.
    let stamp = venv.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    command::run(&mut python.make(venv)).context(
        "cannot make a Python environment; install Python with venv, or name one with --python or \
         an existing environment with --venv",
    )?;
    command::run(install(venv)?.arg("--requirement").arg(requirements))?;
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
        let python = Python { venv: None, python: "no-such-python".into() };
        make(&python, folder.path(), &requirements).unwrap();
        fs::write(&requirements, "a==2\n").unwrap();
        let error = make(&python, folder.path(), &requirements).unwrap_err();
        assert!(format!("{error:#}").contains("no-such-python"), "{error:#}");
    }
}
