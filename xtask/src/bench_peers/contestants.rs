//! Who is measured, and how each is made ready and called.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::Args;
use crate::command::quietly;
use crate::python::{self, Python, python_of};
use crate::workspace::{Workspace, build};

/// Steps of a whole epoch.
const WHOLE: usize = 469;
/// Steps of an epoch of those who would take minutes over a whole one.
const SLOW: usize = 60;

/// Makes glibc keep memory instead of returning it to the system after each batch.
const KEEP_MEMORY: [(&str, &str); 4] = [
    ("MALLOC_MMAP_THRESHOLD_", "2147483647"),
    ("MALLOC_TRIM_THRESHOLD_", "4294967295"),
    ("MALLOC_TOP_PAD_", "268435456"),
    ("THP_MEM_ALLOC_ENABLE", "1"),
];

/// One row of the tables.
pub(crate) struct Contestant {
    /// How `--only` names it.
    pub(crate) name: &'static str,
    /// What the tables say after the version.
    pub(crate) note: &'static str,
    kind: Kind,
    /// Steps of an epoch at most.
    steps: usize,
    /// Variables of its environment.
    variables: &'static [(&'static str, &'static str)],
}

enum Kind {
    /// The example `speed`, on random images or on those in files.
    Ours { files: bool },
    /// A Python script, its variant, and the packages that it needs.
    Script(&'static str, Option<&'static str>, &'static [&'static str]),
    /// A folder with a Rust program.
    Rust(&'static str),
}
use Kind::{Ours, Rust, Script};

/// The name of the row that all others are compared with.
pub(crate) const OURS: &str = "fashion";
/// The same on data that are read from files; measured only where there are any.
pub(crate) const OURS_FROM_FILES: &str = "fashion-files";

/// All of them, in the order in which they are called.
pub(crate) const ALL: [Contestant; 10] = [
    row(OURS, "", Ours { files: false }),
    row("keras-tensorflow", "", Script("keras", Some("tensorflow"), &["keras", "tensorflow"])),
    row("pytorch", "as its tutorials write it", Script("pytorch", Some("eager"), &["torch"])),
    row("pytorch-tuned", TUNED, Script("pytorch", Some("channels_last"), &["torch"]))
        .keeping_memory(),
    row(OURS_FROM_FILES, "Fashion-MNIST, read from files", Ours { files: true }),
    row("pytorch-compile", "`torch.compile`", Script("pytorch", Some("compile"), &["torch"]))
        .in_steps(2 * SLOW),
    row("keras-jax", "", Script("keras", Some("jax"), &["keras", "jax", "jaxlib"])).in_steps(SLOW),
    row("onnxruntime", "", Script("onnxruntime", None, &["onnx", "onnxruntime"])),
    row("burn", "", Rust("burn")).in_steps(SLOW),
    row("candle", "memory kept", Rust("candle")).in_steps(SLOW).keeping_memory(),
];
const TUNED: &str = "channels-last, huge pages, memory kept";

const fn row(name: &'static str, note: &'static str, kind: Kind) -> Contestant {
    Contestant { name, note, kind, steps: WHOLE, variables: &[] }
}

/// How long to measure.
pub(crate) struct Extent {
    pub(crate) epochs: usize,
    /// Bounds the steps of every epoch.
    pub(crate) steps: usize,
}

impl Extent {
    /// Images of a whole epoch within these bounds.
    pub(crate) fn images(&self) -> usize {
        (self.steps.min(WHOLE) * 128).min(60_000)
    }
}

/// A contestant that is ready.
pub(crate) struct Ready {
    pub(crate) contestant: &'static Contestant,
    /// The program, and what stands before all arguments.
    program: Vec<OsString>,
    data: Option<PathBuf>,
}

impl Contestant {
    const fn in_steps(self, steps: usize) -> Self {
        Self { steps, ..self }
    }

    const fn keeping_memory(self) -> Self {
        Self { variables: &KEEP_MEMORY, ..self }
    }

    /// Builds or installs what is needed. `Err` says why it must be left out.
    pub(crate) fn prepare(&'static self, workspace: &Workspace, args: &Args) -> Result<Ready> {
        let mut data = None;
        let program = match &self.kind {
            Ours { files } => {
                if *files {
                    let given = args.data.clone().filter(|data| !data.as_os_str().is_empty());
                    let none = "no files at hand; name them with --data or FASHION_DATA";
                    data = Some(given.context(none)?);
                }
                vec![workspace.build_example("fashion-train", "speed")?.into()]
            }
            Script(script, _, packages) => {
                let script = sources(workspace).join(format!("run_{script}.py"));
                vec![install(workspace, &args.python, packages)?.into(), "-B".into(), script.into()]
            }
            Rust(folder) => vec![compile(workspace, folder)?.into()],
        };
        Ok(Ready { contestant: self, program, data })
    }
}

impl Ready {
    /// The call for one measurement.
    pub(crate) fn call(&self, threads: usize, extent: &Extent) -> Command {
        let Contestant { kind, steps, variables, .. } = self.contestant;
        let extent = Extent { steps: extent.steps.min(*steps), ..*extent };
        let (epochs, steps) = (extent.epochs.to_string(), extent.steps.to_string());
        let mut command = Command::new(&self.program[0]);
        command.env("RAYON_NUM_THREADS", threads.to_string()).envs(variables.iter().copied());
        command.args(&self.program[1..]).arg(threads.to_string());
        match (kind, &self.data) {
            (Ours { .. }, Some(data)) => command.args(["--epochs", &epochs, "--data"]).arg(data),
            (Ours { .. }, None) => {
                command.args(["--epochs", &epochs, "--images", &extent.images().to_string()])
            }
            (Script(_, variant, _), _) => command.args([epochs, steps]).args(*variant),
            (Rust(_), _) => command.args([epochs, steps]),
        };
        command
    }
}

/// The folder with the scripts and the sources.
fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root().join("xtask").join("bench-peers")
}

/// The folder for everything that is made.
fn made(workspace: &Workspace) -> PathBuf {
    workspace.root().join("target").join("bench-peers")
}

/// Installs packages in their pinned versions, and returns the environment's Python.
fn install(workspace: &Workspace, python: &Python, packages: &[&str]) -> Result<PathBuf> {
    if let Some(venv) = &python.venv {
        return python_of(venv);
    }
    let venv = made(workspace).join("venv");
    if python_of(&venv).is_err() {
        quietly(&mut python.make(&venv)).context("no Python environment can be made")?;
    }
    let mut pip = python::install(&venv)?;
    pip.args(["--quiet", "--constraint"]).arg(sources(workspace).join("requirements.txt"));
    quietly(pip.arg("numpy").args(packages))?;
    python_of(&venv)
}

/// Builds a Rust program for this very processor. Git ignores the lock file that stays beside it.
fn compile(workspace: &Workspace, folder: &str) -> Result<PathBuf> {
    let manifest = sources(workspace).join(folder).join("Cargo.toml");
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--manifest-path"]).arg(manifest);
    cargo.arg("--target-dir").arg(made(workspace).join("target"));
    cargo.env("RUSTFLAGS", "-C target-cpu=native");
    build(&mut cargo, &format!("bench-{folder}")).context("it does not build here")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_contestant_has_its_sources_and_every_version_is_pinned() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench-peers");
        let requirements = fs::read_to_string(folder.join("requirements.txt")).unwrap();
        let pinned =
            |package: &str| requirements.lines().any(|l| l.starts_with(&format!("{package}==")));
        for contestant in &ALL {
            match contestant.kind {
                Ours { .. } => {}
                Script(script, _, packages) => {
                    assert!(folder.join(format!("run_{script}.py")).is_file(), "{script}");
                    assert!(packages.iter().all(|package| pinned(package)), "{packages:?}");
                }
                Rust(program) => {
                    let manifest = folder.join(program).join("Cargo.toml");
                    let manifest = fs::read_to_string(manifest).unwrap();
                    assert!(manifest.contains("[workspace]") && manifest.contains("\"="));
                }
            }
        }
        assert!(pinned("numpy"));
    }

    #[test]
    fn calls_are_bounded_by_the_extent_and_by_the_contestant() {
        let arguments = |name, extent: &Extent| {
            let contestant = ALL.iter().find(|c| c.name == name).unwrap();
            let data = (name == OURS_FROM_FILES).then(|| "place".into());
            let ready = Ready { contestant, program: vec!["program".into()], data };
            let command = ready.call(2, extent);
            let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
            arguments.join(" ")
        };
        let whole = Extent { epochs: 3, steps: usize::MAX >> 8 };
        assert_eq!(arguments(OURS, &whole), "2 --epochs 3 --images 60000");
        assert_eq!(arguments(OURS_FROM_FILES, &whole), "2 --epochs 3 --data place");
        assert_eq!(arguments("keras-tensorflow", &whole), "2 3 469 tensorflow");
        assert_eq!(arguments("burn", &whole), "2 3 60");
        let quick = Extent { epochs: 1, steps: 10 };
        assert_eq!(arguments(OURS, &quick), "2 --epochs 1 --images 1280");
        assert_eq!(arguments("burn", &quick), "2 1 10");
    }
}
