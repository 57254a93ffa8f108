//! Trains a network for an epoch on part of the built-in sample, calibrates it on the part held out, and
//! writes what there is to say of it into a new folder, `runs/001` and so on unless one is named:
//! `cargo run --release -p fashion-judge --example judge -- FOLDER`.

use fashion_data::Splits;
use fashion_judge::{Calibrator, Judgement, Report, predict_held_out};
use fashion_model::{Architecture, weights};
use fashion_train::{RunFolder, Settings, Trainer};
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = RunFolder::create(folder.as_deref())?;
    let all = fashion_sample::generate(0);
    let some: Vec<usize> = (0..1000).collect();
    let splits = Splits::new(all.train.select(&some), all.test.select(&some))?;
    let settings = Settings { epochs: 1, ..Settings::default() };
    let mut trainer =
        Trainer::new(settings.clone(), &splits, Architecture::ReportCnn.build(10, 0))?;
    trainer.run(&mut ())?;
    let classifier = weights::to_classifier(trainer.network(), trainer.classes())?;

    let parts = settings.hold_out(&splits)?.ok_or("a share is held out by default")?;
    let held_out = predict_held_out(&classifier, &splits, &parts)?;
    let (calibrator, _) = Calibrator::fit(&held_out, Some(0.9), None)?;
    let judgement = Judgement::of(&classifier, &splits, None)?.calibrated_by(Some(calibrator));
    println!("{}", judgement.metrics.to_text());

    let report = Report {
        classifier: &classifier,
        splits: &splits,
        judgement: &judgement,
        hold_out: Some(&parts),
        held_out: Some(&held_out),
        run: None,
        trained_on: Some("1,000 drawn garments"),
    };
    report.write(&folder)?;
    println!("{}", folder.path().join("report.html").display());
    Ok(())
}
