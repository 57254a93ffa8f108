//! Calling other programs, with errors that name the command.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A command without the variables with which `cargo run`, under which `cargo xtask` itself runs,
/// describes xtask's package: build scripts that watch these would run again.
pub(crate) fn as_if_typed(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| describes_a_package(name)) {
        command.env_remove(name);
    }
    command
}

fn describes_a_package(name: &OsStr) -> bool {
    let prefixes = ["CARGO_PKG_", "CARGO_MANIFEST_"];
    name.to_str().is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
}

/// Runs a command whose output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a command and returns what it wrote to standard output, in UTF-8. Its messages go where ours
/// go.
pub(crate) fn text(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", shown(command), output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` did not write UTF-8", shown(command)))
}

/// Runs a command silently and returns what it wrote to standard output; where it fails, its last
/// words are the reason.
pub(crate) fn quietly(command: &mut Command) -> Result<String> {
    let output = command.output().context("cannot start it")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        bail!("{}: {}", output.status, last.unwrap_or("it said nothing").trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_show_the_command_as_typed() {
        let mut command = Command::new("/no/such/program");
        let error = run(command.arg("--flag").arg("value")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `program --flag value`");
    }

    #[test]
    #[cfg(unix)]
    fn a_failed_command_is_an_error_with_its_status() {
        for error in [
            run(&mut Command::new("false")).unwrap_err(),
            text(&mut Command::new("false")).unwrap_err(),
        ] {
            assert_eq!(error.to_string(), "`false` failed (exit status: 1)");
        }
    }

    #[test]
    #[cfg(unix)]
    fn the_last_words_of_a_failure_are_the_reason() {
        let mut failing = Command::new("sh");
        failing.args(["-c", "echo first >&2; echo 'no module x' >&2; echo >&2; exit 3"]);
        let error = quietly(&mut failing).unwrap_err().to_string();
        assert_eq!(error, "exit status: 3: no module x");
    }

    #[test]
    fn only_variables_about_a_package_are_dropped() {
        for (name, dropped) in
            [("CARGO_PKG_NAME", true), ("CARGO_MANIFEST_DIR", true), ("CARGO_HOME", false)]
        {
            assert_eq!(describes_a_package(name.as_ref()), dropped, "{name}");
        }
    }
}
