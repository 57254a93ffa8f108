//! Who is measured, and how each is made ready and called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::call;
use crate::python::python_of;
use crate::workspace::Workspace;

/// Whole epochs.
const WHOLE: usize = 469;
/// Steps of an epoch of those who would take minutes over a whole one.
const SLOW: usize = 60;

/// Makes glibc keep memory instead of returning it to the system after each batch.
const KEEP_MEMORY: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "2147483647"),
    ("MALLOC_TRIM_THRESHOLD_", "4294967295"),
    ("MALLOC_TOP_PAD_", "268435456"),
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
    keeps_memory: bool,
}

enum Kind {
    /// The example `speed`, on random images or on those in files.
    Ours { files: bool },
    /// A script, its variant, and the packages that it needs.
    Python {
        script: &'static str,
        variant: Option<&'static str>,
        packages: &'static [&'static str],
    },
    /// A folder with a Rust program.
    Rust { folder: &'static str },
}

/// The name of the row that all others are compared with.
pub(crate) const OURS: &str = "fashion";
/// The same on data that are read from files; measured only where there are any.
pub(crate) const OURS_FROM_FILES: &str = "fashion-files";

const fn python(
    name: &'static str,
    note: &'static str,
    script: &'static str,
    variant: Option<&'static str>,
    packages: &'static [&'static str],
) -> Contestant {
    let kind = Kind::Python { script, variant, packages };
    Contestant { name, note, kind, steps: WHOLE, keeps_memory: false }
}

/// All of them, in the order in which they are called.
pub(crate) const ALL: [Contestant; 10] = [
    ours(OURS, "", false),
    python("keras-tensorflow", "", "keras", Some("tensorflow"), &["keras", "tensorflow"]),
    python("pytorch", "as its tutorials write it", "pytorch", Some("eager"), &["torch"]),
    Contestant {
        keeps_memory: true,
        ..python(
            "pytorch-tuned",
            "channels-last, huge pages, memory kept",
            "pytorch",
            Some("channels_last"),
            &["torch"],
        )
    },
    ours(OURS_FROM_FILES, "Fashion-MNIST, read from files", true),
    Contestant {
        steps: 2 * SLOW,
        ..python("pytorch-compile", "`torch.compile`", "pytorch", Some("compile"), &["torch"])
    },
    Contestant {
        steps: SLOW,
        ..python("keras-jax", "", "keras", Some("jax"), &["keras", "jax", "jaxlib"])
    },
    python("onnxruntime", "", "onnxruntime", None, &["onnx", "onnxruntime"]),
    Contestant {
        name: "burn",
        note: "",
        kind: Kind::Rust { folder: "burn" },
        steps: SLOW,
        keeps_memory: false,
    },
    Contestant {
        name: "candle",
        note: "memory kept",
        kind: Kind::Rust { folder: "candle" },
        steps: SLOW,
        keeps_memory: true,
    },
];

const fn ours(name: &'static str, note: &'static str, files: bool) -> Contestant {
    Contestant { name, note, kind: Kind::Ours { files }, steps: WHOLE, keeps_memory: false }
}

/// Where programs are made and found.
pub(crate) struct Place<'a> {
    pub(crate) workspace: &'a Workspace,
    /// An environment to use as it is.
    pub(crate) venv: Option<&'a Path>,
    /// The Python to make one with.
    pub(crate) python: &'a str,
    /// Fashion-MNIST, if at hand.
    pub(crate) data: Option<&'a Path>,
}

impl Place<'_> {
    /// The folder with the scripts and the sources.
    fn sources(&self) -> PathBuf {
        self.workspace.root().join("xtask").join("bench-peers")
    }

    /// The folder for everything that is made.
    fn made(&self) -> PathBuf {
        self.workspace.root().join("target").join("bench-peers")
    }
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
    pub(crate) name: &'static str,
    program: PathBuf,
    before: Vec<PathBuf>,
    contestant: &'static Contestant,
    data: Option<PathBuf>,
}

impl Contestant {
    /// Builds or installs what is needed. `Err` says why it must be left out.
    pub(crate) fn prepare(&'static self, place: &Place) -> Result<Ready> {
        let (program, before) = match &self.kind {
            Kind::Ours { files: true } if place.data.is_none() => {
                bail!("no files at hand; name them with --data or FASHION_DATA")
            }
            Kind::Ours { .. } => {
                (place.workspace.build_example("fashion-train", "speed")?, Vec::new())
            }
            Kind::Python { script, packages, .. } => {
                (install(place, packages)?, vec![place.sources().join(format!("run_{script}.py"))])
            }
            Kind::Rust { folder } => (build(place, folder)?, Vec::new()),
        };
        let data = place.data.map(Path::to_owned);
        Ok(Ready { name: self.name, program, before, contestant: self, data })
    }
}

impl Ready {
    /// The call for one measurement.
    pub(crate) fn call(&self, threads: usize, extent: &Extent) -> Command {
        let Contestant { kind, steps, keeps_memory, .. } = self.contestant;
        let steps = extent.steps.min(*steps);
        let mut command = Command::new(&self.program);
        command.env("RAYON_NUM_THREADS", threads.to_string());
        if *keeps_memory {
            command.envs(KEEP_MEMORY).env("THP_MEM_ALLOC_ENABLE", "1");
        }
        if !self.before.is_empty() {
            command.arg("-B").args(&self.before);
        }
        command.arg(threads.to_string());
        match kind {
            Kind::Ours { files } => {
                command.args(["--epochs", &extent.epochs.to_string()]);
                match &self.data {
                    Some(data) if *files => command.arg("--data").arg(data),
                    _ => command.args(["--images", &(steps * 128).min(60_000).to_string()]),
                };
            }
            Kind::Python { variant, .. } => {
                command.args([extent.epochs.to_string(), steps.to_string()]).args(*variant);
            }
            Kind::Rust { .. } => {
                command.args([extent.epochs.to_string(), steps.to_string()]);
            }
        }
        command
    }
}

/// Installs packages in their pinned versions, and returns the environment's Python.
fn install(place: &Place, packages: &[&str]) -> Result<PathBuf> {
    if let Some(venv) = place.venv {
        return python_of(venv);
    }
    let venv = place.made().join("venv");
    if python_of(&venv).is_err() {
        let mut make = Command::new(place.python);
        call(make.args(["-m", "venv", "--clear"]).arg(&venv))
            .context("no Python environment can be made")?;
    }
    let python = python_of(&venv)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--constraint"]);
    pip.arg(place.sources().join("requirements.txt")).arg("numpy").args(packages);
    call(&mut pip)?;
    Ok(python)
}

/// Builds a Rust program for this very processor, in a copy, so that nothing is left beside the
/// sources.
fn build(place: &Place, folder: &str) -> Result<PathBuf> {
    let copy = place.made().join("sources");
    let source = Path::new(folder).join("src");
    fs::create_dir_all(copy.join(&source)).context("cannot make a folder for the build")?;
    let main = source.join("main.rs");
    let manifest = Path::new(folder).join("Cargo.toml");
    for file in [Path::new("common.rs"), &manifest, &main] {
        let from = place.sources().join(file);
        fs::copy(&from, copy.join(file))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let mut cargo = place.workspace.cargo();
    cargo.args(["build", "--release", "--manifest-path"]).arg(copy.join(manifest));
    cargo.arg("--target-dir").arg(place.made().join("target"));
    cargo.env("RUSTFLAGS", "-C target-cpu=native");
    let built = place.workspace.executables(&mut cargo).context("it does not build here")?;
    built.into_iter().next().map(|built| built.path).context("cargo named no executable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contestant_has_its_sources_and_every_version_is_pinned() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench-peers");
        let requirements = fs::read_to_string(folder.join("requirements.txt")).unwrap();
        let pinned =
            |package: &str| requirements.lines().any(|l| l.starts_with(&format!("{package}==")));
        for contestant in &ALL {
            match contestant.kind {
                Kind::Ours { .. } => {}
                Kind::Python { script, packages, .. } => {
                    assert!(folder.join(format!("run_{script}.py")).is_file(), "{script}");
                    assert!(packages.iter().all(|package| pinned(package)), "{packages:?}");
                }
                Kind::Rust { folder: program } => {
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
            let ready = Ready {
                name,
                program: "program".into(),
                before: Vec::new(),
                contestant,
                data: Some("place".into()),
            };
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
