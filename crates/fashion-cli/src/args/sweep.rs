//! The options of `fashion sweep`.

use super::{DataArgs, SettingArgs, recipe};
use crate::sweep::vary::{Seeds, Vary, minutes};
use clap::{Args, Subcommand};
use fashion_train::sweep::{Method, Shard};
use fashion_train::{Recipe, word};
use std::path::PathBuf;

/// `fashion sweep`
#[derive(Debug, Args)]
#[command(mut_arg("seed", |seed| seed.hide(true)))]
#[command(mut_arg("target_accuracy", |target| target.hide(true)))]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  fashion sweep --vary lr=1e-4,1e-3,1e-2                   each with seeds 0, 1, 2
  fashion sweep --vary lr=1e-5..1e-1:log:9 --vary batch-size=64,128 --epochs 5 --seeds 5
  fashion sweep --method random --samples 30 --vary lr=1e-4..1e-1:log --vary optimiser=adam,sgd
  fashion sweep --method halving --samples 27 --epochs 9 --vary lr=1e-5..1:log
  fashion sweep --method asha --budget-minutes 60 --seeds 1 --epochs 27 --vary lr=1e-4..1e-1:log
  fashion sweep --resume sweeps/002 --budget-minutes 90    60 were not enough: half an hour more
  fashion sweep --recipe quick --vary skip-easy=0,0.2,0.4  around a recipe
  fashion sweep --vary recipe=quick,best --epochs 10       recipes, ten epochs of each
  fashion sweep --seeds 10 --epochs 20                     one point, ten seeds: what luck does
  fashion sweep --config sweep.toml --jobs 8
  fashion sweep --resume sweeps/001                        go on where Ctrl-C stopped
  fashion sweep collect sweeps/001                         table, CSV and figures of what is there

Many machines, one folder that all of them see; the same line in every task:
  fashion sweep --config sweep.toml --out /shared/rates --shard $SLURM_ARRAY_TASK_ID/8
  fashion sweep --config sweep.toml --out /shared/rates --shard $JOB_COMPLETION_INDEX/8

Values are a list (A,B,...) or a range (FROM..TO, then :log if in logarithms, then :COUNT for that
many numbers; a grid needs the count). The same in a file for --config, where options here win:

  method = \"grid\"        # grid, random, halving or asha
  recipe = \"quick\"       # what the base begins with, if not with the defaults
  budget_minutes = 30    # if there is to be a limit
  seeds = [0, 1, 2]
  [base]                 # settings that all points share
  epochs = 5
  [space]                # settings that vary
  learning_rate = [0.1, 0.01, 0.001]
  batch_size = { from = 16, to = 1024, scale = \"log\", count = 7 }

Settings come from a recipe, then [base], then the options here, then a point's own values; later
ones win. So where recipes vary, what is set in [base] or here holds for all of them.

Points are ranked by the accuracy on the images held out for validation; the test set is
never looked at. A run that diverges is a result, too. The same sweep gives the same files, but for
environment.json, timings.csv and figures/time, which shows what training time buys, however many
jobs, threads and machines do it. Successive halving trains all points for a few epochs, and of those
the best part for longer, until the last. ASHA begins one point after another, and takes any that is
among the best so far further at once. With one run at a time, its default, what it does next follows
from the results alone; with --jobs it is also up to which run is ready first. Of both, what came
furthest ranks first.

Once a budget is spent, by all sittings together, no run is begun, and what runs stops at the end of
its epoch. All is kept and ranked, and --resume with more minutes goes on. A run is the same to the
bit with a budget and without.

Exit codes: 0 success, 1 something failed, or with --no-wait other shards must come further first,
2 wrong usage, 130 interrupted, 143 terminated."
)]
pub(crate) struct SweepArgs {
    #[command(subcommand)]
    pub(crate) command: Option<SweepCommand>,
    /// Let a setting vary over these values; may be given for several settings
    #[arg(long, value_name = "SETTING=VALUES", value_parser = Vary::parse)]
    pub(crate) vary: Vec<Vary>,
    /// Take the sweep from a file, such as the sweep.toml of another; options given beside it win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Let the base begin with a recipe; --config and the options beside it win
    #[arg(long, value_name = "NAME", value_parser = recipe())]
    pub(crate) recipe: Option<Recipe>,
    /// How points are chosen: grid (all combinations), random, halving (random, and the worse are
    /// given up early), or asha (likewise, but as results come, for as long as there is time)
    /// [default: grid]
    #[arg(long, value_name = "NAME", value_parser = word::<Method>)]
    pub(crate) method: Option<Method>,
    /// Seeds that each point is trained with: a list, or how many from 0 [default: 0,1,2]
    #[arg(long, value_name = "N,...|COUNT", value_parser = Seeds::parse)]
    pub(crate) seeds: Option<Seeds>,
    /// Points that random, halving and asha draw [default: 20; of asha with a budget as many as it is
    /// enough for, up to 1000]
    #[arg(long, value_name = "N")]
    pub(crate) samples: Option<usize>,
    /// Decides which points they draw [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) search_seed: Option<u64>,
    /// Minutes after which no more is begun, over all sittings; with --resume, the new limit
    #[arg(long, value_name = "N", value_parser = minutes, allow_negative_numbers = true)]
    pub(crate) budget_minutes: Option<f64>,
    /// Epochs after which halving and asha first compare points [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) min_epochs: Option<usize>,
    /// One of how many points goes on then, for how many times the epochs [default: 3]
    #[arg(long, value_name = "N")]
    pub(crate) factor: Option<usize>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Folder of the sweep, which must not exist or be empty, except with --shard [default: the next
    /// number in sweeps/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Continue this sweep
    #[arg(long, value_name = "DIR")]
    pub(crate) resume: Option<PathBuf>,
    /// Runs side by side [default: as many as there are threads; with asha, 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) jobs: Option<usize>,
    /// Threads of all runs together [default: as many as there are cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// Do only part I of N, from 0 to N-1; another part may be done elsewhere at the same time. The
    /// folder is --out or --resume, and is joined if the same sweep is there already
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// Where halving needs the results of other shards, stop instead of waiting
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Print one JSON object at the end instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress and no text: only the folder's path (or the JSON), and errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}

/// What can be done with a sweep that is there.
#[derive(Debug, Subcommand)]
pub(crate) enum SweepCommand {
    /// Put together what the runs of a sweep have given so far
    Collect(CollectArgs),
}

/// `fashion sweep collect`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fashion sweep collect sweeps/001
  fashion sweep collect /shared/rates --json | jq '.points[0].settings'

Writes results.csv (a line for each run), points.csv (a line for each point), timings.csv and figures/
into the folder, and says which runs are missing.
Exit codes: 0 success, 1 something failed, 2 wrong usage.")]
pub(crate) struct CollectArgs {
    /// The sweep's folder
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// No text: only the folder's path (or the JSON), and errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}
