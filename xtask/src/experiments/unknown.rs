//! How well a classifier tells what is none of its classes: pictures of other things, and garments of a class
//! that was held out of its training.

use anyhow::{Context, Result, ensure};
use fashion_data::{Dataset, Splits};
use fashion_eval::fixed_percent;
use fashion_eval::novelty::{Neighbours, Separation, energy, max_softmax, threshold};
use fashion_infer::{Classifier, Novelty, NoveltyFit};

use super::fine_tuning::of_classes;
use super::{Runs, others, trained, write_data};
use crate::markers::{Part, table};
use crate::model_card::WEIGHTS;
use crate::workspace::Workspace;

const FILE: &str = "docs/unknown.md";
const DRAWN: Part = Part { file: FILE, chore: "experiments-unknown-drawn" };
const CLASSES: Part = Part { file: FILE, chore: "experiments-unknown-classes" };
const SHARES: Part = Part { file: FILE, chore: "experiments-unknown-shares" };

/// The share of known images that are to pass.
const KEEP: f64 = 0.95;
/// Other pictures of each kind.
const OTHERS: usize = 1000;
/// Images that go through a network together.
const BATCH: usize = 512;
/// What the runs hold out: the default.
const HELD_OUT: f64 = 0.1;
/// Images that statistics are taken of, as `train` does.
const MOST: usize = 20_000;
/// Which neighbour's distance counts.
const NEIGHBOUR: usize = 10;

/// How the classifiers are trained that have not seen a class.
const TRAINING: &[&str] = &["--recipe", "quick", "--epochs", "6", "--seed", "0"];

/// The scores that are compared.
const METHODS: [&str; 5] =
    ["Softmax", "Energy", "Neighbours", "Mahalanobis", "Mahalanobis + energy"];

/// Makes the tables of the experiment again.
pub(super) fn run(workspace: &Workspace, runs: &Runs<'_>) -> Result<()> {
    let splits = super::official(workspace)?;
    drawn(workspace, runs, &splits)?;
    classes(workspace, runs, &splits)
}

/// Of the weights that come along: garments against pictures of other things.
fn drawn(workspace: &Workspace, runs: &Runs<'_>, splits: &Splits) -> Result<()> {
    let classifier = Classifier::open(&workspace.root().join(WEIGHTS))?;
    let known = Knowing::of(&classifier, splits)?;
    let test = known.scores(&pixels(&splits.test, 0..splits.test.len()))?;
    let garments = pixels(&splits.test, 0..OTHERS);
    let (mut rows, mut shares) = (Vec::new(), vec![known.unknown("garments", &test)]);
    for kind in others::all(&garments)? {
        let scores = known.scores(&kind.pixels)?;
        rows.push(compared(kind.name, &test, &scores)?);
        shares.push(known.unknown(kind.name, &scores));
    }
    let how = format!(
        "`{WEIGHTS}`, the {} test images against {OTHERS} pictures of each kind",
        splits.test.len()
    );
    runs.settle(workspace, &DRAWN, &separations("", &rows), &how)?;
    let heads = ["", "where 95% of garments stay", "where 99% of garments stay"];
    runs.settle(workspace, &SHARES, &table(&heads, shares), &how)
}

/// Of classifiers that have not seen a class: the other garments against those.
fn classes(workspace: &Workspace, runs: &Runs<'_>, splits: &Splits) -> Result<()> {
    let mut rows = Vec::new();
    for class in 0..splits.train.classes().len() {
        let out = runs.out.join(format!("unknown/without-{class}"));
        let data = out.join("data");
        let others = |part: &Dataset| of_classes(part, |label| usize::from(label) != class);
        let rest = Splits::new(others(&splits.train)?, others(&splits.test)?)?;
        write_data(&data, [&rest.train, &rest.test])?;
        let run = out.join("run");
        trained(runs.fashion, &data, &run, TRAINING)?;
        let classifier = Classifier::open(&run.join("weights/best.safetensors"))?;
        let known = Knowing::of(&classifier, &rest)?;
        let test = known.scores(&pixels(&rest.test, 0..rest.test.len()))?;
        let of_class = (0..splits.test.len())
            .filter(|&index| usize::from(splits.test.labels()[index]) == class);
        let unknown = known.scores(&pixels(&splits.test, of_class))?;
        rows.push(compared(&splits.train.classes()[class], &test, &unknown)?);
    }
    let how = format!(
        "`fashion train {}` without the class, whose test images then are the unknown ones",
        TRAINING.join(" ")
    );
    runs.settle(workspace, &CLASSES, &separations("Held out", &rows), &how)
}

/// The pixels of these images, one after the other.
fn pixels(dataset: &Dataset, indices: impl IntoIterator<Item = usize>) -> Vec<u8> {
    indices.into_iter().flat_map(|index| dataset.pixels(index)).copied().collect()
}

/// A classifier, and what each method has to know of the images that it was trained on.
struct Knowing<'a> {
    classifier: &'a Classifier,
    novelty: Novelty,
    neighbours: Neighbours,
    /// Of the default method, what keeps 95% and 99% of the images held out.
    thresholds: [f64; 2],
}

/// The scores of some images by each of [`METHODS`].
type Scores = [Vec<f64>; METHODS.len()];

impl<'a> Knowing<'a> {
    /// Of what runs on this training set train on by default.
    fn of(classifier: &'a Classifier, splits: &Splits) -> Result<Self> {
        let parts = splits.hold_out(HELD_OUT, 0)?;
        let some: Vec<usize> =
            parts.train.iter().copied().step_by(parts.train.len().div_ceil(MOST)).collect();
        let mut fit = NoveltyFit::of(classifier);
        let mut features = Vec::new();
        for indices in some.chunks(BATCH) {
            let images = pixels(&splits.train, indices.iter().copied());
            let labels: Vec<usize> =
                indices.iter().map(|&index| splits.train.labels()[index].into()).collect();
            fit.add(&classifier.layer_features(&images)?, &labels);
            features.extend(classifier.features(&images)?);
        }
        let mut knowing = Knowing {
            classifier,
            novelty: fit.finish()?,
            neighbours: Neighbours::new(&features, classifier.feature_count()),
            thresholds: [0.0; 2],
        };
        let held_out = pixels(&splits.train, parts.held_out);
        let scores = knowing.novelty.scores(&knowing.layer_features(&held_out)?);
        for (keep, kept) in [0.95, 0.99].into_iter().zip(&mut knowing.thresholds) {
            *kept = threshold(&scores, keep)?.context("too few images were held out")?;
        }
        Ok(knowing)
    }

    fn layer_features(&self, images: &[u8]) -> Result<Vec<f32>> {
        let batches = images.chunks(BATCH * self.classifier.input().values());
        let features = batches.map(|images| self.classifier.layer_features(images));
        Ok(features.collect::<Result<Vec<_>, _>>()?.concat())
    }

    fn scores(&self, images: &[u8]) -> Result<Scores> {
        ensure!(self.classifier.members().len() == 1, "one network is expected");
        let plan = &self.classifier.members()[0].plan;
        let x: Vec<f32> = images.iter().map(|&level| f32::from(level) / 255.0).collect();
        let count = images.len() / self.classifier.input().values();
        let classes = self.classifier.classes().len();
        let mut logits = vec![0.0; count * classes];
        plan.logits(&x, &mut logits);
        let mut features = vec![0.0; count * self.classifier.feature_count()];
        plan.features(&x, &mut features);
        let layers = self.layer_features(images)?;
        Ok([
            max_softmax(&logits, classes),
            energy(&logits, classes),
            self.neighbours.distances(&features, NEIGHBOUR),
            self.novelty.distances(&layers),
            self.novelty.scores(&layers),
        ])
    }

    /// A row of what is called unknown.
    fn unknown(&self, name: &str, scores: &Scores) -> Vec<String> {
        let [.., scores] = scores;
        let share = |threshold: f64| {
            let above = scores.iter().filter(|&&score| score > threshold).count();
            fixed_percent(above as f64 / scores.len() as f64, 1)
        };
        std::iter::once(name.to_owned()).chain(self.thresholds.map(share)).collect()
    }
}

/// A kind of unknown images, and how well each method tells them from the known ones.
type Compared = (String, Vec<Separation>);

fn compared(name: &str, known: &Scores, unknown: &Scores) -> Result<Compared> {
    let of = |(known, unknown): (&Vec<f64>, &Vec<f64>)| {
        Separation::of(known, unknown, KEEP)?.context("there are no images")
    };
    let all = known.iter().zip(unknown).map(of).collect::<Result<Vec<_>>>()?;
    Ok((name.to_owned(), all))
}

/// AUROC and false positives of each method, and their means.
fn separations(head: &str, rows: &[Compared]) -> String {
    let count = rows.len() as f64;
    let mean = |of: fn(&Separation) -> f64, method: usize| {
        rows.iter().map(|(_, all)| of(&all[method])).sum::<f64>() / count
    };
    let means = (0..METHODS.len()).map(|method| Separation {
        roc_auc: mean(|of| of.roc_auc, method),
        false_positive_rate: mean(|of| of.false_positive_rate, method),
    });
    let last = ("mean".to_owned(), means.collect());
    let cell = |of: &Separation| {
        let [auc, rate] = [of.roc_auc, of.false_positive_rate].map(|share| 100.0 * share);
        format!("{auc:.2} / {rate:.1}")
    };
    let heads: Vec<&str> = std::iter::once(head).chain(METHODS).collect();
    let row = |(name, all): &Compared| {
        std::iter::once(name.clone()).chain(all.iter().map(cell)).collect::<Vec<_>>()
    };
    table(&heads, rows.iter().chain([&last]).map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_each_method_and_the_means() {
        let known: Scores = std::array::from_fn(|method| vec![0.0, 1.0, method as f64]);
        let near: Scores = std::array::from_fn(|_| vec![0.5, 0.5]);
        let far: Scores = std::array::from_fn(|_| vec![9.0, 9.0]);
        let rows = [("near", &near), ("far", &far)]
            .map(|(name, unknown)| compared(name, &known, unknown).unwrap());
        let table = separations("Held out", &rows);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 5);
        assert!(lines[0].starts_with("| Held out | Softmax | Energy |"), "{}", lines[0]);
        assert!(lines[2].starts_with("| near | 66.67 / 100.0 | 33.33 / 100.0 |"), "{}", lines[2]);
        assert!(lines[3].starts_with("| far | 100.00 / 0.0 |"), "{}", lines[3]);
        assert!(lines[4].starts_with("| mean | 83.33 / 50.0 | 66.67 / 50.0 |"), "{}", lines[4]);
    }
}
