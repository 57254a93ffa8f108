//! The raw command line, as clap reads it. Nothing is checked here but the form of each value.

use clap::{Args, Parser, Subcommand, ValueEnum};
use fashion_train::Validation;
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes: 0 success, 1 something failed, 2 wrong usage, 130 interrupted.

Environment:
  FASHION_DATA  folder of the data where --data is not given
  FASHION_SIMD  avx512, avx2 or portable forces the vector arithmetic; all give the same bits
  NO_COLOR      if not empty, no colours";

/// Trains, judges and uses a classifier of garments: 28x28 grey images, ten classes.
#[derive(Debug, Parser)]
#[command(name = "fashion", version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a network, judge it on the test set and write a run folder
    Train(TrainArgs),
    /// Judge the weights of a run, or of a file, on a data set
    Eval(EvalArgs),
    /// Classify images
    Predict(PredictArgs),
    /// Look at the data
    #[command(subcommand)]
    Data(DataCommand),
    /// Print a shell's completions
    #[command(hide = true)]
    Completions(CompletionsArgs),
    /// Write the manual pages
    #[command(hide = true)]
    Man(ManArgs),
}

/// The commands of `fashion data`.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Say what the data are: origin, counts, brightness, SHA-256
    Info(InfoArgs),
    /// Draw the data: examples and number of each class
    Figure(FigureArgs),
    /// Look for images that are there twice, labels that contradict each other, odd images
    Audit(AuditArgs),
    /// Look for training labels that are probably wrong
    Suspects(SuspectsArgs),
}

/// Where data come from.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DataArgs {
    /// Folder of the data (train.npz and test.npz, the four IDX files, or train/CLASS/*.png and
    /// test/CLASS/*.png), or `sample` for the built-in sample [default: `FASHION_DATA`, else ./data,
    /// else the sample]
    #[arg(long, value_name = "PLACE")]
    pub(crate) data: Option<PathBuf>,
    /// Name of the array of images in the npz files, where it is not a usual one
    #[arg(long, value_name = "NAME")]
    pub(crate) images_key: Option<String>,
    /// Name of the array of labels in the npz files, where it is not a usual one
    #[arg(long, value_name = "NAME")]
    pub(crate) labels_key: Option<String>,
}

/// A whole protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Recipe {
    /// The report's: all training images, validation on the test set, last epoch's weights
    Report,
}

/// `fashion train`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion train                              the data in ./data, or else the built-in sample
  fashion train --data fashion-mnist --epochs 20 --out runs/long
  fashion train --recipe report --seed 3     the report's protocol
  fashion train --resume runs/001            go on where Ctrl-C stopped
  fashion train --quiet --json | jq .accuracy

Ctrl-C stops after the current batch and keeps the whole epochs so far; a second one stops at once.
The same settings, data and seed give the same bytes, whatever the number of threads; only
environment.json differs. The test set is used once, at the end, except with --validation test.

Exit codes: 0 success, 1 something failed, 2 wrong usage, 130 interrupted.")]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Folder of the run, which must not exist or be empty [default: the next number in runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Passes over the training set [default: 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) epochs: Option<usize>,
    /// Images of a step [default: 128]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) batch_size: Option<usize>,
    /// Learning rate of Adam [default: 0.001]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) lr: Option<f64>,
    /// Adam's ε: Keras has 1e-7, PyTorch 1e-8 [default: 1e-7]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) epsilon: Option<f64>,
    /// Decides the initial weights, the part held out and the order of the images [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Threads to compute with; they do not change the result [default: as many as there are cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// What to validate on: a share of the training set, which is held out and chooses the best
    /// epoch; `none`; or `test`, which chooses nothing [default: 0.1]
    #[arg(long, value_name = "SHARE|none|test", value_parser = validation, allow_negative_numbers = true)]
    pub(crate) validation: Option<Validation>,
    /// Set a protocol whole; options given beside it still count
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) recipe: Option<Recipe>,
    /// Continue this run
    #[arg(long, value_name = "RUN")]
    pub(crate) resume: Option<PathBuf>,
    /// Print one JSON object at the end instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress and no text: only the run folder's path (or the JSON), and errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Which images to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitArg {
    /// The test set
    #[default]
    Test,
    /// The part of the training set that the run held out
    Validation,
}

/// `fashion eval`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion eval runs/001
  fashion eval runs/001 --split validation
  fashion eval weights.safetensors --data fashion-mnist --json
  fashion eval runs/001 --csv > predictions.csv
  fashion eval runs/001 --out judged         figures and report.html too

A run is judged on its own data, which are looked for where they were, and is never changed.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct EvalArgs {
    /// A run's folder, or a weights file in safetensors
    #[arg(value_name = "RUN|WEIGHTS")]
    pub(crate) weights: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Which images to judge
    #[arg(long, value_enum, default_value_t)]
    pub(crate) split: SplitArg,
    /// Print metrics.json instead of text
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,
    /// Print predictions.csv instead of text: the probabilities of each image
    #[arg(long)]
    pub(crate) csv: bool,
    /// Also write metrics.json, predictions.csv, figures and report.html into this folder, which
    /// must not exist or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// `fashion predict`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion predict runs/001 boot.png
  fashion predict runs/001 photos/*.png
  fashion predict weights.safetensors boot.jpg --json | jq -r .class

Images are as in the data: 28x28 pixels, grey, a light garment on black. An image that cannot be
read is reported and the others are still classified; the exit code is then 1.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct PredictArgs {
    /// A run's folder, or a weights file in safetensors
    #[arg(value_name = "RUN|WEIGHTS")]
    pub(crate) weights: PathBuf,
    /// PNG or JPEG files
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<PathBuf>,
    /// Print a JSON object for each image, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `fashion data info`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion data info
  fashion data info --data fashion-mnist --json

Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Print a JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `fashion data figure`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion data figure
  fashion data figure --data fashion-mnist --out analysis --force

Writes classes and class_counts, each as .svg and .png.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct FigureArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Folder of the figures
    #[arg(long, value_name = "DIR", default_value = "figures")]
    pub(crate) out: PathBuf,
    /// Replace figures that are there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// `fashion data audit`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion data audit
  fashion data audit --data fashion-mnist --near 0.05
  fashion data audit --json | jq '.near_pairs[] | select(.items[0].split != .items[1].split)'
  fashion data audit --data mine --strict    fails where a test set is not to be trusted

Identical images have the same pixels. Near duplicates differ by at most --near times the norm of the
brighter one: |a - b| / max(|a|, |b|), Euclidean, over the 784 grey levels.
Odd images are blank (all 0), constant (all the same), nearly blank (fewer than 40 pixels of grey
level 32 or more), have a bright border (brighter than 127.5 and than the inside, on average), or
are, on average, darker or brighter than their class by three interquartile ranges beyond a quartile.

Exit codes: 0 success, whatever was found; 1 something failed, or, with --strict, an image is in both
parts, identical images have different labels, or an image is blank or constant; 2 wrong usage.")]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Largest distance of near duplicates, 0 to 0.5
    #[arg(long, value_name = "DISTANCE", default_value_t = fashion_data::audit::NEAR)]
    #[arg(allow_negative_numbers = true)]
    pub(crate) near: f64,
    /// Rows shown of each list; --json has all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,
    /// Print a JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with 1 where something was found that makes results worthless
    #[arg(long)]
    pub(crate) strict: bool,
}

/// `fashion data suspects`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion data suspects --data fashion-mnist
  fashion data suspects --top 100 --csv > suspects.csv
  fashion data suspects --items 45592,16691  where these stand
  fashion data suspects --plant 0.01         how well known errors are found

Every training image is classified by networks that never saw it, and confident learning
(Northcutt, Jiang and Chuang, 2021) tells from that how many labels of each class are wrong, and
which. Items are ranked by -ln p - ln(s) / 2, with p the probability of the label, and s how many
items with that label look like what this one looks like: what is often confused is excused.

--plant makes a share of the labels wrong first and says how many of those are found; labels that
were wrong before count as false alarms there. Data on the disk are never changed.
The same settings, data and seed give the same output, whatever the number of threads.

Exit codes: 0 success, 1 something failed, 2 wrong usage, 130 interrupted.")]
pub(crate) struct SuspectsArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Parts the training set is cut into; each is judged by a network trained on the others
    #[arg(long, value_name = "N", default_value_t = 5, allow_negative_numbers = true)]
    pub(crate) folds: usize,
    /// How often to do that, with the next seed each time; the probabilities are averaged
    #[arg(long, value_name = "N", default_value_t = 2, allow_negative_numbers = true)]
    pub(crate) repeats: usize,
    /// Passes of each network over its images
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true)]
    pub(crate) epochs: usize,
    /// Decides the folds, the initial weights, the order of the images, and what is planted
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) seed: u64,
    /// Threads to compute with; they do not change the result [default: as many as there are cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// Make this share of the labels wrong at random, and say how well that is found
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(crate) plant: Option<f64>,
    /// Items shown, the most suspicious first [default: 20; with --json, --csv and --out all suspects]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
    /// Also say where these items of the training set stand
    #[arg(long, value_name = "INDEX,...", value_delimiter = ',')]
    pub(crate) items: Vec<usize>,
    /// Print a JSON object instead of text
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,
    /// Print the items as CSV instead of text
    #[arg(long)]
    pub(crate) csv: bool,
    /// Also write the items as CSV into this file, which must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// No progress, only the result and errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// `fashion completions`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fashion completions bash > ~/.local/share/bash-completion/completions/fashion")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// `fashion man`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fashion man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Folder of the pages
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

/// The expectation alone: clap names the option and the value itself.
fn validation(text: &str) -> Result<Validation, String> {
    text.parse().map_err(|error| match error {
        fashion_train::Error::Setting { expected, .. } => format!("expected {expected}"),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use fashion_train::Settings;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_defaults_in_the_help_are_the_real_ones() {
        let settings = Settings::default();
        let mut command = Cli::command();
        let train = command.find_subcommand_mut("train").unwrap();
        for (name, value) in [
            ("epochs", settings.epochs.to_string()),
            ("batch_size", settings.batch_size.to_string()),
            ("lr", settings.learning_rate.to_string()),
            ("epsilon", format!("{:e}", settings.epsilon)),
            ("seed", settings.seed.to_string()),
            ("validation", settings.validation.to_string()),
        ] {
            let help = train.get_arguments().find(|a| a.get_id() == name).unwrap().get_help();
            let expected = format!("[default: {value}]");
            assert!(help.unwrap().to_string().ends_with(&expected), "{name} lacks {expected}");
        }
    }
}
