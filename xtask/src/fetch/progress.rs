//! A progress bar on a terminal, plain lines elsewhere.

use anyhow::Error;
use indicatif::{ProgressBar, ProgressStyle};

use super::download::Watcher;
use super::source::Expected;

/// Shows how far one file is. Hidden where standard error is no terminal.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A bar for a file. It appears with the first bytes.
    pub(crate) fn new(expected: &Expected) -> Self {
        let bar = ProgressBar::new(expected.size);
        let style = ProgressStyle::with_template(
            "{msg} [{bar:30}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
        );
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(expected.name.clone());
        Self { bar }
    }

    /// Replaces the bar by a line.
    pub(crate) fn finish(&self, line: &str) {
        self.bar.finish_and_clear();
        eprintln!("{line}");
    }
}

impl Watcher for Bar {
    fn progress(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    fn trouble(&self, error: &Error) {
        self.bar.suspend(|| eprintln!("warning: {error:#}"));
    }
}
