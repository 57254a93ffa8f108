//! `fashion data draw`

use crate::args::DrawArgs;
use crate::exit;
use crate::output::{self, about};
use anyhow::{Result, bail};
use fashion_data::{Classes, Dataset, MAX_SIDE, MIN_SIDE, folder};
use fashion_eval::thousands;
use fashion_sample::Sample;
use fashion_train::RunFolder;
use std::process::ExitCode;

/// Writes drawn garments.
pub(crate) fn run(args: &DrawArgs) -> Result<ExitCode> {
    let DrawArgs { folder, only, side, colour, train, test, seed } = args;
    let (side, train, test, seed) = (*side, *train, *test, *seed);
    if !(MIN_SIDE..=MAX_SIDE).contains(&side) || train == 0 || test == 0 {
        return Err(exit::usage(format!(
            "--side is {side}, --train {train}, --test {test}; expected a side of {MIN_SIDE} to \
             {MAX_SIDE} and at least one picture of each class in both parts"
        )));
    }
    let chosen = only.as_deref().map(chosen).transpose()?;
    RunFolder::check_free(folder)?;
    let splits = Sample { seed, side, in_colour: *colour, train, test }.draw()?;
    let mut written = 0;
    for (name, part) in [("train", &splits.train), ("test", &splits.test)] {
        let part = match &chosen {
            Some(chosen) => &select(part, chosen)?,
            None => part,
        };
        folder::write(&folder.join(name), part)?;
        written += part.len();
    }
    about("written", format_args!("{} pictures of {side}x{side} pixels", thousands(written)));
    output::print(&format!("{}\n", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The garments that are asked for, with their names.
fn chosen(names: &[String]) -> Result<(Vec<usize>, Classes)> {
    let garments = Classes::garments();
    let label = |name: &String| match garments.iter().position(|garment| garment == name.trim()) {
        Some(label) => Ok(label),
        None => bail!("--only: there is no garment {name:?}; there are {garments}"),
    };
    let labels = names.iter().map(label).collect::<Result<Vec<_>>>().map_err(exit::usage)?;
    let classes = Classes::new(labels.iter().map(|&label| garments[label].clone()));
    Ok((labels, classes.map_err(|error| exit::usage(format!("--only: {error}")))?))
}

/// Those of a part that are of these classes.
fn select(part: &Dataset, (labels, classes): &(Vec<usize>, Classes)) -> Result<Dataset> {
    let place = |index: &usize| {
        labels.iter().position(|&label| label == usize::from(part.labels()[*index]))
    };
    let indices: Vec<usize> = (0..part.len()).filter(|index| place(index).is_some()).collect();
    let labels = indices.iter().filter_map(place).map(|label| label as u16).collect();
    let images = part.select(&indices).images().to_owned();
    Ok(Dataset::new(images, labels, classes.clone())?)
}
