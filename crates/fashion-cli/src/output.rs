//! What goes to stdout and stderr, neither of which need be there.

use anyhow::{Context, bail};
use fashion_data::files::check_folder;
use fashion_eval::thousands;
use std::ffi::OsStr;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The reader of stdout has gone, as `head` does: a reason to stop, not a failure.
#[derive(Debug, thiserror::Error)]
#[error("stdout was closed")]
pub(crate) struct ClosedPipe;

/// Writes to stdout.
///
/// # Errors
/// [`ClosedPipe`], or the system's refusal.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(ClosedPipe.into()),
        Err(error) => Err(anyhow::Error::new(error).context("cannot write to stdout")),
    }
}

/// Makes sure, before the work, that figures can be written to a folder and replace nothing unless they
/// are to. `what` they are called stands in the messages: `the figure`.
///
/// # Errors
/// The first of the files that is there, or what stands in the way of writing them.
pub(crate) fn check_figures(
    folder: &Path,
    files: &[PathBuf],
    force: bool,
    what: &str,
) -> anyhow::Result<()> {
    if !force && let Some(file) = files.iter().find(|file| file.exists()) {
        bail!(
            "{} exists already; choose another --out, or replace {what} there with --force",
            file.display()
        );
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    check_folder(folder).with_context(|| {
        format!("cannot write {what} to {}; choose another --out", folder.display())
    })
}

/// Prints an answer, whatever became of its files, and ends with what became of them.
///
/// # Errors
/// Why the files were not written, else as [`print()`].
pub(crate) fn print_beside(written: anyhow::Result<()>, text: &str) -> anyhow::Result<ExitCode> {
    let printed = print(text);
    written?;
    printed?;
    Ok(ExitCode::SUCCESS)
}

/// Whether what goes to stdout may have colours.
pub(crate) fn colours() -> bool {
    io::stdout().is_terminal() && !plain()
}

/// Whether the surroundings want no colours.
pub(crate) fn plain() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb")
}

/// Writes a line to stderr, where it matters to nobody if that is closed.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes a line to stderr that begins with what it is about.
pub(crate) fn about(what: &str, text: impl Display) {
    note(&format!("{what:<9}{text}"));
}

/// The title of a list on stdout, with how many of how many follow where some are left out.
pub(crate) fn title(title: &str, shown: usize, all: usize, what: &str) -> String {
    if shown >= all {
        return format!("\n{title}\n\n");
    }
    format!("\n{title}, {} of {}{what}\n\n", thousands(shown), thousands(all))
}

/// One JSON object on a line of its own.
pub(crate) fn json_line(value: &impl serde::Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string(value)? + "\n")
}

/// A word as a shell takes it, in commands that are offered to be copied.
pub(crate) fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref();
    let plain = |c: char| c.is_alphanumeric() || "-_./,:=+@".contains(c);
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let escaped = |&byte: &u8| match byte {
                b'\'' | b'\\' | ..=0x1f | 0x7f.. => format!("\\x{byte:02x}"),
                _ => char::from(byte).to_string(),
            };
            let escaped: String = word.as_encoded_bytes().iter().map(escaped).collect();
            format!("$'{escaped}'")
        }
    }
}

/// A share of 0–1 as `91.20%`.
pub(crate) fn percent(share: f64) -> String {
    fashion_eval::fixed_percent(share, 2)
}

/// The characters that a column of these texts takes, `least` at least.
pub(crate) fn width<'a>(texts: impl IntoIterator<Item = &'a str>, least: usize) -> usize {
    texts.into_iter().map(|text| text.chars().count()).max().unwrap_or(0).max(least)
}

/// A text in a column of a table: what would break its line is replaced.
pub(crate) fn padded(text: &str, width: usize) -> String {
    format!("{:<width$}", inline(text))
}

/// A text in a line: what would break it is replaced.
pub(crate) fn inline(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_part_them() {
        let texts = ["a/b-1.npz", "my data", "it's", "", "a\nb's"].map(quoted);
        assert_eq!(texts, ["a/b-1.npz", "'my data'", r"'it'\''s'", "''", r"$'a\x0ab\x27s'"]);
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            assert_eq!(quoted(OsStr::from_bytes(b"d \xff")), r"$'d \xff'");
        }
    }
}
