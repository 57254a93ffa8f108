//! The options that set how training is done; `train`, `lr-find` and `sweep` have them.

use clap::Args;
use fashion_train::{ClassWeights, OptimiserKind, ScheduleKind, Settings, Validation, word};
use serde::Serialize;
use toml::Table;

/// An option for each setting, under its name in files. What is not given stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Args, Serialize)]
pub(crate) struct SettingArgs {
    /// Passes over the training set [default: 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) epochs: Option<u32>,
    /// Images of a step [default: 128]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batch_size: Option<u32>,
    /// Learning rate [default: 0.001]
    #[arg(
        long = "lr",
        visible_alias = "learning-rate",
        value_name = "RATE",
        allow_negative_numbers = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) learning_rate: Option<f64>,
    /// Decides the initial weights, the part held out and the order of the images [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    /// What to validate on: a share of the training set, which is held out and chooses the best
    /// epoch; `none`; or `test`, which chooses nothing [default: 0.1]
    #[arg(long, value_name = "SHARE|none|test", value_parser = expectation::<Validation>, allow_negative_numbers = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validation: Option<Validation>,
    /// Choose, on the part held out, from which confidence a machine may sort so that this share of
    /// what it sorts is right, such as 0.99; `predict` then says what a person should look at
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_accuracy: Option<f64>,

    /// How parameters follow from gradients: adam, adamw or sgd [default: adam]
    #[arg(long, value_name = "NAME", value_parser = word::<OptimiserKind>, help_heading = "Optimiser")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) optimiser: Option<OptimiserKind>,
    /// Adam's β₁ [default: 0.9]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, help_heading = "Optimiser")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beta1: Option<f64>,
    /// Adam's β₂ [default: 0.999]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, help_heading = "Optimiser")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beta2: Option<f64>,
    /// Adam's ε: Keras has 1e-7, PyTorch 1e-8 [default: 1e-7]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, help_heading = "Optimiser")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) epsilon: Option<f64>,
    /// Momentum of sgd; 0 for none [default: 0.9]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, help_heading = "Optimiser")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) momentum: Option<f64>,
    /// Whether sgd's momentum is Nesterov's [default: true]
    #[arg(long, value_name = "true|false", help_heading = "Optimiser")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nesterov: Option<bool>,
    /// Decoupled weight decay of adamw, or L2 penalty of sgd, never of biases [default: 0]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, help_heading = "Optimiser")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight_decay: Option<f64>,
    /// Scale a step's gradients down to this norm; 0 for no limit [default: 0]
    #[arg(long, value_name = "NORM", allow_negative_numbers = true, help_heading = "Optimiser")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clip_norm: Option<f64>,

    /// How the learning rate changes: constant, step, exponential, cosine, one-cycle or plateau
    /// [default: constant]
    #[arg(long, value_name = "NAME", value_parser = expectation::<ScheduleKind>, help_heading = "Learning-rate schedule")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule: Option<ScheduleKind>,
    /// Epochs in which the rate rises linearly from 0 first, such as 0.5 [default: 0]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "Learning-rate schedule"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warmup_epochs: Option<f64>,
    /// What step, exponential and plateau multiply the rate by [default: 0.5]
    #[arg(
        long,
        value_name = "FACTOR",
        allow_negative_numbers = true,
        help_heading = "Learning-rate schedule"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decay_factor: Option<f64>,
    /// Every how many epochs step does so [default: 5]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "Learning-rate schedule"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step_epochs: Option<u32>,
    /// Epochs without a lower validation loss that plateau bears before it does so [default: 2]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "Learning-rate schedule"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plateau_patience: Option<u32>,
    /// Below which cosine and plateau do not go [default: 0]
    #[arg(
        long = "min-lr",
        value_name = "RATE",
        allow_negative_numbers = true,
        help_heading = "Learning-rate schedule"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_learning_rate: Option<f64>,
    /// Part of the run in which one-cycle rises [default: 0.3]
    #[arg(
        long,
        value_name = "SHARE",
        allow_negative_numbers = true,
        help_heading = "Learning-rate schedule"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) one_cycle_rise: Option<f64>,

    /// Share of each target that is spread over all classes [default: 0]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, help_heading = "Loss")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label_smoothing: Option<f64>,
    /// How much an image of each class counts: none, balanced, or ten numbers with commas, of which
    /// only the ratios matter [default: none]
    #[arg(long, value_name = "WEIGHTS", value_parser = expectation::<ClassWeights>, help_heading = "Loss")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) class_weights: Option<ClassWeights>,

    /// Validate and keep the moving average of the weights with this decay, such as 0.999; 0 for the
    /// weights themselves [default: 0]
    #[arg(
        long,
        value_name = "DECAY",
        allow_negative_numbers = true,
        help_heading = "What is kept, and when to stop"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ema_decay: Option<f64>,
    /// Stop after so many epochs without a better validation accuracy; 0 for never [default: 0]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "What is kept, and when to stop"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) patience: Option<u32>,
    /// By how much more than the best an accuracy must be to count as better there [default: 0]
    #[arg(
        long,
        value_name = "SHARE",
        allow_negative_numbers = true,
        help_heading = "What is kept, and when to stop"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_delta: Option<f64>,
}

impl SettingArgs {
    /// The settings that were given, by their names.
    pub(crate) fn table(&self) -> anyhow::Result<Table> {
        Table::try_from(self).map_err(crate::exit::usage)
    }

    /// The options that were given, as they are written.
    pub(crate) fn given(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.table()?.keys().map(|name| option(name)).collect())
    }

    /// `base`, but for what was given; in range.
    pub(crate) fn over(&self, base: &Settings) -> anyhow::Result<Settings> {
        let settings = base.with(&self.table()?, "the command line".as_ref());
        let settings = settings.map_err(crate::exit::usage)?;
        settings.check().map_err(crate::exit::usage)?;
        Ok(settings)
    }
}

/// The option of a setting.
pub(crate) fn option(setting: &str) -> String {
    let short = setting.replace("learning_rate", "lr");
    format!("--{}", short.replace('_', "-"))
}

/// The expectation alone: clap names the option and the value itself.
fn expectation<T: std::str::FromStr<Err = fashion_train::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| match error {
        fashion_train::Error::Setting { expected, .. } => format!("expected {expected}"),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::{CommandFactory, Parser};

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        settings: SettingArgs,
    }

    /// Every option, with its default as the help has it.
    #[test]
    fn every_setting_has_an_option_whose_help_tells_its_default() {
        let defaults = Settings::default().to_table();
        let mut command = Cli::command();
        let train = command.find_subcommand_mut("train").unwrap();
        for (name, value) in &defaults {
            let argument = train.get_arguments().find(|a| a.get_id() == name.as_str());
            let argument = argument.unwrap_or_else(|| panic!("{name} has no option"));
            assert_eq!(format!("--{}", argument.get_long().unwrap()), option(name));
            let value = match value {
                toml::Value::String(text) if text == "none" && name == "target_accuracy" => {
                    continue;
                }
                toml::Value::String(text) => text.clone(),
                toml::Value::Float(number) if *number < 1e-4 && *number > 0.0 => {
                    format!("{number:e}")
                }
                toml::Value::Float(number) => number.to_string(),
                other => other.to_string(),
            };
            let help = argument.get_help().unwrap().to_string();
            assert!(help.ends_with(&format!("[default: {value}]")), "{name}: {help}");
        }
    }

    #[test]
    fn every_option_arrives() {
        let line = "x --epochs 2 --batch-size 7 --lr 0.5 --epsilon 0.25 --seed 9 --validation 0.2 \
                    --target-accuracy 0.9 --optimiser sgd --beta1 0.1 --beta2 0.2 --momentum 0.3 \
                    --nesterov false --weight-decay 0.01 --clip-norm 2 --schedule one-cycle \
                    --warmup-epochs 0.5 --decay-factor 0.4 --step-epochs 3 --plateau-patience 4 \
                    --min-lr 0.1 --one-cycle-rise 0.6 --label-smoothing 0.05 \
                    --class-weights balanced --ema-decay 0.99 --patience 6 --min-delta 0.001";
        let given = Line::try_parse_from(line.split_whitespace()).unwrap().settings;
        let settings = given.over(&Settings::default()).unwrap();
        let expected = Settings {
            epochs: 2,
            batch_size: 7,
            learning_rate: 0.5,
            epsilon: 0.25,
            seed: 9,
            validation: Validation::Fraction(0.2),
            target_accuracy: Some(0.9),
            optimiser: OptimiserKind::Sgd,
            beta1: 0.1,
            beta2: 0.2,
            momentum: 0.3,
            nesterov: false,
            weight_decay: 0.01,
            clip_norm: 2.0,
            schedule: ScheduleKind::OneCycle,
            warmup_epochs: 0.5,
            decay_factor: 0.4,
            step_epochs: 3,
            plateau_patience: 4,
            min_learning_rate: 0.1,
            one_cycle_rise: 0.6,
            label_smoothing: 0.05,
            class_weights: ClassWeights::Balanced,
            ema_decay: 0.99,
            patience: 6,
            min_delta: 0.001,
        };
        assert_eq!(settings, expected);
        assert_eq!(given.given().unwrap().len(), Settings::names().len());
    }
}
