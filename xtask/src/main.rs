//! The chores around the workspace: `cargo xtask CHORE`.
//!
//! One module per chore, each with an `Args` and a `run`. A new chore is a module, a variant of
//! [`Chore`] and a line in [`main`].

mod bench_peers;
mod bench_predict;
mod command;
mod cross_check;
mod dist;
mod experiments;
mod fetch;
mod machine;
mod markers;
mod model_card;
mod photographs;
mod python;
mod reproduce;
mod validate;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::workspace::Workspace;

/// The chores around the workspace.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
enum Chore {
    FetchData(fetch::Args),
    Dist(dist::Args),
    Validate(validate::Args),
    CrossCheck(cross_check::Args),
    Reproduce(reproduce::Args),
    Experiments(experiments::Args),
    ModelCard(model_card::Args),
    Photographs(photographs::Args),
    BenchPeers(bench_peers::Args),
    BenchPredict(bench_predict::Args),
}

fn main() -> ExitCode {
    let chore = Chore::parse();
    let done = Workspace::find().and_then(|workspace| match chore {
        Chore::FetchData(args) => fetch::run(&workspace, &args),
        Chore::Dist(args) => dist::run(&workspace, &args),
        Chore::Validate(args) => validate::run(&workspace, &args),
        Chore::CrossCheck(args) => cross_check::run(&workspace, &args),
        Chore::Reproduce(args) => reproduce::run(&workspace, &args),
        Chore::Experiments(args) => experiments::run(&workspace, &args),
        Chore::ModelCard(args) => model_card::run(&workspace, &args),
        Chore::Photographs(args) => photographs::run(&workspace, &args),
        Chore::BenchPeers(args) => bench_peers::run(&workspace, &args),
        Chore::BenchPredict(args) => bench_predict::run(&workspace, &args),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
