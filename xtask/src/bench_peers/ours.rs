//! What is told of this project alone: each kernel of a step, whole epochs, how time and memory grow, and
//! what the processor could do.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::Measured;
use super::contestants::OURS;
use super::figures::{Figure, Figures};
use super::tables::whole;
use crate::command::quietly;
use crate::markers::{NONE, table};
use crate::workspace::Workspace;

/// The network whose time and memory are told as images become more: the report's.
pub(super) const GROWN: &str = "report-cnn";
/// Times the usual number of images, and the name that its figures have.
const GROWTH: [(usize, &str); 4] =
    [(1, "1 × the images"), (2, "2 × the images"), (4, "4 × the images"), (8, "8 × the images")];
/// Multiply-adds to classify the images of a whole epoch, at most: large networks get fewer images.
const EPOCH: f64 = 1.5e12;
/// Bytes of an image's pixels and label.
const IMAGE: f64 = 785.0;

/// Images that are usual.
const fn usual(quick: bool) -> usize {
    if quick { 1280 } else { 60_000 }
}

/// Trains [`GROWN`] once on 1, 2, 4 and 8 times the usual number of random images.
pub(crate) fn measure_growth(
    figures: &mut Figures,
    speed: &Path,
    threads: usize,
    quick: bool,
) -> Result<()> {
    for (factor, name) in GROWTH {
        let mut command = Command::new(speed);
        command.arg(threads.to_string()).args(["--network", GROWN]);
        command.args(["--epochs", "1", "--batches", "1000"]);
        let images = (factor * usual(quick)).to_string();
        figures.add(name, &quietly(command.args(["--images", &images]))?)?;
    }
    Ok(())
}

/// Trains whole epochs, and steps alone, on Fashion-MNIST where it is given and fits.
pub(super) fn measure_whole(
    measured: &mut Measured,
    speed: &Path,
    threads: usize,
    data: Option<&Path>,
    quick: bool,
) -> Result<()> {
    let mut command = Command::new(speed);
    command.arg(threads.to_string()).args(["--whole", "--epochs", "1"]);
    command.args(["--network", &measured.network.name]);
    let garments = measured.network.takes_garments();
    if let (Some(data), true) = (data, garments) {
        command.arg("--data").arg(data);
    }
    let most = (EPOCH / measured.network.forward()) as usize;
    if quick || (garments && most < usual(quick)) {
        command.args(["--images", &most.min(usual(quick)).to_string()]);
    }
    measured.figures.add(OURS, &quietly(&mut command)?)
}

/// Each kernel of a network's training step.
pub(crate) struct Kernels {
    pub(crate) network: String,
    /// A table, and what the processor can do.
    pub(crate) table: String,
    /// Microseconds of all of them.
    pub(crate) all: f64,
}

/// What `cargo bench -p fashion-kernels` prints of those of these networks that it has.
pub(crate) fn kernels(
    workspace: &Workspace,
    networks: &[&str],
    quick: bool,
) -> Result<Vec<Kernels>> {
    let mut bench = workspace.cargo();
    bench.args(["bench", "--locked", "--package", "fashion-kernels"]);
    bench.args(["--bench", "kernels", "--bench", "layers"]);
    // A regular expression, of which the names' hyphens are no special part.
    bench.arg("--").arg(format!("^({}): ", networks.join("|")));
    if quick {
        bench.arg("--quick");
    }
    read_kernels(&quietly(&mut bench)?)
}

/// The tables are set off by empty lines from what criterion prints, and from their last two lines.
fn read_kernels(printed: &str) -> Result<Vec<Kernels>> {
    let paragraphs: Vec<&str> = printed.split("\n\n").map(str::trim).collect();
    let tables = paragraphs.iter().enumerate().filter_map(|(at, paragraph)| {
        let network = paragraph.strip_prefix("| ")?.split_once(": kernel |")?.0;
        Some((network, *paragraph, paragraphs.get(at + 1)))
    });
    tables
        .map(|(network, table, below)| {
            let last = table.lines().last().unwrap_or_default();
            let all = last.strip_prefix("| **all kernels of a step** | | **");
            let all = all.and_then(|all| all.split("**").next()?.parse().ok());
            let all = all.with_context(|| format!("no sum of the kernels in {last}"))?;
            let limits = below.map(|below| below.lines().take(2).collect::<Vec<_>>().join("\n"));
            let limits = limits.with_context(|| format!("nothing below the table of {network}"))?;
            Ok(Kernels {
                network: network.to_owned(),
                table: format!("{table}\n\n{limits}\n"),
                all,
            })
        })
        .collect()
}

/// What the processor can do with one thread and with all of them, in GFLOP/s.
pub(crate) fn peak(figures: &Figures, threads: usize) -> Option<(f64, f64)> {
    let peak = |threads| Some(figures.get("peak", threads, Figure::Peak)?.best);
    peak(1).zip(peak(threads))
}

/// The same in words.
pub(crate) fn limits(figures: &Figures, threads: usize) -> Option<String> {
    let (one, all) = peak(figures, threads)?;
    Some(format!(
        "The processor's peak, measured in the same rounds: {one:.0} GFLOP/s with one thread, {all:.0} \
         with {threads}.\n"
    ))
}

/// Markdown: what whole steps and epochs have beside their kernels and steps.
pub(super) fn render_whole(all: &[Measured], threads: usize, files: bool) -> String {
    let rows = all.iter().map(|measured| {
        let get = |threads, figure| Some(measured.figures.get(OURS, threads, figure)?.best);
        let kernels = measured.kernels.as_ref().map(|kernels| kernels.all);
        let step = get(1, Figure::Train).map(|speed| 128e6 / speed);
        let [steps, epoch, augmented] =
            [Figure::Steps, Figure::Epoch, Figure::EpochAugmented].map(|f| get(threads, f));
        let share = |speed: Option<f64>| {
            let shown =
                speed.zip(steps).map(|(speed, steps)| (whole(speed), 100.0 * speed / steps));
            shown.map_or(NONE.to_owned(), |(speed, share)| format!("{speed} ({share:.0}%)"))
        };
        let number = |value: Option<f64>| value.map_or(NONE.to_owned(), whole);
        let ratio = step.zip(kernels).map(|(step, kernels)| format!("{:.2}", step / kernels));
        vec![
            format!("`{}`", measured.network.name),
            number(kernels),
            number(step),
            ratio.unwrap_or_else(|| NONE.to_owned()),
            number(steps),
            share(epoch),
            share(augmented),
        ]
    });
    let heads = [
        "",
        "all kernels of a step, µs, 1 thread",
        "a step, µs, 1 thread",
        "as long as",
        &format!("steps alone, images/s, {threads} threads"),
        "whole epochs",
        "changing images",
    ];
    let others = all.iter().filter(|measured| !measured.network.takes_garments());
    let others: Vec<_> = others.map(|measured| format!("`{}`", measured.network.name)).collect();
    let on = match (files, &others[..]) {
        (false, _) => "random images".to_owned(),
        (true, []) => "Fashion-MNIST".to_owned(),
        (true, others) => format!("Fashion-MNIST, {} on random images", others.join(", ")),
    };
    format!("\n#### Whole steps and epochs\n\n{}\nEpochs on {on}.\n", table(&heads, rows))
}

/// Markdown: how time and memory grow, where that was measured.
pub(crate) fn render_growth(figures: &Figures, threads: usize, quick: bool) -> String {
    let rows = GROWTH.iter().filter_map(|&(factor, name)| {
        let speed = figures.get(name, threads, Figure::Train)?.best;
        let memory = figures.get(name, threads, Figure::Memory)?.best;
        let images = (factor * usual(quick)) as f64;
        Some(vec![
            whole(images),
            format!("{:.2}", images / speed),
            format!("{:.1}", 1e6 / speed),
            format!("{memory:.0}"),
            format!("{:.0}", images * IMAGE / f64::from(1 << 20)),
        ])
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let heads = [
        "images",
        "seconds an epoch",
        "µs an image",
        "peak memory, MiB",
        "of which pixels and labels",
    ];
    format!("\n#### More images: `{GROWN}`, {threads} threads\n\n{}", table(&heads, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench_peers::networks::tests::network;

    fn speeds(what: &str, threads: usize, speed: u32, more: &str) -> String {
        format!(
            "{{\"version\":\"1\",\"threads\":{threads},\"what\":\"{what}\",\"best_samples_s\":{speed},\
             \"median_samples_s\":{speed}{more}}}\n"
        )
    }

    const PRINTED: &str = "\
vgg: Adam time: 5\n
\n| vgg: kernel | times | µs |\n| --- | ---: | ---: |\n| Adam | 2 | 95 |
| **all kernels of a step** | | **20000** | 100% | | | |
\nThe peak: 118 GFLOP/s.\nReading: 50 GB/s.\nresnet: Adam time: 5
\n| resnet: kernel | times | µs |\n| --- | ---: | ---: |
| **all kernels of a step** | | **30000** | 100% | | | |
\nThe peak: 117 GFLOP/s.\nReading: 51 GB/s.\n";

    #[test]
    fn kernels_are_read_from_what_the_benchmarks_print() {
        let found = read_kernels(PRINTED).unwrap();
        let told: Vec<_> = found.iter().map(|k| (&k.network[..], k.all)).collect();
        assert_eq!(told, [("vgg", 20_000.0), ("resnet", 30_000.0)]);
        let table = &found[0].table;
        assert!(table.starts_with("| vgg: kernel | times | µs |\n| ---"), "{table}");
        assert!(
            table.ends_with("| | | |\n\nThe peak: 118 GFLOP/s.\nReading: 50 GB/s.\n"),
            "{table}"
        );
        let error = |printed: &str| read_kernels(printed).err().unwrap().to_string();
        assert!(error(&PRINTED.replace("**20000**", "**?**")).contains("no sum of the kernels"));
        assert!(
            error("| vgg: kernel |\n| **all kernels of a step** | | **2** |").contains("below")
        );
    }

    #[test]
    fn steps_are_held_against_kernels_and_epochs_against_steps() {
        let mut figures = Figures::default();
        figures.add(OURS, &speeds("train", 1, 5120, "")).unwrap();
        figures.add(OURS, &speeds("steps", 2, 10_000, "")).unwrap();
        figures.add(OURS, &speeds("epoch", 2, 9_100, "")).unwrap();
        let kernels = read_kernels(PRINTED).unwrap().into_iter().next();
        let left_out = Vec::new();
        let measured = Measured { network: network("vgg", 28), figures, left_out, kernels };
        let other = Measured {
            network: network("resnet-64", 64),
            figures: Figures::default(),
            left_out: Vec::new(),
            kernels: None,
        };
        let text = render_whole(&[measured, other], 2, true);
        let row = "| `vgg` | 20,000 | 25,000 | 1.25 | 10,000 | 9,100 (91%) | – |\n";
        assert!(text.contains(row), "{text}");
        assert!(text.ends_with("\nEpochs on Fashion-MNIST, `resnet-64` on random images.\n"));
    }

    #[test]
    fn growth_is_told_in_images() {
        let mut figures = Figures::default();
        for (name, speed, memory) in [(GROWTH[0].1, 20_000, 80), (GROWTH[3].1, 19_200, 400)] {
            let memory = format!(",\"peak_rss_mb\":{memory}");
            figures.add(name, &speeds("train", 2, speed, &memory)).unwrap();
        }
        let text = render_growth(&figures, 2, false);
        assert!(text.contains("| 60,000 | 3.00 | 50.0 | 80 | 45 |"), "{text}");
        assert!(text.contains("| 480,000 | 25.00 | 52.1 | 400 | 359 |"), "{text}");
        assert_eq!(render_growth(&Figures::default(), 2, false), "");
    }
}
