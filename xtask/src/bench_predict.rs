//! `bench-predict`: many images classified by this program and by Python, in turns.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args as ClapArgs;
use fashion_data::picture::{self, Limits};
use fashion_data::prepare::Preparation;
use fashion_eval::thousands;
use fashion_sample::{Backdrop, generate, photograph};
use rayon::prelude::*;

use crate::bench_peers::contestants::{install, sources};
use crate::command::quietly;
use crate::machine;
use crate::markers::{NONE, Part, table};
use crate::model_card::WEIGHTS;
use crate::python::Python;
use crate::workspace::Workspace;

/// The place of the table.
const PART: Part = Part { file: "docs/performance.md", chore: "bench-predict" };

/// Classes that the program draws, of which there are as many images each.
const CLASSES: u32 = 10;

/// Photographs that are drawn; the others are links to them.
const DIFFERENT: u64 = 20;

/// Side of the tiles.
const SIDE: usize = 28;

/// Classify many tiles, in an npz archive and as PNG files, and photographs with this program and with Python,
/// and write the table of docs/performance.md
///
/// Needs Linux, Python 3.11 or later with venv and pip, and an otherwise idle machine, for some minutes. The
/// first call draws the images into target/bench-predict and installs pinned packages into
/// target/bench-peers; both folders may be deleted at any time.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Tiles
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(10..))]
    images: u32,

    /// Photographs
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    photographs: u32,

    /// How often each is called, in turns
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Threads
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,

    /// Print the table instead of writing it
    #[arg(long)]
    print: bool,

    #[command(flatten)]
    python: Python,
}

/// One network on images in one place.
struct Job {
    network: &'static str,
    place: &'static str,
    images: u32,
    /// Of this program and of Python.
    best: [Option<Measured>; 2],
}

/// A call.
#[derive(Clone, Copy)]
struct Measured {
    seconds: f64,
    /// The most memory, in KiB.
    memory: u64,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    PART.read(workspace)?;
    let fashion = workspace.build_release()?;
    let python = install(workspace, &args.python, &["onnxruntime", "pillow"])?;
    let made = workspace.root().join("target").join("bench-predict");
    fs::create_dir_all(&made).with_context(|| format!("cannot make {}", made.display()))?;
    let images = args.images / CLASSES * CLASSES;
    draw(&fashion, &python, &made, images)?;
    let photographs = made.join("photographs");
    take(&python, &made, &photographs, args.photographs)?;
    // Of the report's network any weights will do.
    let small = made.join("small");
    if !small.is_dir() {
        let mut train = Command::new(&fashion);
        train.args(["train", "--data", "sample", "--epochs", "1", "--quiet", "--out"]).arg(&small);
        quietly(&mut train)?;
    }
    let networks = [("report-cnn", small), ("garments", workspace.root().join(WEIGHTS))];
    let places = [
        ("npz", made.join("tiles.npz"), images),
        ("PNG files", made.join("tiles").join("train"), images),
        (OF_CAMERA, photographs.clone(), args.photographs),
    ];
    let mut jobs = Vec::new();
    for (network, weights) in &networks {
        let model = made.join(format!("{network}.onnx"));
        let mut export = Command::new(&fashion);
        quietly(export.arg("export").arg(weights).arg("--force").arg("--to").arg(&model))?;
        // Beside reading photographs, networks take no time.
        let places =
            places.iter().filter(|(name, ..)| *name != OF_CAMERA || *network == "garments");
        for &(place_name, ref place, images) in places {
            let mut job = Job { network, place: place_name, images, best: [None; 2] };
            for round in 1..=args.rounds {
                eprintln!("== {network}, {place_name}: round {round} of {}", args.rounds);
                let mut ours = Command::new(&fashion);
                ours.arg("predict").arg(weights).arg(place).args(["--format", "csv"]);
                ours.env("RAYON_NUM_THREADS", args.threads.to_string());
                let mut theirs = Command::new(&python);
                theirs.arg("-B").arg(sources(workspace).join("run_predict.py"));
                theirs.arg(args.threads.to_string()).arg(&model).arg(place);
                let answers = ["fashion.csv", "python.csv"].map(|name| made.join(name));
                for (slot, (call, to)) in
                    [&mut ours, &mut theirs].into_iter().zip(&answers).enumerate()
                {
                    let measured = measure(call, to)?;
                    let best = &mut job.best[slot];
                    if best.is_none_or(|best| measured.seconds < best.seconds) {
                        *best = Some(measured);
                    }
                }
                // What is made of a photograph before it is classified is another thing for each.
                check(&answers, images, place_name != OF_CAMERA)?;
            }
            jobs.push(job);
        }
    }
    let decoding = decoding(&photographs, args.threads)?;
    let of_all = jobs.iter().filter(|job| job.place == OF_CAMERA).find_map(|job| job.best[0]);
    let share = of_all.map_or(0.0, |all| decoding * f64::from(args.photographs) / all.seconds);
    let written = format!(
        "{} tiles of 28 × 28 pixels and {} photographs of 4,000 × 3,000; best of {} rounds on {} threads of \
         {}.\nMade with `cargo xtask bench-predict`.\n\n{}\nReading a photograph and decoding it takes {:.1} ms \
         here, on all threads: {:.0}% of the time.\n",
        thousands(images as usize),
        thousands(args.photographs as usize),
        args.rounds,
        args.threads,
        machine::describe(workspace)?,
        render(&jobs),
        1e3 * decoding,
        100.0 * share
    );
    print!("{written}");
    if args.print { Ok(()) } else { PART.write(workspace, &written) }
}

/// What the photographs are called.
const OF_CAMERA: &str = "photographs";

/// Makes photographs of drawn garments, as a camera keeps them, unless as many are there.
fn take(python: &Path, made: &Path, folder: &Path, count: u32) -> Result<()> {
    let there = fs::read_dir(folder).map_or(0, Iterator::count);
    if there == count as usize {
        return Ok(());
    }
    eprintln!("== taking {count} photographs");
    let small = made.join("small-photographs");
    for folder in [&small, folder] {
        if folder.exists() {
            fs::remove_dir_all(folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let tiles = generate(0).test;
    for index in 0..DIFFERENT {
        let on = Backdrop::ALL[index as usize % Backdrop::ALL.len()];
        let picture = photograph(tiles.pixels(index as usize), SIDE, on, 0, index);
        fs::write(small.join(format!("{index}.png")), picture::encode(&picture))?;
    }
    let enlarge = "import sys, pathlib, numpy as np\n\
                   from PIL import Image\n\
                   grain = np.random.default_rng(0).normal(0, 3, (3000, 4000, 1))\n\
                   for path in pathlib.Path(sys.argv[1]).glob('*.png'):\n\
                   \x20   large = np.asarray(Image.open(path).resize((4000, 3000), Image.Resampling.BICUBIC))\n\
                   \x20   noisy = Image.fromarray((large + grain).clip(0, 255).astype(np.uint8))\n\
                   \x20   noisy.save(path.with_suffix('.jpg'), quality=90)";
    quietly(Command::new(python).args(["-c", enlarge]).arg(&small))?;
    for number in 0..count {
        let from = small.join(format!("{}.jpg", u64::from(number) % DIFFERENT));
        let to = folder.join(format!("{number:05}.jpg"));
        fs::hard_link(&from, &to).with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

/// The seconds that reading and decoding a photograph takes on so many threads, as `predict` does it.
fn decoding(folder: &Path, threads: u16) -> Result<f64> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let some = &paths[..paths.len().min(10 * DIFFERENT as usize)];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build()?;
    let start = Instant::now();
    pool.install(|| {
        let read = |path| Preparation::Photo.read(path, SIDE, &Limits::default()).map(drop);
        some.par_iter().try_for_each(|path| read(path))
    })?;
    Ok(start.elapsed().as_secs_f64() / some.len() as f64)
}

/// Draws the tiles, unless as many are there.
fn draw(fashion: &Path, python: &Path, made: &Path, images: u32) -> Result<()> {
    let count = made.join("count");
    if fs::read_to_string(&count).is_ok_and(|found| found == images.to_string()) {
        return Ok(());
    }
    eprintln!("== drawing {images} images");
    let tiles = made.join("tiles");
    if tiles.exists() {
        fs::remove_dir_all(&tiles).with_context(|| format!("cannot remove {}", tiles.display()))?;
    }
    let mut draw = Command::new(fashion);
    draw.args(["data", "draw", "--test", "1", "--train", &(images / CLASSES).to_string()]);
    quietly(draw.arg(&tiles))?;
    let pack = "import sys, pathlib, numpy as np\n\
                from PIL import Image\n\
                paths = sorted(pathlib.Path(sys.argv[1]).glob('*/*.png'))\n\
                np.savez_compressed(sys.argv[2], images=np.stack([np.asarray(Image.open(p)) for p in paths]))";
    let mut call = Command::new(python);
    call.args(["-c", pack]).arg(tiles.join("train")).arg(made.join("tiles.npz"));
    quietly(&mut call)?;
    fs::write(&count, images.to_string())
        .with_context(|| format!("cannot write {}", count.display()))
}

/// Calls a program, which writes into a file.
fn measure(call: &mut Command, to: &Path) -> Result<Measured> {
    let output = File::create(to).with_context(|| format!("cannot write {}", to.display()))?;
    let mut memory = 0;
    let start = Instant::now();
    let mut child = call.stdout(output).stderr(std::process::Stdio::null()).spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        memory = memory.max(peak_in(&fs::read_to_string(&status).unwrap_or_default()));
        sleep(Duration::from_millis(2));
    };
    let seconds = start.elapsed().as_secs_f64();
    if !ended.success() {
        bail!("{call:?} failed ({ended})");
    }
    Ok(Measured { seconds, memory })
}

/// The most memory that a process has had, in KiB, by its status; 0 once it has ended.
fn peak_in(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Makes sure that both have answered, and the same but for what rounding decides.
fn check(answers: &[PathBuf; 2], images: u32, same: bool) -> Result<()> {
    let read = |path: &PathBuf| fs::read_to_string(path).context("cannot read the answers");
    let [ours, theirs] = [read(&answers[0])?, read(&answers[1])?];
    let first_two =
        |line: &str| -> Vec<String> { line.split(',').take(2).map(Into::into).collect() };
    let ours: Vec<_> = ours.lines().skip(1).map(first_two).collect();
    let theirs: Vec<_> = theirs.lines().map(first_two).collect();
    ensure!(
        ours.len() == images as usize && theirs.len() == ours.len(),
        "{} and {} answers to {images} images",
        ours.len(),
        theirs.len()
    );
    let differ = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs).count();
    ensure!(
        !same || differ * 10_000 <= ours.len(),
        "{differ} answers differ: that is more than rounding"
    );
    Ok(())
}

/// Markdown: a row for each job.
fn render(jobs: &[Job]) -> String {
    let rows = jobs.iter().map(|job| {
        let [ours, theirs] = job.best;
        let speed = |call: Option<Measured>| {
            call.map_or(NONE.to_owned(), |call| {
                thousands((f64::from(job.images) / call.seconds) as usize)
            })
        };
        let memory = |call: Option<Measured>| {
            call.map_or(NONE.to_owned(), |call| (call.memory >> 10).to_string())
        };
        let ratio = ours.zip(theirs).map(|(ours, theirs)| theirs.seconds / ours.seconds);
        vec![
            format!("`{}`, {}", job.network, job.place),
            speed(ours),
            speed(theirs),
            ratio.map_or(NONE.to_owned(), |ratio| format!("{ratio:.2} ×")),
            memory(ours),
            memory(theirs),
        ]
    });
    let heads = [
        "",
        "fashion, images/s",
        "Python, images/s",
        "fashion : Python",
        "fashion, MiB",
        "Python, MiB",
    ];
    table(&heads, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_told_beside_each_other() {
        let call = |seconds, memory| Some(Measured { seconds, memory });
        let jobs = [Job {
            network: "vgg",
            place: "npz",
            images: 100_000,
            best: [call(2.0, 20 << 10), call(7.0, 300 << 10)],
        }];
        let text = render(&jobs);
        assert!(text.contains("| `vgg`, npz | 50,000 | 14,285 | 3.50 × | 20 | 300 |"), "{text}");
    }

    #[test]
    fn memory_is_read_from_the_status() {
        assert_eq!(peak_in("Name:\tx\nVmHWM:\t   20736 kB\nVmRSS:\t 9 kB\n"), 20_736);
        assert_eq!(peak_in(""), 0);
    }

    #[test]
    fn answers_that_differ_or_lack_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let answers = ["a", "b"].map(|name| folder.path().join(name));
        fs::write(&answers[0], "path,predicted\na,1\nb,2\n").unwrap();
        fs::write(&answers[1], "a,1,0.5\nb,2,0.5\n").unwrap();
        check(&answers, 2, true).unwrap();
        assert!(check(&answers, 3, true).unwrap_err().to_string().contains("2 and 2 answers"));
        fs::write(&answers[1], "a,1,0.5\nb,1,0.5\n").unwrap();
        assert!(check(&answers, 2, true).unwrap_err().to_string().contains("1 answers differ"));
        check(&answers, 2, false).unwrap();
    }

    #[test]
    fn the_document_has_a_place_for_the_table() {
        PART.read(&Workspace::find().unwrap()).unwrap();
    }
}
