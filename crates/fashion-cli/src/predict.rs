//! `fashion predict`

use crate::args::PredictArgs;
use crate::exit;
use crate::image;
use crate::output;
use crate::weights;
use anyhow::{Context, Result};
use fashion_data::{CLASSES, NUM_CLASSES, PIXELS, normalise};
use fashion_kernels::loss::argmax;
use fashion_model::{Network, Prepared};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// Images that go through the network together.
const BATCH: usize = 512;

/// One image's answer, as `--json` prints it.
#[derive(Serialize)]
struct Answer {
    path: String,
    predicted: usize,
    class: &'static str,
    probabilities: [f32; NUM_CLASSES],
}

/// Classifies images.
pub(crate) fn run(args: &PredictArgs) -> Result<ExitCode> {
    let loaded = weights::load(&args.weights)?;
    let network = loaded.network.prepare();
    output::note(&format!("weights  {}", loaded.describe()));
    let width = args.images.iter().map(|path| shown(path).chars().count()).max().unwrap_or(0);
    let mut code = exit::DONE;
    let mut begun = args.json;
    for paths in args.images.chunks(BATCH) {
        let mut read = Vec::new();
        for path in paths {
            match image::read(path).with_context(|| format!("cannot classify {}", path.display())) {
                Ok(pixels) => read.push((path, pixels)),
                Err(error) => {
                    output::note(&format!("{} {}", exit::error_word(), exit::text(&error)));
                    code = exit::FAILED;
                }
            }
        }
        let mut x = vec![0.0; read.len() * PIXELS];
        for ((_, pixels), x) in read.iter().zip(x.chunks_exact_mut(PIXELS)) {
            normalise(pixels, x);
        }
        let probabilities = network.probabilities(&x);
        let mut text = String::new();
        for ((path, _), probabilities) in read.into_iter().zip(probabilities) {
            if !begun {
                text += &format!(
                    "{:width$}  {:<12}  {:>11}  runner-up\n",
                    "image", "class", "probability"
                );
                begun = true;
            }
            text += &match args.json {
                true => output::json_line(&answer(path, probabilities))?,
                false => row(path, &probabilities, width),
            };
        }
        if let Err(error) = output::print(&text) {
            return exit::unless_closed(Err(error), code);
        }
    }
    Ok(code.into())
}

fn answer(path: &Path, probabilities: [f32; NUM_CLASSES]) -> Answer {
    let predicted = argmax(&probabilities);
    let class = CLASSES[predicted];
    Answer { path: path.display().to_string(), predicted, class, probabilities }
}

fn row(path: &Path, probabilities: &[f32; NUM_CLASSES], width: usize) -> String {
    let first = argmax(probabilities);
    let mut others = *probabilities;
    others[first] = -1.0;
    let second = argmax(&others);
    let percent = |class: usize| format!("{:.1}%", 100.0 * probabilities[class]);
    format!(
        "{:width$}  {:<12}  {:>11}  {} ({})\n",
        shown(path),
        CLASSES[first],
        percent(first),
        CLASSES[second],
        percent(second)
    )
}

/// A path in a table: what would break its line is escaped.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_two_most_probable_classes() {
        let mut p = [0.0; NUM_CLASSES];
        (p[9], p[7]) = (0.75, 0.25);
        let text = row(Path::new("a\nb.png"), &p, 8);
        assert_eq!(text, "a\u{fffd}b.png   Ankle boot          75.0%  Sneaker (25.0%)\n");
        let answer = answer(Path::new("a.png"), p);
        assert_eq!((answer.predicted, answer.class), (9, "Ankle boot"));
    }
}
