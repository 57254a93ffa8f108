//! The licences of everything that is linked into the binary, in one file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, Package};

/// How the names of licence files begin, in upper case.
const NAMES: [&str; 7] =
    ["COPYING", "COPYRIGHT", "LICENCE", "LICENSE", "NOTICE", "OFL", "UNLICENSE"];

/// The package of the binary.
pub(crate) fn shipped(metadata: &Metadata) -> Result<&Package> {
    let found = metadata.workspace_packages().into_iter().find(|p| p.name == "fashion-cli");
    found.context("the workspace has no package fashion-cli")
}

/// The text of `THIRD-PARTY-LICENSES.txt`: first every dependency of a package with its licence's
/// SPDX name and its repository, then each licence text once, with its users.
///
/// What others made and the workspace's own crates carry in a folder with a licence of its own,
/// such as a font, is listed too.
pub(crate) fn collect(metadata: &Metadata, of: &Package) -> Result<String> {
    let (own, others): (Vec<_>, Vec<_>) = linked(metadata, of)
        .into_iter()
        .partition(|package| metadata.workspace_members.contains(&package.id));
    let mut listed = String::from(
        "fashion is made with the libraries below, each under its own licence.\n\
         The texts follow the list.\n\n\
         Rust's standard library: MIT OR Apache-2.0, https://github.com/rust-lang/rust\n",
    );
    let mut texts = Texts::new();
    for package in own {
        for folder in entries(folder_of(package), Path::is_dir)? {
            let files = entries(&folder, is_license)?;
            if !files.is_empty() {
                let carried = folder.file_name().unwrap_or_default().to_string_lossy();
                let name = format!("{}, {carried}", package.name);
                let _ = writeln!(listed, "{name}: see the licence file");
                add(&mut texts, &name, &files)?;
            }
        }
    }
    for package in others {
        let name = format!("{} {}", package.name, package.version);
        let mut files = entries(folder_of(package), is_license)?;
        files.extend(package.license_file().map(PathBuf::from));
        files.sort();
        files.dedup();
        let Some(license) = package
            .license
            .as_deref()
            .or(package.license_file.as_ref().map(|_| "see its licence file"))
        else {
            bail!("{name} states no licence, so that the binary may not be given away");
        };
        let repository = package.repository.as_ref().map_or(String::new(), |at| format!(", {at}"));
        let none = if files.is_empty() { " (its package has no licence file)" } else { "" };
        let _ = writeln!(listed, "{name}: {license}{repository}{none}");
        add(&mut texts, &name, &files)?;
    }
    let mut texts: Vec<_> = texts.into_iter().map(|(text, users)| (users, text)).collect();
    texts.sort();
    for (users, text) in texts {
        let users: Vec<_> = users.into_iter().collect();
        let _ = write!(listed, "\n{}\nUsed by {}\n\n{text}\n", "=".repeat(80), users.join(", "));
    }
    Ok(listed)
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

/// What a package links in, itself included, without what only build scripts and tests use, sorted by
/// name and version.
fn linked<'a>(metadata: &'a Metadata, of: &'a Package) -> Vec<&'a Package> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let uses: BTreeMap<_, _> = nodes.map(|node| (&node.id, &node.deps)).collect();
    let mut reached = BTreeSet::from([&of.id]);
    let mut open = vec![&of.id];
    while let Some(id) = open.pop() {
        for used in uses[id] {
            let linked = used.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if linked && reached.insert(&used.pkg) {
                open.push(&used.pkg);
            }
        }
    }
    let mut found: Vec<_> = reached.into_iter().map(|id| &metadata[id]).collect();
    found.sort_by_key(|package| (&package.name, &package.version));
    found
}

fn folder_of(package: &Package) -> &Path {
    package.manifest_path.parent().map_or(Path::new("."), |folder| folder.as_std_path())
}

/// Those entries of a folder that are wanted, sorted.
fn entries(folder: &Path, wanted: fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>())
        .with_context(|| format!("cannot read {}", folder.display()))?;
    paths.retain(|path| wanted(path));
    paths.sort();
    Ok(paths)
}

fn is_license(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
    path.is_file() && NAMES.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(folder: &Path) -> Metadata {
        let package = |name: &str, extra: &str| {
            let manifest = folder.join(name).join("Cargo.toml").display().to_string();
            format!(
                r#"{{"id":"{name}","name":"{name}","version":"1.0.0","manifest_path":{manifest:?},
                    "license":"MIT","dependencies":[],"targets":[],"features":{{}}{extra}}}"#
            )
        };
        let node = |name: &str, deps: &[(&str, &str)]| {
            let deps: Vec<_> = deps
                .iter()
                .map(|(to, kind)| {
                    format!(r#"{{"name":"{to}","pkg":"{to}","dep_kinds":[{{"kind":{kind}}}]}}"#)
                })
                .collect();
            format!(r#"{{"id":"{name}","dependencies":[],"deps":[{}]}}"#, deps.join(","))
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
            r#"{{"packages":[{}],"workspace_members":["fashion-cli","own"],"version":1,
                "workspace_root":"/w","target_directory":"/t","resolve":{{"nodes":[{}]}}}}"#,
            packages.join(","),
            nodes.join(",")
        );
        serde_json::from_str(&json).unwrap()
    }

    fn collected(metadata: &Metadata) -> Result<String> {
        collect(metadata, shipped(metadata).unwrap())
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
        let text = collected(&metadata(folder.path())).unwrap();
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
        let text = collected(&metadata).unwrap();
        assert!(text.contains("ant 1.0.0: MIT (its package has no licence file)\n"), "{text}");

        metadata.packages.iter_mut().for_each(|package| package.license = None);
        let error = collected(&metadata).unwrap_err().to_string();
        assert!(error.contains("ant 1.0.0 states no licence"), "{error}");
    }
}
