//! `fashion data figure`

use crate::args::FigureArgs;
use crate::output;
use crate::place::{self, Bar};
use anyhow::Result;
use fashion_judge::{class_counts_figure, classes_figure};
use std::process::ExitCode;

/// The figures' names.
const NAMES: [&str; 2] = ["classes", "class_counts"];

/// Draws the data.
pub(crate) fn run(args: &FigureArgs) -> Result<ExitCode> {
    let files = NAMES.iter().flat_map(|name| ["svg", "png"].map(|kind| format!("{name}.{kind}")));
    let files: Vec<_> = files.map(|file| args.out.join(file)).collect();
    output::check_figures(&args.out, &files, args.force, "the figures")?;
    let found = place::load(&args.data, None, Bar::Shown)?;
    output::note(&format!("data  {} · {}", found.splits.origin, found.source));
    let figures = [classes_figure(&found.splits)?, class_counts_figure(&found.splits)?];
    for (figure, name) in figures.iter().zip(NAMES) {
        figure.write(&args.out, name)?;
    }
    let lines: Vec<String> = files.iter().map(|file| format!("{}\n", file.display())).collect();
    output::print(&lines.concat())?;
    Ok(ExitCode::SUCCESS)
}
