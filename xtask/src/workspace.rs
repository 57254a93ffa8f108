//! Where the workspace is and what cargo knows about it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::command;

/// The package that has the dependencies of all others turn the same features on.
pub(crate) const UNIFY: &str = "fashion-unify";

/// The folder with the root `Cargo.toml`.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace that this program was built from.
    pub(crate) fn find() -> Result<Self> {
        let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = xtask.parent().context("xtask lies in no folder")?;
        Ok(Self::at(root))
    }

    /// The workspace in a folder.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Its root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A `cargo` command that runs in the root folder.
    pub(crate) fn cargo(&self) -> std::process::Command {
        let mut command = command::cargo();
        command.current_dir(&self.root);
        command
    }

    /// `cargo metadata`, restricted to what a platform uses if one is given.
    pub(crate) fn metadata(&self, platform: Option<&str>) -> Result<Metadata> {
        let mut command = self.cargo();
        command.args(["metadata", "--format-version=1", "--locked"]);
        if let Some(platform) = platform {
            command.args(["--filter-platform", platform]);
        }
        serde_json::from_slice(&command::output(&mut command)?)
            .context("cannot read what `cargo metadata` wrote")
    }

    /// The triple of the machine that this runs on, as rustc names it.
    pub(crate) fn host(&self) -> Result<String> {
        let mut rustc = std::process::Command::new("rustc");
        let text = command::text(rustc.arg("-vV").current_dir(&self.root))?;
        text.lines()
            .find_map(|line| line.strip_prefix("host: "))
            .map(str::to_owned)
            .context("`rustc -vV` names no host")
    }

    /// Builds the `fashion` binary with the release profile and returns its path.
    pub(crate) fn build_release(&self) -> Result<PathBuf> {
        let mut cargo = self.cargo();
        cargo.args(["build", "--release", "--locked", "--package", "fashion-cli"]);
        let built = self.executables(&mut cargo)?;
        built
            .into_iter()
            .find(|built| built.name == "fashion")
            .map(|built| built.path)
            .context("`cargo build` named no executable `fashion`")
    }

    /// Builds an example with the release profile and returns its path.
    pub(crate) fn build_example(&self, package: &str, example: &str) -> Result<PathBuf> {
        let mut cargo = self.cargo();
        cargo.args(["build", "--release", "--locked", "--package", package, "--example", example]);
        let built = self.executables(&mut cargo)?;
        built
            .into_iter()
            .find(|built| built.name == example)
            .map(|built| built.path)
            .with_context(|| format!("`cargo build` named no executable `{example}`"))
    }

    /// Runs a `cargo build` command and returns the executables that it made, in the order of
    /// their package and name.
    pub(crate) fn executables(&self, build: &mut std::process::Command) -> Result<Vec<Executable>> {
        build.arg("--message-format=json-render-diagnostics");
        executables(&command::text(build)?)
    }
}

/// A program that cargo built.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Executable {
    /// The identifier of its package, as in [`Package::id`].
    pub(crate) package: String,
    /// The name of the target.
    pub(crate) name: String,
    /// Where it lies.
    pub(crate) path: PathBuf,
}

fn executables(messages: &str) -> Result<Vec<Executable>> {
    #[derive(Deserialize)]
    struct Message {
        reason: String,
        package_id: Option<String>,
        target: Option<Target>,
        executable: Option<PathBuf>,
    }
    let mut found = Vec::new();
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line)
            .with_context(|| format!("cannot read cargo's message: {line}"))?;
        if message.reason != "compiler-artifact" {
            continue;
        }
        if let (Some(package), Some(target), Some(path)) =
            (message.package_id, message.target, message.executable)
        {
            found.push(Executable { package, name: target.name, path });
        }
    }
    found.sort();
    Ok(found)
}

/// What `cargo metadata` says, as far as the chores need it.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    /// Every package of the dependency graph.
    pub(crate) packages: Vec<Package>,
    /// The identifiers of this workspace's own packages.
    pub(crate) workspace_members: Vec<String>,
    /// Where builds go.
    pub(crate) target_directory: PathBuf,
    /// The resolved graph.
    pub(crate) resolve: Resolve,
}

impl Metadata {
    /// This workspace's own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }
}

/// A package.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// SPDX expression.
    pub(crate) license: Option<String>,
    pub(crate) license_file: Option<PathBuf>,
    pub(crate) repository: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// A dependency as the manifest states it.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// The folder, for dependencies inside the workspace.
    pub(crate) path: Option<PathBuf>,
}

/// A library, binary, example, test or bench.
#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kind: Vec<String>,
}

/// The resolved dependency graph.
#[derive(Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

/// A package and what it was resolved to use.
#[derive(Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<Edge>,
}

/// One resolved dependency.
#[derive(Deserialize)]
pub(crate) struct Edge {
    /// The identifier of the package used.
    pub(crate) pkg: String,
    pub(crate) dep_kinds: Vec<EdgeKind>,
}

/// In which role a dependency is used.
#[derive(Deserialize)]
pub(crate) struct EdgeKind {
    /// `None` for an ordinary dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_cargos_messages_in_order() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","package_id":"b","target":{"name":"two"},"executable":"/t/two"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","package_id":"a","target":{"name":"lib"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","package_id":"a","target":{"name":"one"},"executable":"/t/one"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let found = executables(messages).unwrap();
        let names: Vec<_> = found.iter().map(|built| built.name.as_str()).collect();
        assert_eq!(names, ["one", "two"]);
        assert_eq!(found[0].path, Path::new("/t/one"));
        assert!(executables("not json").unwrap_err().to_string().contains("not json"));
    }
}
