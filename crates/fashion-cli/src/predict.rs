//! `fashion predict`

use crate::args::PredictArgs;
use crate::exit;
use crate::output;
use anyhow::{Context, Result};
use fashion_data::audit::Oddity;
use fashion_data::{CLASSES, NUM_CLASSES, PIXELS, picture};
use fashion_eval::selective::Threshold;
use fashion_eval::{argmax, exact_percent};
use fashion_judge::{Calibrator, Trained};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// The heading of who is to sort an image; below it stands at most `person: background`.
const SORTED_BY: &str = "sorted by";

/// Images that go through the network together.
const BATCH: usize = 512;

/// One image's answer, as `--json` prints it.
#[derive(Serialize)]
struct Answer {
    path: String,
    predicted: usize,
    class: &'static str,
    /// Calibrated, where the weights are.
    probabilities: [f32; NUM_CLASSES],
    /// Who is to sort it: `machine` or `person`; left out where no target accuracy was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    sorted_by: Option<&'static str>,
    /// Why a person is: `unsure`, `background` or `blank`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Classifies images.
pub(crate) fn run(args: &PredictArgs) -> Result<ExitCode> {
    let trained = Trained::load(&args.weights)?;
    let calibrator = trained.calibrator()?;
    output::about("weights", trained.describe());
    if let Some(threshold) = calibrator.and_then(|calibrator| calibrator.threshold) {
        output::about("sorting", describe(&threshold));
    }
    let width = args.images.iter().map(|path| shown(path).chars().count()).max().unwrap_or(0);
    let mut code = exit::DONE;
    let mut begun = args.json;
    let (mut classified, mut unlike) = (0, 0);
    for paths in args.images.chunks(BATCH) {
        let mut read = Vec::new();
        for path in paths {
            match picture::read(path).with_context(|| format!("cannot classify {}", path.display()))
            {
                Ok(pixels) => read.push((path, pixels)),
                Err(error) => {
                    output::note(&format!("{} {}", exit::error_word(), exit::text(&error)));
                    code = exit::FAILED;
                }
            }
        }
        classified += read.len();
        let images: Vec<u8> = read.iter().flat_map(|(_, pixels)| *pixels).collect();
        let probabilities = trained.classifier.plain_probabilities(&images)?;
        let mut text = String::new();
        for ((path, pixels), probabilities) in read.into_iter().zip(probabilities.as_chunks().0) {
            let answer = answer(path, &pixels, *probabilities, calibrator.as_ref());
            unlike += usize::from(answer.sorted_by.is_none() && unlike_the_data(&pixels).is_some());
            if !begun {
                let sorter =
                    answer.sorted_by.map_or(String::new(), |_| format!("{SORTED_BY:<18}  "));
                text += &format!(
                    "{:width$}  {:<12}  {:>11}  {sorter}runner-up\n",
                    "image", "class", "probability"
                );
                begun = true;
            }
            text += &match args.json {
                true => output::json_line(&answer)?,
                false => row(path, &answer, width),
            };
        }
        if let Err(error) = output::print(&text) {
            return exit::unless_closed(Err(error), code);
        }
    }
    if unlike > 0 {
        output::note(&format!(
            "note     of {classified} images classified, {unlike} with a bright background or blank: the \
             network knows light garments on black, and what it says of others means nothing"
        ));
    }
    Ok(code.into())
}

/// What the threshold is for.
fn describe(threshold: &Threshold) -> String {
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
pub(crate) fn unlike_the_data(pixels: &[u8; PIXELS]) -> Option<&'static str> {
    match Oddity::of(pixels)? {
        Oddity::BrightBorder => Some("background"),
        Oddity::Blank | Oddity::Constant | Oddity::NearlyBlank => Some("blank"),
        Oddity::Dark | Oddity::Bright => None,
    }
}

fn answer(
    path: &Path,
    pixels: &[u8; PIXELS],
    probabilities: [f32; NUM_CLASSES],
    calibrator: Option<&Calibrator>,
) -> Answer {
    let mut probabilities = probabilities.map(f64::from);
    if let Some(calibrator) = calibrator {
        calibrator.temperature.apply_row(&mut probabilities);
    }
    let predicted = argmax(&probabilities);
    let threshold = calibrator.and_then(|calibrator| calibrator.threshold);
    let reason = threshold.and_then(|threshold| {
        let unsure = || (!threshold.takes(probabilities[predicted])).then_some("unsure");
        unlike_the_data(pixels).or_else(unsure)
    });
    let sorted_by = threshold.map(|_| if reason.is_some() { "person" } else { "machine" });
    let (path, class) = (path.display().to_string(), CLASSES[predicted]);
    let probabilities = probabilities.map(|p| p as f32);
    Answer { path, predicted, class, probabilities, sorted_by, reason }
}

fn row(path: &Path, answer: &Answer, width: usize) -> String {
    let Answer { predicted, class, probabilities, sorted_by, reason, .. } = answer;
    let mut others = *probabilities;
    others[*predicted] = -1.0;
    let second = argmax(&others);
    let percent = |class: usize| format!("{:.1}%", 100.0 * probabilities[class]);
    let why = reason.map_or(String::new(), |reason| format!(": {reason}"));
    let sorter = sorted_by.map_or(String::new(), |by| format!("{:<18}  ", format!("{by}{why}")));
    format!(
        "{:width$}  {class:<12}  {:>11}  {sorter}{} ({})\n",
        shown(path),
        percent(*predicted),
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
    use fashion_eval::calibration::Temperature;

    #[test]
    fn a_row_has_the_two_most_probable_classes() {
        let mut p = [0.0; NUM_CLASSES];
        (p[9], p[7]) = (0.75, 0.25);
        let path = Path::new("a\nb.png");
        // Light on black.
        let garment = std::array::from_fn(|i| if (200..584).contains(&i) { 200 } else { 0 });
        let plain = answer(path, &garment, p, None);
        let text = row(path, &plain, 8);
        assert_eq!(text, "a\u{fffd}b.png   Ankle boot          75.0%  Sneaker (25.0%)\n");
        assert_eq!((plain.predicted, plain.class, plain.sorted_by), (9, "Ankle boot", None));
        // 3 to 1 becomes √3 to 1.
        let threshold = Threshold { value: Some(0.7), target: 0.99, level: 0.95, held_out: 600 };
        let temperature = Temperature::new(2.0).unwrap();
        let calibrator = Calibrator { temperature, threshold: Some(threshold) };
        let calibrated = answer(path, &garment, p, Some(&calibrator));
        assert!((calibrated.probabilities[9] - 0.633_974_6).abs() < 1e-6);
        let text = row(path, &calibrated, 8);
        assert_eq!(
            text,
            "a\u{fffd}b.png   Ankle boot          63.4%  person: unsure      Sneaker (36.6%)\n"
        );
        let surer = Threshold { value: Some(0.6), ..threshold };
        let calibrator = Calibrator { threshold: Some(surer), ..calibrator };
        let sorted = |pixels| answer(path, pixels, p, Some(&calibrator));
        let of = |answer: Answer| (answer.sorted_by, answer.reason);
        assert_eq!(of(sorted(&garment)), (Some("machine"), None));
        // However sure it is.
        let inverted = garment.map(|level| 255 - level);
        assert_eq!(of(sorted(&inverted)), (Some("person"), Some("background")));
        assert!(row(path, &sorted(&inverted), 8).contains("  person: background  Sneaker"));
        assert_eq!(of(sorted(&[9; PIXELS])), (Some("person"), Some("blank")));
        assert_eq!(of(answer(path, &inverted, p, None)), (None, None));
    }
}
