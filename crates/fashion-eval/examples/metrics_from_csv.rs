//! Metrics from somebody else's predictions: a CSV file with the columns `true,p0,p1,…`, in any
//! order, with or without `index` and `split`.
//!
//! ```text
//! cargo run -p fashion-eval --example metrics_from_csv -- [FILE [SPLIT]]
//! ```
//!
//! Without a file it judges the small one in `examples/weather.csv`.

use std::{env, error::Error, fs::File};

use fashion_eval::{Context, Metrics, predictions_csv::read_any};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let path = arguments
        .next()
        .unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/examples/weather.csv").to_owned());
    let split = arguments.next();

    let file = File::open(&path).map_err(|error| format!("{path}: {error}"))?;
    let predictions = read_any(file, &path, split.as_deref())?;
    let context = Context {
        data: "custom".to_owned(),
        split: split.unwrap_or_else(|| "all items".to_owned()),
        classes: (0..predictions.classes()).map(|class| format!("class {class}")).collect(),
    };
    print!("{}", Metrics::compute(&predictions, &context)?.to_text());
    Ok(())
}
