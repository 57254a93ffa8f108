//! What an audit finds in data whose faults are known.

use fashion_data::audit::{Audit, FEW_PIXELS, Item, MAX_NEAR, MAX_PAIRS, NEAR, NearPair};
use fashion_data::audit::{Oddity, VISIBLE};
use fashion_data::random::{Purpose, below, stream};
use fashion_data::{Dataset, Split, Splits};
use ndarray::{Array1, Array3};

/// Images and their labels, to be changed.
struct Part {
    pixels: Vec<u8>,
    labels: Vec<u16>,
}

impl Part {
    /// Boxes of many sizes and places, bright in the middle; each image is drawn from `seed` and its
    /// position.
    fn of_boxes(seed: u64, n: usize) -> Part {
        let mut part = Part { pixels: vec![0; n * 784], labels: vec![] };
        for index in 0..n {
            let rng = &mut stream(seed, Purpose::Augment, 0, index as u64);
            let mut draw = |low: usize, high: usize| low + below(rng, (high - low) as u32) as usize;
            let (top, left) = (draw(2, 10), draw(2, 10));
            let (height, width, level) = (draw(8, 16), draw(8, 16), draw(60, 200));
            let image = part.image(index);
            for row in top..top + height {
                for column in left..left + width {
                    image[row * 28 + column] = (level + draw(0, 50)) as u8;
                }
            }
            part.labels.push((index % 10) as u16);
        }
        part
    }

    fn image(&mut self, index: usize) -> &mut [u8] {
        &mut self.pixels[index * 784..][..784]
    }

    fn push(&mut self, image: &[u8], label: u16) {
        self.pixels.extend(image);
        self.labels.push(label);
    }

    fn done(self) -> Dataset {
        let images = Array3::from_shape_vec((self.labels.len(), 28, 28), self.pixels).unwrap();
        Dataset::of_garments(images, Array1::from(self.labels)).unwrap()
    }
}

fn parts(train: usize, test: usize) -> [Part; 2] {
    [Part::of_boxes(0, train), Part::of_boxes(1, test)]
}

fn audit(train: Part, test: Part, near: f64) -> Audit {
    Audit::new(&Splits::new(train.done(), test.done()).unwrap(), near).unwrap()
}

fn places(items: &[Item]) -> Vec<(Split, usize)> {
    items.iter().map(|item| (item.split, item.index)).collect()
}

#[test]
fn identical_images_are_found_wherever_they_are() {
    let [mut train, mut test] = parts(100, 50);
    let (third, fifth) = (train.image(3).to_vec(), train.image(5).to_vec());
    let labels = [train.labels[3], train.labels[5]];
    train.push(&third, labels[0]);
    train.push(&third, (labels[0] + 1) % 10);
    test.push(&fifth, labels[1]);
    let found = audit(train, test, NEAR);
    let counts: Vec<usize> =
        found.class_counts.iter().map(|(_, counts)| counts.iter().sum()).collect();
    assert_eq!(counts, [102, 51]);
    let groups: Vec<_> = found.identical.iter().map(|group| places(group)).collect();
    let (a, b) = (Split::Train, Split::Test);
    assert_eq!(groups, [vec![(a, 3), (a, 100), (a, 101)], vec![(a, 5), (b, 50)]]);
    assert_eq!(found.contradictory().map(places).collect::<Vec<_>>(), groups[..1]);
    assert_eq!(found.leaked().map(places).collect::<Vec<_>>(), groups[1..]);
    // They are no near duplicates as well.
    assert!(found.near_pairs.nearest.iter().all(|pair| pair.distance > 0.0));
}

/// The distance, as it is defined.
fn distance(a: &[u8], b: &[u8]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let of = |image: &[u8]| norm(&mut image.iter().map(|&p| f64::from(p)));
    let apart = norm(&mut a.iter().zip(b).map(|(&a, &b)| f64::from(a) - f64::from(b)));
    apart / of(a).max(of(b))
}

#[test]
fn near_pairs_are_those_of_comparing_all_with_all() {
    let [mut train, test] = parts(200, 100);
    // A little brighter, a little noisier, with one pixel changed.
    let mut changed = train.image(7).to_vec();
    changed[400] ^= 1;
    train.push(&changed, 0);
    let brighter: Vec<u8> = train.image(8).iter().map(|&p| p.saturating_add(p / 16)).collect();
    train.push(&brighter, 1);
    let noisy = (0..).zip(train.image(9)).map(|(i, p)| p.saturating_add((i * 7 % 5) as u8));
    let noisy: Vec<u8> = noisy.collect();
    train.push(&noisy, 2);
    let splits = Splits::new(train.done(), test.done()).unwrap();
    let all: Vec<(Split, usize, &[u8])> = (0..splits.train.len())
        .map(|i| (Split::Train, i, splits.train.pixels(i)))
        .chain((0..splits.test.len()).map(|i| (Split::Test, i, splits.test.pixels(i))))
        .collect();
    let mut apart = Vec::new();
    for (second, b) in all.iter().enumerate() {
        for a in &all[..second] {
            apart.push((distance(a.2, b.2), [(a.0, a.1), (b.0, b.1)]));
        }
    }
    apart.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for near in [0.0, 0.02, NEAR, 0.3, MAX_NEAR] {
        let expected = &apart[..apart.partition_point(|(distance, _)| *distance <= near)];
        let pairs = Audit::new(&splits, near).unwrap().near_pairs;
        let found = pairs.nearest;
        let counted = |what: fn(&NearPair) -> bool| found.iter().filter(|pair| what(pair)).count();
        assert_eq!(pairs.count, found.len());
        assert_eq!(pairs.across, counted(NearPair::crosses));
        assert_eq!(pairs.contradictory, counted(NearPair::disagrees));
        let items: Vec<_> = found.iter().map(|p| p.items.map(|i| (i.split, i.index))).collect();
        assert_eq!(items, expected.iter().map(|e| e.1).collect::<Vec<_>>(), "{near}");
        for (pair, (distance, _)) in found.iter().zip(expected) {
            assert!((pair.distance - distance).abs() < 1e-12);
        }
    }
    let found = Audit::new(&splits, NEAR).unwrap().near_pairs.nearest;
    assert!(found.len() >= 3 && found[0].items.map(|i| i.index) == [7, 200], "{found:?}");
    assert!(found.iter().any(NearPair::disagrees));
    assert!(Audit::new(&splits, MAX_NEAR).unwrap().near_pairs.across > 0);
}

#[test]
fn pairs_beyond_those_listed_are_counted() {
    // All near: brightness grows by one in one more pixel each time. Image k of n differs from image
    // l in |k − l| levels, so that the nearest pairs are those of neighbours, the brightest first.
    let part = |n: usize, first: usize| {
        let image = |k: usize| (0..784).map(move |i| 100 + u8::from(i < first + k));
        let pixels = (0..n).flat_map(image).collect();
        Part { pixels, labels: (0..n).map(|k| ((first + k) / 2 % 10) as u16).collect() }
    };
    let (train, test) = (part(150, 0), part(50, 150));
    let pairs = audit(train, test, NEAR).near_pairs;
    assert_eq!(pairs.count, 200 * 199 / 2);
    assert_eq!(pairs.across, 150 * 50);
    // Twenty images of each label.
    assert_eq!(pairs.contradictory, pairs.count - 10 * (20 * 19 / 2));
    assert_eq!(pairs.nearest.len(), MAX_PAIRS);
    let apart = |pair: &NearPair| {
        let [a, b] = pair.items.map(|i| i.index + if i.split == Split::Test { 150 } else { 0 });
        b - a
    };
    assert!(pairs.nearest.is_sorted_by_key(|pair| pair.distance));
    assert_eq!((apart(&pairs.nearest[0]), pairs.nearest[0].items[1].index), (1, 49));
    let all: Vec<f64> = {
        let norm = |k: usize| {
            let bright = 101.0_f64.powi(2) * k as f64;
            (bright + 100.0_f64.powi(2) * (784 - k) as f64).sqrt()
        };
        let of = |b: usize| (0..b).map(move |a| ((b - a) as f64).sqrt() / norm(b));
        let mut all: Vec<f64> = (0..200).flat_map(of).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    for (pair, distance) in pairs.nearest.iter().zip(all) {
        assert!((pair.distance - distance).abs() < 1e-12);
    }
}

#[test]
fn odd_images_are_told_by_their_kind() {
    let [mut train, test] = parts(400, 50);
    train.image(10).fill(0);
    train.image(20).fill(77);
    let faint = train.image(30);
    faint.fill(VISIBLE - 1);
    faint[..FEW_PIXELS - 1].fill(255);
    let just_visible = train.image(31);
    just_visible.fill(VISIBLE - 1);
    just_visible[300..300 + FEW_PIXELS].fill(VISIBLE);
    for pixel in train.image(40) {
        *pixel = 255 - *pixel;
    }
    // Bright all over, but less so along the edge.
    train.image(41).fill(255);
    for row in [0, 27] {
        train.image(41)[row * 28..][..28].fill(200);
    }
    let found = audit(train, test, NEAR).odd;
    let of = |oddity| -> Vec<usize> {
        found.iter().filter(|odd| odd.oddity == oddity).map(|odd| odd.item.index).collect()
    };
    assert_eq!(of(Oddity::Blank), [10]);
    assert_eq!(of(Oddity::Constant), [20]);
    let faint = of(Oddity::NearlyBlank);
    assert!(faint.contains(&30) && !faint.contains(&31), "{faint:?}");
    assert_eq!(of(Oddity::BrightBorder), [40]);
}

#[test]
fn ink_far_from_that_of_the_class_is_odd() {
    // Ninety-nine of each class between 90 and 110 on average, and one of class 4 far off.
    let of = |level: u8| {
        let image = |i: usize| {
            let mut image = vec![if i == 504 { level } else { 90 + (i / 10 % 20) as u8 }; 784];
            image[..28].fill(0); // not constant
            image
        };
        let pixels = (0..1000).flat_map(image).collect();
        let train = Part { pixels, labels: (0..1000).map(|i| (i % 10) as u16).collect() };
        let [_, test] = parts(1, 10);
        let splits = Splits::new(train.done(), test.done()).unwrap();
        let mut odd = Audit::new(&splits, 0.0).unwrap().odd;
        odd.retain(|odd| odd.item.split == Split::Train);
        odd
    };
    // The quartiles are about 94 and 105: beyond about 63 and 137 it is far out.
    for (level, expected) in
        [(58, Some(Oddity::Dark)), (68, None), (131, None), (143, Some(Oddity::Bright))]
    {
        let found: Vec<_> = of(level).into_iter().map(|odd| (odd.item.index, odd.oddity)).collect();
        assert_eq!(found, expected.map(|oddity| (504, oddity)).into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn distances_out_of_range_are_refused() {
    let [train, test] = parts(10, 10).map(Part::done);
    let splits = Splits::new(train, test).unwrap();
    for near in [-0.1, 0.51, f64::NAN] {
        let error = Audit::new(&splits, near).unwrap_err().to_string();
        assert!(error.contains("expected 0 to 0.5"), "{error}");
    }
}
