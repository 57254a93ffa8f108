//! Random streams, and what is drawn from them.

use fashion_data::{Dataset, Drawing, Feed, random};
use ndarray::{Array1, Array3};

/// Random streams are part of every result: these numbers, which a `ChaCha8` written in Python from its
/// definition gave, may never change.
#[test]
fn streams_shuffles_and_splits_are_always_the_same() {
    use random::{Purpose, below, rand_core::Rng, stream, uniform};

    let mut rng = stream(42, Purpose::Bootstrap, 3, 7);
    assert_eq!((rng.next_u32(), rng.next_u64()), (2_567_872_587, 5_760_792_918_023_007_685));
    let mut rng = stream(0, Purpose::Augment, 0, 0);
    let draws = [(); 4].map(|()| uniform(&mut rng) * 16_777_216.0);
    assert_eq!(draws, [6_631_867.0, 2_099_828.0, 4_091_185.0, 8_540_256.0]);
    let mut rng = stream(0, Purpose::Initialise, 1, 2);
    assert_eq!([(); 8].map(|()| below(&mut rng, 10)), [5, 3, 8, 5, 8, 4, 9, 3]);
    let (images, labels) = (Array3::zeros((10, 28, 28)), Array1::zeros(10));
    let dataset = Dataset::of_garments(images, labels).unwrap();
    let all: Vec<usize> = (0..10).collect();
    let epoch = Feed::of_epoch(&dataset, &all, &Drawing::default(), 0);
    assert_eq!(epoch.indices(), [0, 3, 1, 4, 8, 5, 7, 9, 6, 2]);
    let labels: Vec<u16> = (0..40).map(|i| i / 4).collect();
    let split = fashion_data::stratified_split(&labels, 0.25, 0).unwrap();
    assert_eq!(split.held_out, [2, 7, 11, 13, 19, 21, 26, 30, 32, 38]);
}
