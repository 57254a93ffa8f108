//! `fashion eval`

use crate::args::{EvalArgs, SplitArg};
use crate::confidence::Trust;
use crate::exit;
use crate::judge::{
    HeldOutPart, Judged, Neighbours, held_out_indices, judge_part, neighbours, predictions,
};
use crate::output;
use crate::outside;
use crate::place;
use crate::run_report::{self, Material};
use crate::weights::{self, Loaded};
use anyhow::{Context, Result, bail};
use fashion_data::Splits;
use fashion_eval::TextOptions;
use fashion_train::{Config, Epoch, RunFolder};
use std::path::Path;
use std::process::ExitCode;

/// Judges weights, or what another program has answered.
pub(crate) fn run(args: &EvalArgs) -> Result<ExitCode> {
    match (&args.weights, &args.probabilities, &args.labels) {
        (Some(place), None, None) => weights(args, place),
        (None, Some(probabilities), Some(labels)) => answers(args, probabilities, labels),
        // clap sees to it that one of the two is given whole.
        _ => Err(exit::usage("give a run, a weights file, or --probabilities with --labels")),
    }
}

/// Judges a run or a weights file.
fn weights(args: &EvalArgs, place: &Path) -> Result<ExitCode> {
    let loaded = weights::load(place)?;
    let of_run = match &loaded.run {
        Some(run) => Some((run.config()?, run.history()?)),
        None => None,
    };
    let config = of_run.as_ref().map(|(config, _)| config);
    let held_out = match args.split {
        SplitArg::Test => None,
        SplitArg::Validation => Some(held_out_part(place, config)?),
    };
    let chosen_on = match args.target_accuracy {
        Some(_) if held_out.is_some() => {
            return Err(exit::usage(
                "--target-accuracy chooses on the part held out, so that it can only be checked on \
                 the test set; leave out --split validation",
            ));
        }
        Some(_) => Some(held_out_part(place, config)?),
        None => None,
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
    if let (Some(run), Some(out)) = (&loaded.run, &args.out) {
        refuse_inside(run.path(), out)?;
    }
    // Made before the work, so that a folder that is in the way is told at once.
    let out = args.out.as_deref().map(|out| RunFolder::create(Some(out))).transpose()?;
    output::note(&format!("weights  {}", loaded.describe()));
    output::note(&format!("data     {} · {}", splits.origin, found.source));
    let trust = match held_out {
        None => trust(&loaded, splits, chosen_on, args.target_accuracy)?,
        // Temperature and threshold were chosen on these very images and would look too good.
        Some(_) => None,
    };
    let judged = judge_part(&*loaded.network, splits, held_out)?.trusting(trust.as_ref());
    let trained_without = held_out_part(place, config).ok();
    let neighbours = match out {
        Some(_) => neighbours(&*loaded.network, splits, &judged, trained_without)?,
        None => Neighbours::new(),
    };
    let material = Material {
        splits,
        judged: &judged,
        held_out: None,
        run: of_run.as_ref().map(|(config, history): &(Config, Vec<Epoch>)| (config, &history[..])),
        neighbours,
        trained_on: loaded.metadata.get("data").cloned(),
        parameters: loaded.network.parameter_count(),
    };
    let written = out.map_or(Ok(()), |out| {
        material.write(out.path())?;
        output::note(&format!("files    {}", out.path().display()));
        Ok(())
    });
    let text = match args.csv {
        true => String::from_utf8(material.predictions_csv()?)?,
        false => text(args, &judged),
    };
    output::print_beside(written, &text)
}

/// Judges what another program has answered.
fn answers(args: &EvalArgs, probabilities: &Path, labels: &Path) -> Result<ExitCode> {
    if args.out.is_some() || args.csv {
        return Err(exit::usage(
            "--out and --csv are about images and weights, of which --probabilities has none; use \
             --json or --markdown",
        ));
    }
    if let [p, _] = &args.held_out[..]
        && same_file(p, probabilities)
    {
        return Err(exit::usage(format!(
            "--held-out and --probabilities are the same file, {}: what is chosen on some items \
             cannot be checked on them; give the answers for others",
            p.display()
        )));
    }
    let judged = outside::judge(
        outside::read(probabilities, labels)?,
        probabilities,
        args.classes.as_deref(),
    )?;
    let trust = match (&args.held_out[..], args.target_accuracy) {
        ([p, y], target) => {
            let held_out = outside::read(p, y)?;
            let (there, here) = (held_out.classes(), judged.predictions.classes());
            if there != here {
                bail!(
                    "{} has {there} classes and {} has {here}; expected the same classifier's \
                     answers in both",
                    p.display(),
                    probabilities.display()
                );
            }
            Some(Trust::fit(&held_out, target, false)?)
        }
        (_, Some(_)) => {
            return Err(exit::usage(
                "--target-accuracy has to be chosen on items that nothing else was chosen on; give \
                 the classifier's answers for such items with --held-out PROBABILITIES LABELS",
            ));
        }
        (_, None) => None,
    };
    output::print(&text(args, &judged.trusting(trust.as_ref())))?;
    Ok(ExitCode::SUCCESS)
}

/// A run is never changed, so nothing is written into it either.
fn refuse_inside(run: &Path, out: &Path) -> Result<()> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if absolute(out).starts_with(absolute(run)) {
        return Err(exit::usage(format!(
            "--out is {}, inside the run {}, which eval never changes; choose a folder elsewhere",
            out.display(),
            run.display()
        )));
    }
    Ok(())
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn text(args: &EvalArgs, judged: &Judged) -> String {
    if args.json {
        run_report::metrics_json(judged)
    } else if args.markdown {
        judged.metrics.to_markdown()
    } else {
        let order = args.order.into();
        judged.metrics.to_text_with(TextOptions { colour: output::colours(), order })
    }
}

/// What is known of the confidence: from the weights file, or, for a target, found out anew.
fn trust(
    loaded: &Loaded,
    splits: &Splits,
    chosen_on: Option<HeldOutPart>,
    target: Option<f64>,
) -> Result<Option<Trust>> {
    if let Some(part) = chosen_on {
        let indices = held_out_indices(splits, part)?;
        let held_out = predictions(&*loaded.network, &splits.train, &indices)?;
        return Ok(Some(Trust::fit(&held_out, target, false)?));
    }
    loaded.trust()
}

/// The share that a run held out, and the seed that chose it.
pub(crate) fn held_out_part(place: &Path, config: Option<&Config>) -> Result<HeldOutPart> {
    let place = place.display();
    match config.map(|config| &config.training) {
        None => Err(exit::usage(format!(
            "{place} is a weights file, which does not say what was held out for validation; give \
             the folder of its run, or judge it with --split test and without --target-accuracy"
        ))),
        Some(settings) => HeldOutPart::of(settings).ok_or_else(|| {
            exit::usage(format!(
                "{place} was trained with --validation {}, so no part of the training set was held \
                 out; judge it with --split test and without --target-accuracy",
                settings.validation
            ))
        }),
    }
}
