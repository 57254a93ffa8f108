//! `fetch-data`: Fashion-MNIST from its mirrors to `data/train.npz` and `data/test.npz`.

mod download;
mod source;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, bail};
use clap::Args as ClapArgs;
use fashion_data::known::{self, KnownFile};
use fashion_data::{
    Classes, Dataset, Error as DataError, Format, Reading, Source as DataSource, Split, npz,
};
use indicatif::{ProgressBar, ProgressStyle};

use self::download::{Download, Patience};
use self::source::{MIRRORS, Source};
use crate::workspace::Workspace;

/// Where the mirrors' own files are kept, inside the data folder. Not beside the npz files: a
/// folder must hold the data in one format only.
const DOWNLOADS: &str = "download";

/// Bring Fashion-MNIST: download it, check it and write data/train.npz and data/test.npz
///
/// The four official .gz files come from the first mirror that gives them with the right SHA-256, and
/// stay in data/download. An interrupted download is continued by the next call. A second call
/// verifies everything and downloads nothing.
#[derive(ClapArgs)]
#[command(after_long_help = mirrors())]
pub(crate) struct Args {
    /// Take the four .gz files from this address of a folder (http:// or https://), or from this
    /// local folder, instead of the mirrors
    #[arg(long, value_name = "URL|DIR")]
    from: Option<String>,

    /// Write to this folder [default: data in the workspace]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

fn mirrors() -> String {
    format!(
        "Mirrors, in the order in which they are asked:\n  {}\n\n\
         These addresses could not be reached from where this program was written and have not \
         been tried; the program itself was tried against a server on the same machine.",
        MIRRORS.join("\n  ")
    )
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let data_dir = args.data_dir.clone().unwrap_or_else(|| workspace.root().join("data"));
    let sources = match &args.from {
        Some(from) => vec![Source::parse(from)?],
        None => Source::mirrors(),
    };
    bring(&known::OFFICIAL, &sources, &data_dir, Patience::DEFAULT)
}

/// Downloads what is missing of `files` (train images, train labels, test images, test labels) and
/// writes the npz files of them.
fn bring(
    files: &[KnownFile; 4],
    sources: &[Source],
    data_dir: &Path,
    patience: Patience,
) -> Result<()> {
    refuse_other_formats(data_dir)?;
    let downloads = data_dir.join(DOWNLOADS);
    fs::create_dir_all(&downloads)
        .with_context(|| format!("cannot make the folder {}", downloads.display()))?;

    // The mirror that gave one file is asked first for the next one.
    let mut first = 0;
    let mut here = Vec::new();
    for file in files {
        let bar = bar(file)?;
        let warn = |error: &Error| bar.suspend(|| eprintln!("warning: {error:#}"));
        let download = Download { file, folder: &downloads, patience, bar: &bar, warn: &warn };
        let given = download.ensure(sources, first)?;
        bar.finish_and_clear();
        first = given.unwrap_or(first);
        let how = given.map_or("present".to_owned(), |source| {
            format!("fetched from {}", sources[source].of(""))
        });
        eprintln!("{}: {how}, SHA-256 verified", download.name());
        here.push(download.target());
    }
    for (name, files) in ["train.npz", "test.npz"].into_iter().zip(here.chunks(2)) {
        let dataset = fashion_data::idx::read(&files[0], &files[1], &garments())?;
        let path = data_dir.join(name);
        let how = if ensure_npz(&path, &dataset)? { "written" } else { "present, verified" };
        eprintln!("{}: {how}, {} images", path.display(), dataset.len());
    }
    Ok(())
}

/// Shows how far one file is, from its first bytes on. Hidden where standard error is no terminal.
fn bar(file: &KnownFile) -> Result<ProgressBar> {
    let style = "{msg} [{bar:30}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
    Ok(ProgressBar::new(file.gz_bytes)
        .with_style(ProgressStyle::with_template(style)?)
        .with_message(format!("{}.gz", file.name)))
}

/// The labels are of the garments, whatever they are.
fn garments() -> Reading {
    Reading { classes: Some(Classes::garments()), ..Reading::default() }
}

/// Makes sure that `path` holds `dataset`, byte for byte as this program writes it, and tells whether
/// it had to be written.
///
/// A damaged file, or the same data in another packing, is replaced; other data is somebody's own
/// and is left alone with an error.
fn ensure_npz(path: &Path, dataset: &Dataset) -> Result<bool> {
    let folder = path.parent().context("an npz file needs a folder")?;
    let fresh = tempfile::Builder::new()
        .prefix(".npz-")
        .tempfile_in(folder)
        .with_context(|| format!("cannot write to {}", folder.display()))?
        .into_temp_path();
    npz::write(&fresh, dataset)?;
    if path.exists() {
        if known::sha256_file(path)? == known::sha256_file(&fresh)? {
            return Ok(false);
        }
        if npz::read(path, Split::Train, &garments()).is_ok_and(|found| found != *dataset) {
            bail!(
                "{} holds other data than the files that it would be made of; move it away or \
                 name another folder with --data-dir",
                path.display()
            );
        }
    }
    fresh.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

/// Writing npz files beside data in another format would make a folder that nothing can read.
fn refuse_other_formats(data_dir: &Path) -> Result<()> {
    match DataSource::find(data_dir) {
        Ok(found) if found.format != Format::Npz && found.folder == data_dir => {
            bail!(
                "{found} holds data already, and a folder must hold one kind only; move it away or \
                 name another folder with --data-dir"
            )
        }
        Ok(_) => Ok(()),
        // What lies below the folder does not matter: data in the folder itself come first.
        Err(DataError::File { path, .. }) if path != data_dir && path.is_dir() => Ok(()),
        Err(DataError::File { path, problem }) => match *problem {
            DataError::NoSuchFolder | DataError::NoData { .. } => Ok(()),
            DataError::Incomplete { ref found, .. }
                if found.iter().all(|name| name.ends_with(".npz")) =>
            {
                Ok(())
            }
            problem => bail!("--data-dir {}: {problem}", path.display()),
        },
        Err(error) => Err(error.into()),
    }
}
