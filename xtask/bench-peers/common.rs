//! What the programs for the Rust frameworks share, as `common.py` is what the Python scripts share:
//! arguments, synthetic images, the course of a measurement, lines of JSON.
//!
//! Calling: `PROGRAM THREADS SECONDS report-cnn BATCHES`, with `RAYON_NUM_THREADS` set to THREADS;
//! SECONDS is for training, and again for classifying in each of these sizes of batches. The age and the memory of the process
//! are read from Linux's /proc.

use std::fs::read_to_string;
use std::time::Instant;

pub const BATCH: usize = 128;
pub const PIXELS: usize = 28 * 28;
pub const PARAMETERS: usize = 225_034;
const TRAINED: usize = 60_000;
const CLASSIFIED: usize = 10_000;

pub struct Job {
    peer: &'static str,
    version: &'static str,
    threads: usize,
    seconds: f64,
    batches: Vec<usize>,
    random: Xorshift,
    train: (Vec<f32>, Vec<u8>),
    test: (Vec<f32>, Vec<u8>),
    /// Seconds that went into drawing the images.
    drawing: f64,
}

impl Job {
    pub fn new(peer: &'static str, version: &'static str) -> Job {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let [threads, seconds, network, batches] = &args[..] else {
            panic!("usage: THREADS SECONDS NETWORK BATCHES")
        };
        assert_eq!(network, "report-cnn", "no other network is written for this framework");
        let threads = threads.parse().expect("a number of threads");
        let seconds = seconds.parse().expect("a number of seconds");
        let batches = batches.split(',').map(|batch| batch.parse().expect("a size")).collect();
        let start = Instant::now();
        let mut random = Xorshift(0x9E37_79B9_7F4A_7C15);
        let (train, test) = (random.images(TRAINED), random.images(CLASSIFIED));
        let drawing = start.elapsed().as_secs_f64();
        Job { peer, version, threads, seconds, batches, random, train, test, drawing }
    }

    /// Trains: `step` takes pixels and labels of a batch, `finish` waits until all steps are done.
    pub fn train(&mut self, mut step: impl FnMut(&[f32], &[u8]), finish: impl Fn()) {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        let mut order: Vec<usize> = (0..TRAINED).collect();
        let (random, train) = (&mut self.random, &self.train);
        let mut epoch = |images: usize| {
            random.shuffle(&mut order);
            for indices in order[..images].chunks(BATCH) {
                x.clear();
                y.clear();
                for &index in indices {
                    x.extend_from_slice(&train.0[index * PIXELS..][..PIXELS]);
                    y.push(train.1[index]);
                }
                step(&x, &y);
            }
            finish();
        };
        epoch(BATCH);
        let age = process_age();
        let (images, seconds) = measure(epoch, BATCH, TRAINED, self.seconds, 3);
        let without = ("excl_datagen_s", age - self.drawing);
        self.print("startup", &[("to_first_step_s", age), without]);
        let [best, median] = speeds(images, seconds);
        self.print("train", &[best, median, ("peak_rss_mb", peak_memory())]);
    }

    /// Classifies: `right` takes pixels and labels of a batch and returns how many answers are right,
    /// `logits` takes one image and returns ten numbers.
    pub fn classify(
        &self,
        right: impl Fn(&[f32], &[u8]) -> usize,
        logits: impl Fn(&[f32]) -> usize,
    ) {
        let (x, y) = &self.test;
        for &batch in &self.batches {
            let once = |images: usize| {
                let batches = x.chunks(batch * PIXELS).zip(y.chunks(batch)).take(images / batch);
                let right: usize = batches.map(|(x, y)| right(x, y)).sum();
                assert!(right < images.max(100));
            };
            let (images, seconds) = measure(once, batch, CLASSIFIED, self.seconds, 8);
            let [best, median] = speeds(images, seconds);
            self.print("infer", &[("batch", batch as f64), best, median]);
        }
        let once = |x: &[f32]| {
            let start = Instant::now();
            assert_eq!(logits(x), 10);
            1e6 * start.elapsed().as_secs_f64()
        };
        let images = x.chunks(PIXELS).take(3300);
        let (best, median) = best_and_median(images.map(once).skip(300).collect());
        self.print("latency_b1", &[("best_us", best), ("median_us", median)]);
    }

    fn print(&self, what: &str, figures: &[(&str, f64)]) {
        let Job { peer, version, threads, .. } = self;
        let head = format!(r#""peer":"{peer}","version":"{version}","threads":{threads}"#);
        let figures: Vec<String> =
            figures.iter().map(|(name, value)| format!(r#""{name}":{value:.3}"#)).collect();
        println!(r#"{{{head},"what":"{what}",{}}}"#, figures.join(","));
    }
}

/// Does `once(images)` so often, or twice if it is slow, with whole batches: together about so long. How
/// many batches that are is tried out, untimed. Gives the images and the times.
fn measure(
    mut once: impl FnMut(usize),
    batch: usize,
    most: usize,
    seconds: f64,
    repetitions: usize,
) -> (usize, Vec<f64>) {
    let mut timed = |images| {
        let start = Instant::now();
        once(images);
        start.elapsed().as_secs_f64()
    };
    let (mut images, most) = (batch, most / batch * batch);
    timed(images);
    while timed(images) < seconds / repetitions as f64 / 2.0 && images < most {
        images = most.min(2 * images);
    }
    let mut taken = Vec::new();
    while taken.len() < 2 || taken.len() < repetitions && taken.iter().sum::<f64>() < seconds {
        taken.push(timed(images));
    }
    (images, taken)
}

/// Marsaglia's xorshift64.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn images(&mut self, n: usize) -> (Vec<f32>, Vec<u8>) {
        let x = (0..n * PIXELS).map(|_| (self.next() >> 40 & 255) as f32 / 255.0).collect();
        (x, (0..n).map(|_| ((self.next() >> 33) % 10) as u8).collect())
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            order.swap(last, (self.next() % (last as u64 + 1)) as usize);
        }
    }
}

/// Images a second, where `images` took so many seconds.
fn speeds(images: usize, seconds: Vec<f64>) -> [(&'static str, f64); 2] {
    let (best, median) = best_and_median(seconds);
    [("best_samples_s", images as f64 / best), ("median_samples_s", images as f64 / median)]
}

fn best_and_median(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2])
}

/// Seconds since this process was started, to a hundredth.
fn process_age() -> f64 {
    let stat = read_to_string("/proc/self/stat").expect("Linux's /proc");
    // Field 22; the second is the program's name in brackets.
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let uptime = read_to_string("/proc/uptime").expect("Linux's /proc");
    word(&uptime, 0) - word(fields, 19) / 100.0
}

/// The most memory that this process has had, in MiB.
fn peak_memory() -> f64 {
    let status = read_to_string("/proc/self/status").expect("Linux's /proc");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("a peak");
    word(line, 1) / 1024.0
}

fn word(text: &str, n: usize) -> f64 {
    text.split_whitespace().nth(n).and_then(|word| word.parse().ok()).expect("a number")
}
