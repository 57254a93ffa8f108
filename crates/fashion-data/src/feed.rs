//! What a network is given: images and targets in an order, as they are or changed at random.

use crate::augment::{Augment, Mix};
use crate::random::{Purpose, shuffle, stream};
use crate::{Dataset, normalise};
use ndarray::{Array2, Array4};
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// Images that are worth another thread.
const TOGETHER: usize = 8;

/// How a training draws its images; with the default, each comes once an epoch, as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drawing {
    /// Decides all that is random.
    pub seed: u64,
    /// How evenly the classes are drawn, 0–1: see [`draws_of_classes`].
    pub balance: f64,
    /// How images are changed.
    pub augment: Augment,
}

/// One pass over images of a data set: the images, with their targets, in the order in which a network is
/// given them. Places in that order are called draws.
///
/// ```
/// use fashion_data::{Dataset, Drawing, Feed};
/// use ndarray::{Array1, Array3};
///
/// let images = Dataset::of_garments(Array3::zeros((2_000, 28, 28)), Array1::zeros(2_000))?;
/// let all: Vec<usize> = (0..images.len()).collect();
/// let epoch = Feed::of_epoch(&images, &all, &Drawing::default(), 1);
/// assert_eq!(epoch.batches(128).len(), 16);
/// for draws in epoch.batches(128) {
///     let batch = epoch.batch(draws);
///     assert_eq!(batch.x.dim(), (batch.indices.len(), 28, 28, 1));
///     assert_eq!(batch.y.dim(), (batch.indices.len(), 10));
/// }
/// # Ok::<(), fashion_data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Feed<'a> {
    dataset: &'a Dataset,
    order: Cow<'a, [usize]>,
    augment: Augment,
    seed: u64,
    epoch: u64,
}

/// Some items, ready for a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Which items of the data set these are.
    pub indices: Vec<usize>,
    /// The images, 0–1, of shape (B, side, side, channels).
    pub x: Array4<f32>,
    /// The targets, of shape (B, classes): one-hot, or two of them mixed.
    pub y: Array2<f32>,
}

impl<'a> Feed<'a> {
    /// The items with these indices, as they are.
    ///
    /// # Panics
    ///
    /// If one is out of range; later, when its turn comes.
    #[must_use]
    pub fn new(dataset: &'a Dataset, indices: &'a [usize]) -> Self {
        Self {
            dataset,
            order: Cow::Borrowed(indices),
            augment: Augment::default(),
            seed: 0,
            epoch: 0,
        }
    }

    /// An epoch of training on the items with these indices: as many draws as items, in the order of
    /// (seed, epoch), all orders equally likely.
    ///
    /// # Panics
    ///
    /// If an index is out of range, or there are 2³² or more.
    #[must_use]
    pub fn of_epoch(
        dataset: &'a Dataset,
        indices: &[usize],
        drawing: &Drawing,
        epoch: u64,
    ) -> Self {
        let &Drawing { seed, balance, augment } = drawing;
        let mut order = drawn(dataset, indices, balance, seed, epoch);
        shuffle(&mut stream(seed, Purpose::Shuffle, epoch, 0), &mut order);
        Self { order: Cow::Owned(order), ..Self::new(dataset, &[]) }.changed(augment, seed, epoch)
    }

    /// The same draws, changed at random as in this epoch.
    #[must_use]
    pub fn changed(self, augment: Augment, seed: u64, epoch: u64) -> Self {
        Self { augment, seed, epoch, ..self }
    }

    /// Which items are drawn, in their order.
    #[must_use]
    pub fn indices(&self) -> &[usize] {
        &self.order
    }

    /// The draws of each batch of so many; the last may be smaller.
    pub fn batches(&self, size: usize) -> impl ExactSizeIterator<Item = Range<usize>> + use<> {
        let len = self.order.len();
        (0..len.div_ceil(size)).map(move |batch| batch * size..len.min((batch + 1) * size))
    }

    /// The label of a draw; of a mixed image that of the one that counts more.
    ///
    /// # Panics
    ///
    /// If it is out of range.
    #[must_use]
    pub fn label(&self, draw: usize) -> usize {
        usize::from(self.dataset.labels()[self.order[draw]])
    }

    /// The images of some draws, 0–1, one after the other: (B, side, side, channels). In rayon's current
    /// pool; the result does not depend on its threads.
    ///
    /// # Panics
    ///
    /// If `x` has not as many values as so many images, or a draw or its item is out of range.
    pub fn images(&self, draws: Range<usize>, x: &mut [f32]) {
        let len = self.dataset.image_len();
        assert_eq!(x.len(), draws.len() * len, "an image for each draw");
        let images = draws.into_par_iter().zip(x.par_chunks_exact_mut(len));
        images.with_min_len(TOGETHER).for_each_init(Memory::default, |memory, (draw, x)| {
            self.image(draw, x, memory);
        });
    }

    /// The targets of some draws as rows (B, classes): one-hot, or two of them mixed.
    ///
    /// # Panics
    ///
    /// If `y` has not so many rows, or a draw or its item is out of range.
    pub fn targets(&self, draws: Range<usize>, y: &mut [f32]) {
        let classes = self.dataset.classes().len();
        assert_eq!(y.len(), draws.len() * classes, "a row for each draw");
        y.fill(0.0);
        for (row, draw) in y.chunks_exact_mut(classes).zip(draws) {
            match self.mix(draw) {
                None => row[self.label(draw)] = 1.0,
                Some(Mix { draw: other, share }) => {
                    row[self.label(draw)] += share;
                    row[self.label(other)] += 1.0 - share;
                }
            }
        }
    }

    /// Both, as arrays.
    ///
    /// # Panics
    ///
    /// If a draw or its item is out of range.
    #[must_use]
    pub fn batch(&self, draws: Range<usize>) -> Batch {
        let indices = self.order[draws.clone()].to_vec();
        let side = self.dataset.side();
        let mut x = Array4::zeros((indices.len(), side, side, self.dataset.channels()));
        let mut y = Array2::zeros((indices.len(), self.dataset.classes().len()));
        let fresh = "a fresh array is contiguous";
        self.images(draws.clone(), x.as_slice_mut().expect(fresh));
        self.targets(draws, y.as_slice_mut().expect(fresh));
        Batch { indices, x, y }
    }

    fn mix(&self, draw: usize) -> Option<Mix> {
        let mix = self.augment.mix(self.seed, self.epoch, draw as u64)?;
        (mix.draw < self.order.len()).then_some(mix)
    }

    fn image(&self, draw: usize, x: &mut [f32], memory: &mut Memory) {
        let Some(Mix { draw: other, share }) = self.mix(draw) else {
            return self.unmixed(draw, x, &mut memory.frame);
        };
        for draw in [draw, other] {
            // Most likely it is there: one of a pair comes after the other.
            let Kept { image, of } = &mut memory.pair[draw % 2];
            if *of != Some(draw) {
                image.resize(x.len(), 0.0);
                self.unmixed(draw, image, &mut memory.frame);
                *of = Some(draw);
            }
        }
        let [image, other] = [draw, other].map(|draw| &memory.pair[draw % 2].image);
        for ((x, image), other) in x.iter_mut().zip(image).zip(other) {
            *x = share * image + (1.0 - share) * other;
        }
    }

    fn unmixed(&self, draw: usize, x: &mut [f32], frame: &mut Vec<f32>) {
        let pixels = self.dataset.pixels(self.order[draw]);
        if self.augment.is_none() {
            return normalise(pixels, x);
        }
        let (side, channels) = (self.dataset.side(), self.dataset.channels());
        let change = self.augment.draw(side, self.seed, self.epoch, draw as u64);
        change.apply(pixels, side, channels, x, frame);
    }
}

/// What is used again from image to image.
#[derive(Default)]
struct Memory {
    frame: Vec<f32>,
    /// Of an even draw and an odd one.
    pair: [Kept; 2],
}

/// An image that may be wanted again.
#[derive(Default)]
struct Kept {
    image: Vec<f32>,
    of: Option<usize>,
}

/// How many of an epoch's draws each class gets that has so many items: in proportion to
/// items^(1 − balance). So 0 draws every item once, 1 all classes equally often, and what is in between
/// rare classes more often than there are items, without drowning the others.
///
/// There are as many draws as items, rounded to whole numbers by the largest remainders.
///
/// ```
/// use fashion_data::draws_of_classes;
///
/// assert_eq!(draws_of_classes(&[900, 90, 0, 10], 0.0), [900, 90, 0, 10]);
/// assert_eq!(draws_of_classes(&[900, 90, 0, 10], 0.5), [703, 223, 0, 74]);
/// assert_eq!(draws_of_classes(&[900, 90, 0, 10], 1.0), [334, 333, 0, 333]);
/// ```
#[must_use]
pub fn draws_of_classes(items: &[usize], balance: f64) -> Vec<usize> {
    let all: usize = items.iter().sum();
    let weight = |&items: &usize| match items {
        0 => 0.0,
        _ => libm::pow(items as f64, 1.0 - balance),
    };
    let sum: f64 = items.iter().map(weight).sum();
    let exact: Vec<f64> =
        items.iter().map(|items| weight(items) * (all as f64 / sum.max(1.0))).collect();
    let mut draws: Vec<usize> = exact.iter().map(|exact| *exact as usize).collect();
    let mut order: Vec<usize> = (0..items.len()).filter(|&class| items[class] > 0).collect();
    let rest = |class: &usize| exact[*class] - exact[*class].floor();
    order.sort_by(|a, b| rest(b).total_cmp(&rest(a)));
    let given: usize = draws.iter().sum();
    for &class in order.iter().cycle().take(all.saturating_sub(given)) {
        draws[class] += 1;
    }
    draws
}

/// The items of an epoch, before they are put into its order. Of a class that is drawn more or less often
/// than it has items, all are drawn equally often, but for one time, which is decided by chance.
fn drawn(dataset: &Dataset, indices: &[usize], balance: f64, seed: u64, epoch: u64) -> Vec<usize> {
    if balance == 0.0 {
        return indices.to_vec();
    }
    let mut classes = vec![Vec::new(); dataset.classes().len()];
    for (place, &index) in indices.iter().enumerate() {
        classes[usize::from(dataset.labels()[index])].push(place);
    }
    let items: Vec<usize> = classes.iter().map(Vec::len).collect();
    let mut times = vec![0; indices.len()];
    let draws = draws_of_classes(&items, balance);
    for ((class, places), draws) in (0..).zip(&mut classes).zip(draws) {
        shuffle(&mut stream(seed, Purpose::Balance, epoch, class), places);
        for (order, &place) in places.iter().enumerate() {
            times[place] = draws / places.len() + usize::from(order < draws % places.len());
        }
    }
    let repeated = indices.iter().zip(times);
    repeated.flat_map(|(&index, times)| std::iter::repeat_n(index, times)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Classes;
    use ndarray::{Array, Array1};

    const SIDE: usize = 16;

    /// 40 noisy images in colour; of 3 classes, with 30, 7 and 3 of them.
    fn dataset() -> Dataset {
        let images = Array::from_shape_fn((40, SIDE, SIDE, 3), |(i, y, x, c)| {
            (i * 31 + y * 57 * (x + 1) + c * 101) as u8
        });
        let labels =
            Array1::from_shape_fn(40, |i| [0, 1, 2][usize::from(i > 29) + usize::from(i > 36)]);
        Dataset::new(images, labels, Classes::new(["a", "b", "c"]).unwrap()).unwrap()
    }

    fn all() -> Vec<usize> {
        (0..40).collect()
    }

    fn augmented() -> Drawing {
        let augment = Augment {
            flip: 0.5,
            rotate: 20.0,
            hue: 0.2,
            erase: 0.5,
            mixup: 0.5,
            ..Augment::default()
        };
        Drawing { seed: 4, balance: 0.0, augment }
    }

    #[test]
    fn an_epoch_holds_every_item_once_with_its_own_image_and_target() {
        let (dataset, all) = (dataset(), all());
        let epoch = Feed::of_epoch(&dataset, &all, &Drawing::default(), 1);
        let batches: Vec<_> = epoch.batches(16).collect();
        assert_eq!(batches, [0..16, 16..32, 32..40]);
        let mut seen = Vec::new();
        for draws in batches {
            let batch = epoch.batch(draws);
            for (row, &index) in batch.indices.iter().enumerate() {
                let image = dataset
                    .images()
                    .index_axis_move(ndarray::Axis(0), index)
                    .mapv(|p| f32::from(p) / 255.0);
                assert_eq!(batch.x.index_axis(ndarray::Axis(0), row), image);
                assert_eq!(batch.y[[row, usize::from(dataset.labels()[index])]], 1.0);
                assert_eq!(batch.y.row(row).sum(), 1.0);
            }
            seen.extend(batch.indices);
        }
        assert!(!seen.is_sorted());
        seen.sort_unstable();
        assert_eq!(seen, all);
        assert_eq!(Feed::new(&dataset, &[7, 3]).indices(), [7, 3]);
        assert_eq!(Feed::new(&dataset, &[]).batches(3).len(), 0);
    }

    #[test]
    fn how_it_is_cut_into_batches_changes_nothing() {
        let (dataset, all) = (dataset(), all());
        let epoch = Feed::of_epoch(&dataset, &all, &augmented(), 7);
        let whole = epoch.batch(0..40);
        let again = Feed::of_epoch(&dataset, &all, &augmented(), 7);
        for size in [1, 13] {
            for draws in again.batches(size) {
                let batch = again.batch(draws.clone());
                assert_eq!(batch.x, whole.x.slice(ndarray::s![draws.clone(), .., .., ..]));
                assert_eq!(batch.y, whole.y.slice(ndarray::s![draws, ..]));
            }
        }
        let next = Feed::of_epoch(&dataset, &all, &augmented(), 8);
        assert_ne!(next.batch(0..40).x, whole.x);
    }

    #[test]
    fn images_and_targets_are_mixed_alike() {
        let (dataset, all) = (dataset(), all());
        let mixup =
            Drawing { augment: Augment { mixup: 1.0, ..Augment::default() }, ..augmented() };
        let mixed = Feed::of_epoch(&dataset, &all, &mixup, 1);
        let plain = Feed::of_epoch(&dataset, &all, &Drawing { seed: 4, ..Drawing::default() }, 1);
        assert_eq!(mixed.indices(), plain.indices());
        let (mixed_batch, plain_batch) = (mixed.batch(0..40), plain.batch(0..40));
        for draw in 0..40 {
            let Mix { draw: other, share } = mixed.mix(draw).unwrap();
            let image = |draw: usize| plain_batch.x.index_axis(ndarray::Axis(0), draw);
            let expected =
                image(draw).mapv(|x| share * x) + image(other).mapv(|x| (1.0 - share) * x);
            assert_eq!(mixed_batch.x.index_axis(ndarray::Axis(0), draw), expected);
            let row = mixed_batch.y.row(draw);
            assert!((row.sum() - 1.0).abs() < 1e-6);
            let two = mixed.label(draw) != mixed.label(other);
            assert_eq!(row[mixed.label(draw)], if two { share } else { row.sum() });
        }
        // The last of an odd number has no neighbour.
        let odd = Feed::of_epoch(&dataset, &all[..3], &mixup, 1);
        let batch = odd.batch(0..3);
        assert_eq!(odd.mix(2), None);
        assert_eq!(batch.y[[2, odd.label(2)]], 1.0);
    }

    #[test]
    fn an_item_that_is_drawn_twice_is_changed_twice() {
        let dataset = dataset();
        let drawing =
            Drawing { augment: Augment { rotate: 30.0, ..Augment::default() }, ..augmented() };
        let batch = Feed::of_epoch(&dataset, &[5, 5], &drawing, 1).batch(0..2);
        assert_ne!(
            batch.x.index_axis(ndarray::Axis(0), 0),
            batch.x.index_axis(ndarray::Axis(0), 1)
        );
    }

    #[test]
    fn rare_classes_are_drawn_as_often_as_asked_for() {
        let (dataset, all) = (dataset(), all());
        for balance in [0.0, 0.5, 1.0] {
            let drawing = Drawing { balance, ..Drawing::default() };
            let expected = draws_of_classes(&[30, 7, 3], balance);
            assert_eq!(expected.iter().sum::<usize>(), 40);
            let mut often = [0; 40];
            for epoch in 1..=60 {
                let feed = Feed::of_epoch(&dataset, &all, &drawing, epoch);
                let mut counts = [0; 3];
                let mut times = [0_usize; 40];
                for draw in 0..40 {
                    counts[feed.label(draw)] += 1;
                    times[feed.indices()[draw]] += 1;
                }
                assert_eq!(counts[..], expected, "{balance}");
                for (class, items) in [(0, 0..30), (1, 30..37), (2, 37..40)] {
                    let fair = expected[class] / items.len();
                    assert!(times[items].iter().all(|&times| times - fair <= 1));
                }
                often.iter_mut().zip(times).for_each(|(often, times)| *often += times);
            }
            // No item of a class is preferred: 60 epochs, each with at most one draw more.
            for items in [0..30, 30..37, 37..40] {
                let (least, most) = (often[items.clone()].iter().min(), often[items].iter().max());
                assert!(most.unwrap() - least.unwrap() < 25, "{balance} {often:?}");
            }
        }
        assert_eq!(draws_of_classes(&[30, 7, 3], 1.0), [14, 13, 13]);
        assert_eq!(draws_of_classes(&[0, 0], 1.0), [0, 0]);
        let alone = Drawing { balance: 1.0, ..Drawing::default() };
        assert_eq!(Feed::of_epoch(&dataset, &[2], &alone, 1).indices(), [2]);
    }
}
