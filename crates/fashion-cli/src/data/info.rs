//! `fashion data info`

use crate::announce;
use crate::args::InfoArgs;
use crate::output;
use crate::place::{self, Bar, Found};
use anyhow::Result;
use fashion_data::{Checksums, Dataset};
use fashion_eval::thousands;
use serde::Serialize;
use std::process::ExitCode;

/// The object that `--json` prints.
#[derive(Serialize)]
struct Info {
    /// What the data are.
    origin: String,
    /// Where they were found.
    source: String,
    classes: Vec<String>,
    /// Rows and columns of an image, and its channels.
    side: usize,
    channels: usize,
    train: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<Part>,
    test: Part,
    /// Of the training images on the scale 0–1.
    pixel_mean: f64,
    pixel_standard_deviation: f64,
    /// Of the parts in IDX form, unpacked.
    sha256: Sums,
    /// What was left out, and classes without training images; the text has them on stderr.
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Part {
    images: usize,
    /// In the order of the classes.
    class_counts: Vec<usize>,
}

#[derive(Serialize)]
struct Sums {
    train_images: String,
    train_labels: String,
    test_images: String,
    test_labels: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_images: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_labels: Option<String>,
}

/// Says what the data are.
pub(crate) fn run(args: &InfoArgs) -> Result<ExitCode> {
    let found = place::load(&args.data, None, Bar::unless(args.json))?;
    let info = info(&found);
    output::print(&if args.json { output::json_line(&info)? } else { text(&info, &found) })?;
    Ok(ExitCode::SUCCESS)
}

fn info(found: &Found) -> Info {
    let splits = &found.splits;
    let part =
        |dataset: &Dataset| Part { images: dataset.len(), class_counts: dataset.class_counts() };
    let (pixel_mean, pixel_standard_deviation) = splits.train.pixel_mean_and_deviation();
    let Checksums { train_images, train_labels, test_images, test_labels, validation } =
        splits.checksums.clone();
    let [validation_images, validation_labels] = validation.map_or([None, None], |v| v.map(Some));
    Info {
        origin: splits.origin.to_string(),
        source: found.source.to_string(),
        classes: splits.train.classes().to_vec(),
        side: splits.train.side(),
        channels: splits.train.channels(),
        train: part(&splits.train),
        validation: splits.validation.as_ref().map(part),
        test: part(&splits.test),
        pixel_mean,
        pixel_standard_deviation,
        sha256: Sums {
            train_images,
            train_labels,
            test_images,
            test_labels,
            validation_images,
            validation_labels,
        },
        notes: splits.notes.clone(),
    }
}

fn text(info: &Info, found: &Found) -> String {
    let mut out = format!("Data    {}\nFrom    {}\n\n", info.origin, info.source);
    if let Some(text) = announce::assumed(found) {
        out += &format!("Classes {text}\n\n");
    }
    let width = output::width(info.classes.iter().map(String::as_str), 12);
    let named = [("Train", Some(&info.train)), ("Validate", info.validation.as_ref())];
    let named = named.into_iter().chain([("Test", Some(&info.test))]);
    let parts: Vec<(&str, &Part)> = named.filter_map(|(name, part)| Some((name, part?))).collect();
    let mut row = |class: &str, cells: &dyn Fn(&(&str, &Part)) -> String| {
        out += &output::padded(class, width);
        out.extend(parts.iter().map(|part| format!("  {:>8}", cells(part))));
        out += "\n";
    };
    row("Class", &|(name, _)| (*name).to_owned());
    for (label, class) in info.classes.iter().enumerate() {
        row(class, &|(_, part)| thousands(part.class_counts[label]));
    }
    row("All", &|(_, part)| thousands(part.images));
    out += &format!(
        "\nPixels of the training images, 0-1: mean {:.4}, standard deviation {:.4}\n\n",
        info.pixel_mean, info.pixel_standard_deviation
    );
    let checksums = &found.splits.checksums;
    let validation = checksums.validation_parts().into_iter().flatten();
    for (part, sha256) in checksums.parts().into_iter().chain(validation) {
        out += &format!("SHA-256 {part:<13} {sha256}\n");
    }
    out
}
