//! The options that set how training is done; `train`, `lr-find` and `sweep` have them.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use fashion_train::{Group, Setting, Settings};
use toml::{Table, Value};

/// The settings that were given, under their names in files. What is not given stays as it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SettingArgs(pub(crate) Table);

impl Args for SettingArgs {
    fn augment_args(command: Command) -> Command {
        // `lr-find --from` is a rate: there, weights to begin with are left to a file.
        let taken: Vec<_> = command.get_arguments().map(|own| own.get_id().clone()).collect();
        let free =
            Settings::all().iter().filter(|setting| !taken.iter().any(|id| id == setting.name));
        free.fold(command, |command, setting| command.arg(argument(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(setting: &'static Setting) -> Arg {
    let default = setting.default().map_or(String::new(), |value| format!(" [default: {value}]"));
    let argument = Arg::new(setting.name)
        .long(option(setting.name)[2..].to_owned())
        .value_name(setting.placeholder)
        .value_parser(|text: &str| setting.parse(text))
        .allow_negative_numbers(true)
        .help(format!("{}{default}", setting.help));
    let argument = match setting.name {
        "learning_rate" => argument.visible_alias("learning-rate"),
        _ => argument,
    };
    match setting.group {
        Group::Run => argument,
        Group::Optimiser => argument.help_heading("Optimiser"),
        Group::Schedule => argument.help_heading("Learning-rate schedule"),
        Group::Loss => argument.help_heading("Loss, and how much images count"),
        Group::Augmentation => argument.help_heading("Random changes to training images"),
        Group::Transfer => argument.help_heading("What is taken over from other trainings"),
        Group::Keeping => argument.help_heading("What is kept, and when to stop"),
    }
}

impl FromArgMatches for SettingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = SettingArgs::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for Setting { name, .. } in Settings::all() {
            // Some commands have only some of them.
            let value = matches.try_get_one::<Value>(name).ok().flatten();
            self.0.extend(value.map(|value| ((*name).to_owned(), value.clone())));
        }
        Ok(())
    }
}

/// Those of the settings that change images, and the seed; `data augment` has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ChangeArgs(pub(crate) SettingArgs);

impl Args for ChangeArgs {
    fn augment_args(command: Command) -> Command {
        let changes =
            |setting: &&Setting| setting.group == Group::Augmentation || setting.name == "seed";
        let settings = Settings::all().iter().filter(changes);
        settings.fold(command, |command, setting| command.arg(argument(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ChangeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        SettingArgs::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl SettingArgs {
    /// The options that were given, as they are written.
    pub(crate) fn given(&self) -> Vec<String> {
        self.0.keys().map(|name| option(name)).collect()
    }

    /// `base`, but for what was given; in range.
    pub(crate) fn over(&self, base: &Settings) -> anyhow::Result<Settings> {
        let settings = base.with(&self.0, "the command line".as_ref());
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

/// The setting of an option, with or without dashes: `lr` and `batch-size` are `learning_rate` and
/// `batch_size`.
pub(crate) fn setting(option: &str) -> String {
    let name = option.trim_start_matches('-').replace('-', "_");
    match name.strip_suffix("lr") {
        Some(start) if start.is_empty() || start.ends_with('_') => format!("{start}learning_rate"),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use fashion_data::prepare::Preparation;
    use fashion_model::{Architecture, Tta};
    use fashion_train::{BinRules, ClassWeights, Freeze, OptimiserKind, ScheduleKind, Validation};

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        settings: SettingArgs,
    }

    #[test]
    fn an_option_is_its_setting() {
        for Setting { name, .. } in Settings::all() {
            assert_eq!(setting(&option(name)), *name);
        }
    }

    #[test]
    fn every_option_arrives() {
        let line = "x --network vgg --epochs 2 --batch-size 7 --lr 0.5 --epsilon 0.25 --seed 9 \
                    --validation 0.2 --validation-seed 3 --target-accuracy 0.9 --optimiser sgd \
                    --beta1 0.1 --beta2 0.2 --momentum 0.3 --nesterov false --muon-steps 3 \
                    --weight-decay 0.01 --clip-norm 2 --schedule one-cycle \
                    --warmup-epochs 0.5 --decay-factor 0.4 --step-epochs 3 --plateau-patience 4 \
                    --min-lr 0.1 --one-cycle-rise 0.6 --label-smoothing 0.05 \
                    --class-weights 1,2 --balance 0.25 --skip-easy 0.4 --skip-easy-from 5 --flip 0.5 \
                    --shift 0.11 --rotate 12 --scale 0.12 --blur 0.21 --brightness 0.13 --contrast 0.14 \
                    --saturation 0.15 --hue 0.16 --erase 0.17 --mixup 0.18 --from 001 \
                    --freeze stem,norm --teacher runs/t --teacher-temperature 3 \
                    --teacher-weight 0.19 --bins b.toml --tta flip --ema-decay 0.99 --patience 6 \
                    --min-delta 0.001 --members 2 --prepare photo";
        let given = Line::try_parse_from(line.split_whitespace()).unwrap().settings;
        let settings = given.over(&Settings::default()).unwrap();
        let expected = Settings {
            network: Architecture::Vgg,
            epochs: 2,
            batch_size: 7,
            learning_rate: 0.5,
            epsilon: 0.25,
            seed: 9,
            validation: Validation::Fraction(0.2),
            validation_seed: Some(3),
            target_accuracy: Some(0.9),
            optimiser: OptimiserKind::Sgd,
            beta1: 0.1,
            beta2: 0.2,
            momentum: 0.3,
            nesterov: false,
            muon_steps: 3,
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
            class_weights: "1,2".parse::<ClassWeights>().unwrap(),
            balance: 0.25,
            skip_easy: 0.4,
            skip_easy_from: 5,
            flip: 0.5,
            shift: 0.11,
            rotate: 12.0,
            scale: 0.12,
            blur: 0.21,
            brightness: 0.13,
            contrast: 0.14,
            saturation: 0.15,
            hue: 0.16,
            erase: 0.17,
            mixup: 0.18,
            from: Some("001".into()),
            freeze: Freeze::Layers(vec!["stem".into(), "norm".into()]),
            teacher: Some("runs/t".into()),
            teacher_temperature: 3.0,
            teacher_weight: 0.19,
            ema_decay: 0.99,
            patience: 6,
            min_delta: 0.001,
            bins: Some(BinRules::file("b.toml")),
            tta: Tta::Flip,
            members: 2,
            prepare: Preparation::Photo,
        };
        assert_eq!(settings, expected);
        assert_eq!(given.given().len(), Settings::all().len());
    }
}
