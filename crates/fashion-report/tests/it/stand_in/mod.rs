//! Simple shapes in place of garments, and made-up numbers, for the tests and the example.

// Each test and example that includes this uses a part of it.
#![allow(dead_code)]

pub(crate) mod sweeps;
pub(crate) mod whole;

use fashion_eval::calibration::ReliabilityBin;
use fashion_eval::selective::{Sorted, Step, Threshold};
use fashion_report::{EpochPoint, History};

/// Rows of a garment, and its pixels.
const SIDE: usize = 28;
pub(crate) const PIXELS: usize = SIDE * SIDE;

/// The ten class names of the project, in order.
pub(crate) const CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// A shape of the class; `variant` changes its size and shade.
pub(crate) fn garment(class: usize, variant: usize) -> [u8; PIXELS] {
    let wide = 1.0 + 0.08 * ((variant * 7 % 5) as f32 - 2.0);
    let shade = 130 + (variant * 53 + class * 17) % 110;
    let mut pixels = [0; PIXELS];
    for (i, pixel) in pixels.iter_mut().enumerate() {
        let (row, column) = ((i / SIDE) as f32, (i % SIDE) as f32);
        let (x, y) = ((column - 13.5).abs() / wide, row);
        let right = (column - 13.5) / wide;
        let inside = match class {
            0 => {
                (3.0..25.0).contains(&y)
                    && (x < 6.5 || (y < 11.0 && x < 11.5))
                    && (y > 5.0 || x > 2.5)
            }
            1 => (2.0..27.0).contains(&y) && x < 5.5 && (y < 8.0 || x > 1.0),
            2 | 6 => {
                (3.0..25.0).contains(&y)
                    && (x < 6.5 || (y > 5.0 && x > 8.0 && x < 11.0) || y < 8.0 && x < 11.0)
            }
            3 => (2.0..27.0).contains(&y) && x < 3.0 + (y - 11.0).abs() * 0.3,
            4 => {
                (2.0..27.0).contains(&y)
                    && (x < 6.8 && x > 0.5
                        || (y > 4.0 && x > 8.2 && x < 11.5)
                        || y < 7.0 && x > 1.0 && x < 11.0)
            }
            5 => {
                (17.0..20.0).contains(&y) && x < 12.0
                    || (right * 0.6 - (y - 14.0)).abs() < 1.4 && y > 8.0 && y < 18.0
            }
            7 => {
                (12.0..20.0).contains(&y) && x < 12.5 && right > -(y - 8.0) * 2.4 + 2.0
                    || (19.0..21.0).contains(&y) && x < 12.5
            }
            8 => {
                (11.0..25.0).contains(&y) && x < 11.5
                    || (y > 4.0 && y < 12.0 && (x - 5.0).abs() < 1.3)
                    || ((4.0..6.0).contains(&y) && x < 6.0)
            }
            _ => {
                (4.0..24.0).contains(&y) && right > 2.0 && right < 11.0
                    || (16.0..24.0).contains(&y) && x < 11.5
            }
        };
        if inside {
            let fold = ((row * 0.9 + column * 0.6 + variant as f32).sin() * 18.0) as i32;
            *pixel = (shade as i32 + fold).clamp(40, 255) as u8;
        }
    }
    pixels
}

/// A run of `n` epochs with held-out values, of which one was chosen.
pub(crate) fn history(n: usize, best: usize) -> History {
    let wobble = |e: usize| ((e * 37 % 11) as f64 - 5.0) / 5.0;
    let epochs = (1..=n)
        .map(|epoch| {
            let t = epoch as f64;
            EpochPoint {
                epoch,
                learning_rate: 0.001,
                train_loss: 0.08 + 0.5 / t.powf(0.7),
                train_accuracy: 0.975 - 0.16 / t.powf(0.8),
                validation_loss: Some(
                    0.235 + 0.22 / t + 0.006 * (t - 7.0).clamp(0.0, 20.0) + 0.004 * wobble(epoch),
                ),
                validation_accuracy: Some(0.915 - 0.07 / t + 0.003 * wobble(epoch)),
            }
        })
        .collect();
    History { epochs, held_out: "validation".into(), best: Some(best) }
}

/// A 10 × 10 confusion matrix of `per_class` items in each row.
pub(crate) fn confusion(per_class: u64) -> Vec<Vec<u64>> {
    let confused = [
        (0, 6, 110),
        (0, 2, 18),
        (0, 3, 24),
        (2, 4, 62),
        (2, 6, 71),
        (3, 4, 25),
        (3, 0, 14),
        (4, 2, 66),
        (4, 6, 58),
        (4, 3, 27),
        (6, 0, 121),
        (6, 2, 74),
        (6, 4, 68),
        (5, 7, 14),
        (5, 9, 6),
        (7, 9, 26),
        (9, 7, 33),
        (7, 5, 9),
        (1, 3, 9),
        (8, 0, 4),
        (8, 6, 5),
    ];
    let mut counts = vec![vec![0; 10]; 10];
    for (row, column, n) in confused {
        counts[row][column] = n * per_class / 1000;
    }
    for (i, row) in counts.iter_mut().enumerate() {
        row[i] = per_class - row.iter().sum::<u64>();
    }
    counts
}

/// A bin of these items.
pub(crate) fn bin(lower: f64, upper: f64, count: u64, at: (f64, f64)) -> ReliabilityBin {
    ReliabilityBin { lower, upper, count, confidence: Some(at.0), accuracy: Some(at.1) }
}

/// Fifteen bins of a slightly too sure classifier.
pub(crate) fn bins() -> Vec<ReliabilityBin> {
    (0..15)
        .map(|i| {
            let (lower, upper) = (f64::from(i) / 15.0, f64::from(i + 1) / 15.0);
            let confidence = (lower + upper) / 2.0 + 0.01;
            let count = if i < 3 {
                0
            } else {
                [12, 30, 55, 80, 96, 110, 128, 160, 205, 270, 420, 8434][i as usize - 3]
            };
            bin(lower, upper, count, (confidence, confidence - 0.07 * (1.0 - confidence) - 0.02))
        })
        .collect()
}

/// The curve of `n` items, the first few of them by chance worse than those that follow.
pub(crate) fn coverage(n: usize) -> Vec<Step> {
    (1..=n)
        .map(|k| {
            let coverage = k as f64 / n as f64;
            let chance = if k > 3 { 0.0 } else { 0.5 / k as f64 };
            let accuracy = 1.0 - chance - 0.001 - 0.08 * coverage.powi(6);
            Step { threshold: 1.0 - coverage, by_machine: k as u64, wrong: 0, coverage, accuracy }
        })
        .collect()
}

/// What a threshold for a target accuracy does: as the step, or nothing.
pub(crate) fn sorted(step: Option<&Step>, target: f64) -> Sorted {
    Sorted {
        threshold: Threshold { value: None, target, level: 0.95, held_out: 100 },
        n: 100,
        by_machine: 0,
        to_human: 100,
        coverage: step.map_or(0.0, |step| step.coverage),
        accuracy: step.map(|step| step.accuracy),
        interval: None,
    }
}
