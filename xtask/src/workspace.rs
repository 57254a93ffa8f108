//! Where the workspace is and what cargo knows about it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::{Artifact, Message, Metadata, MetadataCommand};

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
    pub(crate) fn cargo(&self) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = command::as_if_typed(cargo);
        command.current_dir(&self.root);
        command
    }

    /// `cargo metadata`, restricted to what a platform uses if one is given.
    pub(crate) fn metadata(&self, platform: Option<&str>) -> Result<Metadata> {
        let mut cargo = self.cargo();
        cargo.args(["metadata", "--format-version=1", "--locked"]);
        if let Some(platform) = platform {
            cargo.args(["--filter-platform", platform]);
        }
        MetadataCommand::parse(command::text(&mut cargo)?)
            .context("cannot read what `cargo metadata` wrote")
    }

    /// The triple of the machine that this runs on, as rustc names it.
    pub(crate) fn host(&self) -> Result<String> {
        let text = command::text(Command::new("rustc").arg("-vV").current_dir(&self.root))?;
        let host = text.lines().find_map(|line| line.strip_prefix("host: "));
        host.map(str::to_owned).context("`rustc -vV` names no host")
    }

    /// Builds the `fashion` binary with the release profile and returns its path.
    pub(crate) fn build_release(&self) -> Result<PathBuf> {
        let mut cargo = self.cargo();
        cargo.args(["build", "--release", "--locked", "--package", "fashion-cli"]);
        build(&mut cargo, "fashion")
    }

    /// Builds an example with the release profile and returns its path.
    pub(crate) fn build_example(&self, package: &str, example: &str) -> Result<PathBuf> {
        let mut cargo = self.cargo();
        cargo.args(["build", "--release", "--locked", "--package", package, "--example", example]);
        build(&mut cargo, example)
    }
}

/// Runs a `cargo build` command and returns the path of one of the programs that it made.
pub(crate) fn build(cargo: &mut Command, name: &str) -> Result<PathBuf> {
    let built = executables(cargo)?;
    let found = built.into_iter().find(|built| built.target.name == name);
    let path = found.and_then(|built| built.executable);
    Ok(path.with_context(|| format!("`cargo build` named no executable `{name}`"))?.into())
}

/// Runs a `cargo build` command and returns the programs that it made, in the order of their package
/// and name.
pub(crate) fn executables(cargo: &mut Command) -> Result<Vec<Artifact>> {
    read_executables(&command::text(cargo.arg("--message-format=json-render-diagnostics"))?)
}

fn read_executables(messages: &str) -> Result<Vec<Artifact>> {
    let mut found = Vec::new();
    for message in messages.lines() {
        let read = serde_json::from_str(message);
        match read.with_context(|| format!("cannot read cargo's message: {message}"))? {
            Message::CompilerArtifact(built) if built.executable.is_some() => found.push(built),
            _ => {}
        }
    }
    found.sort_by(|a, b| (&a.package_id, &a.target.name).cmp(&(&b.package_id, &b.target.name)));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_cargos_messages_in_order() {
        let artifact = |package: &str, name: &str, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"{package}","executable":{executable},
                "target":{{"name":"{name}","kind":["bin"],"src_path":"/s"}},"features":[],
                "profile":{{"opt_level":"0","debug_assertions":true,"overflow_checks":true,"test":false}},
                "filenames":[],"fresh":true}}"#
            )
            .replace('\n', "")
        };
        let messages = [
            artifact("b", "two", "\"/t/two\""),
            artifact("a", "lib", "null"),
            artifact("a", "one", "\"/t/one\""),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let found = read_executables(&messages.join("\n")).unwrap();
        let names: Vec<_> = found.iter().map(|built| built.target.name.as_str()).collect();
        assert_eq!(names, ["one", "two"]);
        assert_eq!(found[0].executable.as_ref().unwrap(), Path::new("/t/one"));
        assert!(read_executables("not json").unwrap_err().to_string().contains("not json"));
    }
}
