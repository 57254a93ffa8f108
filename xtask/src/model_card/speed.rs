//! How long `fashion predict` takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use super::WEIGHTS;
use crate::command;
use crate::workspace::Workspace;

/// Images of each class beside the one.
const EACH: usize = 200;
/// The best of so many calls counts: other programs only ever make one slower.
const CALLS: usize = 5;

/// Times of the command, in seconds.
pub(super) struct Speed {
    /// From its start to its end, for one image.
    pub(super) one: f64,
    /// What each of the others takes beside the first.
    pub(super) each: f64,
    /// How many others there are.
    pub(super) others: usize,
}

impl Speed {
    /// Times it on drawn garments, as PNG files.
    pub(super) fn measure(workspace: &Workspace, fashion: &Path) -> Result<Self> {
        let work = tempfile::tempdir().context("cannot make a temporary folder")?;
        let folder = work.path().join("garments");
        let mut draw = Command::new(fashion);
        let each = EACH.to_string();
        draw.args(["data", "draw", "--test", "1", "--train", &each]).arg(&folder);
        command::quietly(&mut draw)?;
        let mut images = Vec::new();
        for class in entries(&folder.join("train"))? {
            images.extend(entries(&class)?);
        }
        let time = |images: &[PathBuf]| {
            let mut best = f64::INFINITY;
            for _ in 0..CALLS {
                let mut predict = Command::new(fashion);
                predict.arg("predict").arg(workspace.root().join(WEIGHTS)).args(images);
                let start = Instant::now();
                command::quietly(&mut predict)?;
                best = best.min(start.elapsed().as_secs_f64());
            }
            Ok::<_, anyhow::Error>(best)
        };
        let others = images.len() - 1;
        let one = time(&images[..1])?;
        let each = (time(&images)? - one) / others as f64;
        Ok(Self { one, each, others })
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)
        .and_then(|all| all.map(|entry| Ok(entry?.path())).collect::<Result<_, _>>())
        .with_context(|| format!("cannot read {}", folder.display()))
}
