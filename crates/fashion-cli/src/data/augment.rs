//! `fashion data augment`

use crate::args::AugmentArgs;
use crate::place::{self, Bar};
use crate::train::plan::Chosen;
use crate::{exit, output};
use anyhow::Result;
use fashion_judge::augmented_figure;
use std::path::Path;
use std::process::ExitCode;

/// Draws what the settings do to some images.
pub(crate) fn run(args: &AugmentArgs) -> Result<ExitCode> {
    let settings = Chosen::new(None, args.config.as_deref(), &args.changes.0)?.settings;
    if settings.drawing().augment.is_none() {
        return Err(exit::usage(
            "nothing is to be changed; say what, such as --flip 0.5 --rotate 10, or name a file with \
             --config",
        ));
    }
    let out = match args.out.extension().and_then(|ending| ending.to_str()) {
        Some("svg" | "png") => args.out.with_extension(""),
        _ => args.out.clone(),
    };
    let (folder, name) = (out.parent().unwrap_or(Path::new("")), out.file_name());
    let Some(name) = name.and_then(|name| name.to_str()) else {
        return Err(exit::usage(format!("--out is {}; expected a file", args.out.display())));
    };
    let files = ["svg", "png"].map(|ending| folder.join(format!("{name}.{ending}")));
    output::check_figures(folder, &files, args.force, "the figure")?;
    let found = place::load(&args.data, None, Bar::Shown)?;
    output::note(&format!("data  {} · {}", found.splits.origin, found.source));
    augmented_figure(&found.splits, &settings)?.write(folder, name)?;
    let lines = files.map(|file| format!("{}\n", file.display()));
    output::print(&lines.concat())?;
    Ok(ExitCode::SUCCESS)
}
