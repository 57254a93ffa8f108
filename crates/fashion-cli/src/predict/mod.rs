//! `fashion predict`: pictures are [found](finding), [read](reading) on all threads while those before them
//! are answered, [written](writing) as the answers come, and [sorted](mod@sorting).

mod finding;
mod list;
mod progress;
mod reading;
mod sorting;
mod writing;

use crate::args::PredictArgs;
use crate::bins;
use crate::exit;
use crate::explain::Explanations;
use crate::output::{self, ClosedPipe};
use crate::place::real;
use anyhow::{Result, bail};
use fashion_data::audit::Oddity;
use fashion_data::files::How;
use fashion_data::prepare::Preparation;
use fashion_eval::selective::Threshold;
use fashion_eval::{Bins, exact_percent};
use fashion_judge::{Answering, Trained};
use fashion_model::Tta;
use fashion_train::RunFolder;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use finding::{Finder, LeftOut, Source};
use progress::Progress;
use reading::Viewer;
use sorting::Sorting;
use writing::Writer;

/// Classifies images.
pub(crate) fn run(args: &PredictArgs) -> Result<ExitCode> {
    let (trained, calibrated) = load(&args.weights, args.tta)?;
    let (trained, unsorted) = bins::with_bins(trained, args.bins.as_deref())?;
    let answering = Answering::new(&trained)?;
    let classes = trained.classifier.classes();
    let sorted = answering.bins().map_or(classes, Bins::names);
    let mut sorting = sorting(args, sorted)?;
    let (finder, sources) = find(args, &trained)?;
    output::about("weights", trained.describe());
    match (answering.threshold(), &args.bins) {
        (Some(threshold), _) => output::about("sorting", describe(&threshold)),
        _ if calibrated && !answering.is_calibrated() => {
            output::about("note", not_calibrated(&trained));
        }
        (None, Some(file)) if unsorted => output::about("note", bins::no_threshold(&trained, file)),
        _ if sorting.is_some() => output::about("note", NO_THRESHOLD),
        _ => {}
    }
    let mut writer = Writer::new(args.format(), classes, answering.bins());
    if let Some(folder) = &args.show {
        RunFolder::check_free(folder)?;
    }
    let explain = args.explain.as_deref().map(|folder| Explanations::new(folder, &trained));
    let explain = explain.transpose()?;
    let mut progress = Progress::new(&finder, &sources);
    let viewer = viewer(args, &trained)?;
    let (batches, reader) = reading::start(finder, sources, viewer);
    let mut code = exit::DONE;
    for batch in batches {
        let mut pictures = Vec::with_capacity(batch.len());
        for seen in batch {
            match seen {
                Ok(seen) => pictures.push(seen),
                Err(error) => {
                    progress.say(&format!("{} {}", exit::error_word(), exit::text(&error)));
                    code = exit::FAILED;
                }
            }
        }
        let answers = answering.answer(&pictures)?;
        for (seen, answer) in pictures.iter().zip(&answers) {
            let explained = explain.as_ref().map(|explain| explain.write(&seen.path, &seen.pixels));
            let put = sorting.as_mut().map(|sorting| sorting.put(&seen.path, answer));
            let explained = explained.transpose().map(drop);
            for error in [explained, put.transpose().map(drop)].into_iter().filter_map(Result::err)
            {
                progress.say(&format!("{} {}", exit::error_word(), exit::text(&error)));
                code = exit::FAILED;
            }
        }
        match output::print(&writer.text(&answers)) {
            // Files are sorted whether anybody reads the answers or not.
            Err(error) if sorting.is_none() || !error.is::<ClosedPipe>() => {
                return exit::unless_closed(Err(error), code);
            }
            _ => {}
        }
        progress.add(answers.len());
    }
    let ended = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    progress.end();
    if ended.left_out != LeftOut::default() {
        output::about("left out", ended.left_out);
    }
    if let Some(sorting) = sorting {
        sorting.tell();
    }
    if ended.found == 0 {
        bail!("standard input names no picture; expected a list of paths, a line each");
    }
    Ok(code.into())
}

/// Why a person is to sort an image whose garment does not stand out.
const BACKGROUND: &str = "background";

/// What is said where files are sorted by a classifier that does not know when it is unsure.
const NO_THRESHOLD: &str = "the weights have no threshold, so that nothing is called unsure; \
                            `fashion train --target-accuracy` finds one";

/// What the arguments name, all of which is there.
fn find(args: &PredictArgs, trained: &Trained) -> Result<(Finder, Arc<Vec<Source>>)> {
    let written = [&args.sort_into, &args.show, &args.explain].into_iter().flatten();
    let finder = Finder {
        input: trained.classifier.input(),
        images_key: args.images_key.clone(),
        sorts: args.sort_into.is_some(),
        written: written.map(|folder| real(folder)).collect(),
    };
    let sources = args.images.iter().map(|argument| finder.find(argument));
    let sources: Vec<Source> = sources.collect::<Result<_>>()?;
    if sources.iter().filter(|source| matches!(source, Source::List)).count() > 1 {
        return Err(exit::usage("there is one list on standard input; give - once"));
    }
    Ok((finder, Arc::new(sources)))
}

/// How images are prepared, as the options say, else the weights.
fn viewer(args: &PredictArgs, trained: &Trained) -> Result<Viewer> {
    let shown_in = args.show.as_deref().map(|folder| RunFolder::create(Some(folder)));
    Ok(Viewer {
        input: trained.classifier.input(),
        limits: args.pictures.limits(),
        preparation: args.prepare.or(trained.preparation()?).unwrap_or(Preparation::Photo),
        shown_in: shown_in.transpose()?.map(|folder| folder.path().to_owned()),
    })
}

fn sorting(args: &PredictArgs, classes: &[String]) -> Result<Option<Sorting>> {
    let how = if args.link { How::Linked } else { How::Copied };
    let new = |folder: &_| Sorting::new(folder, how, classes);
    args.sort_into.as_ref().map(|folder| new(folder)).transpose()
}

/// Loads a classifier, which sees images in this way if one is given, and says whether it was calibrated
/// before.
pub(crate) fn load(place: &Path, tta: Option<Tta>) -> Result<(Trained, bool)> {
    let trained = Trained::load(place)?;
    let calibrated = trained.classifier.calibration().is_some();
    let tta = tta.unwrap_or(trained.classifier.tta());
    Ok((trained.with_tta(tta), calibrated))
}

/// What there is to say where images are seen otherwise than the weights are calibrated for.
pub(crate) fn not_calibrated(trained: &Trained) -> String {
    let what = "not calibrated, and nothing is called unsure: temperature and threshold are right \
                for the other --tta";
    let tta = trained.classifier.tta();
    match &trained.run {
        Some(run) => format!(
            "{what}; for weights that are, `fashion ensemble {} --tta {tta} --out FILE`",
            output::quoted(run.path())
        ),
        None => format!("{what}, and weights without their run cannot be calibrated anew"),
    }
}

/// What the threshold is for.
pub(crate) fn describe(threshold: &Threshold) -> String {
    let target = exact_percent(threshold.target);
    match threshold.value {
        Some(value) => format!(
            "the machine at {} or more, so that {target} of what it sorts are right; else a person",
            output::percent(value)
        ),
        None => format!("a person, since no confidence was enough for {target} right"),
    }
}

/// Why no network can be trusted with an image, whatever it says: networks are trained on garments that
/// are light on black, and judged on such.
pub(crate) fn unlike_the_data(pixels: &[u8], shape: [usize; 2]) -> Option<&'static str> {
    match Oddity::of(pixels, shape)? {
        Oddity::BrightBorder => Some(BACKGROUND),
        Oddity::Blank | Oddity::Constant | Oddity::NearlyBlank => Some("blank"),
        Oddity::Dark | Oddity::Bright => None,
    }
}
