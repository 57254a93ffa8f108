//! Data with a part of their own to validate on.

use crate::common::small;
use fashion_data::{HoldOut, Split, Splits};
use fashion_model::Architecture;
use fashion_train::{Config, Settings, Trainer, Validation, evaluate};
use std::path::Path;

fn splits() -> Splits {
    let Splits { train, test, .. } = small(300, 100);
    let validation = train.select(&(200..300).collect::<Vec<_>>());
    let train = train.select(&(0..200).collect::<Vec<_>>());
    Splits::new(train, test).unwrap().with_validation(validation).unwrap()
}

#[test]
fn is_validated_on_whole_and_all_of_the_training_set_is_trained_on() {
    let splits = splits();
    let settings = Settings { epochs: 2, batch_size: 50, ..Settings::default() };
    let HoldOut { train, held_out, part } = settings.hold_out(&splits).unwrap().unwrap();
    assert_eq!((train.len(), held_out.len(), part), (200, 100, Split::Validation));
    assert_eq!(settings.check_for(&splits).unwrap(), (200, 100));

    let mut trainer =
        Trainer::new(settings.clone(), &splits, Architecture::ReportCnn.build(10, 0)).unwrap();
    assert_eq!(trainer.images(), 200.into());
    trainer.run(&mut ()).unwrap();
    let all: Vec<usize> = (0..100).collect();
    let judged = evaluate(&trainer.network().plan(), splits.validation.as_ref().unwrap(), &all);
    let last = trainer.history().last().unwrap();
    assert_eq!(last.validation_accuracy, Some(judged.accuracy));
    assert!(settings.best_epoch(trainer.history()).is_some());

    // The weights are those of a run that looks at nothing else.
    let alone = Settings { validation: Validation::None, ..settings };
    let mut other = Trainer::new(alone, &splits, Architecture::ReportCnn.build(10, 0)).unwrap();
    other.run(&mut ()).unwrap();
    assert_eq!(other.history().last().unwrap().train_loss, last.train_loss);
}

#[test]
fn a_seed_of_its_own_decides_what_is_held_out() {
    let splits = small(300, 100);
    let held_out = |seed, validation_seed| {
        let settings = Settings { seed, validation_seed, ..Settings::default() };
        settings.hold_out(&splits).unwrap().unwrap()
    };
    assert_eq!(held_out(1, Some(0)), held_out(0, None));
    assert_ne!(held_out(1, None), held_out(0, None));
}

#[test]
fn a_configuration_says_what_auto_comes_to_and_knows_the_part() {
    let with = splits();
    let without = Splits::new(with.train.clone(), with.test.clone()).unwrap();
    let config = |splits: &Splits| Config::new("report-cnn", splits, Settings::default());
    assert_eq!(config(&without).training.validation, Validation::Fraction(0.1));
    let config = config(&with);
    assert_eq!(config.training.validation, Validation::Part);
    let path = Path::new("config.toml");
    assert_eq!(Config::from_toml(&config.to_toml(), path).unwrap(), config);
    config.check_data(&with, path).unwrap();
    let error = config.check_data(&without, path).unwrap_err().to_string();
    assert!(error.contains("validation images has SHA-256"), "{error}");
    let other = without.clone().with_validation(with.test.clone()).unwrap();
    assert!(config.check_data(&other, path).is_err());
    // A part that has come since is nothing to a run without one.
    Config::new("report-cnn", &without, Settings::default()).check_data(&with, path).unwrap();

    let part = Settings { validation: Validation::Part, ..Settings::default() };
    let error = part.check_for(&without).unwrap_err().to_string();
    assert!(error.ends_with("since the data have no validation part"), "{error}");
    let share = Settings { validation: Validation::Fraction(0.25), ..Settings::default() };
    assert_eq!(share.check_for(&with).unwrap(), (150, 50));
    // Shape and classes are those of the other parts.
    let images = ndarray::Array4::zeros((2, 28, 28, 3));
    let colour =
        fashion_data::Dataset::new(images, vec![0, 1].into(), with.train.classes().clone());
    assert!(without.with_validation(colour.unwrap()).is_err());
}
