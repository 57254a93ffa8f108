//! How the program ends: exit codes, and errors on stderr.

use crate::output::{self, ClosedPipe};
use std::io::IsTerminal;
use std::process::ExitCode;

/// All went well.
pub(crate) const DONE: u8 = 0;
/// Something failed.
pub(crate) const FAILED: u8 = 1;
/// The command line, or a setting in the environment, was wrong.
pub(crate) const USAGE: u8 = 2;
/// Interrupted by Ctrl-C: 128 and the number of the signal, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;
/// Interrupted by SIGTERM, likewise.
#[cfg(unix)]
pub(crate) const TERMINATED: u8 = 143;

/// An error in how the program was called; its text is for the user.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// Makes an error one of wrong usage.
pub(crate) fn usage(problem: impl std::fmt::Display) -> anyhow::Error {
    Usage(problem.to_string()).into()
}

/// Says what went wrong, unless nobody listens any more, and gives the exit code for it.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if error.is::<ClosedPipe>() {
        return ExitCode::SUCCESS;
    }
    output::note(&format!("{} {}", error_word(), text(error)));
    if error.is::<Usage>() { USAGE.into() } else { FAILED.into() }
}

/// The exit code that was decided on, even if nobody listens any more to what was printed.
pub(crate) fn unless_closed(printed: anyhow::Result<()>, code: u8) -> anyhow::Result<ExitCode> {
    match printed {
        Err(error) if !error.is::<ClosedPipe>() => Err(error),
        _ => Ok(code.into()),
    }
}

/// `error:`, in colour where that is welcome.
pub(crate) fn error_word() -> &'static str {
    if output::plain() || !std::io::stderr().is_terminal() {
        "error:"
    } else {
        "\x1b[1;31merror:\x1b[0m"
    }
}

/// The end of the sentence that an error of the crates below begins, which know no options.
fn hint(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    if let Some(fashion_judge::Error::Data(error)) = error.downcast_ref() {
        return of_data(error);
    }
    if let Some(fashion_judge::Error::Run(error)) = error.downcast_ref() {
        return of_training(error);
    }
    error.downcast_ref().and_then(of_data).or_else(|| error.downcast_ref().and_then(of_training))
}

fn of_data(error: &fashion_data::Error) -> Option<&'static str> {
    use fashion_data::Error;
    match error {
        Error::File { problem, .. } => of_data(problem),
        Error::NoSuchFolder => Some("; name it with --data, or say `--data sample`"),
        Error::NotAFolder => Some("; name that with --data"),
        Error::Incomplete { .. } => Some(" with --data"),
        Error::NoData { .. } => Some(
            "; `cargo xtask fetch-data` brings Fashion-MNIST, and `--data sample` asks for the built-in \
             sample",
        ),
        Error::Key { role: "images", .. } => Some(" with --images-key"),
        Error::Key { .. } => Some(" with --labels-key"),
        Error::LabelsFrom { .. } => Some(", with --classes NAME,... or --labels-from 0 or 1"),
        Error::KeysWithoutNpz { .. } => Some(" (--images-key, --labels-key)"),
        _ => None,
    }
}

fn of_training(error: &fashion_train::Error) -> Option<&'static str> {
    use fashion_train::Error;
    match error {
        Error::Data(error) => of_data(error),
        Error::Named { source, .. } => of_training(source),
        Error::Layer(_) => Some("; `fashion networks NAME` shows them all"),
        Error::Threads { .. } => Some(" with --threads"),
        Error::DamagedCheckpoint { previous: Some(_), .. } => Some(" with --previous-checkpoint"),
        Error::NoEpoch(_) | Error::NotJoined(_) => Some(" with `fashion train --resume`"),
        Error::OtherData { .. } => Some(" with --data"),
        Error::OtherClasses { .. } => Some(" with --data and --classes"),
        _ => None,
    }
}

/// The error and its causes, one a line. A cause that the line before has quoted is left out.
pub(crate) fn text(error: &anyhow::Error) -> String {
    let mut lines: Vec<String> = Vec::new();
    for cause in error.chain() {
        let cause = match hint(cause) {
            Some(hint) => format!("{cause}{hint}"),
            None => cause.to_string(),
        };
        if !lines.last().is_some_and(|last| last.contains(&cause)) {
            lines.push(cause);
        }
    }
    lines.join("\n  caused by: ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_cause_is_told_once() {
        let inner = anyhow::anyhow!("no such file");
        let error = inner.context("a.png: no such file").context("cannot classify");
        assert_eq!(text(&error), "cannot classify\n  caused by: a.png: no such file");
    }

    #[test]
    fn usage_is_told_from_failure_even_with_context() {
        let error = Err::<(), _>(usage("--epochs is 0")).context("more").unwrap_err();
        assert!(error.is::<Usage>());
        assert!(!anyhow::anyhow!("disk full").is::<Usage>());
    }
}
