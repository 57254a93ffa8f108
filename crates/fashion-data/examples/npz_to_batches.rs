//! From npz archives to shuffled batches.
//!
//! ```sh
//! cargo run --release -p fashion-data --example npz_to_batches [FOLDER]
//! ```
//!
//! Without a folder it writes archives of stripes and reads those.

use std::error::Error;
use std::path::{Path, PathBuf};

use fashion_data::{Dataset, Drawing, Feed, Reading, Source, npz, stratified_split};
use ndarray::Array3;

fn main() -> Result<(), Box<dyn Error>> {
    let made = tempfile::tempdir()?;
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => write_stripes(made.path())?,
    };
    let source = Source::find(&folder)?;
    let splits = source.load(&Reading::default())?;
    println!("{source}: {}", splits.origin);
    for (class, count) in splits.train.classes().iter().zip(splits.train.class_counts()) {
        println!("  {class:<12} {count:>6}");
    }

    let parts = stratified_split(splits.train.labels(), 0.1, 0)?;
    println!("{} to train on, {} held out", parts.train.len(), parts.held_out.len());
    let epoch = Feed::of_epoch(&splits.train, &parts.train, &Drawing::default(), 1);
    for draws in epoch.batches(128).take(3) {
        let batch = epoch.batch(draws);
        let mean = batch.x.mean().unwrap_or_default();
        println!("x {:?}, mean {mean:.3}; y {:?}", batch.x.dim(), batch.y.dim());
    }
    Ok(())
}

/// Archives as `numpy.savez` would write them.
fn write_stripes(folder: &Path) -> Result<PathBuf, fashion_data::Error> {
    for (name, items) in [("train.npz", 2_000), ("test.npz", 500)] {
        let stripe =
            |(item, row, column)| if (row + item) % 7 < 3 { (column * 9) as u8 } else { 0 };
        let images = Array3::from_shape_fn((items, 28, 28), stripe);
        let labels = (0..items).map(|item| (item % 10) as u16).collect();
        npz::write(&folder.join(name), &Dataset::of_garments(images, labels)?)?;
    }
    Ok(folder.to_path_buf())
}
