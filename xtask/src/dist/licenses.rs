//! The licences of everything that is linked into the binary, in one file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace::{Metadata, Package};

/// How the names of licence files begin, in upper case.
const NAMES: [&str; 7] =
    ["COPYING", "COPYRIGHT", "LICENCE", "LICENSE", "NOTICE", "OFL", "UNLICENSE"];

/// The text of `THIRD-PARTY-LICENSES.txt`: first every dependency of `fashion-cli` with its
/// licence's SPDX name and its repository, then each licence text once, with its users.
///
/// What others made and the workspace's own crates carry in a folder with a licence of its own,
/// such as a font, is listed too.
pub(crate) fn collect(metadata: &Metadata) -> Result<String> {
    let (own, others) = linked(metadata, "fashion-cli")?;
    let mut listed = Vec::new();
    let mut texts = Texts::new();
    for package in own {
        for folder in folders(folder_of(package))? {
            let files = license_files(&folder)?;
            if !files.is_empty() {
                let carried = folder.file_name().unwrap_or_default().to_string_lossy();
                let name = format!("{}, {carried}", package.name);
                add(&mut texts, &name, &files)?;
                listed.push(format!("{name}: see the licence file"));
            }
        }
    }
    for package in others {
        let name = format!("{} {}", package.name, package.version);
        let Some(license) = license(package) else {
            bail!("{name} states no licence, so that the binary may not be given away");
        };
        let mut line = format!("{name}: {license}");
        if let Some(repository) = &package.repository {
            let _ = write!(line, ", {repository}");
        }
        let mut files = license_files(folder_of(package))?;
        files.extend(package.license_file.as_ref().map(|file| folder_of(package).join(file)));
        files.sort();
        files.dedup();
        if files.is_empty() {
            line.push_str(" (its package has no licence file)");
        }
        add(&mut texts, &name, &files)?;
        listed.push(line);
    }
    Ok(render(&listed, &texts))
}

/// Licence texts with the names of those that are under them.
type Texts = BTreeMap<String, BTreeSet<String>>;

fn add(texts: &mut Texts, name: &str, files: &[PathBuf]) -> Result<()> {
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        texts.entry(text.trim().to_owned()).or_default().insert(name.to_owned());
    }
    Ok(())
}

fn license(package: &Package) -> Option<&str> {
    package.license.as_deref().or(package.license_file.as_ref().map(|_| "see its licence file"))
}

fn render(listed: &[String], texts: &Texts) -> String {
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

/// What a package of the workspace links in, itself included, without what only build scripts and
/// tests use: the workspace's own packages and all others, each sorted by name and version.
fn linked<'a>(metadata: &'a Metadata, of: &str) -> Result<(Vec<&'a Package>, Vec<&'a Package>)> {
    let edges: BTreeMap<_, _> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), &node.deps)).collect();
    let start = metadata
        .members()
        .find(|package| package.name == of)
        .with_context(|| format!("the workspace has no package {of}"))?;
    let mut reached = BTreeSet::from([start.id.as_str()]);
    let mut open = vec![start.id.as_str()];
    while let Some(id) = open.pop() {
        for edge in edges.get(id).copied().into_iter().flatten() {
            let linked = edge.dep_kinds.iter().any(|kind| kind.kind.is_none());
            if linked && reached.insert(edge.pkg.as_str()) {
                open.push(&edge.pkg);
            }
        }
    }
    let mut found: Vec<_> =
        metadata.packages.iter().filter(|package| reached.contains(package.id.as_str())).collect();
    found.sort_by_key(|package| (&package.name, &package.version));
    Ok(found.into_iter().partition(|package| metadata.workspace_members.contains(&package.id)))
}

fn folder_of(package: &Package) -> &Path {
    package.manifest_path.parent().unwrap_or(Path::new("."))
}

/// The licence files directly in a folder, sorted.
fn license_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = entries(folder)?;
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        path.is_file() && NAMES.iter().any(|start| name.starts_with(start))
    });
    Ok(files)
}

/// The folders directly in a folder, sorted.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = entries(folder)?;
    folders.retain(|path| path.is_dir());
    Ok(folders)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>())
        .with_context(|| format!("cannot read {}", folder.display()))?;
    paths.sort();
    Ok(paths)
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
            r#"{{"packages":[{}],"target_directory":"/t","workspace_members":["fashion-cli","own"],
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
            ("fashion-cli", vec![]),
            ("own/fonts", vec![("OFL.txt", "font text"), ("font.otf", "font")]),
            ("own/src", vec![("main.rs", "code")]),
            ("zebra", vec![("LICENSE-MIT", "MIT text\r\n"), ("license.md", "other text")]),
            ("ant", vec![("LICENSE", "MIT text"), ("src.rs", "code")]),
        ] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
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
                 own, fonts: see the licence file\n\
                 ant 1.0.0: MIT\n\
                 zebra 1.0.0: MIT, https://host/zebra\n\
                 \n{rule}\nUsed by ant 1.0.0, zebra 1.0.0\n\nMIT text\n\
                 \n{rule}\nUsed by own, fonts\n\nfont text\n\
                 \n{rule}\nUsed by zebra 1.0.0\n\nother text\n"
            )
        );
    }

    #[test]
    fn a_package_without_a_file_has_its_name_and_one_without_a_licence_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["fashion-cli", "own", "zebra", "ant"] {
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
