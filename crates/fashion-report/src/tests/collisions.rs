//! No text leaves its figure, and none touches another.

use fashion_eval::calibration::ReliabilityBin;
use fashion_eval::selective::{Sorted, Step, Threshold};
use fashion_eval::{ConfusionMatrix, Context, JudgedItem, Metrics, Predictions, ThresholdCurve};
use ndarray::Array2;

use crate::figure::svg;
use crate::font::{self, Weight};
use crate::{
    Augmented, Class, CurveEnd, EpochPoint, History, Item, RangeMarks, RangePoint, SettingValue,
    Sweep, SweepCurve, SweepPoint, TimedPoint, augmented, class_counts, classes, confusion,
    coverage, curves, lr_find, misclassified, precision_recall, recall, reliability, roc, sweep,
    sweep_curves, sweep_time,
};

const ORIGIN: &str = "built-in sample, not Fashion-MNIST · test set";
const NAMES: [&str; 4] =
    ["T-shirt/top", "Incomprehensibilities of a third kind", "WWWWWWWWWWWWWWWWWW", "i"];

#[derive(Debug)]
struct Line {
    text: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = element.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

fn number(element: &str, name: &str) -> f64 {
    attribute(element, name).unwrap().parse().unwrap()
}

/// The text lines of a figure with the boxes that their letters take.
fn lines(svg: &str) -> Vec<Line> {
    let elements = svg.split("<text").skip(1);
    let lines = elements.map(|rest| {
        let (element, rest) = rest.split_once('>').unwrap();
        let text = rest.split_once("</text>").unwrap().0.replace("&lt;", "<").replace("&gt;", ">");
        let size = number(element, "font-size");
        let bold = element.contains("font-weight");
        let width = font::width(&text, size, if bold { Weight::SemiBold } else { Weight::Regular });
        let x = number(element, "x");
        let left = match attribute(element, "text-anchor") {
            Some("middle") => x - width / 2.0,
            Some("end") => x - width,
            _ => x,
        };
        let y = number(element, "y");
        // From the height of capitals down to the descenders.
        Line { text, left, right: left + width, top: y - 0.73 * size, bottom: y + 0.2 * size }
    });
    lines.collect()
}

fn check(name: &str, document: &str) {
    let (width, height) = (number(document, "width"), number(document, "height"));
    let lines = lines(document);
    assert!(!lines.is_empty(), "{name}");
    for (i, a) in lines.iter().enumerate() {
        assert!(
            a.left >= 0.0 && a.right <= width && a.top >= 0.0 && a.bottom <= height,
            "{name}: {:?} leaves {width} × {height}: {a:?}",
            a.text
        );
        for b in &lines[..i] {
            let apart =
                a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
            assert!(apart, "{name}: {:?} touches {:?}: {a:?} {b:?}", a.text, b.text);
        }
    }
}

fn history(n: usize, value: impl Fn(usize) -> f64) -> History {
    let epochs = (1..=n)
        .map(|epoch| EpochPoint {
            epoch,
            learning_rate: 0.001,
            train_loss: 1.0 - value(epoch),
            train_accuracy: value(epoch),
            validation_loss: Some(1.0 - value(epoch) * 1.0001),
            validation_accuracy: Some(value(epoch) * 0.9999),
        })
        .collect();
    History { epochs, held_out: "test".into(), best: Some(3) }
}

#[test]
fn curves_keep_their_texts_apart() {
    for n in [0, 1, 2, 10, 40, 200, 1000] {
        let mut history = history(n, |e| 0.9 - 0.1 / e as f64);
        for best in [None, Some(1), Some(n.div_ceil(2)), Some(n / 2 + 1), Some(n)] {
            for held_out in ["validation", "test", NAMES[1], ""] {
                (history.held_out, history.best) = (held_out.into(), best);
                let chart = curves::drawing(&history, ORIGIN);
                check(&format!("curves {n} {best:?}"), &svg(&chart).unwrap());
                for what in [curves::Quantity::Accuracy, curves::Quantity::Loss] {
                    let panel = curves::inline_svg(&history, what).unwrap();
                    check(&format!("{what:?} {n} {best:?}"), &panel);
                }
            }
        }
    }
}

#[test]
fn flat_and_wild_curves_keep_their_texts_apart() {
    let values = [0.0, 1.0, 0.5, -1e9, 1e9, 123_456.0, 1e-9];
    for (i, a) in values.into_iter().enumerate() {
        for b in &values[i..] {
            let history = history(12, |e| if e < 6 { a } else { *b });
            let chart = curves::drawing(&history, ORIGIN);
            check(&format!("{a} to {b}"), &svg(&chart).unwrap());
        }
    }
}

#[test]
fn matrices_keep_their_texts_apart() {
    for k in [2, 3, 10, 12, 13, 30] {
        for scale in [1, 1000, 1_234_567, u64::MAX / 100] {
            let counts: Vec<Vec<u64>> = (0..k)
                .map(|i| (0..k).map(|j| if i == j { scale } else { scale / 50 }).collect())
                .collect();
            let names: Vec<&str> = (0..k).map(|i| NAMES[i % NAMES.len()]).collect();
            let counts = ConfusionMatrix::try_from(counts).unwrap();
            let matrix = confusion::drawing(&counts, &names, ORIGIN, "class").unwrap();
            check(&format!("{k} classes, {scale}"), &svg(&matrix).unwrap());
        }
    }
}

#[test]
fn galleries_and_counts_keep_their_texts_apart() {
    let pixels = [128; 28 * 28];
    for n in [0, 1, 5, 7, 25] {
        let item = |i: usize| {
            let (index, label, predicted) = (i * 12_345_678, i % 4, (i + 1) % 4);
            let (confidence, probabilities) = (0.999_999, vec![1e-9; 4]);
            let judged = JudgedItem { index, label, predicted, confidence, probabilities };
            Item { judged, pixels: &pixels, map: Vec::new(), neighbours: Vec::new() }
        };
        let items: Vec<_> = (0..n).map(item).collect();
        let gallery = misclassified::drawing(&items, &NAMES, ORIGIN).unwrap();
        check("misclassified", &svg(&gallery).unwrap());
    }
    for count in [0, 1, 6000, usize::MAX] {
        let (train, test) = (count, count / 2);
        let class = |name: &str| Class {
            name: name.into(),
            images: vec![&pixels; 3],
            train,
            validation: Some(test),
            test,
        };
        let classes = NAMES.map(class);
        check("classes", &svg(&classes::drawing(&classes, ORIGIN).unwrap()).unwrap());
        check("class counts", &svg(&class_counts::drawing(&classes, ORIGIN).unwrap()).unwrap());
    }
}

#[test]
fn changed_images_keep_their_texts_apart() {
    let image = &[128; 28 * 28][..];
    let row = |class: &str| Augmented {
        class: class.into(),
        index: 1_234_567,
        image,
        changed: vec![image.to_vec(); 8],
    };
    let changes = "flip 0.5, shift 0.125, rotate 12.5, scale 0.125, blur 0.125, brightness 0.25, contrast 0.25, \
                   saturation 0.25, hue 0.125, erase 0.25, mixup 0.25";
    let drawing = augmented::drawing(&NAMES.map(row), changes, ORIGIN).unwrap();
    check("augmented", &svg(&drawing).unwrap());
}

#[test]
fn recalls_keep_their_texts_apart() {
    let counts = |right: u64| {
        let row = |class: usize| {
            let mut row = vec![(class as u64) * 7_654_321; 4];
            row[class] = right;
            row
        };
        ConfusionMatrix::try_from((0..4).map(row).collect::<Vec<_>>()).unwrap()
    };
    for n in [1, 2, 5, 20] {
        let matrices: Vec<_> = (0..n).map(|i| counts(1000 * i)).collect();
        let classifiers: Vec<_> =
            matrices.iter().enumerate().map(|(i, m)| (NAMES[i % 4], m)).collect();
        let drawing = recall::drawing(&classifiers, &NAMES, ORIGIN).unwrap();
        check(&format!("recall of {n}"), &svg(&drawing).unwrap());
    }
}

fn bin(lower: f64, upper: f64, count: u64, at: (f64, f64)) -> ReliabilityBin {
    ReliabilityBin { lower, upper, count, confidence: Some(at.0), accuracy: Some(at.1) }
}

#[test]
fn reliability_keeps_its_texts_apart() {
    for count in [0, 1, 8434, u64::MAX / 2] {
        let bin = |i: u32| {
            let (lower, upper) = (f64::from(i) / 15.0, f64::from(i + 1) / 15.0);
            bin(lower, upper, count, (upper, lower))
        };
        let bins: Vec<_> = (0..15).map(bin).collect();
        check("reliability", &svg(&reliability::drawing(&bins, 0.1, ORIGIN)).unwrap());
        check("reliability inline", &reliability::inline_svg(&bins).unwrap());
    }
}

/// Checks that no text touches a bin of the reliability diagram or the curve of the coverage chart.
fn check_shapes(name: &str, document: &str) {
    let lines = lines(document);
    let free = |x: (f64, f64), y: (f64, f64)| {
        for line in &lines {
            let apart =
                x.1 <= line.left || line.right <= x.0 || y.1 <= line.top || line.bottom <= y.0;
            assert!(apart, "{name}: a shape at {x:?}, {y:?} touches {line:?}");
        }
    };
    let span = |a: f64, b: f64| (a.min(b) / 4.0, a.max(b) / 4.0);
    for shape in document.lines() {
        let bin = shape.contains("stroke=\"#B3480B\"");
        if bin || shape.contains("stroke=\"#0B62A8\"") {
            let points: Vec<(f64, f64)> = attribute(shape, "points")
                .unwrap()
                .split_whitespace()
                .map(|point| point.split_once(',').unwrap())
                .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
                .collect();
            for ends in points.windows(2) {
                // In pieces, since a long slope fills a corner of its box only.
                let at = |piece: u32| {
                    let t = f64::from(piece) / 100.0;
                    let (a, b) = (ends[0], ends[1]);
                    (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
                };
                for (a, b) in (0..100).map(|piece| (at(piece), at(piece + 1))) {
                    free(span(a.0, b.0), span(a.1, b.1));
                }
            }
        } else if shape.starts_with("<circle") {
            let [x, y, r] = ["cx", "cy", "r"].map(|name| number(shape, name));
            free(span(x - r, x + r), span(y - r, y + r));
        }
    }
}

#[test]
fn no_bin_crosses_the_notes_of_the_reliability_diagram() {
    let shapes: [fn(f64) -> f64; 8] = [
        |_| 1.0,
        |_| 0.0,
        |c| c,
        |c| 1.0 - c,
        |c| c.sqrt(),
        |c| c * c,
        |c| if c < 0.5 { 1.0 } else { 0.0 },
        |c| (c + 0.37) % 1.0,
    ];
    for (i, accuracy) in shapes.into_iter().enumerate() {
        for n in [1, 3, 15, 60] {
            for few in [false, true] {
                let bin = |b: u32| {
                    let (lower, upper) =
                        (f64::from(b) / f64::from(n), f64::from(b + 1) / f64::from(n));
                    let confidence = (lower + upper) / 2.0;
                    let count = if few && b + 1 < n { 1 } else { 100 };
                    bin(lower, upper, count, (confidence, accuracy(confidence)))
                };
                let bins: Vec<_> = (0..n).map(bin).collect();
                let name = format!("shape {i} of {n} bins");
                for document in [
                    svg(&reliability::drawing(&bins, 0.1, ORIGIN)).unwrap(),
                    reliability::inline_svg(&bins).unwrap(),
                ] {
                    check(&name, &document);
                    check_shapes(&name, &document);
                }
            }
        }
    }
}

fn sorted(step: Option<Step>, target: f64) -> Sorted {
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

#[test]
fn coverage_keeps_its_texts_apart_and_off_the_curve() {
    let shapes: [fn(f64) -> f64; 6] = [
        |c| 1.0 - 0.08 * c * c * c,
        |_| 1.0,
        |_| 0.0,
        |c| c,
        |c| 0.9 + 0.1 * c,
        |c| if c < 0.02 { 0.0 } else { 0.93 },
    ];
    for (i, accuracy) in shapes.into_iter().enumerate() {
        for n in [0, 1, 2, 7, 1000] {
            let point = |k: u32| {
                let coverage = f64::from(k) / f64::from(n);
                let accuracy = accuracy(coverage);
                Step { threshold: 0.5, by_machine: 1, wrong: 0, coverage, accuracy }
            };
            let points: Vec<_> = (1..=n).map(point).collect();
            for target in [0.0, 0.5, 0.93, 0.99, 0.9999, 1.0] {
                let at = |place: usize| points.get(place * points.len() / 8).copied();
                for point in [None, at(0), at(1), at(3), at(5), at(7), points.last().copied()] {
                    let name = format!("coverage {i}, {n} points, {target}, {point:?}");
                    let sorted = sorted(point, target);
                    for mark in [None, Some(&sorted)] {
                        for document in [
                            svg(&coverage::drawing(&points, mark, ORIGIN)).unwrap(),
                            coverage::inline_svg(&points, mark).unwrap(),
                        ] {
                            check(&name, &document);
                            check_shapes(&name, &document);
                            let says = |text| document.contains(text);
                            assert_eq!(says(">target "), mark.is_some(), "{name}");
                            assert_eq!(says("by machine"), mark.is_some(), "{name}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn curves_of_all_thresholds_keep_their_texts_apart() {
    for (a, b) in NAMES.into_iter().flat_map(|a| NAMES.map(|b| (a, b))) {
        for labels in [[0, 1, 0, 1], [1; 4]] {
            let p = Array2::from_shape_fn((4, 2), |(row, class)| [0.2, 0.8][(row + class) % 2]);
            let predictions = Predictions::new(p, labels.to_vec()).unwrap();
            let classes = vec![a.into(), b.into()];
            let context = Context { data: ORIGIN.into(), split: "test".into(), classes };
            let metrics = Metrics::compute(&predictions, &context).unwrap();
            let curves = ThresholdCurve::of_two(&predictions).unwrap();
            for document in [
                svg(&roc::drawing(&curves, &metrics, ORIGIN).unwrap()).unwrap(),
                roc::inline_svg(&curves, &metrics).unwrap(),
                svg(&precision_recall::drawing(&curves, &metrics, ORIGIN).unwrap()).unwrap(),
                precision_recall::inline_svg(&curves, &metrics).unwrap(),
            ] {
                check(&format!("{a}, {b}, {labels:?}"), &document);
            }
        }
    }
}

#[test]
fn range_tests_keep_their_texts_apart_and_off_the_smoothed_loss() {
    let shapes: [fn(f64) -> f64; 6] = [
        |t| 2.3 - 1.8 * t + libm::exp(30.0 * (t - 0.9)),
        |t| 2.3 + 1e8 * t * t,
        |_| 2.3,
        |_| 0.0,
        |t| 0.5 + libm::fabs(t - 0.5),
        |t| 1e9 * (1.0 - t),
    ];
    for (i, loss) in shapes.into_iter().enumerate() {
        for n in [0, 1, 2, 100] {
            for decades in [0.5, 2.0, 8.0, 14.0] {
                let point = |k: u32| {
                    let t = f64::from(k) / f64::from(n);
                    let learning_rate = libm::pow(10.0, decades * (t - 0.8));
                    RangePoint { learning_rate, loss: loss(t) + 0.1, smoothed: loss(t) }
                };
                let points: Vec<_> = (0..n).map(point).collect();
                let at = |eighth: usize| {
                    points.get(eighth * n as usize / 8).map(|p| (p.learning_rate, p.smoothed))
                };
                for (a, b) in [(0, 0), (0, 7), (3, 4), (4, 6), (7, 7), (5, 1)] {
                    let (suggestion, lowest) = (at(a), at(b));
                    let marks = RangeMarks { suggestion, lowest, diverged: at(7).map(|at| at.0) };
                    let document = svg(&lr_find::drawing(&points, &marks, ORIGIN)).unwrap();
                    let name = format!("range test {i}, {n} points, {decades} decades, {a}, {b}");
                    check(&name, &document);
                    check_shapes(&name, &document);
                }
            }
        }
    }
}

/// Values of a setting: few and many, near and far, with zero, none, and choices.
fn settings(n: usize) -> Vec<Vec<SettingValue>> {
    let numbers = |value: fn(f64) -> f64| (0..n).map(|i| value(i as f64).into()).collect();
    vec![
        numbers(|i| libm::pow(10.0, i / 2.0 - 5.0)),
        numbers(|i| 16.0 * libm::pow(2.0, i)),
        numbers(|i| 0.012_345 * i),
        numbers(|i| if i == 0.0 { 0.0 } else { libm::pow(7.3, -i) }),
        numbers(|_| 128.0),
        numbers(|_| f64::NAN),
        (0..n).map(|i| NAMES[i % 4].into()).collect(),
        (0..n).map(|i| format!("choice {i}").as_str().into()).collect(),
    ]
}

#[test]
fn sweeps_keep_their_texts_apart() {
    let scores: [fn(f64) -> f64; 5] = [
        |t| 0.9 - 0.2 * t,
        |_| 0.9,
        |t| if t < 0.3 { 0.1 } else { 0.91 - 0.01 * t },
        |t| 0.92 - t * t,
        |t| 1e9 * t,
    ];
    for (shape, score) in scores.into_iter().enumerate() {
        for n in [0, 1, 2, 9, 25] {
            let values = settings(n);
            let points = |columns: &[usize], seeds: usize, diverged: usize| -> Vec<SweepPoint> {
                let point = |i: usize| {
                    let mean = score(i as f64 / n as f64);
                    let here = if i + 2 > n { 0 } else { seeds };
                    SweepPoint {
                        values: columns.iter().map(|&c| values[c][i].clone()).collect(),
                        scores: (0..here).map(|s| mean + 0.001 * s as f64).collect(),
                        mean: (here > 0).then_some(mean),
                        deviation: (here > 1).then_some(0.001),
                        diverged: diverged * (i % 2),
                    }
                };
                (0..n).map(point).collect()
            };
            let mut sets: Vec<Vec<usize>> = (0..values.len()).map(|c| vec![c]).collect();
            sets.extend([vec![0, 1], vec![2, 6, 7], vec![3, 4, 5, 6], vec![0, 1, 2, 3, 6, 7]]);
            for columns in sets {
                let names: Vec<&str> = (0..columns.len()).map(|i| NAMES[i % 4]).collect();
                for (seeds, diverged) in [(1, 0), (3, 2)] {
                    let points = points(&columns, seeds, diverged);
                    for best in [0, n / 2, n.saturating_sub(1)] {
                        let sweep = Sweep {
                            settings: &names,
                            points: &points,
                            best: (best < n).then_some(best),
                            held_out_name: NAMES[best % 4],
                        };
                        let document = svg(&sweep::drawing(&sweep, ORIGIN).unwrap()).unwrap();
                        check(&format!("sweep {shape}, {n}, {columns:?}, {best}"), &document);
                    }
                }
            }
        }
    }
}

#[test]
fn curves_of_sweeps_keep_their_texts_apart() {
    for n in [0, 1, 2, 9, 16, 17, 40] {
        for values in settings(n) {
            for (epochs, loss) in [(0, 1.0), (1, 1e-6), (10, 1e9), (300, 0.3)] {
                let curve = |(i, value): (usize, SettingValue)| SweepCurve {
                    value,
                    epochs: (1..=epochs)
                        .map(|epoch| EpochPoint {
                            epoch,
                            train_loss: loss / (epoch + i) as f64,
                            validation_accuracy: Some(1.0 - loss / (epoch * 7 + i) as f64),
                            ..EpochPoint::default()
                        })
                        .collect(),
                    accuracy: (i % 3 > 0).then_some(0.9 + 0.001 * i as f64),
                    end: [CurveEnd::Finished, CurveEnd::Stopped, CurveEnd::Diverged][i % 3],
                };
                let curves: Vec<_> = values.iter().cloned().enumerate().map(curve).collect();
                for name in NAMES {
                    let chart = sweep_curves::drawing(name, &curves, name, ORIGIN);
                    check(&format!("{n} curves, {epochs} epochs"), &svg(&chart).unwrap());
                }
            }
        }
    }
}

#[test]
fn times_of_sweeps_keep_their_texts_apart() {
    for n in [0, 1, 2, 9, 12, 13, 40] {
        for values in settings(n) {
            for longest in [1e-3, 1.0, 9.0, 1e4] {
                let point = |(i, value): (usize, SettingValue)| TimedPoint {
                    value,
                    minutes: 1e-3 + longest * (i * 7 % 11) as f64,
                    accuracy: 0.9 + 0.001 * (i * 5 % 13) as f64,
                };
                let points: Vec<_> = values.iter().cloned().enumerate().map(point).collect();
                for name in NAMES {
                    let chart = sweep_time::drawing(name, &points, name, ORIGIN);
                    check(&format!("{n} points, to {longest} minutes"), &svg(&chart).unwrap());
                }
            }
        }
    }
}
