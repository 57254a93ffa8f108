//! A network of one's own: defined, trained for an epoch on drawn garments, saved, and opened again as a
//! program would that knows nothing of it.

use fashion_data::Splits;
use fashion_model::{
    BatchNorm, Classifier, Conv3x3, GlobalAveragePool, Head, Network, network, tensors, weights,
};
use fashion_train::{Settings, Trainer, Validation};
use std::error::Error;

network! {
    /// Two convolutions, each of stride 2.
    pub struct Tiny: "tiny" for Images<28, 1> {
        conv1: Conv3x3<1, 16, 28, 14>,
        norm1: BatchNorm<16, true>,
        conv2: Conv3x3<16, 32, 14, 7>,
        norm2: BatchNorm<32, true>,
        pool: GlobalAveragePool,
        fc: Head<32>,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let all = fashion_sample::generate(0);
    let splits = Splits::new(all.train.select(&(0..2000).collect::<Vec<_>>()), all.test)?;
    let settings = Settings {
        epochs: 1,
        learning_rate: 0.01,
        batch_size: 32,
        validation: Validation::Test,
        ..Settings::default()
    };
    let network = Network::initialised::<Tiny>(splits.train.classes().len(), settings.seed);
    println!("{} parameters", network.graph().parameter_count());
    let mut trainer = Trainer::new(settings, &splits, network)?;
    trainer.run(&mut ())?;

    let folder = tempfile::tempdir()?;
    let path = folder.path().join("tiny.safetensors");
    weights::save(&path, trainer.network(), trainer.classes(), &tensors::Metadata::new())?;
    let classifier = Classifier::open(&path)?;
    let probabilities = classifier.probabilities(splits.test.all_pixels())?;
    let right = probabilities
        .chunks(10)
        .zip(splits.test.labels())
        .filter(|(p, label)| p.iter().all(|&other| other <= p[usize::from(**label)]));
    let accuracy = right.count() as f64 / splits.test.len() as f64;
    println!("{:.1}% of the test images right", 100.0 * accuracy);
    Ok(())
}
