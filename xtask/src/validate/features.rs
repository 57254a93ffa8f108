//! The features of shared dependencies: the same whichever package is tested.
//!
//! Cargo turns on what the packages that were asked for need, so that `cargo test -p` and `cargo test
//! --workspace` would each build their own variants of the dependencies, and all that stands on them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use crate::command;
use crate::workspace::{UNIFY, Workspace};

/// Packages, by name and version, with the sets of features that they are built with.
type Features = BTreeMap<String, BTreeSet<String>>;

/// The step.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let whole = features(workspace, "--workspace")?;
    for member in workspace.metadata(None)?.workspace_packages() {
        let alone = features(workspace, &format!("--package={}", member.name))?;
        if let Some((package, alone, whole)) = difference(&alone, &whole) {
            bail!(
                "`cargo test -p {}` builds {package} with the features {alone:?}, `--workspace` with \
                 {whole:?}: so that neither is built twice, add what is missing to the dependencies \
                 of {UNIFY} (derive macros: to its build-dependencies)",
                member.name
            );
        }
    }
    Ok(())
}

/// What a selection of packages and their tests is built with.
fn features(workspace: &Workspace, selection: &str) -> Result<Features> {
    let mut cargo = workspace.cargo();
    cargo.args(["tree", "--locked", selection, "--edges", "normal,build,dev", "--prefix", "none"]);
    Ok(parse(&command::text(cargo.args(["--format", "{p}|{f}"]))?))
}

fn parse(tree: &str) -> Features {
    let mut features = Features::new();
    for line in tree.lines() {
        if let Some((package, on)) = line.trim_end_matches(" (*)").split_once('|') {
            // Without where it is from.
            let name: Vec<&str> = package.split(' ').take(2).collect();
            features.entry(name.join(" ")).or_default().insert(on.to_owned());
        }
    }
    features
}

/// The first package that is built in a way in which the whole does not build it. (Whether for the
/// program or for a build script is not told apart.)
fn difference<'a>(
    alone: &'a Features,
    whole: &'a Features,
) -> Option<(&'a str, &'a BTreeSet<String>, &'a BTreeSet<String>)> {
    alone.iter().find_map(|(package, alone)| {
        let whole = whole.get(package)?;
        (!alone.is_subset(whole)).then_some((package.as_str(), alone, whole))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_with_other_features_is_found() {
        let whole = parse("a v1.0.0|std\nb v2.0.0 (proc-macro)|full,std\nc v1.0.0|\nb v2.0.0|\n");
        let alone = parse("a v1.0.0|std (*)\nb v2.0.0|\nd v1.0.0 (/here)|x\n");
        assert_eq!(difference(&alone, &whole), None);
        let other = parse("c v1.0.0|std\n");
        let (package, alone, whole) = difference(&other, &whole).unwrap();
        assert_eq!((package, alone.len(), whole.len()), ("c v1.0.0", 1, 1));
    }

    #[test]
    fn classifying_takes_few_packages() {
        let mut cargo = Workspace::find().unwrap().cargo();
        cargo.args([
            "tree",
            "--locked",
            "--package=fashion-infer",
            "--edges=normal",
            "--prefix=none",
        ]);
        let tree = parse(&command::text(cargo.args(["--format", "{p}|"])).unwrap());
        assert!((10..40).contains(&tree.len()), "{}: {:?}", tree.len(), tree.keys());
    }

    // Windows has packages of its own, whose features are not looked after.
    #[cfg(not(windows))]
    #[test]
    fn this_workspace_obeys() {
        check(&Workspace::find().unwrap()).unwrap();
    }
}
