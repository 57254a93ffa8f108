//! The steps of `validate`.
//!
//! All of them use one target folder, the dev profile and the features of the whole workspace, so
//! that as little as possible is compiled twice.

use std::process::Command;

use anyhow::{Result, bail};
use cargo_metadata::Target;

use super::{features, layers};
use crate::workspace::{UNIFY, Workspace, executables};
use crate::{command, model_card};

/// One check.
pub(crate) struct Step {
    /// How `--only` names it.
    pub(crate) name: &'static str,
    /// What it checks.
    pub(crate) what: &'static str,
    /// The check.
    pub(crate) run: fn(&Workspace) -> Result<()>,
}

/// All of them, cheapest first.
pub(crate) const STEPS: [Step; 9] = [
    Step { name: "fmt", what: "the code is formatted", run: fmt },
    Step { name: "layers", what: "crates use only the layers below them", run: layers::check },
    Step { name: "card", what: "the model card is about its weights", run: model_card::check },
    Step { name: "features", what: "no dependency is built twice for tests", run: features::check },
    Step { name: "clippy", what: "clippy has nothing to say", run: clippy },
    Step { name: "doc", what: "the documentation builds without warnings", run: doc },
    Step { name: "examples", what: "each library has examples, and they run", run: examples },
    Step { name: "package", what: "each crate packs, and what was packed builds", run: package },
    Step { name: "test", what: "cargo test --workspace", run: test },
];

fn fmt(workspace: &Workspace) -> Result<()> {
    command::run(workspace.cargo().args(["fmt", "--all", "--", "--check"]))
}

fn clippy(workspace: &Workspace) -> Result<()> {
    let arguments = ["--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    command::run(workspace.cargo().arg("clippy").args(arguments))
}

fn doc(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--locked"]);
    command::run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}

fn examples(workspace: &Workspace) -> Result<()> {
    let metadata = workspace.metadata(None)?;
    let mut libraries = metadata.workspace_packages();
    libraries.retain(|package| package.targets.iter().any(Target::is_lib) && package.name != UNIFY);
    if let Some(without) = libraries.iter().find(|l| !l.targets.iter().any(Target::is_example)) {
        bail!("the library {} has no example; add one in its folder `examples`", without.name);
    }
    let mut build = workspace.cargo();
    let built = executables(build.args(["build", "--workspace", "--examples", "--locked"]))?;
    // Examples leave their files in the folder they are run in.
    let folder = tempfile::tempdir()?;
    for example in built {
        let library = libraries.iter().find(|library| library.id == example.package_id);
        let (Some(library), Some(program)) = (library, &example.executable) else { continue };
        eprintln!("-- {}, example {}", library.name, example.target.name);
        command::run(Command::new(program).current_dir(folder.path()))?;
    }
    Ok(())
}

/// Nothing is on crates.io yet, so all crates are packed in one call, which lets each build against
/// the packed form of the others.
///
/// Cargo unpacks and builds those forms once for a target folder and a version, and takes them for
/// unchanged ever after. So that they are this commit's, the folder has another name each time,
/// where a folder can have two.
fn package(workspace: &Workspace) -> Result<()> {
    let target = workspace.metadata(None)?.target_directory;
    std::fs::create_dir_all(&target)?;
    let folder = tempfile::tempdir()?;
    let name = if cfg!(unix) { folder.path().join("target") } else { target.clone().into() };
    #[cfg(unix)]
    std::os::unix::fs::symlink(&target, &name)?;
    let mut cargo = workspace.cargo();
    cargo.args(["package", "--workspace", "--exclude", "xtask", "--exclude", UNIFY]);
    command::run(cargo.args(["--allow-dirty", "--locked", "--quiet", "--target-dir"]).arg(name))
}

fn test(workspace: &Workspace) -> Result<()> {
    command::run(workspace.cargo().args(["test", "--workspace", "--locked"]))
}
