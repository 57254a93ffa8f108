//! `photographs`: how well photographs are classified that are prepared first.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;
use fashion_data::Dataset;
use fashion_data::audit::Oddity;
use fashion_data::picture::{self, Limits, Picture};
use fashion_data::prepare::{Preparation, Prepared, side_by_side};
use fashion_data::random::{Purpose, below, stream};
use fashion_eval::calibration::Temperature;
use fashion_infer::{Calibration, Classifier};
use fashion_sample::{Backdrop, Sample, photograph};
use jpeg_encoder::{ColorType, Encoder};
use rayon::prelude::*;

use crate::experiments::official;
use crate::markers::{Part, table};
use crate::model_card::{FOR_PHOTOGRAPHS, WEIGHTS};
use crate::workspace::Workspace;

/// The place of the table.
const PART: Part = Part { file: "docs/photographs.md", chore: "photographs" };

/// What decides the photographs.
const SEED: u64 = 0;

/// Garments in the table.
const IMAGES: usize = 1000;

/// Side of a tile.
const SIDE: usize = 28;

/// Put garments on grounds of all kinds, photograph and prepare them, and say how well they are classified
///
/// Photographs the first garments of the official test set, each on every ground, as a JPEG of quality 60 to
/// 95, and writes the tables of docs/photographs.md, one for each of the weights in data. Needs the real data:
/// `cargo xtask fetch-data`, or `FASHION_DATA`.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Photograph garments that the weights' training held out instead, and only print the tables: for
    /// finding out how to prepare
    #[arg(long)]
    held_out: bool,

    /// Of these weights, and only print the table: for finding out how to train
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,

    /// How many garments
    #[arg(long, value_name = "N", default_value_t = IMAGES)]
    images: usize,

    /// How they are prepared
    #[arg(long, value_name = "NAME", default_value_t = Preparation::Photo)]
    prepare: Preparation,

    /// Instead, write drawn garments on each ground beside what a network sees of them into this folder
    #[arg(long, value_name = "DIR")]
    show: Option<PathBuf>,

    /// Compare with the tables that are there and write nothing
    #[arg(long)]
    check: bool,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if let Some(folder) = &args.show {
        return show(folder, args.prepare);
    }
    PART.read(workspace)?;
    let all = match &args.weights {
        Some(weights) => vec![weights.clone()],
        None => [WEIGHTS, FOR_PHOTOGRAPHS].map(|weights| workspace.root().join(weights)).into(),
    };
    let classifiers = all.iter().map(|weights| Classifier::open(weights));
    let classifiers = classifiers.collect::<Result<Vec<_>, _>>()?;
    let garments = garments(workspace, args)?;
    let photographed = all_photographed(&garments, args.prepare)?;
    let mut fresh = String::new();
    for (weights, classifier) in all.iter().zip(&classifiers) {
        let score = |(name, prepared): &(_, Vec<_>)| {
            let score = Score::of(classifier, &garments, prepared);
            Ok((*name, score.with_context(|| weights.display().to_string())?))
        };
        let rows = photographed.iter().map(score).collect::<Result<Vec<_>>>()?;
        let name = weights.file_stem().unwrap_or_default().display();
        writeln!(fresh, "Classified by `{name}`:\n\n{}", render(&rows))?;
    }
    let images = garments.len();
    writeln!(fresh, "{images} garments on each ground. Made with `cargo xtask photographs`.")?;
    print!("{fresh}");
    let other = args.held_out || args.weights.is_some();
    if other || args.images != IMAGES || args.prepare != Preparation::Photo {
        return Ok(());
    }
    PART.settle(workspace, &fresh, args.check)
}

/// Garments as they are, and from photographs on each ground, with the name of it.
pub(crate) fn all_photographed(
    garments: &Dataset,
    preparation: Preparation,
) -> Result<Vec<(&'static str, Vec<Prepared>)>> {
    let tiles = (0..garments.len())
        .map(|index| Prepared { pixels: garments.pixels(index).to_vec(), doubt: None });
    let mut all = vec![("the tiles themselves", tiles.collect())];
    for on in Backdrop::ALL {
        let prepared = (0..garments.len()).into_par_iter().map(|index| {
            let picture = taken(garments.pixels(index), on, index)?;
            Ok(preparation.apply(&picture, SIDE, 1)?)
        });
        all.push((on.name(), prepared.collect::<Result<_>>()?));
    }
    Ok(all)
}

/// The garments that are photographed.
fn garments(workspace: &Workspace, args: &Args) -> Result<Dataset> {
    let splits = official(workspace)?;
    let (part, indices) = match args.held_out {
        // As `train --recipe quick --seed 0` does.
        true => (&splits.train, splits.hold_out(0.1, 0)?.held_out),
        false => (&splits.test, (0..splits.test.len()).collect()),
    };
    if !(1..=indices.len()).contains(&args.images) {
        bail!("--images is {}; expected 1 to {}", args.images, indices.len());
    }
    Ok(part.select(&indices[..args.images]))
}

/// A photograph of a garment as a camera keeps it: in JPEG, and read again.
fn taken(tile: &[u8], on: Backdrop, index: usize) -> Result<Picture> {
    let index = index as u64;
    let quality = 60 + below(&mut stream(SEED, Purpose::Sample, 15, index), 36) as u8;
    let Picture { pixels, width, height, .. } = photograph(tile, SIDE, on, SEED, index);
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, quality).encode(
        &pixels,
        width as u16,
        height as u16,
        ColorType::Rgb,
    )?;
    Ok(picture::decode(&bytes, &Limits::default())?)
}

/// Writes two drawn garments of each class on each ground, `GROUND-NUMBER.png`.
fn show(folder: &Path, preparation: Preparation) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let drawn = Sample { train: 2, test: 2, ..Sample::default() }.draw()?.test;
    for on in Backdrop::ALL {
        for index in 0..drawn.len() {
            let picture = taken(drawn.pixels(index), on, index)?;
            let prepared = preparation.apply(&picture, SIDE, 1)?;
            let path = folder.join(format!("{}-{index:02}.png", on.name()));
            fs::write(&path, side_by_side(&picture, &prepared.pixels, SIDE, 1))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

/// What became of the garments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Score {
    images: usize,
    right: usize,
    /// For a person, however sure the network is.
    doubtful: usize,
    sorted: usize,
    sorted_right: usize,
}

impl Score {
    /// As `predict` answers.
    fn of(classifier: &Classifier, garments: &Dataset, prepared: &[Prepared]) -> Result<Score> {
        let calibration = classifier.calibration();
        let target = calibration.and_then(|known| known.target?.threshold);
        let (Some(Calibration { temperature, .. }), Some(threshold)) = (calibration, target) else {
            bail!("it does not know from which confidence on a machine may sort");
        };
        let temperature = Temperature::new(temperature)?;
        let pixels: Vec<u8> =
            prepared.iter().flat_map(|prepared| &prepared.pixels).copied().collect();
        let (probabilities, novelty) = classifier.plain_probabilities_and_novelty(&pixels)?;
        let mut score = Score { images: prepared.len(), ..Score::default() };
        let answers = probabilities.chunks_exact(classifier.classes().len());
        let answers = answers.zip(prepared).zip(garments.labels()).enumerate();
        for (at, ((answer, prepared), &label)) in answers {
            let mut answer: Vec<f64> = answer.iter().map(|&p| p.into()).collect();
            temperature.apply_row(&mut answer);
            let confidence = answer.iter().copied().fold(0.0, f64::max);
            let right = answer[usize::from(label)] == confidence;
            let odd = Oddity::of(&prepared.pixels, [SIDE, 1]).is_some();
            let known = classifier.novelty().zip(novelty.as_ref());
            let unknown = known.is_some_and(|(known, scores)| known.is_unknown(scores[at]));
            let doubtful = prepared.doubt.is_some() || odd || unknown;
            let sorted = !doubtful && confidence >= threshold;
            score.right += usize::from(right);
            score.doubtful += usize::from(doubtful);
            score.sorted += usize::from(sorted);
            score.sorted_right += usize::from(sorted && right);
        }
        Ok(score)
    }

    fn accuracy(&self) -> f64 {
        self.right as f64 / self.images as f64
    }
}

fn render(rows: &[(&str, Score)]) -> String {
    let tiles = rows[0].1.accuracy();
    let share = |part: usize, of: usize| format!("{:.1}%", 100.0 * part as f64 / of.max(1) as f64);
    let lines = rows.iter().map(|(name, score)| {
        let off = 100.0 * (score.accuracy() - tiles);
        vec![
            (*name).to_owned(),
            share(score.right, score.images),
            format!("{off:+.1}"),
            share(score.doubtful, score.images),
            share(score.sorted, score.images),
            share(score.sorted_right, score.sorted),
        ]
    });
    let heads =
        ["", "Right", "Points to the tiles", "Doubtful", "Sorted by machine", "Right of these"];
    table(&heads, lines)
}
