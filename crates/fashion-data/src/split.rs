use crate::{Error, Split};
use std::collections::BTreeSet;

use crate::random::{Purpose, shuffle, stream, uniform};

/// Which items train and which are held out; each sorted, together every item of the parts that they are
/// of once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldOut {
    /// The items to train on.
    pub train: Vec<usize>,
    /// The items held out.
    pub held_out: Vec<usize>,
    /// The part that the items held out are of: that which is trained on, or the validation part.
    pub part: Split,
}

/// What a share to be held out is.
const SHARE: &str = "expected more than 0 and less than 1";

/// Holds out the same fraction of every class, at random.
///
/// Of a class with n items, `fraction`·n are held out, rounded to the nearest whole number (halves
/// up), but at least one and at most n − 1 where the class has two items or more, so that it is in
/// both parts; a class with a single item stays in training. With equal classes, as in
/// Fashion-MNIST, 0.1 of 60,000 is 600 of each class.
///
/// # Errors
///
/// [`Error::Fraction`] if `fraction` is not between 0 and 1 (both excluded) or nothing could be held
/// out.
pub fn stratified_split(labels: &[u16], fraction: f64, seed: u64) -> Result<HoldOut, Error> {
    let error = |problem| Error::Fraction { fraction, items: labels.len(), problem };
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(error(SHARE));
    }
    let (mut train, mut held_out) = (Vec::new(), Vec::new());
    for (class, mut items) in (0..).zip(by_class(labels)) {
        shuffle(&mut stream(seed, Purpose::Split, 0, class), &mut items);
        let (chosen, kept) = items.split_at(held_out_of(items.len(), fraction));
        held_out.extend_from_slice(chosen);
        train.extend_from_slice(kept);
    }
    if held_out.is_empty() {
        return Err(error(
            "every class has fewer than two items, so there is nothing to hold out; add some, or hold out nothing",
        ));
    }
    train.sort_unstable();
    held_out.sort_unstable();
    Ok(HoldOut { train, held_out, part: Split::Train })
}

/// Holds out each item by a number drawn from the seed and the hash of its file, whatever other items
/// there are, if that is below `fraction`: so many are held out on average. Items with one hash stay
/// together. A class all of whose items would be held out keeps those with its highest number; where
/// nothing would be, the lowest number that leaves every class an item is, until others come.
pub(crate) fn hold_out_by_content(
    hashes: &[u64],
    labels: &[u16],
    fraction: f64,
    seed: u64,
) -> Result<HoldOut, Error> {
    let error = |problem| Error::Fraction { fraction, items: hashes.len(), problem };
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(error(SHARE));
    }
    // A stratified hold-out has 0 for the epoch, and folds have their number, from 2.
    let drawn = |&hash: &u64| (uniform(&mut stream(seed, Purpose::Split, 1, hash)), hash);
    let drawn: Vec<(f32, u64)> = hashes.iter().map(drawn).collect();
    let by_number = |a: &&usize, b: &&usize| drawn[**a].partial_cmp(&drawn[**b]).expect("numbers");
    let classes = by_class(labels);
    let highest = classes.iter().filter_map(|items| items.iter().max_by(by_number));
    let kept: BTreeSet<u64> = highest.map(|&item| hashes[item]).collect();
    let may = |item: &usize| !kept.contains(&hashes[*item]);
    let all = 0..hashes.len();
    let mut chosen: BTreeSet<u64> = all
        .clone()
        .filter(|item| f64::from(drawn[*item].0) < fraction && may(item))
        .map(|item| hashes[item])
        .collect();
    if chosen.is_empty() {
        let free: Vec<usize> = all.clone().filter(may).collect();
        chosen.extend(free.iter().min_by(by_number).map(|&item| hashes[item]));
    }
    if chosen.is_empty() {
        return Err(error(
            "no class has two different items, so there is nothing to hold out; add some, or hold out nothing",
        ));
    }
    let (held_out, train) = all.partition(|&item| chosen.contains(&hashes[item]));
    Ok(HoldOut { train, held_out, part: Split::Train })
}

/// Of a hundred pictures that are not in parts, so many go to the test part on average.
pub(crate) const TEST_PERCENT: u64 = 15;

/// Chooses the part of each item by a hash of its file, whatever other items there are: the lowest of all
/// hashes go to the test part. Items with one hash stay together. A class all of whose items would be for
/// testing keeps those with its highest hash for training.
pub(crate) fn split_by_content(hashes: &[u64], labels: &[u16]) -> Vec<Split> {
    let is_test = |hash: &u64| *hash < u64::MAX / 100 * TEST_PERCENT;
    let highest = |items: Vec<usize>| items.into_iter().map(|item| hashes[item]).max();
    let kept: BTreeSet<u64> =
        by_class(labels).into_iter().filter_map(highest).filter(is_test).collect();
    let part = |hash| match is_test(hash) && !kept.contains(hash) {
        true => Split::Test,
        false => Split::Train,
    };
    hashes.iter().map(part).collect()
}

/// The items of each class, in order.
fn by_class(labels: &[u16]) -> Vec<Vec<usize>> {
    let most = labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
    let mut classes = vec![Vec::new(); most];
    for (index, &label) in labels.iter().enumerate() {
        classes[usize::from(label)].push(index);
    }
    classes
}

fn held_out_of(items: usize, fraction: f64) -> usize {
    if items < 2 {
        return 0;
    }
    ((items as f64 * fraction + 0.5).floor() as usize).clamp(1, items - 1)
}

/// Deals the items into `folds` parts for cross-validation, at random: each sorted, together every
/// item once. The parts of a class differ in size by one item at most, and so do the folds.
///
/// ```
/// let labels = [0, 0, 0, 0, 1, 1, 1, 1];
/// let folds = fashion_data::stratified_folds(&labels, 4, 0)?;
/// assert!(folds.iter().all(|fold| fold.len() == 2 && labels[fold[0]] != labels[fold[1]]));
/// # Ok::<(), fashion_data::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Folds`] if there are fewer than two folds or fewer items than folds.
pub fn stratified_folds(labels: &[u16], folds: usize, seed: u64) -> Result<Vec<Vec<usize>>, Error> {
    if !(2..=labels.len()).contains(&folds) {
        return Err(Error::Folds { folds, items: labels.len() });
    }
    let mut parts = vec![Vec::with_capacity(labels.len() / folds + 1); folds];
    let mut dealt = 0;
    for (class, mut items) in (0..).zip(by_class(labels)) {
        // A hold-out has 0 here.
        shuffle(&mut stream(seed, Purpose::Split, folds as u64, class), &mut items);
        for item in items {
            parts[dealt % folds].push(item);
            dealt += 1;
        }
    }
    for part in &mut parts {
        part.sort_unstable();
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_gives_its_share_and_every_item_is_used_once() {
        let labels: Vec<u16> =
            (0..1000).map(|i| if i < 700 { 3 } else { (i % 10) as u16 }).collect();
        let HoldOut { train, held_out, .. } = stratified_split(&labels, 0.1, 4).unwrap();
        let mut count = [0; 10];
        for &index in &held_out {
            count[usize::from(labels[index])] += 1;
        }
        assert_eq!(count, [3, 3, 3, 73, 3, 3, 3, 3, 3, 3]);
        let mut all = [train.clone(), held_out.clone()].concat();
        assert!(train.is_sorted() && held_out.is_sorted());
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..1000));
    }

    #[test]
    fn folds_hold_every_item_once_and_classes_evenly() {
        let labels: Vec<u16> =
            (0..1003).map(|i| if i < 700 { 3 } else { (i % 10) as u16 }).collect();
        let folds = stratified_folds(&labels, 7, 4).unwrap();
        let mut all = folds.concat();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..1003));
        let even = |counts: Vec<usize>| counts.iter().max().unwrap() - counts.iter().min().unwrap();
        assert_eq!(even(folds.iter().map(Vec::len).collect()), 1);
        for class in 0..10 {
            let of_class = |fold: &Vec<usize>| fold.iter().filter(|&&i| labels[i] == class).count();
            assert!(even(folds.iter().map(of_class).collect()) <= 1, "class {class}");
        }
        assert!(folds.iter().all(|fold| fold.is_sorted()));
        assert_ne!(folds, stratified_folds(&labels, 7, 5).unwrap());
        // Not merely dealt in order.
        assert!(folds[0].windows(2).any(|pair| pair[1] - pair[0] != 7));
    }

    #[test]
    fn folds_that_cannot_be_are_refused() {
        for folds in [0, 1, 4] {
            let error = stratified_folds(&[0, 0, 1], folds, 0).unwrap_err();
            assert!(matches!(error, Error::Folds { .. }), "{error}");
        }
    }

    #[test]
    fn shares_are_rounded_to_the_nearest_halves_up() {
        let labels = [5; 6];
        for (fraction, expected) in [(0.24, 1), (0.25, 2), (0.41, 2), (0.42, 3)] {
            let split = stratified_split(&labels, fraction, 0).unwrap();
            assert_eq!(split.held_out.len(), expected, "{fraction}");
        }
    }

    #[test]
    fn a_small_class_is_in_both_parts_where_it_can_be() {
        let labels = [0, 0, 1, 2, 2, 2];
        for fraction in [0.01, 0.5, 0.99] {
            let HoldOut { train, held_out, .. } = stratified_split(&labels, fraction, 0).unwrap();
            for class in [0, 2] {
                assert!(train.iter().any(|&i| labels[i] == class));
                assert!(held_out.iter().any(|&i| labels[i] == class));
            }
            assert!(train.contains(&2));
        }
    }

    #[test]
    fn bad_requests_are_refused() {
        for fraction in [0.0, 1.0, -0.1, 2.0, f64::NAN, f64::INFINITY] {
            let error = stratified_split(&[0, 0], fraction, 0).unwrap_err();
            assert!(matches!(error, Error::Fraction { .. }), "{error}");
        }
        assert!(matches!(stratified_split(&[0, 1], 0.5, 0), Err(Error::Fraction { .. })));
        assert!(matches!(stratified_split(&[], 0.5, 0), Err(Error::Fraction { .. })));
    }
}
