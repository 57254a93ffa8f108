//! `fashion sweep`

mod announce;
mod figures;
mod notes;
mod plan;
mod progress;
mod table;
pub(crate) mod vary;

use crate::args::{CollectArgs, SweepArgs, SweepCommand};
use crate::exit;
use crate::output::{self, quoted};
use crate::place::{self, Bar, Found};
use crate::train::interrupt::Interrupt;
use anyhow::{Result, anyhow};
use fashion_data::Splits;
use fashion_train::sweep::{Event, Finish, Point, Results, Shard, Sweep};
use fashion_train::{Error, Settings};
use plan::Plan;
use progress::{Progress, plural, runs, shards};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::process::ExitCode;

/// Begins a sweep, goes on with one, or collects what one has given.
pub(crate) fn run(args: &SweepArgs) -> Result<ExitCode> {
    if let Some(SweepCommand::Collect(args)) = &args.command {
        return collect(args);
    }
    let plan = Plan::new(args)?;
    let interrupt = Interrupt::listen()?;
    let options = plan::options(args, interrupt.flag())?;
    let (sweep, found, images) = prepare(plan, args)?;
    if !args.quiet {
        announce::announce(&sweep, &found, &images, &options);
    }
    let progress = Progress::new(&sweep, options.shard, interrupt, args.quiet)?;
    let classes = found.splits.train.classes().len();
    let build = |settings: &Settings| settings.network.build(classes, settings.seed);
    let tell = |event: Event<'_>| progress.tell(event);
    let finish = sweep.run(&build, &found.splits, &found.place(), &options, &tell);
    progress.clear();
    let finish = finish.map_err(|error| match error {
        Error::Trial { .. } => match again(&sweep, options.shard) {
            Ok(again) => anyhow!("{error}: {again}"),
            Err(other) => anyhow!("{error}; {other}"),
        },
        _ => anyhow!("{error}"),
    })?;
    let results = sweep.collect()?;
    if !matches!(finish, Finish::Complete | Finish::Spent) {
        return unfinished(&sweep, &results, &finish, args, interrupt);
    }
    conclude(&sweep, &results, args.json, args.quiet)
}

fn collect(args: &CollectArgs) -> Result<ExitCode> {
    let sweep = Sweep::open(&args.folder)?;
    let results = sweep.collect()?;
    conclude(&sweep, &results, args.json, args.quiet)
}

/// A sweep that is about to begin, or to go on, its data, and how many images each point trains on.
fn prepare(plan: Plan, args: &SweepArgs) -> Result<(Sweep, Found, Vec<usize>)> {
    match plan {
        Plan::New(spec) => {
            let bar = Bar::unless(args.quiet || args.json);
            let found = place::load(&args.data, spec.base.preparation(), bar)?;
            let path = args.config.as_deref().unwrap_or("the command line".as_ref());
            let network = spec.base.network.name();
            let spec = spec.resolved(network, &found.splits, path)?;
            // What cannot be trained on must not use up a sweep's number.
            let images = check_for(&spec.points(path)?, &found.splits)?;
            let sweep = match (args.shard, &args.out) {
                (Some(_), Some(out)) => Sweep::join(out, &spec)?,
                (_, out) => Sweep::create(out.as_deref(), spec)?,
            };
            Ok((sweep, found, images))
        }
        Plan::Resume(sweep) => {
            let bar = Bar::unless(args.quiet || args.json);
            let prepare = sweep.points.first().and_then(|point| point.settings.preparation());
            let noted = sweep.data_place();
            let found = place::load_noted(noted, &sweep.folder, &args.data, prepare, bar)?;
            sweep.check_data(&found.splits)?;
            let images = check_for(&sweep.points, &found.splits)?;
            Ok((*sweep, found, images))
        }
    }
}

/// Checks what only the data and other files can tell of points, once for all that hold out and weigh
/// alike and take over the same, and gives how many each trains on.
fn check_for(points: &[Point], splits: &Splits) -> Result<Vec<usize>, Error> {
    let mut known = HashMap::new();
    let images = |Point { settings, .. }: &Point| {
        settings.check_dataset(&splits.train)?;
        let table = settings.to_table();
        let decisive = ["validation", "class_weights", "network", "from", "freeze", "teacher"];
        let alike = decisive.map(|name| table[name].to_string());
        Ok(match known.entry(alike) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(settings.check_for(splits)?.0),
        })
    };
    points.iter().map(images).collect()
}

/// Writes the tables and figures of a sweep that has come as far as it could, and prints its answer.
fn conclude(sweep: &Sweep, results: &Results, json: bool, quiet: bool) -> Result<ExitCode> {
    let written = results.write(sweep).map_err(Into::into);
    let written = written.and_then(|()| figures::write(sweep, results));
    let text = match (json, quiet && written.is_ok()) {
        (true, _) => table::json(sweep, results, false)?,
        (false, true) => format!("{}\n", sweep.folder.display()),
        (false, false) => text(sweep, results, written.is_ok())?,
    };
    output::print_beside(written, &text)
}

fn text(sweep: &Sweep, results: &Results, written: bool) -> Result<String> {
    let folder = sweep.folder.display();
    let mut text = format!("\n{}\n", table::table(sweep, results));
    for note in notes::after(&sweep.spec, results) {
        text += &format!("note: {note}\n");
    }
    if is_spent(sweep, results)? {
        text += &format!("note: {}\n", spent(sweep, results)?);
    } else if let Some(first) = results.missing.first() {
        text += &format!(
            "note: {} of {} missing, the first {}; when done: fashion sweep collect {}\n",
            results.missing.len(),
            runs(results.ended() + results.missing.len()),
            first.name(),
            quoted(&sweep.folder)
        );
    }
    if !written {
        return Ok(text);
    }
    text += &format!(
        "Files in {folder}\n\
         \u{20} points.csv       results.csv  timings.csv  sweep.toml\n\
         \u{20} figures/         {}curves\n\
         \u{20} trials/          a run each, for `fashion eval` and `fashion predict`\n",
        if sweep.spec.space.is_empty() { "" } else { "sweep, time, " }
    );
    Ok(text)
}

/// Whether a sweep is not done because its budget is spent.
fn is_spent(sweep: &Sweep, results: &Results) -> Result<bool> {
    let Some(minutes) = sweep.spec.budget_minutes else { return Ok(false) };
    Ok(!results.missing.is_empty() && sweep.minutes_spent()? >= minutes)
}

/// What a spent budget was enough for, and how to go on.
fn spent(sweep: &Sweep, results: &Results) -> Result<String> {
    let minutes = sweep.spec.budget_minutes.unwrap_or_default();
    let (tried, all) = (results.points.len(), sweep.points.len());
    let tried = match sweep.spec.is_open_ended() {
        true => format!("{} tried", plural(tried, "point")),
        false => format!("{tried} of {} tried, {} not", plural(all, "point"), all - tried),
    };
    let again = again(sweep, Shard::WHOLE)?;
    Ok(format!("the budget of {minutes} minutes is spent: {tried}; to go on: {again}"))
}

/// Says how to go on.
fn unfinished(
    sweep: &Sweep,
    results: &Results,
    finish: &Finish,
    args: &SweepArgs,
    interrupt: Interrupt,
) -> Result<ExitCode> {
    let again = again(sweep, plan::shard(args))?;
    let (note, code) = match finish {
        Finish::Unfinished(others) => {
            let shards = shards(others);
            let note = format!("Unfinished: {shards} must come further first. Then: {again}");
            (note, exit::FAILED)
        }
        Finish::Complete | Finish::Spent | Finish::Stopped => {
            let (folder, ended) = (sweep.folder.display(), results.ended());
            let all = runs(ended + results.missing.len());
            let note = format!(
                "Interrupted. {folder} holds {ended} of {all} whole, and the whole epochs of others.\n\
                 To go on: {again}"
            );
            (note, interrupt.code())
        }
    };
    output::note(&note);
    if args.json {
        let line = table::json(sweep, results, *finish == Finish::Stopped)?;
        return exit::unless_closed(output::print(&line), code);
    }
    Ok(code.into())
}

/// The command that goes on; with twice the budget where that is spent.
fn again(sweep: &Sweep, shard: Shard) -> Result<String> {
    let spent = sweep.minutes_spent()?;
    let rest = match (shard, sweep.spec.budget_minutes) {
        (_, Some(minutes)) if spent >= minutes => {
            format!(" --budget-minutes {}", (2.0 * spent).ceil())
        }
        (Shard::WHOLE, _) => String::new(),
        (shard, _) => format!(" --shard {shard}"),
    };
    Ok(format!("fashion sweep --resume {}{rest}", quoted(&sweep.folder)))
}
