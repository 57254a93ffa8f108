//! The options of `fashion lr-find`.

use super::{DataArgs, SettingArgs, recipe};
use clap::Args;
use fashion_train::Recipe;
use std::path::PathBuf;

/// `fashion lr-find`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion lr-find                            the data in ./data, or else the built-in sample
  fashion lr-find --data fashion-mnist --optimiser sgd --batch-size 64
  fashion lr-find --from 1e-5 --to 1 --steps 300     a finer look at fewer rates
  fashion lr-find --config runs/001/config.toml      for that run's optimiser, batches and loss
  fashion train --lr $(fashion lr-find --quiet --json | jq .suggestion)

A fresh network, or one that begins as --config says, is trained while the rate grows from step to
step by the same factor (Smith, 2017).
Where the smoothed loss falls, rates are good; in the end it explodes, and the test stops. Four rates
are read from the curve:
  valley    half of the way down the longest descent; careful
  tenth     of the rate at which the loss is lowest; bold
  middle    between these two (their geometric mean): the suggestion
  steepest  where the loss falls fastest

Give the training options of the run to come: optimiser, batch size, clipping and loss decide which
rates are good. The schedule and --lr do not take part. Only images to train on are looked at, none
of those held out or for testing. The same settings, data and seed give the same bytes.

Writes lr-find.csv, lr-find.json, lr-find.svg and lr-find.png.
Exit codes: 0 success, with or without a suggestion; 1 something failed, 2 wrong usage,
130 interrupted, 143 terminated.")]
pub(crate) struct LrFindArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Rate of the first step
    #[arg(long, value_name = "RATE", default_value = "1e-7", allow_negative_numbers = true)]
    pub(crate) from: f64,
    /// Rate of the last step
    #[arg(long, value_name = "RATE", default_value = "10", allow_negative_numbers = true)]
    pub(crate) to: f64,
    /// Steps from the one to the other
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true)]
    pub(crate) steps: usize,
    /// Folder of the files, which must not exist or be empty [default: the next number in lr-find/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Threads to compute with; they do not change the result [default: as many as there are cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// Take a whole protocol's settings; options given beside it win
    #[arg(long, value_name = "NAME", value_parser = recipe())]
    pub(crate) recipe: Option<Recipe>,
    /// Take settings from a file, such as the config.toml of a run; options given beside it win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print a JSON object instead of text: lr-find.json, and the folder
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress and no text: only the folder's path (or the JSON), and errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}
