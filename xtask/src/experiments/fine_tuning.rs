//! What it brings to begin with the weights of another training where images are few.

use std::ops::Range;
use std::path::Path;

use anyhow::Result;
use fashion_data::{Classes, Dataset, Drawing, Feed};
use fashion_sample::Sample;

use super::{Runs, apart, trained, write_data};
use crate::markers::{Part, mean_and_deviation, table};
use crate::workspace::Workspace;

const FILE: &str = "docs/fine-tuning.md";
const SEEDS: u64 = 5;
/// Images of each class.
const SIZES: [usize; 3] = [20, 50, 200];
/// Pullover and coat, which are hard to tell apart.
const LEFT_OUT: [u16; 2] = [2, 4];
/// The letters, of what can be drawn.
const LETTERS: Range<usize> = 10..20;
/// Of each letter, to judge by.
const LETTERS_TO_TEST: usize = 200;

/// How all of them are trained.
const TRAINING: &[&str] = &["--network", "vgg", "--schedule", "cosine", "--validation", "none"];
const BASE: &[&str] = &["--epochs", "4", "--seed", "0"];
const FEW: &[&str] = &["--epochs", "30", "--batch-size", "20"];

/// What is tried on few images: its name, its options, and whether it begins with the weights of others.
const TRIED: [(&str, &[&str], bool); 3] = [
    ("from nothing", &["--lr", "0.003"], false),
    ("fine-tuned", &["--lr", "0.003"], true),
    ("the head alone", &["--lr", "0.03", "--freeze", "all-but-head"], true),
];

/// Makes the tables of the experiment again.
pub(super) fn run(workspace: &Workspace, runs: &Runs<'_>) -> Result<()> {
    let out = runs.out.join("fine-tuning");
    let [train, test] = apart(workspace)?;
    let garments = Task {
        name: "garments",
        part: Part { file: FILE, chore: "experiments-fine-tuning-garments" },
        base: [of_classes(&train, |label| !LEFT_OUT.contains(&label))?, {
            of_classes(&test, |label| !LEFT_OUT.contains(&label))?
        }],
        few: &|seed| {
            let [train, test] =
                [&train, &test].map(|part| of_classes(part, |l| LEFT_OUT.contains(&l)));
            Ok([shuffled(&train?, seed), test?])
        },
    };
    garments.run(workspace, runs, &out)?;
    let letters = Task {
        name: "letters",
        part: Part { file: FILE, chore: "experiments-fine-tuning-letters" },
        base: [train.clone(), test.clone()],
        few: &|seed| {
            let train = SIZES.into_iter().max().unwrap_or(0);
            let sample = Sample { seed, train, test: LETTERS_TO_TEST, ..Sample::default() };
            let splits = sample.draw_only(&LETTERS.collect::<Vec<_>>())?;
            Ok([splits.train, splits.test])
        },
    };
    letters.run(workspace, runs, &out)
}

/// A training set and one to judge by.
type Pair = [Dataset; 2];

/// Training on many images, and then on few others.
struct Task<'a> {
    name: &'static str,
    part: Part,
    base: Pair,
    /// As many of each class as are tried at most, or more, by a seed; the first of each are taken.
    few: &'a dyn Fn(u64) -> Result<Pair>,
}

impl Task<'_> {
    fn run(&self, workspace: &Workspace, runs: &Runs<'_>, out: &Path) -> Result<()> {
        let out = out.join(self.name);
        let [train, test] = &self.base;
        let base = out.join("base");
        let data = out.join("data-base");
        write_data(&data, [train, test])?;
        trained(runs.fashion, &data, &base, &[TRAINING, BASE].concat())?;
        let mut rows = Vec::new();
        for size in SIZES {
            let mut scores = vec![Vec::new(); TRIED.len()];
            for seed in 0..SEEDS {
                let [train, test] = (self.few)(seed)?;
                let few = first_of_each(&train, size);
                let folder = out.join(format!("{size}-seed-{seed}"));
                let data = folder.join("data");
                write_data(&data, [&few, &test])?;
                for ((name, options, from), scores) in TRIED.iter().zip(&mut scores) {
                    let seed = seed.to_string();
                    let mut all = [TRAINING, FEW, options, &["--seed", &seed]].concat();
                    let base = base.display().to_string();
                    if *from {
                        all.extend(["--from", &base]);
                    }
                    let run = folder.join(name.replace(' ', "-"));
                    scores.push(trained(runs.fashion, &data, &run, &all)?);
                }
            }
            rows.push(row(size, &scores));
        }
        let mut heads = vec!["Images of each class"];
        heads.extend(TRIED.map(|(name, ..)| name));
        let options = |options: &[&str]| options.join(" ");
        let how = format!(
            "`fashion train {}`, the base with `{}`, the others with `{}`, {}; seeds 0 to {}",
            options(TRAINING),
            options(BASE),
            options(FEW),
            TRIED.map(|(name, own, _)| format!("{name} `{}`", options(own))).join(", "),
            SEEDS - 1
        );
        runs.settle(workspace, &self.part, &table(&heads, rows), &how)
    }
}

/// The items of some classes, which are numbered anew.
pub(super) fn of_classes(all: &Dataset, wanted: impl Fn(u16) -> bool) -> Result<Dataset> {
    let items: Vec<usize> = (0..all.len()).filter(|&item| wanted(all.labels()[item])).collect();
    let some = all.select(&items);
    let labels: Vec<u16> = (0..all.classes().len() as u16).filter(|&label| wanted(label)).collect();
    let classes =
        Classes::new(labels.iter().map(|&label| all.classes()[usize::from(label)].clone()))?;
    let place = |label: &u16| labels.iter().position(|wanted| wanted == label).unwrap_or(0) as u16;
    let new = some.labels().iter().map(place).collect::<Vec<_>>();
    Ok(Dataset::new(some.images().to_owned(), new.into(), classes)?)
}

/// The same items in an order that the seed decides.
fn shuffled(all: &Dataset, seed: u64) -> Dataset {
    let items: Vec<usize> = (0..all.len()).collect();
    let drawing = Drawing { seed, ..Drawing::default() };
    all.select(Feed::of_epoch(all, &items, &drawing, 1).indices())
}

/// So many of each class.
fn first_of_each(all: &Dataset, count: usize) -> Dataset {
    let mut left = vec![count; all.classes().len()];
    let items = all.labels().iter().enumerate().filter_map(|(item, &label)| {
        let left = &mut left[usize::from(label)];
        *left = left.checked_sub(1)?;
        Some(item)
    });
    all.select(&items.collect::<Vec<_>>())
}

/// Means and standard deviations over the seeds.
fn row(size: usize, scores: &[Vec<f64>]) -> Vec<String> {
    let cells = scores.iter().map(|scores| {
        let (mean, deviation) = mean_and_deviation(scores);
        format!("{:.1} ± {:.1}%", 100.0 * mean, 100.0 * deviation)
    });
    std::iter::once(size.to_string()).chain(cells).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array3};

    use super::*;

    fn garments() -> Dataset {
        let labels = Array1::from_iter((0..200).map(|item| item % 10));
        let images = Array3::from_shape_fn((200, 28, 28), |(item, ..)| item as u8);
        Dataset::of_garments(images, labels).unwrap()
    }

    #[test]
    fn classes_are_numbered_anew() {
        let two = of_classes(&garments(), |label| LEFT_OUT.contains(&label)).unwrap();
        assert_eq!(two.classes()[..], ["Pullover", "Coat"]);
        assert_eq!(two.class_counts(), [20, 20]);
        let (image, label) = (usize::from(two.pixels(5)[0]), two.labels()[5]);
        assert_eq!((image % 10, label), (4, 1));
        let eight = of_classes(&garments(), |label| !LEFT_OUT.contains(&label)).unwrap();
        assert_eq!((eight.classes().len(), eight.len()), (8, 160));
    }

    #[test]
    fn few_are_the_first_of_many_in_an_order_of_the_seed() {
        let first = |seed, count| first_of_each(&shuffled(&garments(), seed), count);
        let (few, more) = (first(1, 2), first(1, 5));
        assert_eq!((few.class_counts(), more.class_counts()), (vec![2; 10], vec![5; 10]));
        let images = |set: &Dataset| (0..set.len()).map(|i| set.pixels(i)[0]).collect::<Vec<_>>();
        assert!(images(&few).iter().all(|image| images(&more).contains(image)));
        assert_ne!(images(&few), images(&first(2, 2)));
    }

    #[test]
    fn a_row_has_means_and_spreads() {
        let row = row(20, &[vec![0.5, 0.7], vec![0.9, 0.9]]);
        assert_eq!(row, ["20", "60.0 ± 14.1%", "90.0 ± 0.0%"]);
    }
}
