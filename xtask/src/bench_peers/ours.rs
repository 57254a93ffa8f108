//! What is told of this project alone: where the time of a step goes, and how time and memory grow.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::contestants::OURS_FROM_FILES;
use super::figures::{Figure, Figures, Taken};
use super::tables::whole;
use crate::command::quietly;
use crate::markers::table;
use crate::workspace::Workspace;

/// Times the usual number of images, and the name that its figures have.
const GROWTH: [(usize, &str); 4] =
    [(1, "1 × the images"), (2, "2 × the images"), (4, "4 × the images"), (8, "8 × the images")];
/// Bytes of an image's pixels and label.
const IMAGE: f64 = 785.0;

/// Trains once on 1, 2, 4 and 8 times `images` random images.
pub(crate) fn measure_growth(
    figures: &mut Figures,
    speed: &Path,
    threads: usize,
    images: usize,
) -> Result<()> {
    for (factor, name) in GROWTH {
        let mut command = Command::new(speed);
        command.arg(threads.to_string()).args(["--epochs", "1"]);
        let printed = quietly(command.args(["--images", &(factor * images).to_string()]))?;
        figures.add(name, &printed)?;
    }
    Ok(())
}

/// The table that `cargo bench -p fashion-kernels` prints at its end.
pub(crate) fn kernels(workspace: &Workspace) -> Result<String> {
    let mut bench = workspace.cargo();
    bench.args(["bench", "--locked", "--package", "fashion-kernels", "--bench", "kernels"]);
    let printed = quietly(&mut bench)?;
    let table = printed.find("| Kernel").context("the kernels' bench printed no table")?;
    Ok(printed[table..].trim_end().to_owned())
}

/// Markdown: the kernels' table and what a whole step takes beside them, then how things grow.
pub(crate) fn render(
    figures: &Figures,
    name: &'static str,
    kernels: &str,
    threads: usize,
    images: usize,
) -> String {
    let mut out = format!("\n### Where the time of a step goes\n\n{kernels}\n");
    let train = |threads| figures.get(name, threads, Figure::Train);
    if let Some(one) = train(1) {
        let files = figures.get(OURS_FROM_FILES, 1, Figure::Train);
        let files = files.map_or(String::new(), |files| {
            format!(", {} µs on Fashion-MNIST", whole(128e6 / files.best))
        });
        let _ = write!(
            out,
            "\nA whole training step, measured in the rounds above on one thread, takes {} µs on random \
             images{files}. The\nkernels are timed with the weights that a network begins with; in \
             training, ReLU lets more or fewer outputs through,\nand the gradients of the second block, \
             which go by these alone, take more or less time.\n",
            whole(128e6 / one.best)
        );
    }
    out.push_str("\n### Scaling\n\n");
    if let (Some(one), Some(all)) = (train(1), train(threads)) {
        let _ = write!(
            out,
            "Training on {threads} threads is {} times as fast as on one",
            ratio(all, one)
        );
        let classify = |threads| figures.get(name, threads, Figure::Classify(1000));
        if let (Some(one), Some(all)) = (classify(1), classify(threads)) {
            let _ = write!(out, ", classifying {} times", ratio(all, one));
        }
        out.push_str(".\n\n");
    }
    let rows = GROWTH.iter().filter_map(|&(factor, name)| {
        let speed = figures.get(name, threads, Figure::Train)?.best;
        let memory = figures.get(name, threads, Figure::Memory)?.best;
        let images = (factor * images) as f64;
        Some(vec![
            whole(images),
            format!("{:.2}", images / speed),
            format!("{:.1}", 1e6 / speed),
            format!("{memory:.0}"),
            format!("{:.0}", images * IMAGE / f64::from(1 << 20)),
        ])
    });
    let heads = [
        "images",
        "seconds an epoch",
        "µs an image",
        "peak memory, MiB",
        "of which pixels and labels",
    ];
    out + &table(&heads, rows)
}

/// How many times as fast, by the best and by the medians.
fn ratio(all: Taken, one: Taken) -> String {
    format!("{:.2} ({:.2})", all.best / one.best, all.median / one.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_and_scaling_are_told_in_images_and_ratios() {
        let mut figures = Figures::default();
        let mut add = |name, threads, best: u32, memory: u32| {
            let line = format!(
                "{{\"version\":\"1\",\"threads\":{threads},\"what\":\"train\",\"best_samples_s\":{best},\
                 \"median_samples_s\":{best},\"peak_rss_mb\":{memory}}}"
            );
            figures.add(name, &line).unwrap();
        };
        add("us", 1, 10_000, 80);
        add("us", 2, 19_000, 80);
        add(GROWTH[0].1, 2, 20_000, 80);
        add(GROWTH[3].1, 2, 19_200, 400);
        let text = render(&figures, "us", "| Kernel |", 2, 60_000);
        assert!(text.contains("### Where the time of a step goes\n\n| Kernel |\n"), "{text}");
        assert!(text.contains("takes 12,800 µs on random images"), "{text}");
        assert!(text.contains("on 2 threads is 1.90 (1.90) times as fast"), "{text}");
        assert!(text.contains("| 60,000 | 3.00 | 50.0 | 80 | 45 |"), "{text}");
        assert!(text.contains("| 480,000 | 25.00 | 52.1 | 400 | 359 |"), "{text}");
    }
}
