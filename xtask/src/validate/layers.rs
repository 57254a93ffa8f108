//! The direction of the arrows between the crates.

use anyhow::{Result, bail};
use cargo_metadata::Metadata;

use crate::command;
use crate::workspace::{UNIFY, Workspace};

/// The crates, highest first. A crate may use those that come after it.
const LAYERS: [&str; 12] = [
    "xtask",
    "fashion-cli",
    "fashion-judge",
    "fashion-report",
    "fashion-train",
    "fashion-eval",
    "fashion-model",
    "fashion-infer",
    "fashion-kernels",
    "fashion-sample",
    "fashion-data",
    UNIFY,
];

/// Crates for people who have never heard of [`FRAMEWORK`].
const WITHOUT_FRAMEWORK: [&str; 5] =
    ["fashion-data", "fashion-eval", "fashion-infer", "fashion-kernels", "fashion-sample"];

/// The deep learning framework that the model and its training are built on.
const FRAMEWORK: &str = "dfdx";

/// The step: arrows point down, and the crates that promise it do without the framework.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    check_arrows(&arrows(&workspace.metadata(None)?))?;
    for name in WITHOUT_FRAMEWORK {
        let mut cargo = workspace.cargo();
        cargo.args(["tree", "--locked", "--all-features", "--target", "all", "--prefix", "none"]);
        let tree = command::text(cargo.args(["--edges", "normal,build,dev", "--package", name]))?;
        if let Some(line) = uses(&tree, FRAMEWORK) {
            bail!(
                "{name} pulls in {line}, but is to be useful without {FRAMEWORK}; \
                 `cargo tree --package {name} --invert {FRAMEWORK}` shows how"
            );
        }
    }
    Ok(())
}

/// Every crate of the workspace, with those crates of the workspace that it uses in any role.
fn arrows(metadata: &Metadata) -> Vec<(&str, Vec<&str>)> {
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| {
            let used = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
            (package.name.as_str(), used.map(|dependency| dependency.name.as_str()).collect())
        })
        .collect()
}

fn check_arrows(arrows: &[(&str, Vec<&str>)]) -> Result<()> {
    for (name, uses) in arrows {
        let own = layer(name)?;
        for used in uses {
            if layer(used)? <= own {
                bail!(
                    "{name} uses {used}, which is not below it; the layers are, highest first: {}",
                    LAYERS.join(", ")
                );
            }
        }
    }
    Ok(())
}

fn layer(name: &str) -> Result<usize> {
    match LAYERS.iter().position(|layer| *layer == name) {
        Some(position) => Ok(position),
        None => bail!("the crate {name} has no layer; give it one in `{}`", file!()),
    }
}

/// The line of a `cargo tree` on which a package of this name, or one that begins with it and a
/// dash, appears.
fn uses<'a>(tree: &'a str, name: &str) -> Option<&'a str> {
    tree.lines().find(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ') || rest.starts_with('-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_may_point_down_only() {
        check_arrows(&[("fashion-cli", vec!["fashion-train", "fashion-data"])]).unwrap();
        for (from, to) in [
            ("fashion-data", "fashion-kernels"),
            ("fashion-eval", "fashion-report"),
            ("fashion-model", "fashion-model"),
        ] {
            let error = check_arrows(&[(from, vec![to])]).unwrap_err().to_string();
            assert!(error.contains(&format!("{from} uses {to}")), "{error}");
        }
    }

    #[test]
    fn a_crate_without_a_layer_is_an_error() {
        let error = check_arrows(&[("fashion-new", vec![])]).unwrap_err().to_string();
        assert!(error.contains("fashion-new") && error.contains("layers.rs"), "{error}");
    }

    #[test]
    fn a_package_is_found_in_the_tree_by_its_whole_name() {
        let tree = "fashion-eval v0.1.0\ndfdx-core v0.1.0\nserde v1.0.0 (*)\n";
        assert_eq!(uses(tree, "dfdx"), Some("dfdx-core v0.1.0"));
        assert_eq!(uses(tree, "serde"), Some("serde v1.0.0 (*)"));
        assert_eq!(uses(tree, "ser"), None);
        assert_eq!(uses(tree, "eval"), None);
    }

    #[test]
    fn this_workspace_obeys() {
        let metadata = Workspace::find().unwrap().metadata(None).unwrap();
        let arrows = arrows(&metadata);
        assert_eq!(arrows.len(), LAYERS.len());
        assert!(
            arrows.iter().any(|(name, uses)| *name == "xtask" && uses.contains(&"fashion-data"))
        );
        check_arrows(&arrows).unwrap();
    }
}
