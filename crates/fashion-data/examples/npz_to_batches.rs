//! From npz archives to shuffled batches.
//!
//! ```sh
//! cargo run --release -p fashion-data --example npz_to_batches [FOLDER]
//! ```
//!
//! Without a folder it writes the built-in sample as an archive and reads that.

use std::error::Error;
use std::path::{Path, PathBuf};

use fashion_data::{Batches, CLASSES, Keys, Source, npz, sample, stratified_split};

fn main() -> Result<(), Box<dyn Error>> {
    let made = tempfile::tempdir()?;
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => write_sample(made.path())?,
    };
    let source = Source::resolve(Some(&folder))?;
    let splits = source.load(&Keys::default())?;
    println!("{source}: {}", splits.origin);
    for (class, count) in CLASSES.iter().zip(splits.train.class_counts()) {
        println!("  {class:<12} {count:>6}");
    }

    let parts = stratified_split(splits.train.labels(), 0.1, 0)?;
    println!("{} to train on, {} held out", parts.train.len(), parts.held_out.len());
    let order = fashion_data::shuffled(&parts.train, 0, 1);
    for batch in Batches::new(&splits.train, order, 128)?.take(3) {
        let mean = batch.x.mean().unwrap_or_default();
        println!("x {:?}, mean {mean:.3}; y {:?}", batch.x.dim(), batch.y.dim());
    }
    Ok(())
}

/// Archives as `numpy.savez` would write them.
fn write_sample(folder: &Path) -> Result<PathBuf, fashion_data::Error> {
    let splits = sample::generate(sample::SEED);
    npz::write(&folder.join("train.npz"), &splits.train)?;
    npz::write(&folder.join("test.npz"), &splits.test)?;
    Ok(folder.to_path_buf())
}
