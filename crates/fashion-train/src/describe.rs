//! Settings in words.

use crate::schedule::ScheduleKind;
use crate::settings::{ClassWeights, Freeze, Group, OptimiserKind, Settings, value_to_text};
use fashion_data::prepare::Prepare;
use fashion_model::Tta;

/// The optimiser, with what it goes by: `AdamW, ε 1e-7, weight decay 0.01`.
pub fn optimiser(settings: &Settings) -> String {
    let Settings { beta1, beta2, epsilon, momentum, weight_decay, .. } = settings;
    let mut text = match settings.optimiser {
        OptimiserKind::Adam => format!("Adam, ε {epsilon:e}"),
        OptimiserKind::AdamW => format!("AdamW, ε {epsilon:e}"),
        OptimiserKind::Muon => {
            format!("Muon, momentum {momentum}, and AdamW, ε {epsilon:e}")
        }
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
pub fn learning_rate(settings: &Settings) -> String {
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
pub fn extras(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut extras = Vec::new();
    if settings.members > 1 {
        let [first, last] = [0, settings.members - 1].map(|number| settings.of_member(number).seed);
        extras.push(("networks", format!("{}, of seeds {first} to {last}", settings.members)));
    }
    if let Some(from) = &settings.from {
        extras.push(("weights from", from.place.clone()));
    }
    if settings.freeze != Freeze::None {
        extras.push(("frozen", settings.freeze.to_string()));
    }
    if let Some(teacher) = &settings.teacher {
        let &Settings { teacher_temperature, teacher_weight, .. } = settings;
        let how = format!("temperature {teacher_temperature}, weight {teacher_weight}");
        extras.push(("teacher", format!("{}, {how}", teacher.place)));
    }
    if settings.clip_norm > 0.0 {
        extras.push(("gradient clipping", format!("norm {}", settings.clip_norm)));
    }
    if settings.label_smoothing > 0.0 {
        extras.push(("label smoothing", settings.label_smoothing.to_string()));
    }
    if settings.class_weights != ClassWeights::None {
        extras.push(("class weights", settings.class_weights.to_string()));
    }
    if settings.balance > 0.0 {
        extras.push(("balanced drawing", settings.balance.to_string()));
    }
    if settings.skip_easy > 0.0 {
        let share = format!("{} from epoch {} on", settings.skip_easy, settings.skip_easy_from);
        extras.push(("easy images left out", share));
    }
    if !settings.drawing().augment.is_none() {
        extras.push(("random changes", changes(settings)));
    }
    if settings.ema_decay > 0.0 {
        extras.push(("average of weights", format!("decay {}", settings.ema_decay)));
    }
    if let Some(Prepare { preparation, .. }) = settings.preparation() {
        extras.push(("pictures prepared", preparation.to_string()));
    }
    if let Some(bins) = &settings.bins {
        extras.push(("bins", bins.to_string()));
    }
    if settings.tta != Tta::None {
        extras.push(("at use", format!("tta {}", settings.tta)));
    }
    if settings.patience > 0 {
        let patience = epochs(settings.patience as f64);
        extras.push(("early stopping", format!("after {patience} without a better accuracy")));
    }
    extras
}

/// How training images are changed at random: `flip 0.5, rotate 10`; empty where they are not.
pub fn changes(settings: &Settings) -> String {
    let table = settings.to_table();
    let all = Settings::all().iter().filter(|setting| setting.group == Group::Augmentation);
    let changes = all.map(|setting| (setting.name, &table[setting.name]));
    let made = changes.filter(|(_, value)| value.as_float() != Some(0.0));
    made.map(|(name, value)| format!("{name} {}", value_to_text(value)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// `1 epoch`, `2 epochs`, `0.5 epochs`.
pub fn epochs(number: f64) -> String {
    format!("{number} {}", if number == 1.0 { "epoch" } else { "epochs" })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            shift: 0.1,
            rotate: 5.0,
            patience: 3,
            tta: Tta::Flip,
            ..usual
        };
        assert_eq!(optimiser(&other), "SGD, Nesterov momentum 0.9, weight decay 0.5");
        assert_eq!(learning_rate(&other), "0.001, × 0.5 every 1 epoch, warm-up of 0.5 epochs");
        let extras = extras(&other);
        let names: Vec<&str> = extras.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["gradient clipping", "random changes", "at use", "early stopping"]);
        assert_eq!(extras[1].1, "shift 0.1, rotate 5");
    }
}
