//! The licences of everything that is linked into the binary, in one file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace::{Metadata, Package};

/// How the names of licence files begin, in upper case.
const NAMES: [&str; 6] = ["COPYING", "COPYRIGHT", "LICENCE", "LICENSE", "NOTICE", "UNLICENSE"];

/// The text of `THIRD-PARTY-LICENSES.txt`: first every dependency of `fashion-cli` with its
/// licence's SPDX name and its repository, then each licence text once, with its users.
pub(crate) fn collect(metadata: &Metadata) -> Result<String> {
    let mut listed = Vec::new();
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in dependencies(metadata, "fashion-cli")? {
        let name = format!("{} {}", package.name, package.version);
        let Some(license) = license(package) else {
            bail!("{name} states no licence, so that the binary may not be given away");
        };
        let files = license_files(package)?;
        let mut line = format!("{name}: {license}");
        if let Some(repository) = &package.repository {
            let _ = write!(line, ", {repository}");
        }
        if files.is_empty() {
            line.push_str(" (its package has no licence file)");
        }
        listed.push(line);
        for file in files {
            let bytes =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
            texts.entry(text.trim().to_owned()).or_default().insert(name.clone());
        }
    }
    Ok(render(&listed, &texts))
}

fn license(package: &Package) -> Option<&str> {
    package.license.as_deref().or(package.license_file.as_ref().map(|_| "see its licence file"))
}

fn render(listed: &[String], texts: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut out = String::from(
        "fashion is made with the libraries below, each under its own licence.\n\
         The texts follow the list.\n\n\
         Rust's standard library: MIT OR Apache-2.0, https://github.com/rust-lang/rust\n",
    );
    for line in listed {
        let _ = writeln!(out, "{line}");
    }
    let mut sorted: Vec<_> = texts.iter().collect();
    sorted.sort_by_key(|(text, users)| (*users, *text));
    for (text, users) in sorted {
        let users: Vec<_> = users.iter().map(String::as_str).collect();
        let _ = write!(out, "\n{}\nUsed by {}\n\n{text}\n", "=".repeat(80), users.join(", "));
    }
    out
}

/// What a package of the workspace links in, sorted by name and version: its dependencies and
/// theirs, without build scripts' and tests' and without the workspace's own packages.
fn dependencies<'a>(metadata: &'a Metadata, of: &str) -> Result<Vec<&'a Package>> {
    let edges: BTreeMap<_, _> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), &node.deps)).collect();
    let start = metadata
        .members()
        .find(|package| package.name == of)
        .with_context(|| format!("the workspace has no package {of}"))?;
    let mut reached = BTreeSet::new();
    let mut open = vec![start.id.as_str()];
    while let Some(id) = open.pop() {
        for edge in edges.get(id).copied().into_iter().flatten() {
            let linked = edge.dep_kinds.iter().any(|kind| kind.kind.is_none());
            if linked && reached.insert(edge.pkg.as_str()) {
                open.push(&edge.pkg);
            }
        }
    }
    let mut found: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| reached.contains(package.id.as_str()))
        .filter(|package| !metadata.workspace_members.contains(&package.id))
        .collect();
    found.sort_by_key(|package| (&package.name, &package.version));
    Ok(found)
}

/// The licence files in a package's folder, sorted.
fn license_files(package: &Package) -> Result<Vec<PathBuf>> {
    let folder = package.manifest_path.parent().unwrap_or(Path::new("."));
    let mut files = BTreeSet::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if NAMES.iter().any(|start| name.starts_with(start)) && path.is_file() {
            files.insert(path);
        }
    }
    files.extend(package.license_file.as_ref().map(|file| folder.join(file)));
    Ok(files.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(folder: &Path) -> Metadata {
        let package = |name: &str, extra: &str| {
            let manifest = folder.join(name).join("Cargo.toml").display().to_string();
            format!(
                r#"{{"id":"{name}","name":"{name}","version":"1.0.0","manifest_path":{manifest:?},
                    "license":"MIT","dependencies":[],"targets":[]{extra}}}"#
            )
        };
        let node = |name: &str, deps: &[(&str, &str)]| {
            let deps: Vec<_> = deps
                .iter()
                .map(|(to, kind)| format!(r#"{{"pkg":"{to}","dep_kinds":[{{"kind":{kind}}}]}}"#))
                .collect();
            format!(r#"{{"id":"{name}","deps":[{}]}}"#, deps.join(","))
        };
        let packages = [
            package("fashion-cli", ""),
            package("own", ""),
            package("zebra", r#","repository":"https://host/zebra""#),
            package("ant", ""),
            package("build-only", ""),
            package("test-only", ""),
        ];
        let nodes = [
            node("fashion-cli", &[("own", "null"), ("test-only", "\"dev\"")]),
            node("own", &[("zebra", "null"), ("build-only", "\"build\"")]),
            node("zebra", &[("ant", "null"), ("own", "null")]),
            node("ant", &[]),
            node("build-only", &[]),
            node("test-only", &[]),
        ];
        let json = format!(
            r#"{{"packages":[{}],"workspace_members":["fashion-cli","own"],
                "resolve":{{"nodes":[{}]}}}}"#,
            packages.join(","),
            nodes.join(",")
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn what_is_linked_is_listed_and_each_text_appears_once() {
        let folder = tempfile::tempdir().unwrap();
        for (name, files) in [
            ("zebra", vec![("LICENSE-MIT", "MIT text\r\n"), ("license.md", "other text")]),
            ("ant", vec![("LICENSE", "MIT text"), ("src.rs", "code")]),
        ] {
            fs::create_dir(folder.path().join(name)).unwrap();
            for (file, text) in files {
                fs::write(folder.path().join(name).join(file), text).unwrap();
            }
        }
        let text = collect(&metadata(folder.path())).unwrap();
        let rule = "=".repeat(80);
        assert_eq!(
            text,
            format!(
                "fashion is made with the libraries below, each under its own licence.\n\
                 The texts follow the list.\n\n\
                 Rust's standard library: MIT OR Apache-2.0, https://github.com/rust-lang/rust\n\
                 ant 1.0.0: MIT\n\
                 zebra 1.0.0: MIT, https://host/zebra\n\
                 \n{rule}\nUsed by ant 1.0.0, zebra 1.0.0\n\nMIT text\n\
                 \n{rule}\nUsed by zebra 1.0.0\n\nother text\n"
            )
        );
    }

    #[test]
    fn a_package_without_a_file_has_its_name_and_one_without_a_licence_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["zebra", "ant"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let mut metadata = metadata(folder.path());
        let text = collect(&metadata).unwrap();
        assert!(text.contains("ant 1.0.0: MIT (its package has no licence file)\n"), "{text}");

        metadata.packages.iter_mut().for_each(|package| package.license = None);
        let error = collect(&metadata).unwrap_err().to_string();
        assert!(error.contains("ant 1.0.0 states no licence"), "{error}");
    }
}
