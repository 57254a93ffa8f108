//! What changes in training make a network bear photographs, and what they cost on tiles.

use anyhow::Result;
use fashion_data::Dataset;
use fashion_data::prepare::{Preparation, Prepared};
use fashion_infer::Classifier;

use super::{Runs, apart, trained, write_data};
use crate::markers::{Part, mean_and_deviation, table};
use crate::photographs::all_photographed;
use crate::workspace::Workspace;

const PART: Part = Part { file: "docs/photographs.md", chore: "experiments-photographs" };
const SEEDS: usize = 2;
/// Garments that are photographed on each ground.
const IMAGES: usize = 1000;

/// All of them without validation: the last epoch counts.
const TRAINING: &[&str] =
    &["--recipe", "quick", "--validation", "none", "--target-accuracy", "none"];

/// What is changed, beside flips and shifts, and the options that do so.
const CHANGES: [(&str, &[&str]); 3] = [
    ("nothing more", &[]),
    ("turned and blurred", &["--rotate", "5", "--blur", "0.8"]),
    (
        "lit otherwise, too",
        &["--rotate", "5", "--blur", "0.8", "--brightness", "0.3", "--contrast", "0.3"],
    ),
];

/// Makes the table again.
pub(super) fn run(workspace: &Workspace, runs: &Runs<'_>) -> Result<()> {
    let out = runs.out.join("photographs");
    let data = out.join("data");
    let [train, test] = apart(workspace)?;
    write_data(&data, [&train, &test])?;
    let garments = test.select(&(0..IMAGES).collect::<Vec<_>>());
    let photographs = all_photographed(&garments, Preparation::Photo)?;
    let mut rows = Vec::new();
    for (number, (name, options)) in CHANGES.iter().enumerate() {
        eprintln!("== {name}");
        // Of all tiles, then of those that were photographed and of their photographs.
        let mut all = vec![Vec::new(); photographs.len()];
        for seed in (0..SEEDS).map(|seed| seed.to_string()) {
            let run = out.join(format!("{number}/seed-{seed}"));
            let options = [TRAINING, options, &["--seed", &seed]].concat();
            let of_tiles = trained(runs.fashion, &data, &run, &options)?;
            let classifier = Classifier::open(&run.join("weights/last.safetensors"))?;
            all[0].push(of_tiles);
            for ((_, prepared), all) in photographs.iter().zip(&mut all).skip(1) {
                all.push(accuracy(&classifier, &garments, prepared)?);
            }
        }
        let cells = all.iter().map(|accuracies| {
            let (mean, deviation) = mean_and_deviation(accuracies);
            format!("{:.1} ± {:.1}%", 100.0 * mean, 100.0 * deviation)
        });
        let options = match options {
            [] => String::new(),
            options => format!(", `{}`", options.join(" ")),
        };
        rows.push(std::iter::once(format!("{name}{options}")).chain(cells).collect::<Vec<_>>());
    }
    let grounds = photographs.iter().skip(1).map(|&(name, _)| name);
    let heads: Vec<&str> = ["Changed in training", "tiles"].into_iter().chain(grounds).collect();
    let how = format!(
        "`fashion train {}` on 50,000 of the training images, judged on the other 10,000 as tiles and on \
         {IMAGES} of them as photographs; seeds 0 to {}",
        TRAINING.join(" "),
        SEEDS - 1
    );
    runs.settle(workspace, &PART, &table(&heads, rows), &how)
}

/// The share of garments that are classified right.
fn accuracy(classifier: &Classifier, garments: &Dataset, prepared: &[Prepared]) -> Result<f64> {
    let pixels: Vec<u8> = prepared.iter().flat_map(|prepared| &prepared.pixels).copied().collect();
    let probabilities = classifier.probabilities(&pixels)?;
    let answers = probabilities.chunks_exact(classifier.classes().len());
    let right = answers.zip(garments.labels()).filter(|&(answer, &label)| {
        answer.iter().all(|&other| other <= answer[usize::from(label)])
    });
    Ok(right.count() as f64 / garments.len() as f64)
}
