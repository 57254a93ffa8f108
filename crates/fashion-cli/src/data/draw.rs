//! `fashion data draw`

use crate::args::DrawArgs;
use crate::exit;
use crate::output::{self, about};
use anyhow::{Context, Result, bail};
use fashion_data::picture::encode;
use fashion_data::{Classes, Dataset, MAX_SIDE, MIN_SIDE, folder};
use fashion_eval::thousands;
use fashion_sample::{Backdrop, Sample, photograph};
use fashion_train::RunFolder;
use std::path::Path;
use std::process::ExitCode;

/// Writes drawn garments, letters or digits.
pub(crate) fn run(args: &DrawArgs) -> Result<ExitCode> {
    let DrawArgs { folder, only, side, colour, photographs, train, test, seed } = args;
    let (side, train, test, seed) = (*side, *train, *test, *seed);
    if !(MIN_SIDE..=MAX_SIDE).contains(&side) || train == 0 || test == 0 {
        return Err(exit::usage(format!(
            "--side is {side}, --train {train}, --test {test}; expected a side of {MIN_SIDE} to \
             {MAX_SIDE} and at least one picture of each class in both parts"
        )));
    }
    let chosen = only.as_deref().map(chosen).transpose()?;
    RunFolder::check_free(folder)?;
    let sample = Sample { seed, side, in_colour: *colour, train, test };
    let splits = match chosen {
        Some(garments) => sample.draw_only(&garments)?,
        None => sample.draw()?,
    };
    let mut written = 0;
    for (name, part) in [("train", &splits.train), ("test", &splits.test)] {
        let folder = folder.join(name);
        match photographs {
            true => write_photographs(&folder, part, seed, written)?,
            false => folder::write(&folder, part)?,
        }
        written += part.len();
    }
    let what = match photographs {
        true => "photographs".to_owned(),
        false => format!("pictures of {side}x{side} pixels"),
    };
    about("written", format_args!("{} {what}", thousands(written)));
    output::print(&format!("{}\n", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Photographs of tiles, `CLASS/NUMBER.png`, of which so many come before.
fn write_photographs(folder: &Path, tiles: &Dataset, seed: u64, before: usize) -> Result<()> {
    for (index, &label) in tiles.labels().iter().enumerate() {
        let class = folder.join(tiles.classes()[usize::from(label)].replace('/', "-"));
        std::fs::create_dir_all(&class).with_context(|| class.display().to_string())?;
        let on = Backdrop::ALL[index / tiles.classes().len() % Backdrop::ALL.len()];
        let number = (before + index) as u64;
        let picture = photograph(tiles.pixels(index), tiles.side(), on, seed, number);
        let path = class.join(format!("{index:04}.png"));
        std::fs::write(&path, encode(&picture)).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The classes that are asked for.
fn chosen(names: &[String]) -> Result<Vec<usize>> {
    let all = fashion_sample::classes();
    let label = |name: &String| match all.iter().position(|class| class == name.trim()) {
        Some(label) => Ok(label),
        None => bail!("--only: nothing is drawn of {name:?}; there are {}", all.join(", ")),
    };
    let labels = names.iter().map(label).collect::<Result<Vec<_>>>().map_err(exit::usage)?;
    Classes::new(labels.iter().map(|&label| all[label].clone()))
        .map_err(|error| exit::usage(format!("--only: {error}")))?;
    Ok(labels)
}
