//! Writes every figure from made-up data: `cargo run -p fashion-report --example figures --
//! FOLDER`.

use std::path::PathBuf;

use fashion_eval::{ConfusionMatrix, JudgedItem};
use fashion_report::{
    Class, Item, Sweep, class_counts, classes, confusion, coverage, curves, lr_find, misclassified,
    precision_recall, recall, reliability, roc, sweep, sweep_curves,
};

#[path = "../tests/it/stand_in/mod.rs"]
mod stand_in;
use stand_in::{CLASSES, sweeps, whole};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "figures".into()));
    let origin = "made-up shapes and numbers, not Fashion-MNIST";

    let garments: Vec<Vec<_>> = (0..10)
        .map(|class| (0..10).map(|variant| stand_in::garment(class, variant)).collect())
        .collect();
    let examples: Vec<Class<'_>> = CLASSES
        .iter()
        .zip(&garments)
        .map(|(name, garments)| Class {
            name: (*name).into(),
            images: garments.iter().map(<[u8; 28 * 28]>::as_slice).collect(),
            train: 6000,
            validation: None,
            test: 1000,
        })
        .collect();
    classes::draw(&examples, &format!("{origin} · training set"))?.write(&folder, "classes")?;
    class_counts::draw(&examples, origin)?.write(&folder, "class_counts")?;

    curves::draw(&stand_in::history(10, 7), origin)?.write(&folder, "curves")?;

    let test = format!("{origin} · test set");
    let counts = ConfusionMatrix::try_from(stand_in::confusion(1000))?;
    confusion::draw(&counts, &CLASSES, &test)?.write(&folder, "confusion")?;

    let classifiers = [("runs/001", &counts)];
    recall::draw(&classifiers, &CLASSES, &test)?.write(&folder, "recall")?;

    let items: Vec<Item<'_>> = (0..25)
        .map(|i| {
            let (label, predicted) = (i * 3 % 10, (i * 7 + 1) % 10);
            let (confidence, mut probabilities) = (0.9999 - 0.004 * i as f64, vec![0.0; 10]);
            probabilities[label] = 0.000_05 + 0.003 * i as f64;
            let index = i * 397 + 12;
            let judged = JudgedItem { index, label, predicted, confidence, probabilities };
            Item {
                judged,
                pixels: &garments[label][i % 10],
                map: Vec::new(),
                neighbours: Vec::new(),
            }
        })
        .collect();
    misclassified::draw(&items, &CLASSES, &test)?.write(&folder, "misclassified")?;

    reliability::draw(&stand_in::bins(), 0.021, &test)?.write(&folder, "reliability")?;

    let curve = stand_in::coverage(10_000);
    let mark = stand_in::sorted(Some(&curve[6800]), 0.99);
    coverage::draw(&curve, Some(&mark), &test)?.write(&folder, "coverage")?;

    let two = whole::judged_two("T-shirt/top");
    let thresholds = two.thresholds().expect("of two classes");
    roc::draw(&thresholds, &two.metrics, &test)?.write(&folder, "roc")?;
    precision_recall::draw(&thresholds, &two.metrics, &test)?.write(&folder, "precision_recall")?;

    let (points, marks) = sweeps::range_test(400);
    lr_find::draw(&points, &marks, origin)?.write(&folder, "lr_find")?;

    let one = sweeps::by_rate();
    let (many, best) = sweeps::random_search(40);
    let of_rates = Sweep {
        settings: &["learning rate"],
        points: &one,
        best: Some(4),
        held_out_name: "validation",
    };
    sweep::draw(&of_rates, origin)?.write(&folder, "sweep")?;
    let of_all = Sweep { settings: &sweeps::SETTINGS, points: &many, best: Some(best), ..of_rates };
    sweep::draw(&of_all, origin)?.write(&folder, "sweep_random")?;

    let curves = sweeps::curves(&sweeps::RATES);
    sweep_curves::draw("learning rate", &curves, "validation", origin)?
        .write(&folder, "sweep_curves")?;
    sweep_curves::draw("learning rate", &sweeps::halving(32), "validation", origin)?
        .write(&folder, "sweep_curves_halving")?;
    println!("{}", folder.display());
    Ok(())
}
