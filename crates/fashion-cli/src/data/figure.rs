//! `fashion data figure`

use crate::args::FigureArgs;
use crate::output;
use crate::place::{self, Bar};
use anyhow::{Context, Result, bail};
use fashion_data::files::check_folder;
use fashion_judge::{class_counts_figure, classes_figure};
use std::process::ExitCode;

/// The figures' names.
const NAMES: [&str; 2] = ["classes", "class_counts"];

/// Draws the data.
pub(crate) fn run(args: &FigureArgs) -> Result<ExitCode> {
    let files = NAMES.iter().flat_map(|name| ["svg", "png"].map(|kind| format!("{name}.{kind}")));
    let files: Vec<_> = files.map(|file| args.out.join(file)).collect();
    if !args.force
        && let Some(file) = files.iter().find(|file| file.exists())
    {
        bail!(
            "{} exists already; choose another --out, or replace the figures there with --force",
            file.display()
        );
    }
    check_folder(&args.out).with_context(|| {
        let out = args.out.display();
        format!("cannot write the figures to {out}; choose another --out")
    })?;
    let found = place::load(&args.data, Bar::Shown)?;
    output::note(&format!("data  {} · {}", found.splits.origin, found.source));
    let figures = [classes_figure(&found.splits)?, class_counts_figure(&found.splits)?];
    for (figure, name) in figures.iter().zip(NAMES) {
        figure.write(&args.out, name)?;
    }
    let lines: Vec<String> = files.iter().map(|file| format!("{}\n", file.display())).collect();
    output::print(&lines.concat())?;
    Ok(ExitCode::SUCCESS)
}
