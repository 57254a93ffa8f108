//! `dist`: the release archive, the same bytes for the same commit.

mod archive;
mod binary;
mod licenses;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;
use fashion_data::files::write_atomically;
use fashion_data::known;

use self::archive::Entry;
use crate::command;
use crate::model_card::{self, CARD, FOR_PHOTOGRAPHS, WEIGHTS};
use crate::workspace::Workspace;

/// Completion scripts: the shell as `fashion completions` names it, and the file that the shell
/// looks for.
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "fashion.bash"),
    ("elvish", "fashion.elv"),
    ("fish", "fashion.fish"),
    ("powershell", "_fashion.ps1"),
    ("zsh", "_fashion"),
];

/// Build dist/fashion-VERSION-TARGET.tar.gz: the binary, weights, completions, man pages and licences
///
/// Two builds of one commit with one version of Rust give the same bytes, in whatever folder they
/// are made. Times in the archive are `SOURCE_DATE_EPOCH` or, where it is unset, the date of the
/// commit. dist/SHA256SUMS has the archive's checksum; the archive has one of its own.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Write to this folder [default: dist in the workspace]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let out = args.out.clone().unwrap_or_else(|| workspace.root().join("dist"));
    let time = source_time(workspace.root())?;
    let target_dir = workspace.root().join("target");
    let path = build(workspace, &target_dir, &out, time)?;
    let size = fs::metadata(&path)?.len();
    println!("{}: {size} bytes, SHA-256 {}", path.display(), known::sha256_file(&path)?);
    Ok(())
}

/// Builds the archive and `SHA256SUMS` in `out` and returns the archive's path.
fn build(workspace: &Workspace, target_dir: &Path, out: &Path, time: u64) -> Result<PathBuf> {
    let host = workspace.host()?;
    let metadata = workspace.metadata(Some(&host))?;
    let shipped = licenses::shipped(&metadata)?;
    model_card::check(workspace)?;
    let binary = binary::build(workspace, target_dir, &host)?;
    let mut entries = own_files(workspace.root())?;
    entries.push(Entry::text("THIRD-PARTY-LICENSES.txt", licenses::collect(&metadata, shipped)?));
    entries.push(Entry::program(
        format!("fashion{}", std::env::consts::EXE_SUFFIX),
        fs::read(&binary).with_context(|| format!("cannot read {}", binary.display()))?,
    ));
    for (shell, file) in COMPLETIONS {
        let script = command::text(Command::new(&binary).args(["completions", shell]))?;
        entries.push(Entry::text(format!("completions/{file}"), script));
    }
    entries.extend(man_pages(&binary)?);

    let name = format!("fashion-{}-{host}", shipped.version);
    let packed = archive::pack(&name, entries, time)?;
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let file = format!("{name}.tar.gz");
    let sums = format!("{}  {file}\n", known::sha256(&packed));
    let path = out.join(&file);
    write(&path, &packed)?;
    write(&out.join(archive::SUMS), sums.as_bytes())?;
    Ok(path)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomically(path, |file| file.write_all(bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The workspace's own documents, and the weights where the binary beside them finds them.
fn own_files(root: &Path) -> Result<Vec<Entry>> {
    ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", CARD, WEIGHTS, FOR_PHOTOGRAPHS]
        .into_iter()
        .map(|name| {
            let path = root.join(name);
            let bytes =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok(Entry::text(name, bytes))
        })
        .collect()
}

/// What `fashion man` writes.
fn man_pages(binary: &Path) -> Result<Vec<Entry>> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    command::run(Command::new(binary).arg("man").arg(folder.path()))?;
    let mut pages = Vec::new();
    for page in fs::read_dir(folder.path())? {
        let page = page?;
        let name = page.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".1") {
            bail!("`fashion man` wrote {name}; expected only man pages, named *.1");
        }
        pages.push(Entry::text(format!("man/man1/{name}"), fs::read(page.path())?));
    }
    if pages.is_empty() {
        bail!("`fashion man` wrote no man pages");
    }
    Ok(pages)
}

/// The time that all files of the archive get, in seconds since 1970.
fn source_time(root: &Path) -> Result<u64> {
    let (text, origin) = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => (text, "SOURCE_DATE_EPOCH"),
        Err(_) => {
            let mut git = Command::new("git");
            let date = git.args(["log", "-1", "--format=%ct"]).current_dir(root);
            let text = command::text(date).context(
                "the archive's times are those of the commit; outside a git repository, set \
                 SOURCE_DATE_EPOCH to the seconds since 1970",
            )?;
            let mut git = Command::new("git");
            let changes = command::text(git.args(["status", "--porcelain"]).current_dir(root))?;
            if !changes.is_empty() {
                eprintln!("warning: there are changes that are in no commit:\n{changes}");
            }
            (text, "`git log`")
        }
    };
    let text = text.trim();
    text.parse().with_context(|| format!("{origin} says {text:?}; expected seconds since 1970"))
}
