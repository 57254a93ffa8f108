//! Loads weights and classifies one 28 × 28 image:
//! `cargo run -p fashion-model --example classify -- [WEIGHTS.safetensors IMAGE.png]`.
//!
//! Without arguments it writes untrained weights to a temporary folder, reads them back, and
//! classifies an image of the built-in sample: the answer means nothing, the way is the same.

use fashion_data::Classes;
use fashion_data::picture::{self, Limits};
use fashion_model::{Architecture, Classifier, tensors, weights};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (classifier, pixels) = match &arguments[..] {
        [weights, image] => {
            let image = picture::read(Path::new(image), &Limits::default())?.pixels;
            let classifier = Classifier::open(Path::new(weights))?;
            if image.len() != classifier.input().values() {
                return Err("the picture is not of the network's size and colours".into());
            }
            (classifier, image)
        }
        [] => {
            let temporary = tempfile::tempdir()?;
            let path = temporary.path().join("untrained.safetensors");
            let network = Architecture::ReportCnn.build(10, 0);
            weights::save(&path, &network, &Classes::garments(), &tensors::Metadata::new())?;
            (Classifier::open(&path)?, fashion_sample::generate(0).test.pixels(0).to_vec())
        }
        _ => return Err("expected WEIGHTS.safetensors and IMAGE.png, or nothing".into()),
    };
    for (class, p) in classifier.classes().iter().zip(classifier.probabilities(&pixels)?) {
        println!("{class:<12} {:5.1}%", 100.0 * p);
    }
    Ok(())
}
