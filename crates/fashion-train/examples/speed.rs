//! How fast a network, the report's unless another is named, trains and classifies: one JSON object a
//! line, in the form that `cargo xtask bench-peers` also gets from other frameworks.
//!
//! `cargo run --release -p fashion-train --example speed -- [THREADS] [--network NAME] [--data PLACE]
//! [--images N] [--epochs N] [--seconds S] [--batches N,...] [--whole]`
//!
//! It trains N epochs (3) on N random images (as many pixels as 60,000 of 28 × 28 have), after some steps
//! that are not counted, and classifies others, in several sizes of batches and one by one. With `--data`
//! the images come from there, and reading them counts as part of the start. `--seconds` makes the epochs
//! of fewer images, so that all of them take about so long, and classifies for as long with each size of
//! batches. `--epochs 0` is over after the first step. Without any argument this is a
//! try on few images, whose figures mean little. The age and the memory of the process are Linux's to
//! tell; elsewhere these figures are left out.
//!
//! `--whole` measures something else, three speeds of training: of steps alone, which take the same batch
//! over and over; of whole epochs by the default settings, a tenth of the images held out and classified
//! at the end; and of such epochs with all images changed at random. What feed, optimiser and
//! validation cost is what the epochs are slower than the steps. The steps begin with the weights that the
//! epochs came to, and learn next to nothing, so that their arithmetic is that of training.

use fashion_data::random::rand_core::Rng;
use fashion_data::random::{Purpose, below, stream};
use fashion_data::{Classes, Dataset, Reading, Source, Splits, normalise};
use fashion_kernels::loss::argmax;
use fashion_kernels::simd::Isa;
use fashion_model::{Architecture, ImageShape, Network, Plan};
use fashion_train::{Observer, Settings, Step, Trainer, Validation, default_threads, with_threads};
use ndarray::{Array1, Array4};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::error::Error;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Classes.
const NUM_CLASSES: usize = 10;
/// Images of a step.
const BATCH: usize = 128;
/// Steps before the epochs that are timed, at most.
const WARM_UP: usize = 50;
/// Values of all images that are trained on, and of those that are classified, but at least one batch.
const TRAINED: usize = 60_000 * 28 * 28;
const CLASSIFIED: usize = 10_000 * 28 * 28;

fn main() -> Result<()> {
    let args = Args::parse(std::env::args().skip(1))?;
    let start = Instant::now();
    let splits = match &args.data {
        Some(folder) => {
            let splits = Source::find(folder)?.load(&Reading::default())?;
            let images = args.images.unwrap_or(splits.train.len());
            first(Cow::Owned(splits), images)?.into_owned()
        }
        None => {
            let shape = args.network.input();
            let trained = args.images.unwrap_or(TRAINED / shape.values());
            let classified = (CLASSIFIED / shape.values()).max(1000);
            Splits::new(random(shape, trained, 0)?, random(shape, classified, 1)?)?
        }
    };
    // Reading files is part of the job, drawing random numbers is not.
    let drawing = if args.data.is_none() { start.elapsed().as_secs_f64() } else { 0.0 };
    with_threads(args.threads, || {
        if args.whole { measure_whole(&args, &splits) } else { measure(&args, &splits, drawing) }
    })?
}

fn print(args: &Args, what: &str, figures: Value) {
    let mut line = json!({
        "peer": "fashion",
        "version": format!("{} {}", env!("CARGO_PKG_VERSION"), Isa::current()),
        "threads": args.threads,
        "data": if args.data.is_some() { "files" } else { "random" },
        "network": args.network.name(),
        "what": what,
    });
    if let (Value::Object(line), Value::Object(figures)) = (&mut line, figures) {
        line.extend(figures.into_iter().filter(|(_, figure)| !figure.is_null()));
    }
    println!("{line}");
}

fn measure(args: &Args, splits: &Splits, drawing: f64) -> Result<()> {
    let settings = Settings {
        epochs: args.epochs.max(1),
        batch_size: BATCH,
        validation: Validation::None,
        ..Settings::default()
    };
    let network = || args.network.build(NUM_CLASSES, 0);
    let seconds = args.seconds.unwrap_or(f64::INFINITY) / settings.epochs as f64;
    let mut first_steps = FirstSteps::new(if args.epochs == 0 { 1 } else { WARM_UP }, seconds);
    let _ = Trainer::new(settings.clone(), splits, network())?.run_epoch(&mut first_steps)?;
    print(
        args,
        "startup",
        json!({
            "to_first_step_s": first_steps.age,
            "excl_datagen_s": first_steps.age.map(|age| age - drawing),
            "rss_mb": peak_memory(),
        }),
    );
    if args.epochs == 0 {
        return Ok(());
    }

    let all = splits.train.len();
    let images = args.seconds.map_or(all, |_| first_steps.images_in(seconds).min(all));
    let memory = peak_memory(); // before images are copied
    let part = first(Cow::Borrowed(splits), images)?;
    let mut trainer = Trainer::new(settings, &part, network())?;
    let mut times = Vec::new();
    for _ in 0..args.epochs {
        let start = Instant::now();
        let _ = trainer.run_epoch(&mut ())?;
        times.push(start.elapsed().as_secs_f64());
        print(args, "train_epoch", json!({ "s_per_epoch": times.last() }));
    }
    let mut line = speeds(images, times);
    line["peak_rss_mb"] = json!(memory);
    print(args, "train", line);

    let plan = trainer.network().plan();
    let mut x = vec![0.0; splits.test.all_pixels().len()];
    normalise(splits.test.all_pixels(), &mut x);
    for &batch in &args.batches {
        let mut line = classify(&plan, &x, splits.test.labels(), batch, args.seconds);
        line["batch"] = json!(batch);
        print(args, "infer", line);
    }
    let (best, median) = best_and_median(classify_singly(&plan, &x));
    print(
        args,
        "latency_b1",
        json!({ "best_us": 1e6 * best, "median_us": 1e6 * median, "peak_rss_mb": peak_memory() }),
    );
    Ok(())
}

/// Speeds of classifying images and counting the right answers: all of them eight times, or, where there
/// is a limit to the time, as many as take an eighth of it.
fn classify(plan: &Plan, x: &[f32], labels: &[u16], batch: usize, seconds: Option<f64>) -> Value {
    let (pixels, mut logits) = (x.len() / labels.len(), vec![0.0; batch * NUM_CLASSES]);
    let mut once = |images: usize| {
        let start = Instant::now();
        let mut right = 0;
        let batches = x[..images * pixels].chunks(batch * pixels);
        for (x, labels) in batches.zip(labels[..images].chunks(batch)) {
            let logits = &mut logits[..labels.len() * NUM_CLASSES];
            plan.logits(x, logits);
            let answers = logits.chunks_exact(NUM_CLASSES).map(argmax);
            right += answers.zip(labels).filter(|(z, y)| *z == usize::from(**y)).count();
        }
        std::hint::black_box(right);
        start.elapsed().as_secs_f64()
    };
    let few = batch.min(labels.len());
    let mut images = labels.len();
    once(few);
    if let Some(seconds) = seconds {
        let speed = few as f64 / once(few);
        images = whole_batches(seconds / 8.0 * speed, batch).min(images);
    }
    once(images);
    speeds(images, (0..8).map(|_| once(images)).collect())
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
    x.chunks_exact(plan.input().values()).cycle().take(3300).map(once).skip(300).collect()
}

/// Steps alone, then an epoch of each kind, time after time.
fn measure_whole(args: &Args, splits: &Splits) -> Result<()> {
    let plain = Settings { epochs: args.epochs, batch_size: BATCH, ..Settings::default() };
    let augmented = Settings { flip: 0.5, shift: 0.1, rotate: 10.0, erase: 0.25, ..plain.clone() };
    let network = args.network.build(NUM_CLASSES, 0);
    let warm_up = &mut FirstSteps::new(WARM_UP, f64::INFINITY);
    let _ = Trainer::new(plain.clone(), splits, network.clone())?.run_epoch(warm_up)?;
    let [mut plain, mut augmented] =
        [Trainer::new(plain, splits, network.clone())?, Trainer::new(augmented, splits, network)?];
    let images = plain.images().first;
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..args.epochs {
        for (trainer, at) in [(&mut plain, 1), (&mut augmented, 2)] {
            let start = Instant::now();
            let _ = trainer.run_epoch(&mut ())?;
            times[at].push(start.elapsed().as_secs_f64());
            times[0].extend(steps_alone(splits, trainer.network().clone())?);
        }
    }
    let [steps, epochs, augmented] = times;
    print(args, "steps", speeds(BATCH, steps));
    print(args, "epoch", speeds(images, epochs));
    print(args, "epoch_augmented", speeds(images, augmented));
    Ok(())
}

/// Seconds of steps on the first batch, again and again for about two seconds. They are epochs of one step.
fn steps_alone(splits: &Splits, network: Network) -> Result<Vec<f64>> {
    let batch = first(Cow::Borrowed(splits), BATCH)?;
    let settings = Settings {
        epochs: 1 << 30,
        batch_size: BATCH,
        validation: Validation::None,
        // Or the network would learn the batch by heart, and products with zeros need not be computed.
        learning_rate: 1e-9,
        ..Settings::default()
    };
    let mut trainer = Trainer::new(settings, &batch, network)?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < 13 || start.elapsed().as_secs_f64() < 2.0 {
        let start = Instant::now();
        let _ = trainer.run_epoch(&mut ())?;
        times.push(start.elapsed().as_secs_f64());
    }
    Ok(times.split_off(3))
}

/// Lets some steps pass and notes the process's age after the first, and how fast the second half is.
struct FirstSteps {
    steps: usize,
    seconds: f64,
    age: Option<f64>,
    start: Instant,
    /// When each step was done.
    ends: Vec<f64>,
}

impl FirstSteps {
    /// So many steps, or fewer in so many seconds; but three at least.
    fn new(steps: usize, seconds: f64) -> FirstSteps {
        FirstSteps { steps, seconds, age: None, start: Instant::now(), ends: Vec::new() }
    }

    /// Images of the whole steps that fit into a time.
    fn images_in(&self, seconds: f64) -> usize {
        let (ends, half) = (&self.ends, self.ends.len() / 2);
        let steps = ends.len() - 1 - half;
        let took = ends.last().zip(ends.get(half)).map_or(0.0, |(last, half)| last - half);
        whole_batches(seconds * (steps * BATCH) as f64 / took, BATCH)
    }
}

impl Observer for FirstSteps {
    fn on_step(&mut self, _: &Step) -> ControlFlow<()> {
        self.age = self.age.or_else(process_age);
        let end = self.start.elapsed().as_secs_f64();
        self.ends.push(end);
        let steps = self.ends.len();
        if steps >= self.steps || (steps >= 3 && end > self.seconds) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// The whole batches of about so many images, at least one. Any number where that is not a number.
fn whole_batches(images: f64, batch: usize) -> usize {
    ((images / batch as f64) as usize).clamp(1, usize::MAX / batch) * batch
}

/// The first images of the training set, and all of the test set.
fn first(splits: Cow<'_, Splits>, images: usize) -> Result<Cow<'_, Splits>> {
    if images >= splits.train.len() {
        return Ok(splits);
    }
    let indices: Vec<usize> = (0..images).collect();
    Ok(Cow::Owned(Splits::new(splits.train.select(&indices), splits.test.clone())?))
}

/// Images of independent, uniform pixels.
fn random(shape: ImageShape, n: usize, index: u64) -> Result<Dataset> {
    let ImageShape { side, channels } = shape;
    let mut rng = stream(0, Purpose::Sample, 0, index);
    let mut pixels = vec![0; n * shape.values()];
    rng.fill_bytes(&mut pixels);
    let labels: Array1<u16> = (0..n).map(|_| below(&mut rng, NUM_CLASSES as u32) as u16).collect();
    let images = Array4::from_shape_vec((n, side, side, channels), pixels)?;
    Ok(Dataset::new(images, labels, Classes::garments())?)
}

/// Images per second, where so many took each of these times.
fn speeds(images: usize, times: Vec<f64>) -> Value {
    let (best, median) = best_and_median(times);
    json!({
        "images": images,
        "best_samples_s": images as f64 / best,
        "median_samples_s": images as f64 / median,
    })
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
    /// As many as there are, or a default where there are none.
    images: Option<usize>,
    seconds: Option<f64>,
    /// In which to classify.
    batches: Vec<usize>,
    data: Option<PathBuf>,
    network: Architecture,
    whole: bool,
}

impl Args {
    fn parse(mut given: impl Iterator<Item = String>) -> Result<Args> {
        let mut args = Args {
            threads: default_threads(),
            epochs: 3,
            images: None,
            seconds: None,
            batches: vec![32, 128, 1000],
            data: None,
            network: Architecture::ReportCnn,
            whole: false,
        };
        let Some(mut next) = given.next() else {
            return Ok(Args { epochs: 1, images: Some(1280), ..args });
        };
        loop {
            let mut value = || given.next().ok_or_else(|| format!("{next} needs a value"));
            match next.as_str() {
                "--epochs" => args.epochs = value()?.parse()?,
                "--images" => args.images = Some(value()?.parse()?),
                "--seconds" => args.seconds = Some(value()?.parse()?),
                "--batches" => {
                    let sizes = value()?;
                    args.batches = sizes.split(',').map(str::parse).collect::<Result<_, _>>()?;
                }
                "--data" => args.data = Some(value()?.into()),
                "--network" => args.network = value()?.parse()?,
                "--whole" => args.whole = true,
                threads => {
                    args.threads = threads.parse().map_err(|_| {
                        let expected = "a number of threads, --network, --data, --images, \
                                        --epochs, --seconds, --batches or --whole";
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
