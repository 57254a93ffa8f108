//! Settings in words.

use crate::output::thousands;
use fashion_data::{Dataset, stratified_split};
use fashion_train::{ClassWeights, OptimiserKind, ScheduleKind, Settings, Validation};

/// The optimiser, with what it goes by: `AdamW, ε 1e-7, weight decay 0.01`.
pub(crate) fn optimiser(settings: &Settings) -> String {
    let Settings { beta1, beta2, epsilon, momentum, weight_decay, .. } = settings;
    let mut text = match settings.optimiser {
        OptimiserKind::Adam => format!("Adam, ε {epsilon:e}"),
        OptimiserKind::AdamW => format!("AdamW, ε {epsilon:e}"),
        OptimiserKind::Sgd if *momentum == 0.0 => "SGD".to_owned(),
        OptimiserKind::Sgd if settings.nesterov => format!("SGD, Nesterov momentum {momentum}"),
        OptimiserKind::Sgd => format!("SGD, momentum {momentum}"),
    };
    let usual = Settings::default();
    if settings.optimiser != OptimiserKind::Sgd && (*beta1, *beta2) != (usual.beta1, usual.beta2) {
        text += &format!(", β₁ {beta1}, β₂ {beta2}");
    }
    if *weight_decay > 0.0 {
        text += &format!(", weight decay {weight_decay}");
    }
    text
}

/// The learning rate and how it changes: `0.004, one-cycle, rising for 0.3 of the run`.
pub(crate) fn learning_rate(settings: &Settings) -> String {
    let Settings { learning_rate, decay_factor, step_epochs, plateau_patience, .. } = settings;
    let change = match settings.schedule {
        ScheduleKind::Constant => String::new(),
        ScheduleKind::Step => format!(", × {decay_factor} every {}", epochs(*step_epochs as f64)),
        ScheduleKind::Exponential => format!(", × {decay_factor} every epoch"),
        ScheduleKind::Cosine => ", cosine".to_owned(),
        ScheduleKind::OneCycle => {
            format!(", one-cycle, rising for {} of the run", settings.one_cycle_rise)
        }
        ScheduleKind::Plateau => {
            let patience = epochs(*plateau_patience as f64);
            format!(", × {decay_factor} after more than {patience} without a lower validation loss")
        }
    };
    let warmup = match settings.warmup_epochs {
        0.0 => String::new(),
        number => format!(", warm-up of {}", epochs(number)),
    };
    format!("{learning_rate}{change}{warmup}")
}

/// What else is not as usual, each with its name.
pub(crate) fn extras(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut extras = Vec::new();
    if settings.clip_norm > 0.0 {
        extras.push(("gradient clipping", format!("norm {}", settings.clip_norm)));
    }
    if settings.label_smoothing > 0.0 {
        extras.push(("label smoothing", settings.label_smoothing.to_string()));
    }
    if settings.class_weights != ClassWeights::None {
        extras.push(("class weights", settings.class_weights.to_string()));
    }
    if settings.ema_decay > 0.0 {
        extras.push(("average of weights", format!("decay {}", settings.ema_decay)));
    }
    if settings.patience > 0 {
        let patience = epochs(settings.patience as f64);
        extras.push(("early stopping", format!("after {patience} without a better accuracy")));
    }
    extras
}

/// Says so where the average of the weights would go over more steps than a run on these images has.
pub(crate) fn long_average(settings: &Settings, train: &Dataset) -> Option<String> {
    let window = settings.average_window()?;
    let images = match settings.validation {
        Validation::Fraction(fraction) => {
            stratified_split(train.labels(), fraction, settings.seed).ok()?.train.len()
        }
        Validation::None | Validation::Test => train.len(),
    };
    let steps = settings.epochs.saturating_mul(images.div_ceil(settings.batch_size));
    (window > steps as f64).then(|| {
        format!(
            "with --ema-decay {} the average of the weights would go over {} steps, the run has {}: it \
             goes over about a ninth of those done; a smaller decay says so",
            settings.ema_decay,
            thousands(window.round() as usize),
            thousands(steps)
        )
    })
}

/// `1 epoch`, `2 epochs`, `0.5 epochs`.
pub(crate) fn epochs(number: f64) -> String {
    format!("{number} {}", if number == 1.0 { "epoch" } else { "epochs" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_the_average_is_longer_than_the_run() {
        let all = fashion_data::sample::generate(0).train;
        let train = all.select(&(0..200).collect::<Vec<_>>());
        let of = |ema_decay, validation: &str| {
            let validation = validation.parse().unwrap();
            let settings =
                Settings { ema_decay, validation, batch_size: 20, ..Settings::default() };
            long_average(&settings, &train)
        };
        // 9 steps an epoch of 180 images, or 10 of 200.
        let note = of(0.99, "0.1").unwrap();
        assert!(
            note.contains("--ema-decay 0.99 the")
                && note.contains("over 100 steps, the run has 90:")
        );
        assert_eq!((of(0.99, "none"), of(0.98, "0.1"), of(0.0, "0.1")), (None, None, None));
    }

    #[test]
    fn says_what_is_not_as_usual() {
        let usual = Settings::default();
        assert_eq!(optimiser(&usual), "Adam, ε 1e-7");
        assert_eq!(learning_rate(&usual), "0.001");
        assert_eq!(extras(&usual), []);
        let other = Settings {
            optimiser: OptimiserKind::Sgd,
            weight_decay: 0.5,
            schedule: ScheduleKind::Step,
            step_epochs: 1,
            warmup_epochs: 0.5,
            clip_norm: 1.0,
            patience: 3,
            ..usual
        };
        assert_eq!(optimiser(&other), "SGD, Nesterov momentum 0.9, weight decay 0.5");
        assert_eq!(learning_rate(&other), "0.001, × 0.5 every 1 epoch, warm-up of 0.5 epochs");
        let names: Vec<&str> = extras(&other).iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["gradient clipping", "early stopping"]);
    }
}
