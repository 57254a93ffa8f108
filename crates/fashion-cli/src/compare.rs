//! `fashion compare`

use crate::announce;
use crate::args::{CompareArgs, SplitArg};
use crate::eval::{holding_out, refuse_inside};
use crate::exit;
use crate::output;
use crate::place::{self, Bar};
use anyhow::{Context, Result};
use fashion_eval::compare::{Comparison, Contender};
use fashion_judge::{Judgement, Trained, context};
use fashion_model::Tta;
use fashion_report::recall;
use fashion_train::RunFolder;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compares the first with each of the others.
pub(crate) fn run(args: &CompareArgs) -> Result<ExitCode> {
    let classifiers = args.weights.iter().map(|place| Trained::load(place));
    let classifiers = classifiers.collect::<Result<Vec<_>, _>>()?;
    let first = classifiers.iter().find_map(|classifier| classifier.run.as_ref());
    let prepare = classifiers.first().map_or(Ok(None), Trained::prepare)?;
    let found = place::load_for(first, &args.data, prepare, Bar::unless(args.json))?;
    for classifier in &classifiers {
        classifier.check_data(&found.splits.train)?;
    }
    for run in classifiers.iter().filter_map(|classifier| classifier.run.as_ref()) {
        args.out.as_deref().map_or(Ok(()), |out| refuse_inside(run.path(), out))?;
    }
    let mut hold_out = None;
    for (classifier, place) in classifiers.iter().zip(&args.weights) {
        let config = classifier.run.as_ref().map(RunFolder::config).transpose()?;
        if let (Some(run), Some(config)) = (&classifier.run, &config) {
            config.check_data(&found.splits, run.path()).with_context(|| {
                format!(
                    "cannot compare {} with the others: it was trained on other data; to compare them \
                     on the same images, give their weights ({}) and --data",
                    run.path().display(),
                    classifier.path.display()
                )
            })?;
        }
        if args.split == SplitArg::Validation {
            let parts = holding_out(place, config.as_ref())?.hold_out(&found.splits)?;
            if hold_out.is_some() && hold_out != parts {
                return Err(exit::usage(format!(
                    "{} held out another part of the training set than {}: what one of them was \
                     not trained on, the other was; compare them with --split test",
                    place.display(),
                    args.weights[0].display()
                )));
            }
            hold_out = parts;
        }
    }
    let out = args.out.as_deref().map(|out| RunFolder::create(Some(out))).transpose()?;
    announce::data(&found);
    let judge =
        |trained: &Trained| Judgement::of(&trained.classifier, &found.splits, hold_out.as_ref());
    let judged = classifiers.iter().map(judge).collect::<Result<Vec<_>, _>>()?;

    let name = |(place, trained): (&PathBuf, &Trained)| match trained.classifier.tta() {
        Tta::None => place.display().to_string(),
        tta => format!("{} (tta {tta})", place.display()),
    };
    let names: Vec<_> = args.weights.iter().zip(&classifiers).map(name).collect();
    let mut comparisons = Vec::new();
    for other in 1..judged.len() {
        let contender =
            |at: usize| Contender { name: &names[at], predictions: &judged[at].predictions };
        let context = {
            let splits = &found.splits;
            context(&splits.origin.to_string(), splits.train.classes(), judged[0].split)
        };
        comparisons.push(Comparison::compute([contender(0), contender(other)], &context)?);
    }
    let joined = |text: fn(&Comparison) -> String| {
        comparisons.iter().map(text).collect::<Vec<_>>().join("\n")
    };
    let texts: [String; 3] = [
        joined(Comparison::to_text),
        joined(Comparison::to_markdown),
        serde_json::to_string_pretty(&comparisons)? + "\n",
    ];
    let write = |out: RunFolder| {
        for (name, text) in
            ["comparison.txt", "comparison.md", "comparison.json"].iter().zip(&texts)
        {
            out.write(&out.path().join(name), text.as_bytes())?;
        }
        let figures = out.path().join("figures");
        let named = judged.iter().zip(&names);
        let matrices: Vec<_> =
            named.map(|(judged, name)| (name.as_str(), &judged.metrics.confusion)).collect();
        let metrics = &judged[0].metrics;
        let origin = format!("{} · {} set", metrics.data, metrics.split);
        recall::draw(&matrices, found.splits.train.classes(), &origin)?
            .write(&figures, "recall")?;
        output::about("files", out.path().display());
        Ok(())
    };
    let written = out.map_or(Ok(()), write);
    let [text, markdown, json] = &texts;
    let text = match (args.json, args.markdown) {
        (true, _) => json,
        (_, true) => markdown,
        _ => text,
    };
    output::print_beside(written, text)
}
