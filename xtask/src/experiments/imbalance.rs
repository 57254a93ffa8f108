//! What class weights and balanced drawing do where some classes are rare.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use fashion_data::{Dataset, npz};
use serde::Deserialize;

use super::{FILE, Runs, apart};
use crate::command;
use crate::markers::{Part, mean_and_deviation, table};
use crate::workspace::Workspace;

const PART: Part = Part { file: FILE, chore: "experiments-imbalance" };
const SEEDS: [&str; 3] = ["0", "1", "2"];
/// How many times as frequent the first class is as the last.
const IMBALANCE: f64 = 100.0;

/// What is tried: the name of a run's folder, and its options.
const TRIED: [(&str, &[&str]); 4] = [
    ("plain", &[]),
    ("class-weights-balanced", &["--class-weights", "balanced"]),
    ("balance-0.5", &["--balance", "0.5"]),
    ("balance-1", &["--balance", "1"]),
];

/// Makes the table and the figure of the experiment again.
pub(super) fn run(workspace: &Workspace, runs: &Runs<'_>) -> Result<()> {
    let out = runs.out.join("imbalance");
    let data = out.join("data");
    make_uneven(workspace, &data)?;
    let mut rows = Vec::new();
    for (name, options) in TRIED {
        let mut scores = Vec::new();
        for seed in SEEDS {
            let run = out.join(format!("seed-{seed}")).join(name);
            if !run.join("metrics.json").exists() {
                let mut train = Command::new(runs.fashion);
                train.args(["train", "--validation", "none", "--seed", seed]).args(options);
                train.arg("--data").arg(&data).arg("--out").arg(&run);
                command::run(&mut train)?;
            }
            scores.push(read(&run.join("metrics.json"))?);
        }
        let options = match options {
            [] => "neither".to_owned(),
            _ => format!("`{}`", options.join(" ")),
        };
        rows.push(row(options, &scores));
    }
    let heads = ["Setting", "Mean recall", "Five most frequent", "Five rarest", "Log loss"];
    let how = "`fashion train --validation none` with each setting and the seeds 0, 1 and 2";
    runs.settle(workspace, &PART, &table(&heads, rows), how)?;
    if runs.check {
        return Ok(());
    }
    let folder = out.join("seed-0");
    let comparison = folder.join("comparison");
    if comparison.exists() {
        fs::remove_dir_all(&comparison)
            .with_context(|| format!("cannot replace {}", comparison.display()))?;
    }
    let mut compare = Command::new(runs.fashion);
    compare.current_dir(&folder).arg("compare").args(TRIED.map(|(name, _)| name));
    command::run(compare.arg("--data").arg(&data).args(["--out", "comparison"]))?;
    runs.keep_figure(workspace, &comparison.join("figures/recall.svg"), "imbalance-recall")
}

/// Writes data of which each class has a smaller share than the one before, in geometric steps, as Cui
/// et al. do ("Class-Balanced Loss Based on Effective Number of Samples", CVPR 2019).
fn make_uneven(workspace: &Workspace, folder: &Path) -> Result<()> {
    let [train, test] = apart(workspace)?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    npz::write(&folder.join("test.npz"), &test)?;
    npz::write(&folder.join("train.npz"), &uneven(&train))?;
    Ok(())
}

fn uneven(even: &Dataset) -> Dataset {
    let counts = even.class_counts();
    let last = (counts.len() - 1) as f64;
    let share = |class: usize| IMBALANCE.powf(-(class as f64) / last);
    let mut left: Vec<usize> = counts
        .iter()
        .enumerate()
        .map(|(class, &items)| (items as f64 * share(class)).round() as usize)
        .collect();
    let kept = even.labels().iter().enumerate().filter_map(|(item, &label)| {
        let left = &mut left[usize::from(label)];
        *left = left.checked_sub(1)?;
        Some(item)
    });
    even.select(&kept.collect::<Vec<_>>())
}

/// What a run reached.
#[derive(Debug, Deserialize)]
struct Scores {
    log_loss: f64,
    per_class: Vec<Class>,
}

#[derive(Debug, Deserialize)]
struct Class {
    recall: f64,
}

fn read(path: &Path) -> Result<Scores> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no metrics.json of a run", path.display()))
}

/// Means and standard deviations over the seeds.
fn row(options: String, scores: &[Scores]) -> Vec<String> {
    let spread = |value: &dyn Fn(&Scores) -> f64| {
        mean_and_deviation(&scores.iter().map(value).collect::<Vec<_>>())
    };
    let recall = |classes: std::ops::Range<usize>| {
        let (mean, deviation) = spread(&|scores| {
            let classes = &scores.per_class[classes.clone()];
            classes.iter().map(|class| class.recall).sum::<f64>() / classes.len() as f64
        });
        format!("{:.1} ± {:.1}%", 100.0 * mean, 100.0 * deviation)
    };
    let (loss, deviation) = spread(&|scores| scores.log_loss);
    let loss = format!("{loss:.3} ± {deviation:.3}");
    vec![options, recall(0..10), recall(0..5), recall(5..10), loss]
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array3};

    use super::*;

    #[test]
    fn each_class_is_rarer_than_the_one_before() {
        let labels = Array1::from_iter((0..5000).map(|item| item % 10));
        let even = Dataset::of_garments(Array3::zeros((5000, 28, 28)), labels).unwrap();
        assert_eq!(uneven(&even).class_counts(), [500, 300, 180, 108, 65, 39, 23, 14, 8, 5]);
    }

    #[test]
    fn a_row_has_means_and_spreads() {
        let scores = |loss: f64, rare: f64| {
            let recalls = (0..10).map(|class| if class < 5 { 0.9 } else { rare });
            let per_class = recalls.map(|recall| Class { recall }).collect();
            Scores { log_loss: loss, per_class }
        };
        assert_eq!(
            row("x".into(), &[scores(0.4, 0.5), scores(0.6, 0.7)]),
            ["x", "75.0 ± 7.1%", "90.0 ± 0.0%", "60.0 ± 14.1%", "0.500 ± 0.141"]
        );
    }
}
