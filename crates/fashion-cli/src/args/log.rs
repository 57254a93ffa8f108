//! The options of logs that other programs follow.

use clap::Args;
use std::path::PathBuf;

/// Where to log, beside the run folder.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub(crate) struct LogArgs {
    /// Log every step and epoch in this new file: comma-separated values if it ends in .csv, JSON
    /// lines if in .jsonl; may be given more than once. With --resume a log of the run goes on
    #[arg(long, value_name = "FILE", help_heading = "Logs")]
    pub(crate) log: Vec<PathBuf>,
    /// Log for TensorBoard, in an event file in DIR/NAME, NAME being the run folder's
    #[arg(long, value_name = "DIR", help_heading = "Logs")]
    pub(crate) tensorboard: Option<PathBuf>,
}
