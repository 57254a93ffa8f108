//! Predictions of every item by a network that never saw it.

use crate::error::Error;
use crate::evaluate::evaluate;
use crate::history::Epoch;
use crate::observer::{Observer, Step};
use crate::settings::Settings;
use crate::trainer::Trainer;
use fashion_data::{Dataset, stratified_folds};
use fashion_model::Network;
use std::ops::ControlFlow;

/// What [`cross_predict`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossPredicted {
    /// Out-of-sample probabilities (N, K) of every item.
    pub probabilities: Vec<f64>,
    /// How many of the networks [learned nothing](Trainer::learned_nothing), so that what they say of
    /// their items means nothing.
    pub learned_nothing: usize,
}

/// Out-of-sample probabilities (N, K) of every item of a data set, by cross-validation.
///
/// The items are dealt into stratified folds by `settings.seed`; for each fold, a copy of the network
/// is trained on the others for `settings.epochs`, and says what it makes of the fold. What it says is
/// the mean over the later half of its epochs (the last 5 of 10, the last 2 of 3), which is steadier
/// than what the last weights say alone. No item has a part in the training of the network that judges
/// it, nor in choosing it: `settings.validation` is not used.
///
/// The observer hears of one long run: epochs are counted through, from 1 to folds · epochs, and it
/// may stop that, which gives `Break`. Uses rayon's current pool, and gives the same bits whatever
/// its threads.
///
/// ```
/// use fashion_model::Architecture;
/// use fashion_train::{Settings, cross_predict};
/// use std::ops::ControlFlow;
///
/// let small = fashion_sample::generate(0).test.select(&(0..200).collect::<Vec<_>>());
/// let settings = Settings { epochs: 1, ..Settings::default() };
/// let ControlFlow::Continue(predicted) =
///     cross_predict(&Architecture::ReportCnn.build(10, 0), &small, &settings, 2, &mut ())?
/// else {
///     panic!("nobody stops it");
/// };
/// assert_eq!(predicted.probabilities.len(), 200 * 10);
/// // One step of each network is too little.
/// assert_eq!(predicted.learned_nothing, 2);
/// # Ok::<(), fashion_train::Error>(())
/// ```
///
/// # Errors
/// If a setting is out of range, the items cannot be dealt into so many folds, or training diverges.
pub fn cross_predict(
    network: &Network,
    dataset: &Dataset,
    settings: &Settings,
    folds: usize,
    observer: &mut dyn Observer,
) -> Result<ControlFlow<(), CrossPredicted>, Error> {
    settings.check()?;
    let parts = stratified_folds(dataset.labels(), folds, settings.seed)?;
    let mut probabilities = vec![0.0; dataset.len() * network.classes()];
    let mut learned_nothing = 0;
    for (fold, part) in parts.iter().enumerate() {
        let train = (0..dataset.len()).filter(|item| part.binary_search(item).is_err()).collect();
        let mut trainer =
            Trainer::of_parts(settings.clone(), network.clone(), dataset, train, None)?
                .started()?;
        let mut shifted = Shifted { observer, before: fold * settings.epochs, folds };
        while trainer.history().len() < settings.epochs {
            match trainer.run_epoch(&mut shifted)? {
                ControlFlow::Break(()) => return Ok(ControlFlow::Break(())),
                ControlFlow::Continue(epoch) => {
                    if epoch.epoch > settings.epochs / 2 {
                        let judged =
                            evaluate(&trainer.network().plan(), dataset, part).probabilities;
                        add(network.classes(), &mut probabilities, part, &judged);
                    }
                    if shifted.on_epoch(&epoch, false).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
        learned_nothing += usize::from(trainer.learned_nothing());
    }
    let times = settings.epochs - settings.epochs / 2;
    for value in &mut probabilities {
        *value /= times as f64;
    }
    Ok(ControlFlow::Continue(CrossPredicted { probabilities, learned_nothing }))
}

/// Adds each row of so many classes to that of its item.
fn add(classes: usize, sums: &mut [f64], items: &[usize], rows: &[f32]) {
    for (&item, row) in items.iter().zip(rows.chunks_exact(classes)) {
        for (sum, &value) in sums[item * classes..].iter_mut().zip(row) {
            *sum += f64::from(value);
        }
    }
}

/// Tells an observer of a fold's epochs as part of one long run.
struct Shifted<'a> {
    observer: &'a mut dyn Observer,
    /// Epochs of the folds before.
    before: usize,
    folds: usize,
}

impl Observer for Shifted<'_> {
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        let (epoch, epochs) = (self.before + step.epoch, self.folds * step.epochs);
        self.observer.on_step(&Step { epoch, epochs, ..*step })
    }

    fn on_epoch(&mut self, epoch: &Epoch, best: bool) -> ControlFlow<()> {
        self.observer.on_epoch(&Epoch { epoch: self.before + epoch.epoch, ..*epoch }, best)
    }
}
