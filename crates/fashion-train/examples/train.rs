//! Trains the report's network for two epochs on the built-in sample and judges it on the test set:
//! `cargo run --release -p fashion-train --example train`.

use fashion_model::Architecture;
use fashion_train::{Epoch, Observer, Settings, Trainer, evaluate};
use std::error::Error;
use std::ops::ControlFlow;

/// Prints a line for each epoch.
struct Printer;

impl Observer for Printer {
    fn on_epoch(&mut self, epoch: &Epoch, _best: bool) -> ControlFlow<()> {
        let Epoch { epoch, train_loss, train_accuracy, .. } = epoch;
        println!("epoch {epoch}: loss {train_loss:.3}, accuracy {:.1}%", 100.0 * train_accuracy);
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let splits = fashion_sample::generate(0);
    println!("data: {}", splits.origin);
    let settings = Settings { epochs: 2, ..Settings::default() };
    let network = Architecture::ReportCnn.build(10, settings.seed);
    let mut trainer = Trainer::new(settings, &splits, network)?;
    trainer.run(&mut Printer)?;
    let all: Vec<usize> = (0..splits.test.len()).collect();
    let test = evaluate(&trainer.network().plan(), &splits.test, &all);
    println!("test: loss {:.3}, accuracy {:.1}%", test.loss, 100.0 * test.accuracy);
    Ok(())
}
