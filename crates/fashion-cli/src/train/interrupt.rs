//! Ctrl-C: the first asks the run to stop, the second stops the process.

use crate::exit;
use crate::output;
use anyhow::{Context, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the user has asked to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    asked: Arc<AtomicBool>,
    finishing: Arc<AtomicBool>,
}

impl Interrupt {
    /// Begins to listen.
    ///
    /// Only to Ctrl-C: ctrlc's other signals include the hang-up that `nohup` shields a run from.
    /// A run that is killed otherwise still has its whole epochs, and can be resumed.
    pub(crate) fn listen() -> Result<Interrupt> {
        let interrupt = Interrupt::default();
        let listener = interrupt.clone();
        ctrlc::set_handler(move || {
            if listener.asked.swap(true, Ordering::SeqCst) {
                std::process::exit(exit::INTERRUPTED.into());
            }
            if listener.finishing.load(Ordering::SeqCst) {
                output::note("All epochs are done: writing the files. Ctrl-C again stops at once.");
            }
        })
        .context("cannot listen to Ctrl-C")?;
        Ok(interrupt)
    }

    /// Whether the user has asked to stop.
    pub(crate) fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// What becomes true when the user has asked to stop.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.asked
    }

    /// There is nothing more to stop but the writing of files.
    pub(crate) fn finishing(&self) {
        self.finishing.store(true, Ordering::SeqCst);
    }
}
