//! The raw command line, as clap reads it. Nothing is checked here but the form of each value.

mod data;
mod log;
mod lr_find;
mod settings;
mod sweep;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
pub(crate) use data::{
    AuditArgs, AugmentArgs, DataCommand, DrawArgs, FigureArgs, InfoArgs, PrepareArgs, SuspectsArgs,
};
use fashion_data::picture::Limits;
use fashion_data::prepare::Preparation;
use fashion_model::Tta;
use fashion_train::Recipe;
use fashion_train::word;
pub(crate) use log::LogArgs;
pub(crate) use lr_find::LrFindArgs;
pub(crate) use settings::{ChangeArgs, SettingArgs, option, setting};
use std::path::PathBuf;
pub(crate) use sweep::{CollectArgs, SweepArgs, SweepCommand};

const EXIT_CODES: &str = "\
Exit codes: 0 success, 1 something failed, 2 wrong usage, 130 interrupted, 143 terminated.

Environment:
  FASHION_DATA  folder of the data where --data is not given
  FASHION_SIMD  avx512, avx2 or portable forces the vector arithmetic; all give the same bits
  NO_COLOR      if not empty, no colours";

/// Trains, judges and uses a classifier of garments, or of any classes: grey images or pictures in colour.
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
    Train(Box<TrainArgs>),
    /// Find a learning rate by a range test: which rates a network learns with, in a hundred steps
    LrFind(Box<LrFindArgs>),
    /// Train with many combinations of settings, and say which are best
    Sweep(Box<SweepArgs>),
    /// Judge the weights of a run, or of a file, on a data set; or any classifier's answers
    Eval(EvalArgs),
    /// Compare runs: what differs, by how much, and whether that is chance
    Compare(CompareArgs),
    /// Make one classifier of several runs: the mean of what their networks say
    Ensemble(EnsembleArgs),
    /// Classify images
    Predict(PredictArgs),
    /// Write a classifier as an ONNX model, for other programs
    Export(ExportArgs),
    /// List the networks, or the layers of one with what they cost
    Networks(NetworksArgs),
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

/// Where data come from.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DataArgs {
    /// Folder of the data (train.npz and test.npz, the four IDX files, Kaggle's CSV files, pictures in
    /// CLASS/, which are split, or in train/CLASS/, test/CLASS/ and, where there are such, val/CLASS/),
    /// or `sample` for the built-in sample [default: `FASHION_DATA`, else ./data, else the sample]
    #[arg(long, value_name = "PLACE")]
    pub(crate) data: Option<PathBuf>,
    /// Name of the array of images in the npz files, where it is not a usual one
    #[arg(long, value_name = "NAME")]
    pub(crate) images_key: Option<String>,
    /// Name of the array of labels in the npz files, where it is not a usual one
    #[arg(long, value_name = "NAME")]
    pub(crate) labels_key: Option<String>,
    /// Names of the classes in the order of their labels, where the data have none or others [default:
    /// those of the data, of classes.json beside them, or of the folders; the garments for ten labels of
    /// 28x28 grey images; else numbers]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) classes: Option<Vec<String>>,
    /// The label of the first class, 0 or 1, where no label is 0 and the classes have no names
    #[arg(long, value_name = "LABEL", value_parser = clap::value_parser!(u16).range(0..=1))]
    pub(crate) labels_from: Option<u16>,
}

/// What is read of pictures.
#[derive(Clone, Debug, Args)]
pub(crate) struct PictureArgs {
    /// The largest picture that is read, in millions of pixels; its file may have four bytes for each
    #[arg(long, value_name = "MILLIONS", default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) max_megapixels: u64,
}

impl PictureArgs {
    /// The limits that the library takes.
    pub(crate) fn limits(&self) -> Limits {
        Limits::of_pixels(self.max_megapixels * 1_000_000)
    }
}

/// Reads the name of a recipe.
fn recipe() -> impl TypedValueParser<Value = Recipe> {
    let names = Recipe::ALL.iter().map(|r| PossibleValue::new(r.name).help(r.purpose()));
    PossibleValuesParser::new(names).map(|name| Recipe::named(&name).expect("a possible value"))
}

/// `fashion train`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion train                              the data in ./data, or else the built-in sample
  fashion train --data fashion-mnist --epochs 20 --out runs/long
  fashion train --recipe quick               accurate in a few minutes
  fashion train --recipe report --seed 3     the report's protocol
  fashion train --target-accuracy 0.99       and say what a person should look at
  fashion train --target-accuracy 0.99 --bins bins.toml      sort into bins of several classes each
  fashion train --network vgg                a more accurate network; `fashion networks` lists them
  fashion train --optimiser adamw --weight-decay 0.01 --schedule one-cycle --lr 0.004
  fashion train --schedule cosine --warmup-epochs 1 --ema-decay 0.999 --epochs 60 --patience 8
  fashion train --from runs/001 --data mine --lr 0.0003      fine-tune it to classes of your own
  fashion train --from runs/001 --data mine --freeze all-but-head
  fashion train --teacher runs/002 --out runs/small          learn from a better network's answers
  fashion train --config runs/001/config.toml --seed 1       as that run, but for the seed
  fashion train --resume runs/001            go on where Ctrl-C stopped
  fashion train --quiet --json | jq .accuracy
  fashion train --log run.csv --log run.jsonl --tensorboard boards     and follow it elsewhere

Settings come from --recipe, then --config, then the options here; later ones win. A file for --config
has a line for each setting below [training], under the names in any run's config.toml:

  [training]
  epochs = 20
  schedule = \"cosine\"

Ctrl-C or SIGTERM stops after the current batch and keeps the whole epochs so far; a second Ctrl-C
stops at once.
The same settings, data and seed give the same bytes, whatever the number of threads; only
environment.json differs. The test set is used once, at the end, except with --validation test.

Exit codes: 0 success, 1 something failed, 2 wrong usage, 130 interrupted, 143 terminated.")]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Folder of the run, which must not exist or be empty [default: the next number in runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Threads to compute with; they do not change the result [default: as many as there are cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// Set a protocol whole; options given beside it still count
    #[arg(long, value_name = "NAME", value_parser = recipe())]
    pub(crate) recipe: Option<Recipe>,
    /// Take settings from a file, such as the config.toml of a run; options given beside it win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Continue this run
    #[arg(long, value_name = "RUN")]
    pub(crate) resume: Option<PathBuf>,
    /// With --resume: go on from the checkpoint before the last, and do its last epoch again
    #[arg(long, requires = "resume")]
    pub(crate) previous_checkpoint: bool,
    /// Print one JSON object at the end instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress and no text: only the run folder's path (or the JSON), and errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) logs: LogArgs,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}

/// Which images to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitArg {
    /// The test set
    #[default]
    Test,
    /// What the run held out for validation
    Validation,
}

/// How misclassified items are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderArg {
    /// The most confidently wrong first
    #[default]
    Confidence,
    /// The least probable true class first
    Loss,
    /// The widest lead of the wrong class over the true one first
    Margin,
}

impl From<OrderArg> for fashion_eval::Order {
    fn from(order: OrderArg) -> Self {
        match order {
            OrderArg::Confidence => Self::Confidence,
            OrderArg::Loss => Self::Loss,
            OrderArg::Margin => Self::Margin,
        }
    }
}

/// `fashion eval`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion eval runs/001
  fashion eval runs/001 --target-accuracy 0.99     what a person should look at
  fashion eval runs/001 --split validation
  fashion eval runs/001 --bins bins.toml           as a sorter into bins of several classes each
  fashion eval weights.safetensors --data fashion-mnist --json
  fashion eval runs/001 --csv > predictions.csv
  fashion eval runs/001 --out judged               figures and report.html too
  fashion eval runs/001 --tta flip                 what seeing images mirrored too would bring
  fashion eval --probabilities p.npy --labels y.npy --classes cat,dog
                                                   any classifier's answers (N, K)

A run is judged on its own data, which are looked for where they were, and is never changed.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct EvalArgs {
    /// A run's folder, a weights file in safetensors, or `garments` or `garments-photo`, which come with
    /// the program
    #[arg(value_name = "RUN|WEIGHTS", required_unless_present = "probabilities")]
    pub(crate) weights: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Which images to judge
    #[arg(long, value_enum, default_value_t)]
    pub(crate) split: SplitArg,
    /// Choose, on the part held out, from which confidence a machine may sort so that this share of
    /// what it sorts is right, and show what that does to the test set
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub(crate) target_accuracy: Option<f64>,
    /// See images otherwise than the weights are for: flip, mirrored too, or none. The calibration of a
    /// run is then done anew on the part held out; weights alone are not calibrated for it
    #[arg(long, value_name = "none|flip", value_parser = word::<Tta>)]
    pub(crate) tta: Option<Tta>,
    /// Judge how images go into the bins of this file, too, in place of those of the weights: a line of
    /// TOML for each, such as tops = ["Shirt", "Coat"], and default = "rest" for all other classes. What
    /// a machine may sort is then about bins, chosen anew for a run on the part held out
    #[arg(long, value_name = "FILE")]
    pub(crate) bins: Option<PathBuf>,
    /// Judge these probabilities (N, K) instead of weights: a NumPy file (.npy), rows sum to 1
    #[arg(long, value_name = "FILE", requires = "labels", conflicts_with_all = ["weights", "data", "images_key", "labels_key", "split", "tta"])]
    pub(crate) probabilities: Option<PathBuf>,
    /// The true classes of --probabilities: a NumPy file, (N) from 0, or one-hot (N, K)
    #[arg(long, value_name = "FILE", requires = "probabilities")]
    pub(crate) labels: Option<PathBuf>,
    /// Probabilities and labels of other items, on which temperature and --target-accuracy are chosen
    #[arg(long, num_args = 2, value_names = ["PROBABILITIES", "LABELS"], requires = "probabilities")]
    pub(crate) held_out: Vec<PathBuf>,
    /// Order of the misclassified items in the text
    #[arg(long, value_enum, value_name = "ORDER", default_value_t)]
    pub(crate) order: OrderArg,
    /// Print metrics.json instead of text
    #[arg(long, conflicts_with_all = ["csv", "markdown"])]
    pub(crate) json: bool,
    /// Print predictions.csv instead of text: the probabilities of each image that was judged
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) csv: bool,
    /// Print Markdown instead of text, for pasting
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Also write metrics.json, predictions.csv, figures and report.html into this folder, which
    /// must not exist or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// `fashion compare`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion compare runs/001 runs/002
  fashion compare runs/001 runs/002 runs/003       the first with each of the others
  fashion compare old.safetensors new.safetensors --data fashion-mnist --markdown

All are judged on the same images, so that luck with the images is taken out: differences have paired
intervals, and McNemar's test says how likely they are by chance. No run is changed.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct CompareArgs {
    /// Runs' folders, weights files in safetensors, or `garments` or `garments-photo`; the first is
    /// compared with each other one
    #[arg(value_name = "RUN|WEIGHTS", num_args = 2.., required = true)]
    pub(crate) weights: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Which images to judge
    #[arg(long, value_enum, default_value_t)]
    pub(crate) split: SplitArg,
    /// Print a JSON array instead of text, an object for each comparison
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
    /// Print Markdown instead of text, for pasting
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Also write comparison.txt, .md and .json, and figures/recall (.svg and .png), the recall of each
    /// class, into this folder, which must not exist or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// `fashion ensemble`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion train --validation-seed 0 --seed 1     a member; others with --seed 2 and 3
  fashion ensemble runs/001 runs/002 runs/003 --out best.safetensors
  fashion ensemble runs/001 runs/002 --tta flip --target-accuracy 0.99 --out sorter.safetensors
  fashion ensemble runs/001 --tta flip --out flips.safetensors      one run, for images mirrored too
  fashion ensemble runs/001 --bins bins.toml --out bins.safetensors      one run, for other bins
  fashion eval best.safetensors --data fashion-mnist
  fashion predict best.safetensors boot.png

Its probabilities are the mean of those of the runs' networks, which may differ. The file is used
like any weights file: by eval, compare, predict and export. It is calibrated anew, on the part that
all runs held out; so they must be of the same data, with the same --validation and the same
--validation-seed or else --seed, unless the data have a validation part. Runs that held out nothing
give a file that is not calibrated. The runs are never changed.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct EnsembleArgs {
    /// Runs' folders
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The classifier's file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Replace the file if there is one
    #[arg(long)]
    pub(crate) force: bool,
    /// How it sees each image: none, once; or flip, mirrored too, so that probabilities are the mean of
    /// both and take twice the time [default: as the runs do]
    #[arg(long, value_name = "none|flip", value_parser = word::<Tta>)]
    pub(crate) tta: Option<Tta>,
    /// Sort into the bins of this file, which says which classes go into each [default: as the runs do]
    #[arg(long, value_name = "FILE")]
    pub(crate) bins: Option<PathBuf>,
    /// Choose, on the part held out, from which confidence a machine may sort so that this share of
    /// what it sorts is right [default: as the runs do]
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub(crate) target_accuracy: Option<f64>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `fashion predict`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion predict garments boot.png                 with the weights that come with the program
  fashion predict runs/001 photos/*.png
  fashion predict runs/001 photos                   a folder, and those in it
  fashion predict runs/001 'photos/**/*.jpg'        a pattern, for more files than a shell takes
  fashion predict runs/001 tiles.npz --format csv > answers.csv
  find photos -newer last -print0 | fashion predict runs/001 - --json
  fashion predict runs/001 photos --sort-into sorted
  fashion predict weights.safetensors boot.jpg --json | jq -r .class
  fashion predict runs/001 boot.png --tta flip      mirrored too; not calibrated for that
  fashion predict garments-photo boot.jpg --show seen   and draw what the network saw of it
  fashion predict runs/001 boot.png --bins bins.toml   the bin it goes into, too
  fashion predict runs/001 boot.png --explain why   and why: why/boot.png

An image of the network's size, in its colours, grey ones a light garment on black, is taken as it
is; others are prepared. Probabilities are calibrated where the weights have been. With weights of
`train --target-accuracy`, `sorted by` says who is to sort: the machine, or a person and why:
`unsure`, or because the garment does not stand out from its `background`, or the image is
nearly `blank`, or `unknown`: none of the classes. Without a threshold, or with other --bins or --tta
than it is for, only these last three are said. Answers come in the order of the images, as soon as
there are some. An image that cannot be read is reported and the others are still classified; the exit
code is then 1.

Of a folder and those in it, files that are named as pictures are read, in the order of their
names; hidden files and others are left out and counted. A pattern has *, ? and [a-z] for
characters of a name and ** for any folders; a file of that very name comes before it. Images of
npz and npy files, which must be of the network's size, are called tiles.npz#0 and so on; labels there
are not read. A list on standard input (-) has a path a line, or a NUL behind each where one is among
the first, and is read as it comes.

--sort-into copies each file into the folder of its class, or bin (with - for / in its name), or into
person where a person is to sort. It replaces nothing: a file that is there with the same bytes is
left, so that what was interrupted can be repeated; where another has its name, the new one's has
part of its SHA-256 behind it. DIR may lie in a folder that is read.

`garments`, for tiles, and `garments-photo`, for photographs, know ten garments and call anything by
one of their names; garments.md beside them says how well. Wherever weights are wanted, a word that
is no path means WORD.safetensors, which is looked for beside the program, in `data` there or up to
three folders above, and in ./data.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct PredictArgs {
    /// A run's folder, a weights file in safetensors, or `garments` or `garments-photo`, which come with
    /// the program
    #[arg(value_name = "RUN|WEIGHTS")]
    pub(crate) weights: PathBuf,
    /// Pictures (PNG, JPEG, WebP, the first frame of a GIF, BMP, TIFF), folders of them, patterns such as
    /// 'photos/*.png', npz or npy files of images, or - for a list of such paths on standard input
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<PathBuf>,
    /// See images otherwise than the weights are for: flip, mirrored too, or none. Probabilities are then
    /// not calibrated, and nothing is called unsure; `fashion ensemble RUN --tta flip` makes weights for it
    #[arg(long, value_name = "none|flip", value_parser = word::<Tta>)]
    pub(crate) tta: Option<Tta>,
    /// Name of the array of images in the npz files, where it is not a usual one
    #[arg(long, value_name = "KEY")]
    pub(crate) images_key: Option<String>,
    /// Put each file into the folder of its class, or bin, in DIR, or into person there
    #[arg(long, value_name = "DIR")]
    pub(crate) sort_into: Option<PathBuf>,
    /// Sort by hard links instead of copies: they take no room, and must be on the same file system
    #[arg(long, requires = "sort_into")]
    pub(crate) link: bool,
    /// How images are prepared that are not as the network takes them: none, they must be; zalando, as
    /// Fashion-MNIST was made; or photo, the garment is told from its background [default: as the weights
    /// say, else photo]
    #[arg(long, value_name = "none|zalando|photo")]
    pub(crate) prepare: Option<Preparation>,
    /// Write each image beside what the network saw of it into this folder, which must not exist or be
    /// empty
    #[arg(long, value_name = "DIR")]
    pub(crate) show: Option<PathBuf>,
    /// Say into which bin of this file each image goes, in place of those of the weights: a line of TOML
    /// for each, such as tops = ["Shirt", "Coat"], and default = "rest" for all other classes. For bins
    /// that the weights are not for, nothing is called unsure; `fashion ensemble RUN --bins FILE` makes
    /// weights for them
    #[arg(long, value_name = "FILE")]
    pub(crate) bins: Option<PathBuf>,
    /// Also write, for each image, a PNG into this folder that shows it as the network saw it, and which
    /// of its parts speak for its class: what the probability loses where they are covered (an occlusion
    /// map). It has the image's name, with a number where that is there already
    #[arg(long, value_name = "FOLDER")]
    pub(crate) explain: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) pictures: PictureArgs,
    /// How to print answers: a table, JSON objects, one a line, or CSV with a header
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = PredictFormat::Table)]
    format: PredictFormat,
    /// Print a JSON object for each image, one a line: short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PredictFormat {
    Table,
    Json,
    Csv,
}

impl PredictArgs {
    /// How answers are printed.
    pub(crate) fn format(&self) -> PredictFormat {
        if self.json { PredictFormat::Json } else { self.format }
    }
}

/// `fashion export`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion export runs/001 --to garments.onnx
  fashion export weights.safetensors --to garments.onnx --force

The model takes `images`, bytes (n, side, side), in colour (n, side, side, 3), and gives
`probabilities`, calibrated where the weights are, and `logits` (n, classes). The names of the classes and the threshold are in its metadata.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct ExportArgs {
    /// A run's folder, a weights file in safetensors, or `garments` or `garments-photo`, which come with
    /// the program
    #[arg(value_name = "RUN|WEIGHTS")]
    pub(crate) weights: PathBuf,
    /// The model's file
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Replace the file if there is one
    #[arg(long)]
    pub(crate) force: bool,
}

/// `fashion networks`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion networks
  fashion networks vgg
  fashion networks vgg --plan
  fashion train --network vgg
  fashion sweep --vary network=report-cnn,vgg

Exit codes: 0 success, 2 wrong usage.")]
pub(crate) struct NetworksArgs {
    /// The network whose layers are shown [default: list all]
    #[arg(value_name = "NAME")]
    pub(crate) network: Option<String>,
    /// Show the steps of classifying: the layers of each, how it is computed, multiplications
    #[arg(long, requires = "network")]
    pub(crate) plan: bool,
    /// Print a JSON object for each network, one a line
    #[arg(long)]
    pub(crate) json: bool,
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

/// A share that can be aimed at.
fn share(text: &str) -> Result<f64, String> {
    let inside = |&share: &f64| 0.0 < share && share < 1.0;
    let expected = || "expected a share above 0 and below 1 such as 0.99".to_owned();
    text.parse().ok().filter(inside).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
