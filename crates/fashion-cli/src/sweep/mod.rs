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
use progress::{Progress, runs, shards};
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
    let progress = Progress::new(&sweep, &sweep.collect()?, options.shard, interrupt, args.quiet);
    let classes = found.splits.train.classes().len();
    let build = |settings: &Settings| settings.network.build(classes, settings.seed);
    let tell = |event: Event<'_>| progress.tell(event);
    let finish = sweep.run(&build, &found.splits, &found.place(), &options, &tell);
    progress.clear();
    let finish = finish.map_err(|error| match error {
        Error::Trial { .. } => anyhow!("{error}: {}", again(&sweep, options.shard)),
        _ => anyhow!("{error}"),
    })?;
    let results = sweep.collect()?;
    if finish != Finish::Complete {
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
            let found = place::load(&args.data, Bar::unless(args.quiet || args.json))?;
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
            let found = place::load_noted(sweep.data_place(), &sweep.folder, &args.data, bar)?;
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
        (false, false) => text(sweep, results, written.is_ok()),
    };
    output::print_beside(written, &text)
}

fn text(sweep: &Sweep, results: &Results, written: bool) -> String {
    let folder = sweep.folder.display();
    let mut text = format!("\n{}\n", table::table(sweep, results));
    for note in notes::after(&sweep.spec, results) {
        text += &format!("note: {note}\n");
    }
    if let Some(first) = results.missing.first() {
        text += &format!(
            "note: {} of {} missing, the first {}; when done: fashion sweep collect {}\n",
            results.missing.len(),
            runs(sweep.trials.len()),
            first.name(),
            quoted(&sweep.folder)
        );
    }
    if !written {
        return text;
    }
    text += &format!(
        "Files in {folder}\n\
         \u{20} points.csv       results.csv  timings.csv  sweep.toml\n\
         \u{20} figures/         {}curves\n\
         \u{20} trials/          a run each, for `fashion eval` and `fashion predict`\n",
        if sweep.spec.space.is_empty() { "" } else { "sweep, " }
    );
    text
}

/// Says how to go on.
fn unfinished(
    sweep: &Sweep,
    results: &Results,
    finish: &Finish,
    args: &SweepArgs,
    interrupt: Interrupt,
) -> Result<ExitCode> {
    let again = again(sweep, args.shard.unwrap_or(Shard::WHOLE));
    let (note, code) = match finish {
        Finish::Unfinished(others) => {
            let shards = shards(others);
            let note = format!("Unfinished: {shards} must come further first. Then: {again}");
            (note, exit::FAILED)
        }
        Finish::Complete | Finish::Stopped => {
            let (folder, ended) = (sweep.folder.display(), results.trials.len());
            let all = runs(sweep.trials.len());
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

/// The command that goes on.
fn again(sweep: &Sweep, shard: Shard) -> String {
    let shard = match shard {
        Shard::WHOLE => String::new(),
        shard => format!(" --shard {shard}"),
    };
    format!("fashion sweep --resume {}{shard}", quoted(&sweep.folder))
}
