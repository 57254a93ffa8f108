//! The release binary, without a trace of where it was built.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace::{self, Workspace};

/// What separates the flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\x1f";

/// Builds the `fashion` binary with the profile `dist` and returns its path.
pub(crate) fn build(workspace: &Workspace, target_dir: &Path, host: &str) -> Result<PathBuf> {
    let root = workspace
        .root()
        .canonicalize()
        .with_context(|| format!("cannot find {}", workspace.root().display()))?;
    let home = cargo_home()?;
    let mut cargo = workspace.cargo();
    cargo
        .args(["build", "--locked", "--profile", "dist", "--package", "fashion-cli"])
        // With a target, the flags below are for the binary alone and not for build scripts.
        .args(["--target", host])
        .arg("--target-dir")
        .arg(target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", remap(&[(&root, "/fashion"), (&home, "/cargo")]));
    let path = workspace::build(&mut cargo, "fashion")?;
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    for folder in [&root, &home] {
        if contains(&bytes, folder.as_os_str().as_encoded_bytes()) {
            bail!(
                "{} contains the path {}, so that a build elsewhere would have other bytes; look \
                 for env!(\"CARGO_MANIFEST_DIR\") and the like outside of tests",
                path.display(),
                folder.display()
            );
        }
    }
    Ok(path)
}

/// rustc's flags that replace folders by fixed names in panic messages and debug information.
fn remap(folders: &[(&Path, &str)]) -> OsString {
    let flags = folders.iter().map(|(folder, name)| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.extend([folder.as_os_str(), "=".as_ref(), name.as_ref()]);
        flag
    });
    flags.collect::<Vec<_>>().join(SEPARATOR.as_ref())
}

/// Where cargo keeps the sources of the dependencies.
fn cargo_home() -> Result<PathBuf> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir().context("there is no home folder")?.join(".cargo"),
    };
    home.canonicalize().with_context(|| format!("cannot find cargo's folder {}", home.display()))
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_encoded_so_that_folders_may_have_spaces() {
        let flags = remap(&[(Path::new("/a b"), "/x"), (Path::new("/c"), "/y")]);
        assert_eq!(flags, "--remap-path-prefix=/a b=/x\x1f--remap-path-prefix=/c=/y");
    }

    #[test]
    fn a_path_in_the_binary_is_found() {
        assert!(contains(b"\0\0/home/me/src\0", b"/home/me"));
        assert!(!contains(b"\0\0/fashion/src\0", b"/home/me"));
    }
}
