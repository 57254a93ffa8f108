//! `validate`: everything that must hold before a change is merged, cheapest checks first.

mod features;
mod layers;
mod steps;

use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;

use self::steps::{STEPS, Step};
use crate::workspace::Workspace;

/// Check the workspace: formatting, layers, model card, features, clippy, documentation, examples, packaging, tests
///
/// Stops at the first step that fails.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Run only this step; may be given more than once
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(STEPS.map(|s| s.name)))]
    only: Vec<String>,

    /// List the steps and exit
    #[arg(long)]
    list: bool,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let steps = chosen(&args.only);
    if args.list {
        for step in steps {
            println!("{:<10}{}", step.name, step.what);
        }
        return Ok(());
    }
    let begun = Instant::now();
    for step in &steps {
        eprintln!("== {}: {}", step.name, step.what);
        let begun = Instant::now();
        (step.run)(workspace).with_context(|| {
            format!(
                "the step `{0}` failed; run it alone with `cargo xtask validate --only {0}`",
                step.name
            )
        })?;
        eprintln!("== {}: passed in {:.1} s", step.name, begun.elapsed().as_secs_f64());
    }
    eprintln!("== {} steps passed in {:.1} s", steps.len(), begun.elapsed().as_secs_f64());
    Ok(())
}

/// The named steps in their own order, or all of them.
fn chosen(names: &[String]) -> Vec<&'static Step> {
    let named = |step: &&Step| names.is_empty() || names.iter().any(|name| name == step.name);
    STEPS.iter().filter(named).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn steps_run_in_their_own_order_and_unknown_ones_are_named() {
        let names = |only: &[&str]| -> Result<Vec<&str>> {
            let given = only.iter().flat_map(|name| ["--only", name]);
            let command = Command::try_parse_from(["validate"].into_iter().chain(given))?;
            Ok(chosen(&command.args.only).into_iter().map(|step| step.name).collect())
        };
        assert_eq!(names(&["test", "fmt"]).unwrap(), ["fmt", "test"]);
        assert_eq!(names(&["test,fmt"]).unwrap(), ["fmt", "test"]);
        assert_eq!(names(&[]).unwrap().len(), STEPS.len());
        let error = names(&["tset"]).unwrap_err().to_string();
        assert!(error.contains("'tset'") && error.contains("clippy"), "{error}");
    }
}
