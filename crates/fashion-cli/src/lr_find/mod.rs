//! `fashion lr-find`

mod progress;
mod show;

use crate::announce;
use crate::args::LrFindArgs;
use crate::exit;
use crate::output::{self, about};
use crate::place::{self, Bar, Found};
use crate::train::interrupt::Interrupt;
use crate::train::plan::{self, Chosen};
use anyhow::{Context, Result};
use fashion_data::files::check_folder;
use fashion_eval::thousands;
use fashion_model::Network;
use fashion_report::{Figure, RangeMarks, lr_find};
use fashion_train::describe;
use fashion_train::{LrFind, RangeEnd, RangeTest, RunFolder, Settings, with_threads};
use progress::Progress;
use show::Answer;
use std::process::ExitCode;

/// Where folders are numbered.
const NUMBERED: &str = "lr-find";

/// Looks for a learning rate.
pub(crate) fn run(args: &LrFindArgs) -> Result<ExitCode> {
    let test = LrFind { from: args.from, to: args.to, steps: args.steps, ..LrFind::default() };
    test.check().map_err(exit::usage)?;
    let chosen = Chosen::new(args.recipe, args.config.as_deref(), &args.settings)?;
    let settings = &chosen.settings;
    let threads = plan::threads(args.threads)?;
    match args.out.as_deref() {
        Some(out) => RunFolder::check_free(out)?,
        None => check_folder(NUMBERED.as_ref())
            .with_context(|| format!("cannot write to {NUMBERED}"))?,
    }
    let bar = Bar::unless(args.quiet || args.json);
    let found = place::load(&args.data, settings.preparation(), bar)?;
    settings.check_for(&found.splits)?;
    let interrupt = Interrupt::listen()?;
    let mut progress = Progress::new(interrupt, test.steps, args.quiet);
    let network = settings.network.build(found.splits.train.classes().len(), settings.seed);
    if !args.quiet {
        announce(&test, &chosen, &found, &network, threads);
    }
    let range =
        with_threads(threads, || test.run(network, settings, &found.splits, &mut progress))??;
    if range.end == RangeEnd::Stopped {
        output::note("Interrupted: nothing was written.");
        return Ok(interrupt.code().into());
    }
    let origin = found.splits.origin.to_string();
    let answer = Answer::new(&test, settings, &origin, &range);
    let figure = figure(&range, &answer, &origin)?;
    let written = write(args, &range, &answer, &figure);
    let folder = written.as_ref().ok();
    let text = match (args.json, args.quiet, folder) {
        (true, ..) => answer.json(folder)?,
        (false, true, Some(folder)) => format!("{}\n", folder.path().display()),
        (false, ..) => answer.text(args, folder),
    };
    output::print_beside(written.map(drop), &text)
}

/// Writes the files into their folder.
fn write(
    args: &LrFindArgs,
    range: &RangeTest,
    answer: &Answer<'_>,
    figure: &Figure,
) -> Result<RunFolder> {
    let folder = match args.out.as_deref() {
        None => RunFolder::create_numbered(NUMBERED.as_ref())?,
        out => RunFolder::create(out)?,
    };
    let file = |name: &str| folder.path().join(name);
    folder.write(&file("lr-find.csv"), range.to_csv().as_bytes())?;
    figure.write(folder.path(), "lr-find")?;
    folder.write(&file("lr-find.json"), answer.file()?.as_bytes())?;
    Ok(folder)
}

/// Says what is going to happen.
fn announce(test: &LrFind, chosen: &Chosen, found: &Found, network: &Network, threads: usize) {
    announce::data(found);
    announce::network(network);
    // What a range test has nothing of.
    let settings = Settings { ema_decay: 0.0, patience: 0, ..chosen.settings.clone() };
    let Settings { batch_size, seed, .. } = settings;
    let optimiser = describe::optimiser(&settings);
    about("training", format_args!("batches of {batch_size}, {optimiser}, seed {seed}"));
    announce::extras(&settings);
    if let Some(origin) = &chosen.origin {
        about("settings", origin);
    }
    let LrFind { from, to, steps, .. } = test;
    let (from, to, steps) = (show::rate(*from), show::rate(*to), thousands(*steps));
    about("rates", format_args!("{from} to {to} in {steps} steps"));
    announce::machine(threads);
}

fn figure(range: &RangeTest, answer: &Answer<'_>, origin: &str) -> Result<Figure> {
    let point = |p: &fashion_train::RangePoint| fashion_report::RangePoint {
        learning_rate: p.learning_rate,
        loss: p.loss,
        smoothed: p.smoothed,
    };
    let points: Vec<_> = range.points.iter().map(point).collect();
    let marks = RangeMarks {
        suggestion: answer.suggestion.and_then(|rate| Some((rate, range.smoothed_at(rate)?))),
        lowest: answer.lowest.map(|lowest| (lowest.learning_rate, lowest.smoothed)),
        diverged: answer.diverged_at,
    };
    Ok(lr_find::draw(&points, &marks, &format!("{origin} · training set"))?)
}
