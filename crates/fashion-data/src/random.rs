//! Random numbers that are the same everywhere and can be asked for in any order.
//!
//! Instead of one running state, every use has a stream of its own, keyed by (seed, purpose, epoch,
//! index). Who draws first, on how many threads, and whether training was interrupted in between,
//! changes nothing. The generator is `ChaCha8`, whose output is defined to the bit, and the few
//! derived quantities are made here, so that no other crate's release can change a result.

pub use rand_chacha::ChaCha8Rng;
pub use rand_chacha::rand_core;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream of random numbers is for; part of its key, so that no two uses share numbers.
///
/// The discriminants are part of every result: they never change, new ones are added at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
#[non_exhaustive]
pub enum Purpose {
    /// Which items are held out.
    Split = 1,
    /// The order of the items in an epoch.
    Shuffle = 2,
    /// Initial weights.
    Initialise = 3,
    /// Random changes to an image in an epoch.
    Augment = 4,
    /// Images drawn by a program.
    Sample = 5,
    /// Resampling for confidence intervals.
    Bootstrap = 6,
    /// Units left out in training.
    Dropout = 7,
    /// The settings tried in a search.
    Search = 8,
    /// The items shown in a figure.
    Figure = 9,
    /// Labels made wrong on purpose.
    Flip = 10,
    /// What an image is mixed with.
    Mixup = 11,
    /// Which items of a class are drawn once more in an epoch.
    Balance = 12,
    /// How much an image is blurred.
    Blur = 13,
}

/// The stream for one purpose, epoch and index.
///
/// The four numbers, as little-endian u64, are the generator's 256-bit key, so different keys give
/// independent streams.
///
/// ```
/// use fashion_data::random::{Purpose, stream, uniform};
///
/// let first = uniform(&mut stream(7, Purpose::Augment, 2, 41));
/// let again = uniform(&mut stream(7, Purpose::Augment, 2, 41));
/// assert_eq!(first, again);
/// ```
#[must_use]
pub fn stream(seed: u64, purpose: Purpose, epoch: u64, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, part) in key.chunks_exact_mut(8).zip([seed, purpose as u64, epoch, index]) {
        bytes.copy_from_slice(&part.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// A number in [0, 1): one of the 2²⁴ multiples of 2⁻²⁴, all equally likely.
pub fn uniform(rng: &mut impl Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// A whole number in 0..n, all equally likely.
///
/// Lemire's multiplication with rejection ("Fast random integer generation in an interval", 2019).
///
/// # Panics
///
/// If `n` is 0.
pub fn below(rng: &mut impl Rng, n: u32) -> u32 {
    assert!(n > 0, "there is no whole number in 0..0");
    let threshold = n.wrapping_neg() % n;
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(n);
        if product as u32 >= threshold {
            return (product >> 32) as u32;
        }
    }
}

/// Puts `items` into a random order, all orders equally likely (Fisher–Yates).
///
/// # Panics
///
/// If there are 2³² items or more.
pub fn shuffle<T>(rng: &mut impl Rng, items: &mut [T]) {
    assert!(u32::try_from(items.len()).is_ok(), "shuffles fewer than 2^32 items");
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last as u32 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chacha8_is_the_published_one() {
        // ChaCha8 with a zero key and nonce begins 3e 00 ef 2f 89 5f 40 d6
        // (draft-strombergson-chacha-test-vectors, TC1).
        let mut rng = ChaCha8Rng::from_seed([0; 32]);
        assert_eq!(rng.next_u32().to_le_bytes(), [0x3e, 0x00, 0xef, 0x2f]);
        assert_eq!(rng.next_u32().to_le_bytes(), [0x89, 0x5f, 0x40, 0xd6]);
    }

    #[test]
    fn every_part_of_the_key_counts() {
        let first = |seed, purpose, epoch, index| stream(seed, purpose, epoch, index).next_u64();
        let base = first(1, Purpose::Split, 0, 0);
        assert_ne!(base, first(2, Purpose::Split, 0, 0));
        assert_ne!(base, first(1, Purpose::Shuffle, 0, 0));
        assert_ne!(base, first(1, Purpose::Split, 1, 0));
        assert_ne!(base, first(1, Purpose::Split, 0, 1));
    }

    #[test]
    fn below_is_unbiased_where_multiplication_alone_would_not_be() {
        // With n = 3·2³⁰ one of the first two thirds would come up twice as often without rejection.
        let n = 3 << 30;
        let mut rng = stream(0, Purpose::Bootstrap, 0, 0);
        let draws = 30_000;
        let mut thirds = [0; 3];
        for _ in 0..draws {
            thirds[(below(&mut rng, n) % 3) as usize] += 1;
        }
        for count in thirds {
            assert!((f64::from(count) / f64::from(draws) - 1.0 / 3.0).abs() < 0.015, "{thirds:?}");
        }
        assert_eq!(below(&mut rng, 1), 0);
    }

    #[test]
    fn uniform_fills_the_unit_interval() {
        let mut rng = stream(3, Purpose::Augment, 0, 0);
        let draws: Vec<f32> = (0..20_000).map(|_| uniform(&mut rng)).collect();
        assert!(draws.iter().all(|&x| (0.0..1.0).contains(&x)));
        let mean = draws.iter().sum::<f32>() / draws.len() as f32;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }
}
