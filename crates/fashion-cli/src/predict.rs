//! `fashion predict`

use crate::args::PredictArgs;
use crate::exit;
use crate::output;
use anyhow::{Context, Result, bail};
use fashion_data::Error;
use fashion_data::audit::Oddity;
use fashion_data::picture::{self, Picture};
use fashion_eval::selective::Threshold;
use fashion_eval::{argmax, exact_percent};
use fashion_judge::{Calibrator, Trained};
use fashion_model::{Classifier, ImageShape, Tta};
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
    class: String,
    /// Calibrated, where the weights are.
    probabilities: Vec<f32>,
    /// How the image was seen, where that was not once.
    #[serde(skip_serializing_if = "Option::is_none")]
    tta: Option<Tta>,
    /// Who is to sort it: `machine` or `person`; left out where no target accuracy was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    sorted_by: Option<&'static str>,
    /// Why a person is: `unsure`, `background`, `blank` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// How unlike the images is that the weights were trained on, where they tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    novelty: Option<f64>,
}

/// Classifies images.
pub(crate) fn run(args: &PredictArgs) -> Result<ExitCode> {
    let (trained, calibrated) = load(&args.weights, args.tta)?;
    let calibrator = trained.calibrator()?;
    output::about("weights", trained.describe());
    if calibrated && calibrator.is_none() {
        output::about("note", not_calibrated(&trained));
    }
    if let Some(threshold) = calibrator.and_then(|calibrator| calibrator.threshold) {
        output::about("sorting", describe(&threshold));
    }
    let width = args.images.iter().map(|path| shown(path).chars().count()).max().unwrap_or(0);
    let (classes, input) = (trained.classifier.classes(), trained.classifier.input());
    let tta = Some(trained.classifier.tta()).filter(|&tta| tta != Tta::None);
    let class_width = output::width(classes.iter().map(String::as_str), 12);
    let mut code = exit::DONE;
    let mut begun = args.json;
    let (mut classified, mut unlike) = (0, 0);
    for paths in args.images.chunks(BATCH) {
        let mut read = Vec::new();
        for path in paths {
            let fitting = fitting(picture::read(path), input);
            match fitting.with_context(|| format!("cannot classify {}", path.display())) {
                Ok(pixels) => read.push((path, pixels)),
                Err(error) => {
                    output::note(&format!("{} {}", exit::error_word(), exit::text(&error)));
                    code = exit::FAILED;
                }
            }
        }
        classified += read.len();
        let images: Vec<u8> = read.iter().flat_map(|(_, pixels)| pixels).copied().collect();
        let probabilities = trained.classifier.plain_probabilities(&images)?;
        let novelty = trained.classifier.novelty_scores(&images)?.unwrap_or_default();
        let mut text = String::new();
        let rows = probabilities.chunks_exact(classes.len());
        for (at, ((path, pixels), probabilities)) in read.into_iter().zip(rows).enumerate() {
            let novelty = novelty.get(at).copied();
            let why = unlike_the_data(&pixels, [input.side, input.channels])
                .or_else(|| unknown(&trained.classifier, novelty));
            let answer = answer(path, why, probabilities, classes, tta, calibrator.as_ref());
            let answer = Answer { novelty, ..answer };
            unlike += usize::from(answer.sorted_by.is_none() && why.is_some());
            if !begun {
                let sorter =
                    answer.sorted_by.map_or(String::new(), |_| format!("{SORTED_BY:<18}  "));
                text += &format!(
                    "{:width$}  {:<class_width$}  {:>11}  {sorter}runner-up\n",
                    "image", "class", "probability"
                );
                begun = true;
            }
            text += &match args.json {
                true => output::json_line(&answer)?,
                false => row(path, &answer, classes, [width, class_width]),
            };
        }
        if let Err(error) = output::print(&text) {
            return exit::unless_closed(Err(error), code);
        }
    }
    if unlike > 0 {
        output::note(&format!(
            "note     of {classified} images classified, {unlike} with a bright background, blank, or unlike \
             all that the network was trained on: what it says of such means nothing"
        ));
    }
    Ok(code.into())
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
    let run = trained.run.as_ref().map_or("RUN".to_owned(), |run| output::quoted(run.path()));
    format!(
        "not calibrated: the temperature is right for the other --tta; for weights that are, \
         `fashion ensemble {run} --tta {} --out FILE`",
        trained.classifier.tta()
    )
}

/// The pixels of a picture that a network for such images takes.
fn fitting(read: Result<Picture, Error>, input: ImageShape) -> Result<Vec<u8>> {
    let ImageShape { side, channels } = input;
    let picture = match read {
        Err(Error::PictureSize { width, height }) => {
            bail!("it is {width}x{height} pixels; expected {side}x{side}: crop and scale it")
        }
        Ok(picture) if picture.side != side => {
            bail!("it is {0}x{0} pixels; expected {side}x{side}: crop and scale it", picture.side)
        }
        read => read?,
    };
    match channels {
        3 => Ok(picture.into_rgb().pixels),
        _ if picture.channels == 1 => Ok(picture.pixels),
        _ => bail!("it is in colour, expected grey"),
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
        Oddity::BrightBorder => Some("background"),
        Oddity::Blank | Oddity::Constant | Oddity::NearlyBlank => Some("blank"),
        Oddity::Dark | Oddity::Bright => None,
    }
}

/// Whether an image with this score of novelty is of none of the classes.
fn unknown(classifier: &Classifier, novelty: Option<f64>) -> Option<&'static str> {
    classifier.novelty()?.is_unknown(novelty?).then_some("unknown")
}

/// `unlike` is why the network cannot be trusted with the image, if it cannot.
fn answer(
    path: &Path,
    unlike: Option<&'static str>,
    probabilities: &[f32],
    classes: &[String],
    tta: Option<Tta>,
    calibrator: Option<&Calibrator>,
) -> Answer {
    let mut probabilities: Vec<f64> = probabilities.iter().map(|&p| p.into()).collect();
    if let Some(calibrator) = calibrator {
        calibrator.temperature.apply_row(&mut probabilities);
    }
    let predicted = argmax(&probabilities);
    let threshold = calibrator.and_then(|calibrator| calibrator.threshold);
    let reason = threshold.and_then(|threshold| {
        let unsure = || (!threshold.takes(probabilities[predicted])).then_some("unsure");
        unlike.or_else(unsure)
    });
    let sorted_by = threshold.map(|_| if reason.is_some() { "person" } else { "machine" });
    let (path, class) = (path.display().to_string(), classes[predicted].clone());
    let probabilities = probabilities.into_iter().map(|p| p as f32).collect();
    Answer { path, predicted, class, probabilities, tta, sorted_by, reason, novelty: None }
}

fn row(path: &Path, answer: &Answer, classes: &[String], widths: [usize; 2]) -> String {
    let [width, class_width] = widths;
    let Answer { predicted, class, probabilities, sorted_by, reason, .. } = answer;
    let mut others = probabilities.clone();
    others[*predicted] = -1.0;
    let second = argmax(&others);
    let percent = |class: usize| format!("{:.1}%", 100.0 * probabilities[class]);
    let why = reason.map_or(String::new(), |reason| format!(": {reason}"));
    let sorter = sorted_by.map_or(String::new(), |by| format!("{:<18}  ", format!("{by}{why}")));
    format!(
        "{:width$}  {}  {:>11}  {sorter}{} ({})\n",
        shown(path),
        output::padded(class, class_width),
        percent(*predicted),
        output::inline(&classes[second]),
        percent(second)
    )
}

/// A path in a table: what would break its line is escaped.
fn shown(path: &Path) -> String {
    output::inline(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fashion_data::Classes;
    use fashion_eval::calibration::Temperature;

    #[test]
    fn a_row_has_the_two_most_probable_classes() {
        let classes = Classes::garments();
        let mut p = [0.0; 10];
        (p[9], p[7]) = (0.75, 0.25);
        let path = Path::new("a\nb.png");
        // Light on black.
        let garment: [u8; 784] =
            std::array::from_fn(|i| if (200..584).contains(&i) { 200 } else { 0 });
        let of_garment = |pixels: &[u8], calibrator: Option<&Calibrator>| {
            answer(path, unlike_the_data(pixels, [28, 1]), &p, &classes, None, calibrator)
        };
        let row = |answer: &Answer| row(path, answer, &classes, [8, 12]);
        let plain = of_garment(&garment, None);
        let text = row(&plain);
        assert_eq!(text, "a\u{fffd}b.png   Ankle boot          75.0%  Sneaker (25.0%)\n");
        assert_eq!((plain.predicted, &plain.class[..], plain.sorted_by), (9, "Ankle boot", None));
        // 3 to 1 becomes √3 to 1.
        let threshold = Threshold { value: Some(0.7), target: 0.99, level: 0.95, held_out: 600 };
        let temperature = Temperature::new(2.0).unwrap();
        let calibrator = Calibrator { temperature, threshold: Some(threshold) };
        let calibrated = of_garment(&garment, Some(&calibrator));
        assert!((calibrated.probabilities[9] - 0.633_974_6).abs() < 1e-6);
        let text = row(&calibrated);
        assert_eq!(
            text,
            "a\u{fffd}b.png   Ankle boot          63.4%  person: unsure      Sneaker (36.6%)\n"
        );
        let surer = Threshold { value: Some(0.6), ..threshold };
        let calibrator = Calibrator { threshold: Some(surer), ..calibrator };
        let sorted = |pixels: &[u8]| of_garment(pixels, Some(&calibrator));
        let of = |answer: Answer| (answer.sorted_by, answer.reason);
        assert_eq!(of(sorted(&garment)), (Some("machine"), None));
        // However sure it is.
        let inverted = garment.map(|level| 255 - level);
        assert_eq!(of(sorted(&inverted)), (Some("person"), Some("background")));
        assert!(row(&sorted(&inverted)).contains("  person: background  Sneaker"));
        assert_eq!(of(sorted(&[9; 784])), (Some("person"), Some("blank")));
        assert_eq!(of(of_garment(&inverted, None)), (None, None));
    }
}
