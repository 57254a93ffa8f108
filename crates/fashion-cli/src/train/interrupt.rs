//! Requests to stop: Ctrl-C, and SIGTERM, which a cluster sends when time is up and a container when
//! it is stopped. The first asks the work to stop, a second Ctrl-C stops the process.

use crate::exit;
use crate::output;
use anyhow::{Context, Result};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::SeqCst};

/// Whether the work stops by itself when it is asked to, and keeps what there is of it.
static STOPS: AtomicBool = AtomicBool::new(false);
/// Whether it is to stop, and the exit code that says why.
static ASKED: AtomicBool = AtomicBool::new(false);
static CODE: AtomicU8 = AtomicU8::new(exit::INTERRUPTED);
/// Whether there is nothing more to stop but the writing of files.
static FINISHING: AtomicBool = AtomicBool::new(false);

/// Whether the user, or what runs the program, has asked to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interrupt(());

impl Interrupt {
    /// Begins to listen, for work that looks at [`asked`](Self::asked) from step to step.
    ///
    /// The hang-up is not listened to, so that `nohup` shields a run from it. A run that is killed
    /// otherwise still has its whole epochs, and can be resumed.
    pub(crate) fn listen() -> Result<Interrupt> {
        start()?;
        STOPS.store(true, SeqCst);
        Ok(Interrupt(()))
    }

    /// Whether the work is to stop.
    pub(crate) fn asked(self) -> bool {
        ASKED.load(SeqCst)
    }

    /// What becomes true when the work is to stop.
    pub(crate) fn flag(self) -> &'static AtomicBool {
        &ASKED
    }

    /// The exit code of work that was asked to stop: 128 and the number of the signal.
    pub(crate) fn code(self) -> u8 {
        CODE.load(SeqCst)
    }

    /// There is nothing more to stop but the writing of files.
    pub(crate) fn finishing(self) {
        FINISHING.store(true, SeqCst);
    }
}

/// Ends the process at a signal, as the system does with others than process 1, as which a container's
/// program runs: that would hear nothing.
pub(crate) fn end_process_one() -> Result<()> {
    if std::process::id() == 1 { start() } else { Ok(()) }
}

/// What is done at a signal whose exit code this is.
fn on_signal(code: u8) {
    if !STOPS.load(SeqCst) {
        std::process::exit(code.into());
    }
    if !ASKED.load(SeqCst) {
        CODE.store(code, SeqCst);
        ASKED.store(true, SeqCst);
        if FINISHING.load(SeqCst) {
            output::note("All epochs are done: writing the files. Ctrl-C now stops at once.");
        }
    } else if code == exit::INTERRUPTED {
        // Not so at SIGTERM: `timeout` sends it twice, to the process and to its group, and whoever
        // will not wait has SIGKILL.
        std::process::exit(code.into());
    }
}

/// Starts to listen, once.
fn start() -> Result<()> {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.swap(true, SeqCst) {
        return Ok(());
    }
    listen_with(on_signal).context("cannot listen to Ctrl-C")
}

#[cfg(unix)]
fn listen_with(on_signal: fn(u8)) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let listen = move || {
        for signal in signals.forever() {
            on_signal(if signal == SIGTERM { exit::TERMINATED } else { exit::INTERRUPTED });
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(listen).map(drop)
}

#[cfg(not(unix))]
fn listen_with(on_signal: fn(u8)) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || on_signal(exit::INTERRUPTED))
}
