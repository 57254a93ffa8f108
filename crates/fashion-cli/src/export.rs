//! `fashion export`

use crate::args::ExportArgs;
use crate::output;
use anyhow::{Context, Result, bail};
use fashion_data::files::{check_file, write_atomically};
use fashion_infer::onnx;
use fashion_judge::{Trained, mean_over};
use std::io::Write;
use std::process::ExitCode;

/// Writes a classifier as an ONNX model.
pub(crate) fn run(args: &ExportArgs) -> Result<ExitCode> {
    let to = args.to.as_path();
    if !args.force && to.exists() {
        bail!("{} exists already; choose another --to, or replace it with --force", to.display());
    }
    check_file(to).with_context(|| format!("cannot write {}", to.display()))?;
    let trained = Trained::load(&args.weights)?;
    output::about("weights", trained.describe());
    let model = onnx::convert(&trained.path)?;
    write_atomically(to, |file| file.write_all(&model))
        .with_context(|| format!("cannot write {}", to.display()))?;
    output::about("model", format!("{} ({} kB)", to.display(), model.len().div_ceil(1000)));
    let (input, classes) = (trained.classifier.input(), trained.classifier.classes().len());
    let channels = if input.channels == 1 { "" } else { ", 3" };
    output::about(
        "",
        format_args!(
            "ONNX, opset 17: images (n, {0}, {0}{channels}) of bytes -> probabilities, logits (n, {classes})",
            input.side
        ),
    );
    if let Some(all) = mean_over(&trained.classifier) {
        output::about("", format_args!("the mean over {all} is inside"));
    }
    Ok(ExitCode::SUCCESS)
}
