//! `fashion compare`

use crate::args::{CompareArgs, SplitArg};
use crate::eval::held_out_part;
use crate::exit;
use crate::judge::{Judged, judge_part};
use crate::output;
use crate::place;
use crate::weights::{self, Loaded};
use anyhow::{Context, Result};
use fashion_data::CLASSES;
use fashion_eval::compare::{Comparison, Contender};
use fashion_train::RunFolder;
use std::process::ExitCode;

/// Compares the first with each of the others.
pub(crate) fn run(args: &CompareArgs) -> Result<ExitCode> {
    let loaded: Vec<Loaded> =
        args.weights.iter().map(|place| weights::load(place)).collect::<Result<_>>()?;
    let found = match loaded.iter().find_map(|loaded| loaded.run.as_ref()) {
        Some(run) => place::load_for(run, &args.data)?,
        None => place::load(&args.data)?,
    };
    let mut held_out = None;
    for (loaded, place) in loaded.iter().zip(&args.weights) {
        let config = loaded.run.as_ref().map(RunFolder::config).transpose()?;
        if let (Some(run), Some(config)) = (&loaded.run, &config) {
            config.check_data(&found.splits, run.path()).with_context(|| {
                format!(
                    "cannot compare {} with the others: it was trained on other data; to compare them \
                     on the same images, give their weights ({}) and --data",
                    run.path().display(),
                    loaded.path.display()
                )
            })?;
        }
        if args.split == SplitArg::Validation {
            let part = held_out_part(place, config.as_ref())?;
            if *held_out.get_or_insert(part) != part {
                return Err(exit::usage(format!(
                    "{} held out another part of the training set than {}: what one of them was \
                     not trained on, the other was; compare them with --split test",
                    place.display(),
                    args.weights[0].display()
                )));
            }
        }
    }
    let out = args.out.as_deref().map(|out| RunFolder::create(Some(out))).transpose()?;
    output::note(&format!("data     {} · {}", found.splits.origin, found.source));
    let judged: Vec<Judged> = loaded
        .iter()
        .map(|loaded| judge_part(&*loaded.network, &found.splits, held_out))
        .collect::<Result<_>>()?;

    let names: Vec<_> = args.weights.iter().map(|place| place.display().to_string()).collect();
    let mut comparisons = Vec::new();
    for other in 1..judged.len() {
        let contender =
            |at: usize| Contender { name: &names[at], predictions: &judged[at].predictions };
        let context = fashion_eval::Context {
            data: found.splits.origin.to_string(),
            split: judged[0].split.to_string(),
            classes: CLASSES.map(String::from).into(),
        };
        comparisons.push(Comparison::compute([contender(0), contender(other)], &context)?);
    }
    let texts: [String; 3] = [
        joined(&comparisons, "\n", Comparison::to_text),
        joined(&comparisons, "\n", Comparison::to_markdown),
        serde_json::to_string_pretty(&comparisons)? + "\n",
    ];
    let write = |out: RunFolder| {
        for (name, text) in
            ["comparison.txt", "comparison.md", "comparison.json"].iter().zip(&texts)
        {
            out.write(&out.path().join(name), text.as_bytes())?;
        }
        output::note(&format!("files    {}", out.path().display()));
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

fn joined(comparisons: &[Comparison], between: &str, text: fn(&Comparison) -> String) -> String {
    comparisons.iter().map(text).collect::<Vec<_>>().join(between)
}
