//! `fashion data augment`

use crate::args::AugmentArgs;
use crate::place::{self, Bar};
use crate::train::plan::Chosen;
use crate::{exit, output};
use anyhow::{Context, Result, bail};
use fashion_data::files::check_folder;
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
    if !args.force
        && let Some(file) = files.iter().find(|file| file.exists())
    {
        bail!(
            "{} exists already; choose another --out, or replace the figure there with --force",
            file.display()
        );
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    check_folder(folder).with_context(|| {
        format!("cannot write the figure to {}; choose another --out", folder.display())
    })?;
    let found = place::load(&args.data, Bar::Shown)?;
    output::note(&format!("data  {} · {}", found.splits.origin, found.source));
    augmented_figure(&found.splits, &settings)?.write(folder, name)?;
    let lines = files.map(|file| format!("{}\n", file.display()));
    output::print(&lines.concat())?;
    Ok(ExitCode::SUCCESS)
}
