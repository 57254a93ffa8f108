//! `fashion predict --explain`: a picture for each image of why it was taken for its class.

use crate::place;
use anyhow::{Context, Result, bail};
use fashion_data::files::{check_folder, write_atomically};
use fashion_eval::calibration::Temperature;
use fashion_judge::{Occlusion, Trained};
use fashion_report::{Occluded, occlusion};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The folder of the pictures, and whose answers they explain.
pub(crate) struct Explanations<'a> {
    folder: &'a Path,
    trained: &'a Trained,
    temperature: Temperature,
}

impl<'a> Explanations<'a> {
    /// Makes the folder, where it is not there.
    pub(crate) fn new(folder: &'a Path, trained: &'a Trained) -> Result<Self> {
        let made = check_folder(folder).and_then(|()| fs::create_dir_all(folder));
        made.with_context(|| format!("cannot write into {}", folder.display()))?;
        let calibrator = trained.calibrator()?;
        let temperature = calibrator.map_or(Temperature::ONE, |calibrator| calibrator.temperature);
        Ok(Self { folder, trained, temperature })
    }

    /// Writes the picture of an image, given as the pixels that the network saw, and gives its path: the
    /// image's name with `.png`, or with a number too where that is there already.
    pub(crate) fn write(&self, image: &Path, pixels: &[u8]) -> Result<PathBuf> {
        let classifier = &self.trained.classifier;
        let Occlusion { predicted, probability, map } =
            Occlusion::of(classifier, self.temperature, pixels)?;
        let class = &classifier.classes()[predicted];
        let name = image.display().to_string();
        let figure = occlusion::draw(&Occluded { class, probability, pixels, map: &map }, &name)?;
        let stem = place::short_stem(image);
        for number in 1_u32.. {
            let mut name = OsString::from(&*stem);
            if number > 1 {
                name.push(format!("-{number}"));
            }
            name.push(".png");
            let path = self.folder.join(name);
            match File::create_new(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                // Taken by an empty file first, so that nobody else's is replaced.
                made => {
                    let cannot = || format!("cannot write {}", path.display());
                    made.with_context(cannot)?;
                    let written = write_atomically(&path, |file| file.write_all(&figure.png));
                    if written.is_err() {
                        // Whatever is wrong with the place, this is what it is about.
                        let _ = fs::remove_file(&path);
                    }
                    return written.with_context(cannot).map(|()| path);
                }
            }
        }
        bail!("{} has no name left for {}", self.folder.display(), image.display())
    }
}
