//! What each ingredient of the recipe `quick` brings.

use std::path::Path;

use anyhow::Result;

use super::{Runs, apart, trained, write_data};
use crate::markers::{Part, mean_and_deviation, table};
use crate::workspace::Workspace;

const PART: Part = Part { file: "docs/accuracy.md", chore: "experiments-ingredients" };
const SEEDS: usize = 3;
/// Student's t with as many degrees of freedom as there are seeds but one, beyond which lie 2.5% on either
/// side.
const T: f64 = 4.303;

/// All of them without validation: the last epoch counts.
const TRAINING: &[&str] =
    &["--recipe", "quick", "--validation", "none", "--target-accuracy", "none"];

/// What is left out, and the options that do so; of what saves time, for as long a training.
const LEFT_OUT: [(&str, &[&str]); 9] = [
    ("nothing", &[]),
    ("leaving out easy images, in 13 epochs", &["--skip-easy", "0", "--epochs", "13"]),
    ("Muon: AdamW", &["--optimiser", "adamw"]),
    ("one cycle: a rate of 0.002 to the end", &["--schedule", "constant", "--lr", "0.002"]),
    ("flips, in use too", &["--flip", "0", "--tta", "none"]),
    ("flips in use only", &["--tta", "none"]),
    ("shifts", &["--shift", "0"]),
    ("label smoothing", &["--label-smoothing", "0"]),
    ("weight decay", &["--weight-decay", "0"]),
];

/// Makes the table again.
pub(super) fn run(workspace: &Workspace, runs: &Runs<'_>) -> Result<()> {
    let out = runs.out.join("ingredients");
    let data = out.join("data");
    let [train, test] = apart(workspace)?;
    write_data(&data, [&train, &test])?;
    let scores = |(number, (name, options)): (usize, &(&str, &[&str]))| {
        eprintln!("== without {name}");
        let one = |seed| {
            trained_without(runs.fashion, &data, &out.join(number.to_string()), seed, options)
        };
        (0..SEEDS).map(one).collect::<Result<Vec<f64>>>()
    };
    let all = LEFT_OUT.iter().enumerate().map(scores).collect::<Result<Vec<_>>>()?;
    let rows = LEFT_OUT.iter().zip(&all).map(|((name, _), own)| row(name, own, &all[0]));
    let heads = ["", "Accuracy", "Difference in points", "95% interval"];
    let how = format!(
        "`fashion train {}` on 50,000 of the training images, judged on the other 10,000; seeds 0 to {}",
        TRAINING.join(" "),
        SEEDS - 1
    );
    runs.settle(workspace, &PART, &table(&heads, rows), &how)
}

fn trained_without(
    fashion: &Path,
    data: &Path,
    out: &Path,
    seed: usize,
    options: &[&str],
) -> Result<f64> {
    let seed = seed.to_string();
    let options = [TRAINING, options, &["--seed", &seed]].concat();
    trained(fashion, data, &out.join(format!("seed-{seed}")), &options)
}

/// Accuracies beside those with all ingredients, seed by seed.
fn row(name: &str, own: &[f64], whole: &[f64]) -> Vec<String> {
    let (mean, sd) = mean_and_deviation(own);
    let differences: Vec<f64> = own.iter().zip(whole).map(|(a, b)| 100.0 * (a - b)).collect();
    let (difference, spread) = mean_and_deviation(&differences);
    let half = T * spread / (differences.len() as f64).sqrt();
    let accuracy = format!("{:.2} ± {:.2}%", 100.0 * mean, 100.0 * sd);
    if own == whole {
        return [name, &accuracy, "", ""].map(str::to_owned).into();
    }
    let interval = format!("{:+.2} to {:+.2}", difference - half, difference + half);
    vec![name.to_owned(), accuracy, format!("{difference:+.2}"), interval]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.ttest_rel(a, b).confidence_interval()` of SciPy 1.16 gives (-0.0055170, -0.0011496),
    /// with 4.3027 for [`T`].
    #[test]
    fn differences_are_taken_seed_by_seed() {
        let whole = [0.94, 0.945, 0.942];
        assert_eq!(row("nothing", &whole, &whole), ["nothing", "94.23 ± 0.25%", "", ""]);
        let row = row("flips", &[0.937, 0.941, 0.939], &whole);
        assert_eq!(row, ["flips", "93.90 ± 0.20%", "-0.33", "-0.48 to -0.19"]);
    }
}
