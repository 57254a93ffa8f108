//! Who is measured, and how each is made ready and called.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::Args;
use super::networks::Network;
use crate::command::quietly;
use crate::python::{self, Python, python_of};
use crate::workspace::{Workspace, build};

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
    /// Whether it has all networks, and not only the report's.
    all_networks: bool,
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
    row(OURS_FROM_FILES, "Fashion-MNIST, read from files", Ours { files: true }).of_report(),
    row("pytorch-compile", "`torch.compile`", Script("pytorch", Some("compile"), &["torch"])),
    row("keras-jax", "", Script("keras", Some("jax"), &["keras", "jax", "jaxlib"])).of_report(),
    row("onnxruntime", "", Script("onnxruntime", None, EXPORTED)),
    row("burn", "", Rust("burn")).of_report(),
    row("candle", "memory kept", Rust("candle")).of_report().keeping_memory(),
];
/// PyTorch makes the file.
const EXPORTED: &[&str] = &["onnx", "onnxruntime", "onnxscript", "torch"];
const TUNED: &str = "channels-last, huge pages, memory kept";

const fn row(name: &'static str, note: &'static str, kind: Kind) -> Contestant {
    Contestant { name, note, kind, all_networks: true, variables: &[] }
}

/// A contestant that is ready.
pub(crate) struct Ready {
    pub(crate) contestant: &'static Contestant,
    /// The program, and what stands before all arguments.
    program: Vec<OsString>,
    data: Option<PathBuf>,
}

impl Contestant {
    const fn of_report(self) -> Self {
        Self { all_networks: false, ..self }
    }

    const fn keeping_memory(self) -> Self {
        Self { variables: &KEEP_MEMORY, ..self }
    }

    /// Whether it has this network.
    pub(crate) fn has(&self, network: &Network) -> bool {
        self.all_networks || network.name == "report-cnn"
    }

    /// Builds or installs what is needed. `Err` says why it must be left out.
    pub(crate) fn prepare(&'static self, workspace: &Workspace, args: &Args) -> Result<Ready> {
        let mut data = None;
        let program = match &self.kind {
            Ours { files } => {
                if *files {
                    let none = "no files at hand; name them with --data or FASHION_DATA";
                    data = Some(args.data().context(none)?.to_owned());
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
    /// The call for one measurement: so many seconds of training, and of classifying in each of these
    /// sizes of batches.
    pub(crate) fn call(
        &self,
        network: &Network,
        threads: usize,
        seconds: f64,
        batches: &str,
    ) -> Command {
        let Contestant { kind, variables, .. } = self.contestant;
        let seconds = seconds.to_string();
        let mut command = Command::new(&self.program[0]);
        command.env("RAYON_NUM_THREADS", threads.to_string()).envs(variables.iter().copied());
        command.args(&self.program[1..]).arg(threads.to_string());
        match kind {
            Ours { .. } => {
                command.args(["--seconds", &seconds, "--network", &network.name]);
                command.args(["--batches", batches]);
                if let Some(data) = &self.data {
                    command.arg("--data").arg(data);
                }
            }
            Script(_, variant, _) => {
                let numbers = [network.input.side, network.input.channels, network.parameters];
                command.args([&seconds, &network.name]).args(numbers.map(|n| n.to_string()));
                command.arg(batches).args(*variant);
            }
            Rust(_) => {
                command.args([&seconds, &network.name, batches]);
            }
        }
        command
    }
}

/// The folder with the scripts and the sources.
pub(crate) fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root().join("xtask").join("bench-peers")
}

/// The folder for everything that is made.
fn made(workspace: &Workspace) -> PathBuf {
    workspace.root().join("target").join("bench-peers")
}

/// Installs packages in their pinned versions, and returns the environment's Python.
pub(crate) fn install(
    workspace: &Workspace,
    python: &Python,
    packages: &[&str],
) -> Result<PathBuf> {
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
    use crate::bench_peers::networks::tests::network;

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
    fn everybody_is_told_the_same_in_its_own_way() {
        let arguments = |name, network: &Network| {
            let contestant = ALL.iter().find(|c| c.name == name).unwrap();
            assert!(contestant.has(network));
            let data = (name == OURS_FROM_FILES).then(|| "place".into());
            let ready = Ready { contestant, program: vec!["program".into()], data };
            let command = ready.call(network, 2, 0.5, "32,1000");
            let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
            arguments.join(" ")
        };
        let (report, colour) = (&network("report-cnn", 28), &network("resnet-64", 64));
        let ours = "2 --seconds 0.5 --network report-cnn --batches 32,1000";
        assert_eq!(arguments(OURS, report), ours);
        assert_eq!(arguments(OURS_FROM_FILES, report), format!("{ours} --data place"));
        assert_eq!(
            arguments("keras-tensorflow", colour),
            "2 0.5 resnet-64 64 3 225034 32,1000 tensorflow"
        );
        assert_eq!(arguments("onnxruntime", colour), "2 0.5 resnet-64 64 3 225034 32,1000");
        assert_eq!(arguments("burn", report), "2 0.5 report-cnn 32,1000");
        assert!(ALL.iter().filter(|c| !c.has(colour)).map(|c| c.name).eq([
            OURS_FROM_FILES,
            "keras-jax",
            "burn",
            "candle"
        ]));
    }
}
