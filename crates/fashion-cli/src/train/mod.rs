//! `fashion train`

pub(crate) mod interrupt;
mod logs;
pub(crate) mod plan;
pub(crate) mod progress;
mod summary;

use crate::announce;
use crate::args::TrainArgs;
use crate::exit;
use crate::long_average;
use crate::output::{self, about, inline, quoted};
use crate::place::{self, Bar, Found};
use anyhow::{Context, Result, bail};
use fashion_data::{Classes, Splits};
use fashion_eval::interval::LEVEL;
use fashion_eval::selective::Threshold;
use fashion_eval::{Bins, Metrics, Predictions, thousands};
use fashion_judge::{
    Calibrator, Ensemble, Judgement, Report, Trained, bins_of, known_images, knows_held_out,
    predict_held_out, write_curves,
};
use fashion_kernels::simd;
use fashion_model::Tta;
use fashion_train::describe;
use fashion_train::{
    Config, Finish, Freeze, GoOnFrom, LockedRun, Observer, Outcome, RunFolder, Settings,
    Validation, find_weights, train, train_members, with_threads,
};
use interrupt::Interrupt;
use logs::Logs;
use plan::{Chosen, Plan};
use progress::Progress;
use std::process::ExitCode;
use summary::Summary;

/// What there is to say of a network that was never noticeably better than guessing.
const LEARNED_NOTHING: &str = "the network learned nothing: neither its loss nor its accuracy was \
     ever noticeably better than by guessing. Try another learning rate, which `fashion lr-find` suggests, or more epochs";

/// A run that is about to begin, or to go on.
struct Prepared {
    run: LockedRun,
    from: GoOnFrom,
    config: Config,
    found: Found,
    /// Where settings are from, if from elsewhere than the options.
    origin: Option<String>,
}

/// Trains, judges and writes the run folder.
pub(crate) fn run(args: &TrainArgs) -> Result<ExitCode> {
    let plan = Plan::new(args)?;
    let threads = plan::threads(args.threads)?;
    let new = matches!(plan, Plan::New(_));
    let members = match &plan {
        Plan::New(chosen) => chosen.settings.members,
        Plan::Resume(run, _) => run.config()?.training.members,
    };
    logs::check(&args.logs, args.out.as_deref(), new, members)?;
    if let Plan::Resume(run, GoOnFrom::Last) = &plan
        && let Some(summary) = complete(run)?
    {
        if !args.quiet {
            let path = run.path().display();
            output::note(&format!("{path} is complete: there is nothing to resume."));
        }
        return summary.print(args, None, Ok(()));
    }
    // A folder that is begun must not be left without what `--resume` needs.
    let interrupt = Interrupt::listen()?;
    let prepared = prepare(plan, args)?;
    let mut logs = Logs::open(&args.logs, &prepared.run, new)?;
    if !args.quiet {
        announce(&prepared, threads);
        if !prepared.run.is_locked() {
            output::note(&progress::no_locks(prepared.run.path(), "run"));
        }
    }
    let Prepared { run, from, config, found, .. } = &prepared;
    let trained = with_threads(threads, || {
        let (settings, splits, place) = (&config.training, &found.splits, found.place());
        let progress = || Progress::new(interrupt, config, args.quiet);
        if members > 1 {
            let mut follow = |member: &Settings| -> Box<dyn Observer> {
                if !args.quiet {
                    let number = 1 + member.seed - settings.of_member(0).seed;
                    about(
                        "member",
                        format_args!("{number} of {}, seed {}", settings.members, member.seed),
                    );
                }
                Box::new(progress())
            };
            return train_members(run, config, splits, &place, *from, &mut follow);
        }
        let network = settings.network.build(splits.train.classes().len(), settings.seed);
        let mut observers = (&mut progress(), &mut logs);
        train(run, config, network, splits, &place, *from, &mut observers)
    })?;
    let logged = logs.finish();
    let ended = match trained {
        Ok(outcome) => end(&prepared, &outcome, args, threads, interrupt),
        Err(error) => Err(failed(error, run)),
    };
    match (ended, logged) {
        (Ok(code), Err(error)) if code == ExitCode::SUCCESS => Err(error),
        (ended, Err(error)) => {
            about("warning", exit::text(&error));
            ended
        }
        (ended, Ok(())) => ended,
    }
}

/// Judges what was trained, or keeps what there is of it.
fn end(
    prepared: &Prepared,
    outcome: &Outcome,
    args: &TrainArgs,
    threads: usize,
    interrupt: Interrupt,
) -> Result<ExitCode> {
    match outcome.finish {
        Finish::Complete => {
            interrupt.finishing();
            let (test, written) = with_threads(threads, || finish(prepared, outcome, args.quiet))??;
            if outcome.learned_nothing && !args.quiet {
                about("note", LEARNED_NOTHING);
            }
            let run = &prepared.run;
            let written = written.with_context(|| {
                let path = run.path().display();
                format!("{path} lacks files; to write them: {}", resume(run))
            });
            Summary::complete(run, &prepared.config, &outcome.history, &test.metrics).print(
                args,
                Some(&test.metrics),
                written,
            )
        }
        Finish::Stopped => stopped(prepared, outcome, args, interrupt.code()),
    }
}

/// What there is to say of a run all of whose files are there; the page is the last to be written.
fn complete(run: &RunFolder) -> Result<Option<Summary>> {
    let (config, history) = (run.config()?, run.history()?);
    let written = ["metrics.json", "report.html"];
    let written = written.iter().all(|name| run.path().join(name).is_file());
    if !config.training.is_done(&history) || !written {
        return Ok(None);
    }
    let path = run.path().join("metrics.json");
    let json = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let metrics = Metrics::from_json(&json).with_context(|| path.display().to_string())?;
    Ok(Some(Summary::complete(run, &config, &history, &metrics)))
}

fn prepare(plan: Plan, args: &TrainArgs) -> Result<Prepared> {
    match plan {
        Plan::New(chosen) => {
            let Chosen { settings, origin, data } = *chosen;
            let bar = Bar::unless(args.quiet || args.json);
            let found = place::load(&args.data, settings.preparation(), bar)?;
            // Which weights are meant is settled now, whatever becomes of their files.
            let settings = settings.with_digests()?;
            let config = Config::new(settings.network.name(), &found.splits, settings.clone());
            // What cannot be trained on must not use up a run's number.
            let (images, held_out) = settings.check_for(&found.splits)?;
            if !args.quiet {
                warn_of_few(settings.target_accuracy, held_out);
                note_start(&settings, found.splits.train.classes())?;
                note_sources(&config);
                let validation = config.training.validation;
                if found.splits.validation.is_some() && validation != Validation::Part {
                    let unused = "is not used: to validate on it, give --validation part";
                    about("note", format_args!("the validation part of the data {unused}"));
                }
                if let Some((_, note)) = long_average::note([(&settings, images)]) {
                    about("note", note);
                }
            }
            if !args.quiet && data.is_some_and(|data| data != config.data) {
                let now = &config.data.origin;
                output::note(&format!(
                    "note     the settings are from a run on other data; this one trains on {now}"
                ));
            }
            let run = RunFolder::create(args.out.as_deref())?.lock()?;
            Ok(Prepared { run, from: GoOnFrom::Last, config, found, origin })
        }
        Plan::Resume(run, from) => {
            let run = run.lock()?;
            // After its first epoch a run has a checkpoint, unless somebody has taken it away.
            let done = run.history()?.len();
            let config = run.config()?;
            if done > 1 && run.checkpoints().is_empty() && config.training.members == 1 {
                bail!(
                    "{}: its {done} epochs cannot be gone on with: their checkpoints are gone, as they \
                     are where a sweep has ended; train again with --config {}",
                    run.path().display(),
                    quoted(run.config_path())
                );
            }
            let bar = Bar::unless(args.quiet || args.json);
            let prepare = config.training.preparation();
            let found = place::load_for(Some(&run), &args.data, prepare, bar)?;
            config.check_data(&found.splits, run.path())?;
            // The page is the last file to be written; an old one must not vouch for new epochs.
            let page = run.path().join("report.html");
            if page.exists() {
                std::fs::remove_file(&page).with_context(|| page.display().to_string())?;
            }
            if !args.quiet {
                note_arithmetic(&run);
            }
            Ok(Prepared { run, from, config, found, origin: None })
        }
    }
}

/// Says what of the network a run does not begin with that others have trained, and what it is not
/// trained for.
fn note_start(settings: &Settings, classes: &Classes) -> Result<()> {
    let mut network = settings.network.zeroed(classes.len());
    let anew = settings.start_from(&mut network, classes)?;
    if let (Some(from), false) = (&settings.from, anew.is_empty()) {
        let (from, anew) = (inline(&from.place), anew.join(" and "));
        about("note", format_args!("the head is made anew ({anew}): {from} is of other classes"));
    }
    if settings.from.is_none() && settings.freeze != Freeze::None {
        about(
            "note",
            "the frozen layers stay as the seed has drawn them; --from begins with trained ones",
        );
    }
    if settings.tta == Tta::Flip && settings.flip == 0.0 {
        let why = "in use images are seen mirrored too, as none is in training: give --flip 0.5, or no --tta";
        about("note", why);
    }
    Ok(())
}

/// Says where the run learns from another that was trained on what this one holds out.
fn note_sources(config: &Config) {
    let Settings { from, teacher, .. } = &config.training;
    for (option, source) in [("--from", from), ("--teacher", teacher)] {
        let Some(source) = source else { continue };
        let Ok((_, Some(run))) = find_weights(source.place.as_ref()) else { continue };
        if let Ok(other) = run.config()
            && knows_held_out(&other, config)
        {
            let seed = other.training.hold_out_seed();
            about(
                "note",
                format_args!(
                    "{option} {} was trained on images that are held out here, so that what is measured \
                     on them looks better than it is: hold out the same, with --validation-seed {seed}",
                    inline(&source.place)
                ),
            );
        }
    }
}

/// Says before hours of training that a target cannot be met.
fn warn_of_few(target: Option<f64>, held_out: usize) {
    let needed = target.map_or(0, |target| Threshold::items_needed(target, LEVEL));
    if (held_out as u64) < needed {
        output::note(&format!(
            "note     --target-accuracy needs at least {} images held out, there are {}: everything \
             will go to a person; hold out more with --validation",
            thousands(needed as usize),
            thousands(held_out)
        ));
    }
}

/// Says what is going to happen.
fn announce(prepared: &Prepared, threads: usize) {
    let Prepared { run, config, found, origin, .. } = prepared;
    let settings = &config.training;
    announce::data(found);
    let Splits { train, validation, test, .. } = &found.splits;
    let [train, test] = [train, test].map(|part| thousands(part.len()));
    let validation =
        validation.as_ref().map(|part| format!("{} for validation, ", thousands(part.len())));
    let validation = validation.unwrap_or_default();
    about("", format_args!("{train} images for training, {validation}{test} for testing"));
    announce::network(&settings.network.zeroed(found.splits.train.classes().len()));
    about("training", describe(settings));
    announce::extras(settings);
    if let Some(origin) = origin {
        about("settings", origin);
    }
    announce::machine(threads);
    about("run", run.path().display());
}

fn describe(settings: &Settings) -> String {
    let Settings { epochs, batch_size, seed, .. } = settings;
    let validation = match settings.validation {
        Validation::Fraction(fraction) => format!("{fraction} of the training set held out"),
        Validation::Part => "validation on the part of the data for it".to_owned(),
        Validation::Auto => "validation on what the data have for it".to_owned(),
        Validation::None => "no validation".to_owned(),
        Validation::Test => "validation on the test set".to_owned(),
    };
    format!(
        "{}, batches of {batch_size}, {}, rate {}, seed {seed}, {validation}",
        describe::epochs(*epochs as f64),
        describe::optimiser(settings),
        describe::learning_rate(settings)
    )
}

/// Says so where a run goes on with other arithmetic than it began with.
fn note_arithmetic(run: &RunFolder) {
    let Ok(environment) = run.environment() else { return };
    let Some(before) = environment.sessions.last() else { return };
    let now = simd::Isa::current().to_string();
    if before.arithmetic != fashion_kernels::ARITHMETIC {
        output::note(&format!(
            "warning  this run began with revision {} of the arithmetic, this program has {}: it goes \
             on well, but not to the bits that it would have had",
            before.arithmetic,
            fashion_kernels::ARITHMETIC
        ));
    } else if before.simd != now {
        output::note(&format!(
            "note     this run computed with {} before and goes on with {now}: the bits are the same",
            before.simd
        ));
    }
}

/// Says what is kept of a run that failed.
fn failed(error: fashion_train::Error, run: &RunFolder) -> anyhow::Error {
    use fashion_train::Error;
    let members = run.config().map(|config| run.members_done(&config.training));
    let (weights, history) = match (run.weights_path(), run.history(), members) {
        (Ok(weights), Ok(history), _) => (weights, history),
        (_, _, Ok(done)) if done > 0 => {
            let kept = format!("kept: {done} of its networks; to go on: {}", resume(run));
            return anyhow::anyhow!("{error}\n  {kept}");
        }
        _ => return error.into(),
    };
    let kept = match &error {
        // Trying again would not help.
        Error::DamagedCheckpoint { .. }
        | Error::Damaged { .. }
        | Error::NoPrevious(_)
        | Error::OtherData { .. }
        | Error::OtherClasses { .. }
        | Error::OtherRun { .. } => return error.into(),
        Error::Diverged { .. } => {
            format!("the best weights before that are kept: {}", weights.display())
        }
        _ => format!("kept: {}; to go on: {}", describe::epochs(history.len() as f64), resume(run)),
    };
    anyhow::anyhow!("{error}\n  {kept}")
}

/// Judges what was trained and writes the rest of the run folder, and says whether that could be
/// written. The test set is read here.
fn finish(prepared: &Prepared, outcome: &Outcome, quiet: bool) -> Result<(Judgement, Result<()>)> {
    let Prepared { run, config, found, .. } = prepared;
    let splits = &found.splits;
    let hold_out = config.training.hold_out(splits)?;
    let mut novelty = None;
    if config.training.members > 1 {
        let members = run.member_paths(&config.training);
        let members = members.iter().map(|path| Trained::load(path));
        let members = members.collect::<Result<Vec<_>, _>>()?;
        let joined = Ensemble::of(&members, config.training.tta)?;
        let known = known_images(joined.classifier(), splits, hold_out.as_ref())?;
        joined.save(&run.best_weights_path(), None, &known)?;
        novelty = Some(known);
    }
    let classifier = &Trained::load(run.path())?.classifier;
    let held_out = hold_out.as_ref().map(|parts| predict_held_out(classifier, splits, parts));
    let held_out = held_out.transpose()?;
    let calibrator = match &held_out {
        Some(held_out) => {
            let bins = bins_of(classifier)?;
            Some(fit(held_out, config.training.target_accuracy, bins.as_ref(), quiet)?)
        }
        None => None,
    };
    let novelty = match novelty {
        Some(novelty) => novelty,
        None => known_images(classifier, splits, hold_out.as_ref())?,
    };
    let completed = run.complete_weights(calibrator.map(Into::into).as_ref(), &novelty);
    let test = Judgement::of(classifier, splits, None)?.calibrated_by(calibrator);
    let report = Report {
        classifier,
        splits,
        judgement: &test,
        hold_out: hold_out.as_ref(),
        held_out: held_out.as_ref(),
        run: Some((config, &outcome.history)),
        trained_on: None,
    };
    let written = match completed {
        Ok(()) => report.write(run).map_err(Into::into),
        Err(error) => Err(error.into()),
    };
    Ok((test, written))
}

/// Calibrates on items held out, and says, unless `quiet`, where that changes nothing.
pub(crate) fn fit(
    held_out: &Predictions,
    target: Option<f64>,
    bins: Option<&Bins>,
    quiet: bool,
) -> Result<Calibrator> {
    let (calibrator, why) = Calibrator::fit(held_out, target, bins)?;
    if let Some(why) = why.filter(|_| !quiet) {
        about("note", format_args!("the confidence stays as it is: {why}"));
    }
    Ok(calibrator)
}

/// The command that goes on with a run.
fn resume(run: &RunFolder) -> String {
    format!("fashion train --resume {}", quoted(run.path()))
}

/// Keeps what an interrupted run has, and says how to go on.
fn stopped(prepared: &Prepared, outcome: &Outcome, args: &TrainArgs, code: u8) -> Result<ExitCode> {
    let Prepared { run, config, .. } = prepared;
    let (path, history) = (run.path().display(), &outcome.history);
    let held = if config.training.members > 1 {
        let (done, all) = (run.members_done(&config.training), config.training.members);
        format!("{path} holds {done} of {all} networks, and the whole epochs of the next.")
    } else if history.is_empty() {
        format!("{path} holds no whole epoch yet, only its settings.")
    } else {
        let drawn = write_curves(&run.path().join("figures"), config, history);
        let drawn = drawn.map_err(anyhow::Error::from);
        if let Err(error) = &drawn {
            about("warning", exit::text(error));
        }
        format!(
            "{path} holds {} of {} epochs: weights, optimiser state{}.",
            history.len(),
            config.training.epochs,
            if drawn.is_ok() { ", history and curves" } else { " and history" }
        )
    };
    output::note(&format!("Interrupted. {held}"));
    output::note(&format!("To go on: {}", resume(run)));
    if args.json {
        let line = output::json_line(&Summary::stopped(run, config, history))?;
        return exit::unless_closed(output::print(&line), code);
    }
    Ok(code.into())
}
