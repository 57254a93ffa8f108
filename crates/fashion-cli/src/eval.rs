//! `fashion eval`

use crate::args::{EvalArgs, SplitArg};
use crate::exit;
use crate::judge::{Judged, judge, judge_test};
use crate::output;
use crate::place;
use crate::run_report::{self, Material};
use crate::weights::{self, Loaded};
use anyhow::{Context, Result};
use fashion_data::{Splits, stratified_split};
use fashion_eval::predictions_csv::Split;
use fashion_model::Network;
use fashion_train::{Config, Epoch, RunFolder, Validation};
use std::process::ExitCode;

/// Judges weights.
pub(crate) fn run(args: &EvalArgs) -> Result<ExitCode> {
    let loaded = weights::load(&args.weights)?;
    let of_run = match &loaded.run {
        Some(run) => Some((run.config()?, run.history()?)),
        None => None,
    };
    let config = of_run.as_ref().map(|(config, _)| config);
    let held_out = match args.split {
        SplitArg::Test => None,
        SplitArg::Validation => Some(held_out_part(args, config)?),
    };
    let found = match &loaded.run {
        Some(run) => place::load_for(run, &args.data)?,
        None => place::load(&args.data)?,
    };
    let splits = &found.splits;
    if let (Some(run), Some(config)) = (&loaded.run, config) {
        config.check_data(splits, run.path()).with_context(|| {
            let file = loaded.path.display();
            format!("cannot judge the run on these data; to do that, give its weights: {file}")
        })?;
    }
    // Made before the work, so that a folder that is in the way is told at once.
    let out = args.out.as_deref().map(|out| RunFolder::create(Some(out))).transpose()?;
    output::note(&format!("weights  {}", loaded.describe()));
    output::note(&format!("data     {} · {}", splits.origin, found.source));
    let judged = judged(&loaded, splits, held_out)?;
    let material = Material {
        splits,
        judged: &judged,
        held_out: None,
        run: of_run.as_ref().map(|(config, history): &(Config, Vec<Epoch>)| (config, &history[..])),
        parameters: loaded.network.parameter_count(),
    };
    if let Some(out) = out {
        material.write(out.path())?;
        output::note(&format!("files    {}", out.path().display()));
    }
    if args.csv {
        output::print(&String::from_utf8(material.predictions_csv()?)?)?;
    } else if args.json {
        output::print(&run_report::metrics_json(&judged))?;
    } else {
        output::print(&judged.metrics.to_text())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The share that a run held out, and the seed that chose it.
fn held_out_part(args: &EvalArgs, config: Option<&Config>) -> Result<(f64, u64)> {
    let place = args.weights.display();
    match config.map(|config| &config.training) {
        None => Err(exit::usage(format!(
            "{place} is a weights file, which does not say what was held out for validation; give \
             the folder of its run, or judge it with --split test"
        ))),
        Some(settings) => match settings.validation {
            Validation::Fraction(fraction) => Ok((fraction, settings.seed)),
            other => Err(exit::usage(format!(
                "{place} was trained with --validation {other}, so no part of the training set was \
                 held out; judge it with --split test"
            ))),
        },
    }
}

fn judged(loaded: &Loaded, splits: &Splits, held_out: Option<(f64, u64)>) -> Result<Judged> {
    let origin = splits.origin.to_string();
    match held_out {
        None => judge_test(&loaded.network, &splits.test, &origin),
        Some((fraction, seed)) => {
            let indices = stratified_split(splits.train.labels(), fraction, seed)?.held_out;
            judge(&loaded.network, &splits.train, &indices, Split::Validation, &origin)
        }
    }
}
