//! Observers that write what happens into files, for other programs to follow.
//!
//! A log that cannot be written does not stop training: the first error is kept, nothing more is
//! written, and `finish` tells it. Lines are gathered and written every few kilobytes, before an
//! epoch's checkpoint, after each epoch and at the end.
//!
//! A log of a run that is resumed goes on where its last whole epoch ended: what a killed process
//! had written beyond that is dropped, and what it had not come to write of that epoch is added.
//!
//! ```
//! use fashion_data::Splits;
//! use fashion_model::Architecture;
//! use fashion_train::log::{CsvLog, JsonLinesLog};
//! use fashion_train::{Settings, Trainer, Validation};
//!
//! let folder = tempfile::tempdir()?;
//! let mut csv = CsvLog::create(&folder.path().join("run.csv"))?;
//! let mut json = JsonLinesLog::create(&folder.path().join("run.jsonl"))?;
//!
//! let splits = fashion_sample::generate(0);
//! let small = splits.train.select(&(0..200).collect::<Vec<_>>());
//! let splits = Splits::new(small, splits.test)?;
//! let settings = Settings { epochs: 1, validation: Validation::None, ..Settings::default() };
//! let network = Architecture::ReportCnn.build(10, settings.seed);
//! let mut trainer = Trainer::new(settings, &splits, network)?;
//! trainer.run(&mut (&mut csv, &mut json))?;
//! csv.finish()?;
//! json.finish()?;
//!
//! let lines = std::fs::read_to_string(folder.path().join("run.csv"))?;
//! assert!(lines.starts_with("step,epoch,learning_rate,batch_loss,gradient_norm,loss,accuracy,"));
//! assert_eq!(lines.lines().count(), 1 + 2, "a line for each step, of at most 128 images");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod csv;
mod file;
mod json_lines;
mod tensorboard;
mod text;

pub use csv::CsvLog;
pub use json_lines::JsonLinesLog;
pub use tensorboard::TensorBoardLog;
