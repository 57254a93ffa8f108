//! What random changes make of images.

use crate::Error;
use fashion_data::{Feed, Splits};
use fashion_report::{Augmented, Figure, augmented};
use fashion_train::{Settings, describe};

/// Most images in one figure.
const MOST: usize = 12;

/// In how many epochs each is drawn.
const EPOCHS: u64 = 8;

/// The first training image of each class, of twelve classes at most, as it is and as a training with
/// these settings would change it in eight epochs.
///
/// # Errors
/// If a setting is of no use for such images, or the figure cannot be drawn.
pub fn augmented_figure(splits: &Splits, settings: &Settings) -> Result<Figure, Error> {
    let train = &splits.train;
    settings.check_changes(train)?;
    let first = |class| train.labels().iter().position(|&label| usize::from(label) == class);
    let indices: Vec<usize> = (0..train.classes().len()).filter_map(first).take(MOST).collect();
    let augment = settings.drawing().augment;
    let mut x = vec![0.0; indices.len() * train.image_len()];
    let mut rows: Vec<Augmented<'_>> = Vec::with_capacity(indices.len());
    for &index in &indices {
        let class = train.classes()[usize::from(train.labels()[index])].clone();
        rows.push(Augmented { class, index, image: train.pixels(index), changed: Vec::new() });
    }
    for epoch in 1..=EPOCHS {
        let feed = Feed::new(train, &indices).changed(augment, settings.seed, epoch);
        feed.images(0..indices.len(), &mut x);
        for (row, x) in rows.iter_mut().zip(x.chunks_exact(train.image_len())) {
            row.changed.push(x.iter().map(|x| (x * 255.0).round() as u8).collect());
        }
    }
    let origin = format!("{} · training set", splits.origin);
    Ok(augmented::draw(&rows, &describe::changes(settings), &origin)?)
}
