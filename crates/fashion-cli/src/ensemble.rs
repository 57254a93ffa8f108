//! `fashion ensemble`

use crate::announce;
use crate::args::EnsembleArgs;
use crate::eval::refuse_inside;
use crate::exit;
use crate::output::{self, about, quoted};
use crate::place::{self, Bar};
use crate::train::fit;
use anyhow::{Context, Result, bail};
use fashion_data::files::check_file;
use fashion_data::{HoldOut, Splits};
use fashion_eval::{ConfusionMatrix, Predictions, log_loss, thousands};
use fashion_judge::{
    Calibrator, Ensemble, Trained, bins_of, known_images, mean_over, predict_held_out,
};
use fashion_model::{ClassBins, Classifier, Tta};
use fashion_train::{BinRules, Config};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// How good a classifier is on the part held out.
#[derive(Serialize)]
struct Score {
    accuracy: f64,
    /// Of the plain probabilities, in nats.
    log_loss: f64,
}

/// A member, as `--json` prints it.
#[derive(Serialize)]
struct Member {
    run: String,
    architecture: String,
    /// As it is alone; `null` where nothing was held out.
    held_out: Option<Score>,
}

/// The object that `--json` prints.
#[derive(Serialize)]
struct Summary {
    file: String,
    architecture: String,
    tta: Tta,
    data: String,
    members: Vec<Member>,
    /// The part held out has so many images.
    images: usize,
    /// `null` where nothing was held out, as the two below.
    held_out: Option<Score>,
    temperature: Option<f64>,
    /// `null` where no target accuracy was given, or no confidence is enough, too.
    threshold: Option<f64>,
    target_accuracy: Option<f64>,
}

/// Joins runs, calibrates what comes of it and writes it.
pub(crate) fn run(args: &EnsembleArgs) -> Result<ExitCode> {
    let out = args.out.as_path();
    if out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")) {
        return Err(exit::usage(format!(
            "--out is {}, and this writes safetensors; choose a name that ends so, then `fashion export` it",
            out.display()
        )));
    }
    if !args.force && out.exists() {
        bail!("{} exists already; choose another --out, or replace it with --force", out.display());
    }
    check_file(out).with_context(|| format!("cannot write {}", out.display()))?;
    check_once(&args.runs)?;
    let members = args.runs.iter().map(|run| Trained::load(run));
    let members = members.collect::<Result<Vec<_>, _>>()?;
    check_preparations(&members)?;
    let mut runs = members.iter().filter_map(|member| member.run.as_ref());
    runs.try_for_each(|run| refuse_inside(run.path(), out))?;
    let tta = match args.tta {
        Some(tta) => tta,
        None => agreed("--tta", members.iter().map(|member| member.classifier.tta()))?,
    };
    let bins = match &args.bins {
        Some(file) => {
            let classes = members[0].classifier.classes();
            let bins = BinRules::file(file).for_classes(classes)?;
            Some(ClassBins(bins.names_of_classes()))
        }
        None => agreed("--bins", members.iter().map(|member| member.classifier.bins().cloned()))?,
    };
    let ensemble = Ensemble::of(&members, tta)?.with_bins(bins.as_ref())?;
    let target = match args.target_accuracy {
        None => agreed(
            "--target-accuracy",
            ensemble.configs().iter().map(|c| c.training.target_accuracy),
        )?,
        target if ensemble.config().training.validation.chooses() => target,
        _ => {
            return Err(exit::usage(
                "--target-accuracy has to be chosen on images that no run was trained on; these held \
                 nothing out",
            ));
        }
    };
    let (first, bar) = (&members[0], Bar::unless(args.json));
    let found = place::load_for(first.run.as_ref(), &args.data, first.prepare()?, bar)?;
    check_data(&members, ensemble.configs(), &found.splits)?;
    for member in &members {
        about("member", member.describe());
    }
    announce::data(&found);

    let hold_out = ensemble.config().training.hold_out(&found.splits)?;
    let judge = |classifier: &Classifier, parts: &HoldOut| {
        predict_held_out(classifier, &found.splits, parts)
            .map(|held_out| (score(&held_out), held_out))
    };
    let mut alone = Vec::new();
    for (run, member) in args.runs.iter().zip(&members) {
        let judged = hold_out.as_ref().map(|parts| judge(&member.classifier, parts)).transpose()?;
        alone.push(Member {
            run: run.display().to_string(),
            architecture: member.classifier.architecture().to_owned(),
            held_out: judged.map(|(score, _)| score),
        });
    }
    let together =
        hold_out.as_ref().map(|parts| judge(ensemble.classifier(), parts)).transpose()?;
    let bins = bins_of(ensemble.classifier())?;
    let calibrator =
        together.as_ref().map(|(_, held_out)| fit(held_out, target, bins.as_ref(), false));
    let calibrator = calibrator.transpose()?;
    if calibrator.is_none() {
        about(
            "note",
            "nothing was held out to calibrate by: the file says nothing of its confidence",
        );
    }
    let novelty = known_images(ensemble.classifier(), &found.splits, hold_out.as_ref())?;
    let summary = Summary {
        file: out.display().to_string(),
        architecture: ensemble.classifier().architecture().to_owned(),
        tta,
        data: ensemble.config().data.origin.clone(),
        members: alone,
        images: hold_out.map_or(0, |parts| parts.held_out.len()),
        held_out: together.map(|(score, _)| score),
        temperature: calibrator.map(|calibrator| calibrator.temperature.value()),
        threshold: calibrator.and_then(|calibrator| calibrator.threshold?.value),
        target_accuracy: target,
    };
    let all = mean_over(ensemble.classifier());
    ensemble.save(out, calibrator, &novelty)?;
    let text = match args.json {
        true => output::json_line(&summary)?,
        false => text(args, &summary, &found.place().place, all, calibrator),
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// A run that is given twice, or with one of its networks, would only count twice.
fn check_once(runs: &[PathBuf]) -> Result<()> {
    let real: Vec<PathBuf> =
        runs.iter().map(|run| run.canonicalize().unwrap_or_else(|_| run.clone())).collect();
    for (at, run) in real.iter().enumerate() {
        if real[..at].iter().any(|other| run.starts_with(other) || other.starts_with(run)) {
            let run = runs[at].display();
            return Err(exit::usage(format!("{run} is given twice; give each run once")));
        }
    }
    Ok(())
}

/// Pictures are prepared in one way for all networks.
fn check_preparations(members: &[Trained]) -> Result<()> {
    let all = members.iter().map(Trained::preparation).collect::<Result<Vec<_>, _>>()?;
    match all.iter().position(|other| *other != all[0]) {
        Some(at) => Err(exit::usage(format!(
            "the runs differ in their --prepare: {} and {} cannot see the same picture",
            members[0].path.display(),
            members[at].path.display()
        ))),
        None => Ok(()),
    }
}

/// What all runs do, where no option says it.
fn agreed<T: PartialEq>(option: &str, mut all: impl Iterator<Item = T>) -> Result<T> {
    let first = all.next().context("there is no run")?;
    match all.all(|other| other == first) {
        true => Ok(first),
        false => {
            Err(exit::usage(format!("the runs differ in their {option}; say which with {option}")))
        }
    }
}

/// Makes sure that the data are still those of all runs.
fn check_data(members: &[Trained], configs: &[Config], splits: &Splits) -> Result<()> {
    for (member, config) in members.iter().zip(configs) {
        member.check_data(&splits.train)?;
        let run = member.run.as_ref().context("a run")?;
        config.check_data(splits, run.path())?;
    }
    Ok(())
}

fn score(held_out: &Predictions) -> Score {
    let accuracy = ConfusionMatrix::from(held_out).accuracy();
    Score { accuracy, log_loss: log_loss(held_out) }
}

fn text(
    args: &EnsembleArgs,
    summary: &Summary,
    place: &str,
    all: Option<String>,
    calibrator: Option<Calibrator>,
) -> String {
    let mut text = String::new();
    if let Some(together) = &summary.held_out {
        let rows = summary.members.iter().filter_map(|member| {
            Some((member.run.as_str(), member.architecture.as_str(), member.held_out.as_ref()?))
        });
        let last = (summary.file.as_str(), summary.architecture.as_str(), together);
        let rows: Vec<_> = rows.chain([last]).collect();
        let name = output::width(rows.iter().map(|row| row.0), 8);
        let network = output::width(rows.iter().map(|row| row.1), 8);
        text += &format!(
            "On the {} images that all of them held out:\n\n\
             {:name$}  {:network$}  accuracy  log loss\n",
            thousands(summary.images),
            "",
            "network"
        );
        for (run, architecture, Score { accuracy, log_loss }) in rows {
            text += &format!(
                "{}  {}  {:>8}  {log_loss:>8.4}\n",
                output::padded(run, name),
                output::padded(architecture, network),
                output::percent(*accuracy)
            );
        }
        text.push('\n');
    }
    if let Some(Calibrator { temperature, threshold }) = calibrator {
        text += &format!("Temperature {:.3}", temperature.value());
        if let Some(threshold) = threshold {
            text += &format!("; sorting: {}", crate::predict::describe(&threshold));
        }
        text += ".\n";
    }
    let all = all.map_or(String::new(), |all| format!(": the mean over {all}"));
    let file = quoted(&args.out);
    text + &format!(
        "{file} is a classifier{all}.\n\
         \u{20} for `fashion eval {file} --data {}` and `fashion predict {file} IMAGE...`\n",
        quoted(place)
    )
}
