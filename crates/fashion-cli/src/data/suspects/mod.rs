//! `fashion data suspects`

mod progress;
mod show;

use crate::announce;
use crate::args::SuspectsArgs;
use crate::exit;
use crate::output::{self, about};
use crate::place::{self, Bar, Found};
use crate::train::interrupt::Interrupt;
use crate::train::plan;
use anyhow::{Context, Result, bail};
use fashion_data::files::{check_file, write_atomically};
use fashion_data::{Dataset, Flipped, flip_labels};
use fashion_eval::Predictions;
use fashion_eval::suspects::{Detection, Pruning, Score, Suspects};
use fashion_eval::thousands;
use fashion_model::Architecture;
use fashion_train::{Settings, cross_predict, describe, with_threads};
use ndarray::Array2;
use progress::Progress;
use show::{Planted, Shown};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

/// The most repetitions that can be asked for.
const MAX_REPEATS: usize = 100;

/// Looks for wrong labels.
pub(crate) fn run(args: &SuspectsArgs) -> Result<ExitCode> {
    let settings = Settings { epochs: args.epochs, seed: args.seed, ..Settings::default() };
    check(args, &settings)?;
    let threads = plan::threads(args.threads)?;
    let found = place::load(&args.data, None, Bar::unless(args.quiet || args.json))?;
    let train = &found.splits.train;
    if args.folds > train.len() {
        return Err(exit::usage(format!(
            "--folds is {}; expected 2 to {}, the number of training images",
            args.folds,
            train.len()
        )));
    }
    if let Some(item) = args.items.iter().find(|&&item| item >= train.len()) {
        return Err(exit::usage(format!(
            "--items has {item}; the training set has the items 0 to {}",
            train.len() - 1
        )));
    }
    let flipped = args
        .plant
        .map(|share| flip_labels(train, share, args.seed))
        .transpose()
        .map_err(exit::usage)?;
    let interrupt = Interrupt::listen()?;
    let mut progress = Progress::new(interrupt, args);
    if !args.quiet {
        announce(args, &found, flipped.as_ref(), threads);
    }
    let dataset = flipped.as_ref().map_or(train, |flipped| &flipped.dataset);
    let predicted = with_threads(threads, || {
        let predicted = predict(dataset, &settings, args, &mut progress);
        progress.clear();
        predicted
    })??;
    let ControlFlow::Continue((predictions, learned_nothing)) = predicted else {
        output::note("Interrupted: nothing was written.");
        return Ok(interrupt.code().into());
    };
    if learned_nothing > 0 && !args.quiet {
        output::note(&format!(
            "note     {learned_nothing} of {} networks learned nothing: what they say of labels means \
             nothing. Train them for more --epochs",
            args.folds * args.repeats
        ));
    }
    let suspects = Suspects::find(&predictions, Pruning::NoiseRate, Score::PairWeighted);
    let shown = Shown {
        args,
        origin: found.splits.origin.to_string(),
        classes: found.splits.train.classes().clone(),
        planted: flipped.and_then(|flipped| planted(&suspects, flipped)),
        suspects,
        files: found.splits.names(),
        learned_nothing,
    };
    let write = |out| {
        // It was not there when the work began.
        check_absent(out)?;
        let csv = shown.csv();
        write_atomically(out, |file| file.write_all(csv.as_bytes()))
            .with_context(|| format!("cannot write {}", out.display()))
    };
    let written = args.out.as_deref().map_or(Ok(()), write);
    let text = match (args.json, args.csv) {
        (true, _) => shown.json()?,
        (_, true) => shown.csv(),
        _ => shown.text(),
    };
    output::print_beside(written, &text)
}

/// A file that is there is never overwritten.
fn check_absent(out: &Path) -> Result<()> {
    if out.symlink_metadata().is_ok() {
        bail!("{} exists already and is not overwritten; choose another --out", out.display());
    }
    Ok(())
}

/// What can be said of the options before the data are read.
fn check(args: &SuspectsArgs, settings: &Settings) -> Result<()> {
    settings.check().map_err(exit::usage)?;
    if args.folds < 2 {
        return Err(exit::usage(format!("--folds is {}; expected at least 2", args.folds)));
    }
    if !(1..=MAX_REPEATS).contains(&args.repeats) {
        return Err(exit::usage(format!(
            "--repeats is {}; expected 1 to {MAX_REPEATS}",
            args.repeats
        )));
    }
    let Some(out) = &args.out else { return Ok(()) };
    check_absent(out)?;
    check_file(out).with_context(|| {
        let out = out.display();
        format!(
            "cannot write {out}; choose an --out in a folder that is there and may be written to"
        )
    })
}

/// Says what is going to happen.
fn announce(args: &SuspectsArgs, found: &Found, flipped: Option<&Flipped>, threads: usize) {
    announce::data(found);
    about("", format_args!("{} training images", thousands(found.splits.train.len())));
    if let Some(flipped) = flipped {
        about("planted", format_args!("{} wrong labels", thousands(flipped.items.len())));
    }
    let SuspectsArgs { folds, repeats, epochs, seed, .. } = args;
    let networks = folds * repeats;
    let times = if *repeats == 1 { "once".to_owned() } else { format!("{repeats} times") };
    about(
        "training",
        format_args!(
            "{networks} networks ({}) of {}: {folds} folds, {times}, seed {seed}",
            Architecture::default(),
            describe::epochs(*epochs as f64)
        ),
    );
    announce::machine(threads);
}

/// Out-of-sample probabilities of all items, averaged over the repetitions, and the given labels; and
/// how many networks learned nothing.
fn predict(
    dataset: &Dataset,
    settings: &Settings,
    args: &SuspectsArgs,
    progress: &mut Progress,
) -> Result<ControlFlow<(), (Predictions, usize)>> {
    let classes = dataset.classes().len();
    let mut mean = Array2::<f64>::zeros((dataset.len(), classes));
    let mut learned_nothing = 0;
    for repeat in 0..args.repeats {
        progress.begin(repeat);
        let settings = Settings { seed: args.seed.wrapping_add(repeat as u64), ..settings.clone() };
        let network = settings.network.build(classes, settings.seed);
        let predicted = match cross_predict(&network, dataset, &settings, args.folds, progress)? {
            ControlFlow::Continue(predicted) => predicted,
            ControlFlow::Break(()) => return Ok(ControlFlow::Break(())),
        };
        learned_nothing += predicted.learned_nothing;
        mean += &Array2::from_shape_vec((dataset.len(), classes), predicted.probabilities)?;
    }
    mean /= args.repeats as f64;
    let labels = dataset.labels().iter().map(|&label| label.into()).collect();
    Ok(ControlFlow::Continue((Predictions::new(mean, labels)?, learned_nothing)))
}

/// How well the planted labels were found.
fn planted(suspects: &Suspects, Flipped { items, .. }: Flipped) -> Option<Planted> {
    let is_planted = |index: usize| items.binary_search(&index).is_ok();
    let ranking = suspects.ranking.iter().map(|suspect| is_planted(suspect.index));
    let Detection { wrong, average_precision, precision } = Detection::new(ranking)?;
    let pruned = suspects.pruned().count();
    let caught = suspects.pruned().filter(|suspect| is_planted(suspect.index)).count();
    Some(Planted {
        count: wrong,
        average_precision,
        precision,
        suspects_precision: if pruned == 0 { 0.0 } else { caught as f64 / pruned as f64 },
        suspects_recall: caught as f64 / items.len() as f64,
        items,
    })
}
