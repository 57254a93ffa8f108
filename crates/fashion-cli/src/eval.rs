//! `fashion eval`

use crate::announce;
use crate::args::{EvalArgs, SplitArg};
use crate::bins;
use crate::exit;
use crate::output;
use crate::place::{self, Bar};
use crate::predict::{self, unlike_the_data};
use crate::train::fit;
use anyhow::{Context, Result, bail};
use fashion_data::{Classes, Splits};
use fashion_eval::predictions_csv::Split;
use fashion_eval::{Metrics, TextOptions, thousands};
use fashion_judge::{Judgement, Report, bins_of, predict_held_out, read_answers, unknown_images};
use fashion_model::Classifier;
use fashion_train::{BinRules, Config, Epoch, RunFolder, Settings};
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
    let (trained, calibrated) = predict::load(place, args.tta)?;
    let (trained, unsorted) = bins::with_bins(trained, args.bins.as_deref())?;
    let of_run = match &trained.run {
        Some(run) => Some((run.config()?, run.history()?)),
        None => None,
    };
    let config = of_run.as_ref().map(|(config, _)| config);
    let on_held_out = args.split == SplitArg::Validation;
    if on_held_out || args.target_accuracy.is_some() {
        holding_out(place, config)?;
    }
    if on_held_out && args.target_accuracy.is_some() {
        return Err(exit::usage(
            "--target-accuracy chooses on the part held out, so that it can only be checked on the \
             test set; leave out --split validation",
        ));
    }
    let bar = Bar::unless(args.json);
    let found = place::load_for(trained.run.as_ref(), &args.data, trained.prepare()?, bar)?;
    let splits = &found.splits;
    trained.check_data(&splits.train)?;
    if let (Some(run), Some(config)) = (&trained.run, config) {
        config.check_data(splits, run.path()).with_context(|| {
            let file = trained.path.display();
            format!("cannot judge the run on these data; to do that, give its weights: {file}")
        })?;
    }
    if let (Some(run), Some(out)) = (&trained.run, &args.out) {
        refuse_inside(run.path(), out)?;
    }
    // Made before the work, so that a folder that is in the way is told at once.
    let out = args.out.as_deref().map(|out| RunFolder::create(Some(out))).transpose()?;
    output::about("weights", trained.describe());
    announce::data(&found);
    let judged_by = &trained.classifier;
    let hold_out = match config {
        Some(config) => config.training.hold_out(splits)?,
        None => None,
    };
    let lost = calibrated && judged_by.calibration().is_none();
    let calibrator = match &hold_out {
        // Temperature and threshold were chosen on these very images and would look too good.
        _ if on_held_out => None,
        Some(parts) if lost || unsorted || args.target_accuracy.is_some() => {
            let held_out = predict_held_out(judged_by, splits, parts)?;
            let target = config.and_then(|config| config.training.target_accuracy);
            let bins = bins_of(judged_by)?;
            Some(fit(&held_out, args.target_accuracy.or(target), bins.as_ref(), false)?)
        }
        _ => {
            if lost {
                output::about("note", predict::not_calibrated(&trained));
            } else if let (true, Some(file)) = (unsorted, &args.bins) {
                output::about("note", bins::no_threshold(&trained, file));
            }
            trained.calibrator()?
        }
    };
    let judged = hold_out.as_ref().filter(|_| on_held_out);
    let judgement = Judgement::of(judged_by, splits, judged)?.calibrated_by(calibrator);
    if judgement.metrics.confidence.sorted().is_some() {
        warn_of_unlike(&judgement, splits);
    }
    tell_of_unknown(judged_by, &judgement, splits)?;
    let report = Report {
        classifier: judged_by,
        splits,
        judgement: &judgement,
        hold_out: hold_out.as_ref(),
        held_out: None,
        run: of_run.as_ref().map(|(config, history): &(Config, Vec<Epoch>)| (config, &history[..])),
        trained_on: trained.trained_on(),
    };
    let written = out.map_or(Ok(()), |out| {
        report.write(&out)?;
        output::about("files", out.path().display());
        Ok(())
    });
    let text = match args.csv {
        true => String::from_utf8(report.predictions_csv()?)?,
        false => text(args, &judgement.metrics),
    };
    output::print_beside(written, &text)
}

/// Says of how many images the sorting tells nothing, since `predict` prepares them first or leaves them to
/// a person however sure the network is.
fn warn_of_unlike(judgement: &Judgement, splits: &Splits) {
    let images = judgement.images(splits);
    let unlike = |&&index: &&usize| {
        unlike_the_data(images.pixels(index), [images.side(), images.channels()]).is_some()
    };
    let indices = judgement.predictions.indices();
    match indices.iter().filter(unlike).count() {
        0 => {}
        count => output::note(&format!(
            "note     {} of these {} images have a bright background or are blank: `predict` prepares them, or \
             leaves them to a person; here they are sorted by confidence alone",
            thousands(count),
            thousands(indices.len())
        )),
    }
}

/// Says how many images `predict` calls unknown.
fn tell_of_unknown(classifier: &Classifier, judgement: &Judgement, splits: &Splits) -> Result<()> {
    let indices = judgement.predictions.indices();
    let Some(unknown) = unknown_images(classifier, judgement.images(splits), indices)? else {
        return Ok(());
    };
    let share = output::percent(unknown as f64 / indices.len() as f64);
    let [unknown, all] = [unknown, indices.len()].map(thousands);
    output::about("unknown", format_args!("{share}, {unknown} of {all} images are called so"));
    Ok(())
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
    let predictions = read_answers(probabilities, labels)?;
    let context = fashion_eval::Context {
        data: probabilities.display().to_string(),
        split: "all".to_owned(),
        classes: place::classes(&args.data)?
            .unwrap_or_else(|| Classes::numbered(predictions.classes()))
            .to_vec(),
    };
    let rules = args.bins.as_ref().map(BinRules::file);
    let bins = rules.map(|rules| rules.for_classes(&context.classes)).transpose()?;
    let judgement = Judgement::new(predictions, Split::Test, &context)?;
    let calibrator = match (&args.held_out[..], args.target_accuracy) {
        ([p, y], target) => {
            let held_out = read_answers(p, y)?;
            let (there, here) = (held_out.classes(), judgement.predictions.classes());
            if there != here {
                bail!(
                    "{} has {there} classes and {} has {here}; expected the same classifier's \
                     answers in both",
                    p.display(),
                    probabilities.display()
                );
            }
            Some(fit(&held_out, target, bins.as_ref(), false)?)
        }
        (_, Some(_)) => {
            return Err(exit::usage(
                "--target-accuracy has to be chosen on items that nothing else was chosen on; give \
                 the classifier's answers for such items with --held-out PROBABILITIES LABELS",
            ));
        }
        (_, None) => None,
    };
    let judgement = judgement.in_bins(bins).calibrated_by(calibrator);
    output::print(&text(args, &judgement.metrics))?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses to write into a run, which is never changed, by whatever way it is named.
pub(crate) fn refuse_inside(run: &Path, out: &Path) -> Result<()> {
    // A network of several has its run within theirs.
    let all = run.parent().filter(|parent| parent.ends_with("members")).and_then(Path::parent);
    let run = all.filter(|all| all.join("config.toml").is_file()).unwrap_or(run);
    if place::real(out).starts_with(place::real(run)) {
        return Err(exit::usage(format!(
            "--out is {}, inside the run {}, which is never changed; choose a place elsewhere",
            out.display(),
            run.display()
        )));
    }
    Ok(())
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn text(args: &EvalArgs, metrics: &Metrics) -> String {
    if args.json {
        metrics.to_json()
    } else if args.markdown {
        metrics.to_markdown()
    } else {
        let order = args.order.into();
        metrics.to_text_with(TextOptions { colour: output::colours(), order })
    }
}

/// The settings of a run that has held out a part, on which it can be judged.
pub(crate) fn holding_out<'a>(place: &Path, config: Option<&'a Config>) -> Result<&'a Settings> {
    let place = place.display();
    match config.map(|config| &config.training) {
        None => Err(exit::usage(format!(
            "{place} is a weights file, which does not say what was held out for validation; give \
             the folder of its run, or judge it with --split test and without --target-accuracy"
        ))),
        Some(settings) if settings.validation.chooses() => Ok(settings),
        Some(Settings { validation, .. }) => Err(exit::usage(format!(
            "{place} was trained with --validation {validation}, so nothing was held out; judge it with --split test and without --target-accuracy"
        ))),
    }
}
