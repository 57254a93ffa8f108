//! How fast a network, the report's unless another is named, trains and classifies: one JSON object a line, in the form that
//! `cargo xtask bench-peers` also gets from other frameworks.
//!
//! `cargo run --release -p fashion-train --example speed -- [THREADS] [--epochs N] [--images N]
//! [--data PLACE] [--network NAME]`
//!
//! It trains N epochs (3) on N random images (60,000), after fifty steps that are not counted, and
//! classifies 10,000 others. With `--data` the images come from there, and reading them counts as
//! part of the start. `--epochs 0` is over after the first step. Without any argument this is a try
//! on few images, whose figures mean little. The age and the memory of the process are Linux's to
//! tell; elsewhere these figures are left out.

use fashion_data::random::rand_core::Rng;
use fashion_data::random::{Purpose, below, stream};
use fashion_data::{Dataset, Reading, Source, Splits, normalise};
use fashion_kernels::loss::argmax;
use fashion_kernels::simd::Isa;
use fashion_model::{Architecture, Plan};
use fashion_train::{Observer, Settings, Step, Trainer, Validation, default_threads, with_threads};
use ndarray::{Array1, Array3};
use serde_json::{Value, json};
use std::error::Error;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Rows of an image, and columns.
const SIDE: usize = 28;
/// Pixels of an image.
const PIXELS: usize = SIDE * SIDE;
/// Classes.
const NUM_CLASSES: usize = 10;
/// Steps before the epochs that are timed.
const WARM_UP: usize = 50;
/// Images that are classified.
const CLASSIFIED: usize = 10_000;

fn main() -> Result<()> {
    let args = Args::parse(std::env::args().skip(1))?;
    let start = Instant::now();
    let splits = match &args.data {
        Some(folder) => Source::find(folder)?.load(&Reading::default())?,
        None => Splits::new(random(args.images, 0)?, random(CLASSIFIED.min(args.images), 1)?)?,
    };
    // Reading files is part of the job, drawing random numbers is not.
    let drawing = if args.data.is_none() { start.elapsed().as_secs_f64() } else { 0.0 };
    with_threads(args.threads, || measure(&args, &splits, drawing))?
}

fn measure(args: &Args, splits: &Splits, drawing: f64) -> Result<()> {
    let print = |what: &str, figures: Value| {
        let mut line = json!({
            "peer": "fashion",
            "version": format!("{} {}", env!("CARGO_PKG_VERSION"), Isa::current()),
            "threads": args.threads,
            "data": args.data.as_ref().map_or("random".to_owned(), |_| splits.origin.to_string()),
            "network": args.network.name(),
            "what": what,
        });
        if let (Value::Object(line), Value::Object(figures)) = (&mut line, figures) {
            line.extend(figures.into_iter().filter(|(_, figure)| !figure.is_null()));
        }
        println!("{line}");
    };

    let settings = Settings {
        epochs: args.epochs.max(1),
        batch_size: 128,
        validation: Validation::None,
        ..Settings::default()
    };
    let mut first = FirstSteps { left: if args.epochs == 0 { 1 } else { WARM_UP }, age: None };
    let network = || args.network.build(NUM_CLASSES, 0);
    let _ = Trainer::new(settings.clone(), splits, network())?.run_epoch(&mut first)?;
    print(
        "startup",
        json!({
            "to_first_step_s": first.age,
            "excl_datagen_s": first.age.map(|age| age - drawing),
            "rss_mb": peak_memory(),
        }),
    );
    if args.epochs == 0 {
        return Ok(());
    }

    let mut trainer = Trainer::new(settings, splits, network())?;
    let mut times = Vec::new();
    for _ in 0..args.epochs {
        let start = Instant::now();
        let _ = trainer.run_epoch(&mut ())?;
        times.push(start.elapsed().as_secs_f64());
        print("train_epoch", json!({ "s_per_epoch": times.last() }));
    }
    let images = trainer.images_per_epoch();
    let (best, median) = best_and_median(times);
    print(
        "train",
        json!({
            "images": images,
            "best_s": best,
            "median_s": median,
            "best_samples_s": images as f64 / best,
            "median_samples_s": images as f64 / median,
            "peak_rss_mb": peak_memory(),
        }),
    );

    let plan = trainer.network().plan();
    let labels = &splits.test.labels()[..splits.test.len().min(CLASSIFIED)];
    let mut x = vec![0.0; labels.len() * PIXELS];
    normalise(&splits.test.all_pixels()[..x.len()], &mut x);
    for batch in [128, 1000] {
        let (best, median) = best_and_median(classify(&plan, &x, labels, batch));
        print(
            "infer",
            json!({
                "batch": batch,
                "best_samples_s": labels.len() as f64 / best,
                "median_samples_s": labels.len() as f64 / median,
            }),
        );
    }
    let (best, median) = best_and_median(classify_singly(&plan, &x));
    print(
        "latency_b1",
        json!({ "best_us": 1e6 * best, "median_us": 1e6 * median, "peak_rss_mb": peak_memory() }),
    );
    Ok(())
}

/// Seconds to classify all images and count the right answers, time after time.
fn classify(plan: &Plan, x: &[f32], labels: &[u16], batch: usize) -> Vec<f64> {
    let mut logits = vec![0.0; batch * NUM_CLASSES];
    let mut once = || {
        let start = Instant::now();
        let mut right = 0;
        for (x, labels) in x.chunks(batch * PIXELS).zip(labels.chunks(batch)) {
            let logits = &mut logits[..labels.len() * NUM_CLASSES];
            plan.logits(x, logits);
            let answers = logits.chunks_exact(NUM_CLASSES).map(argmax);
            right += answers.zip(labels).filter(|(z, y)| *z == usize::from(**y)).count();
        }
        std::hint::black_box(right);
        start.elapsed().as_secs_f64()
    };
    (0..10).map(|_| once()).skip(2).collect()
}

/// Seconds to classify one image in this thread, image after image.
fn classify_singly(plan: &Plan, x: &[f32]) -> Vec<f64> {
    let mut logits = [0.0; NUM_CLASSES];
    let once = |x: &[f32]| {
        let start = Instant::now();
        plan.logits_here(x, &mut logits);
        std::hint::black_box(&logits);
        start.elapsed().as_secs_f64()
    };
    x.chunks_exact(PIXELS).cycle().take(3300).map(once).skip(300).collect()
}

/// Lets some steps pass and notes the process's age after the first.
struct FirstSteps {
    left: usize,
    age: Option<f64>,
}

impl Observer for FirstSteps {
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        if step.images <= 128 {
            self.age = process_age();
        }
        self.left -= 1;
        if self.left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Images of independent, uniform pixels.
fn random(n: usize, index: u64) -> Result<Dataset> {
    let mut rng = stream(0, Purpose::Sample, 0, index);
    let mut pixels = vec![0; n * PIXELS];
    rng.fill_bytes(&mut pixels);
    let labels: Array1<u16> = (0..n).map(|_| below(&mut rng, NUM_CLASSES as u32) as u16).collect();
    Ok(Dataset::of_garments(Array3::from_shape_vec((n, SIDE, SIDE), pixels)?, labels)?)
}

fn best_and_median(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

/// Seconds since this process was started, to a hundredth.
fn process_age() -> Option<f64> {
    /// In which Linux tells programs about time, whatever its own clock does (`USER_HZ`).
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in brackets, which may hold spaces; the start is the
    // 22nd (proc_pid_stat(5)).
    let started: f64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let up: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Some(up - started / TICKS_PER_SECOND)
}

/// The most memory that this process has had, in MiB.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some((kib / 1024.0).round())
}

struct Args {
    threads: usize,
    epochs: usize,
    images: usize,
    data: Option<PathBuf>,
    network: Architecture,
}

impl Args {
    fn parse(mut given: impl Iterator<Item = String>) -> Result<Args> {
        let mut args = Args {
            threads: default_threads(),
            epochs: 3,
            images: 60_000,
            data: None,
            network: Architecture::ReportCnn,
        };
        let Some(mut next) = given.next() else {
            return Ok(Args { epochs: 1, images: 1280, ..args });
        };
        loop {
            let mut value = || given.next().ok_or_else(|| format!("{next} needs a value"));
            match next.as_str() {
                "--epochs" => args.epochs = value()?.parse()?,
                "--images" => args.images = value()?.parse()?,
                "--data" => args.data = Some(value()?.into()),
                "--network" => args.network = value()?.parse()?,
                threads => {
                    args.threads = threads.parse().map_err(|_| {
                        let expected =
                            "a number of threads, --epochs, --images, --data or --network";
                        format!("the argument {threads:?}: expected {expected}")
                    })?;
                }
            }
            match given.next() {
                Some(argument) => next = argument,
                None => return Ok(args),
            }
        }
    }
}
