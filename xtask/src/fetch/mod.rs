//! `fetch-data`: Fashion-MNIST from its mirrors to `data/train.npz` and `data/test.npz`.

mod archive;
mod download;
mod http;
mod progress;
mod source;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;
use fashion_data::{Error as DataError, Source as DataSource, known};

use self::archive::State;
use self::download::{Download, Outcome, Patience};
use self::progress::Bar;
use self::source::{Expected, MIRRORS, Source};
use crate::workspace::Workspace;

/// Where the mirrors' own files are kept, inside the data folder. Not beside the npz files: a
/// folder must hold the data in one format only.
const DOWNLOADS: &str = "download";

/// Bring Fashion-MNIST: download it, check it and write data/train.npz and data/test.npz
#[derive(ClapArgs)]
#[command(long_about = help())]
pub(crate) struct Args {
    /// Take the four .gz files from this address of a folder (http:// or https://), or from this
    /// local folder, instead of the mirrors
    #[arg(long, value_name = "URL|DIR")]
    from: Option<String>,

    /// Write to this folder [default: data in the workspace]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

fn help() -> String {
    let mut help = String::from(
        "Bring Fashion-MNIST: download it, check it and write data/train.npz and data/test.npz\n\n\
         The four official .gz files come from the first mirror that gives them with the right \
         SHA-256, and stay in data/download:\n\n",
    );
    for mirror in MIRRORS {
        help.push_str(&format!("  {mirror}\n"));
    }
    help.push_str(
        "\nThese addresses could not be reached from where this program was written and have not \
         been tried; the program itself was tried against a server on the same machine.\n\n\
         An interrupted download is continued by the next call. A second call verifies everything \
         and downloads nothing.",
    );
    help
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let data_dir = args.data_dir.clone().unwrap_or_else(|| workspace.root().join("data"));
    let sources = match &args.from {
        Some(from) => vec![Source::parse(from)?],
        None => Source::mirrors(),
    };
    bring(&official(), &sources, &data_dir, Patience::DEFAULT)
}

/// The official files as they are published.
fn official() -> [Expected; 4] {
    known::OFFICIAL.map(|file| Expected {
        name: format!("{}.gz", file.name),
        size: file.gz_bytes,
        sha256: file.gz_sha256.to_owned(),
    })
}

/// Downloads what is missing of `files` (train images, train labels, test images, test labels) and
/// writes the npz files of them.
fn bring(
    files: &[Expected; 4],
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
    for expected in files {
        let bar = Bar::new(expected);
        let download = Download { expected, folder: &downloads, patience, watcher: &bar };
        let how = match download.ensure(sources, first)? {
            Outcome::Present => "present".to_owned(),
            Outcome::Fetched(index) => {
                first = index;
                format!("fetched from {}", sources[index])
            }
        };
        bar.finish(&format!("{}: {how}, SHA-256 verified", expected.name));
    }

    let [train_images, train_labels, test_images, test_labels] =
        files.each_ref().map(|file| downloads.join(&file.name));
    for (name, images, labels) in
        [("train.npz", &train_images, &train_labels), ("test.npz", &test_images, &test_labels)]
    {
        let dataset = fashion_data::idx::read(images, labels)?;
        let path = data_dir.join(name);
        let how = match archive::ensure(&path, &dataset)? {
            State::Present => "present, verified",
            State::Written => "written",
        };
        eprintln!("{}: {how}, {} images", path.display(), dataset.len());
    }
    Ok(())
}

/// Writing npz files beside data in another format would make a folder that nothing can read.
fn refuse_other_formats(data_dir: &Path) -> Result<()> {
    match DataSource::resolve_from(Some(data_dir), None, data_dir) {
        Ok(found @ (DataSource::Idx(_) | DataSource::Png(_))) => bail!(
            "{found} holds data already, and a folder must hold one kind only; move it away or \
             name another folder with --data-dir"
        ),
        Ok(_) => Ok(()),
        Err(DataError::File { path, problem }) => match *problem {
            DataError::NoSuchFolder | DataError::NoData => Ok(()),
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
