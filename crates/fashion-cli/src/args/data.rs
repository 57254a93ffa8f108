//! The options of `fashion data`.

use super::{ChangeArgs, DataArgs, PictureArgs};
use clap::{Args, Subcommand};
use fashion_data::prepare::Preparation;
use std::path::PathBuf;

/// The commands of `fashion data`.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Say what the data are: origin, counts, brightness, SHA-256
    Info(InfoArgs),
    /// Draw the data: examples and number of each class
    Figure(FigureArgs),
    /// Draw images beside what random changes make of them
    Augment(AugmentArgs),
    /// Look for images that are there twice, labels that contradict each other, odd images
    Audit(AuditArgs),
    /// Make photographs what a network takes
    Prepare(PrepareArgs),
    /// Look for training labels that are probably wrong
    Suspects(SuspectsArgs),
    /// Write drawn garments as pictures, to try things out with
    Draw(DrawArgs),
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

/// `fashion data augment`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion data augment --flip 0.5 --shift 0.1 --rotate 10
  fashion data augment --data garments --hue 0.1 --brightness 0.3 --out figures/colours --force
  fashion data augment --config runs/001/config.toml --seed 1

Draws the first image of each class as it is, and as training gets it in eight epochs. Writes FIGURE.svg
and FIGURE.png.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct AugmentArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) changes: ChangeArgs,
    /// Take the changes from a file, such as the config.toml of a run; options given beside it win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The figure, without .svg or .png
    #[arg(long, value_name = "FIGURE", default_value = "figures/augmented")]
    pub(crate) out: PathBuf,
    /// Replace a figure that is there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// `fashion data draw`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion data draw garments --only Bag,Dress,Sneaker --side 64 --colour
  fashion train --data garments --network resnet-64
  fashion data draw tiles --train 100 --test 20
  fashion data draw photographs --photographs --train 5 --test 5      to prepare
  fashion data draw letters --only A,B,C,D,E,F,G,H,I,J       other classes, to fine-tune a network to

Writes FOLDER/train/CLASS/NUMBER.png and FOLDER/test/CLASS/NUMBER.png. The same options give the same
pictures.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct DrawArgs {
    /// Folder of the pictures, which must not exist or be empty
    pub(crate) folder: PathBuf,
    /// Classes that are drawn: garments, capital letters from A to J, or digits [default: all ten garments]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) only: Option<Vec<String>>,
    /// Rows and columns of a picture, 16 to 128
    #[arg(long, value_name = "PIXELS", default_value_t = 28)]
    pub(crate) side: usize,
    /// Dyed garments on white, grey, shaded and wooden grounds, instead of light grey ones on black
    #[arg(long)]
    pub(crate) colour: bool,
    /// Photographs of 240 to 480 pixels, in colour on white, grey, wooden, shadowed and dark grounds in
    /// turn, anywhere in the picture and a little turned
    #[arg(long, conflicts_with_all = ["side", "colour"])]
    pub(crate) photographs: bool,
    /// Pictures of each class for training
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub(crate) train: usize,
    /// Pictures of each class for testing
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) test: usize,
    /// Decides what is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

/// `fashion data prepare`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion data prepare photographs tiles
  fashion data prepare photographs squares --side 64 --colour
  fashion train --data tiles

Pictures in FROM, and in folders in it, become PNG files under the same names in TO, where nothing is
written over: class folders become class folders. A picture of which it is not sure what the garment is
is written too, and named. One that cannot be read is named, and the others are still prepared; the
exit code is then 1. `fashion train --prepare photo` does the same on the way, and the weights keep it.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct PrepareArgs {
    /// Folder of the photographs
    pub(crate) from: PathBuf,
    /// Folder of what becomes of them, which must not exist or be empty
    pub(crate) to: PathBuf,
    /// How: zalando, as Fashion-MNIST was made of photographs on white; or photo, the garment is told
    /// from its background
    #[arg(long, value_name = "zalando|photo", default_value_t = Preparation::Photo)]
    pub(crate) prepare: Preparation,
    /// Rows and columns of what is written, 16 to 128
    #[arg(long, value_name = "PIXELS", default_value_t = 28)]
    pub(crate) side: usize,
    /// In colour, squares with their background, instead of grey, light on black
    #[arg(long)]
    pub(crate) colour: bool,
    #[command(flatten)]
    pub(crate) pictures: PictureArgs,
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

Exit codes: 0 success, whatever was found; 1 something failed, or, with --strict, an image is in two
parts, identical images have different labels, or an image is blank or constant; 2 wrong usage.")]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Largest distance of near duplicates, 0 to 0.5
    #[arg(long, value_name = "DISTANCE", default_value_t = fashion_data::audit::NEAR)]
    #[arg(allow_negative_numbers = true)]
    pub(crate) near: f64,
    /// Rows shown of each list; --json has all, but of near pairs the nearest 10,000
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

Exit codes: 0 success, 1 something failed, 2 wrong usage, 130 interrupted, 143 terminated.")]
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
