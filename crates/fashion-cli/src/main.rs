//! The `fashion` command: trains, judges and uses a garment classifier.
//!
//! Raw arguments ([`args`]) become a validated configuration once, in the command's own module; the
//! work itself is a call into the crates below. `main` only turns how it ended into an exit code.

mod announce;
mod args;
mod bins;
mod compare;
mod data;
mod ensemble;
mod eval;
mod exit;
mod explain;
mod export;
mod generate;
mod long_average;
mod lr_find;
mod networks;
mod output;
mod place;
mod predict;
mod source;
mod sweep;
mod train;

use args::{Cli, Command, DataCommand};
use clap::Parser;
use std::io::ErrorKind;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(exit::USAGE);
            return match error.print() {
                // Help that nobody reads on is no failure, help that cannot be written is.
                Err(failed) if code == exit::DONE && failed.kind() != ErrorKind::BrokenPipe => {
                    exit::FAILED.into()
                }
                _ => code.into(),
            };
        }
    };
    let ended = train::interrupt::end_process_one().and_then(|()| run(&cli.command));
    ended.unwrap_or_else(|error| exit::report(&error))
}

fn run(command: &Command) -> anyhow::Result<ExitCode> {
    // The kernels themselves would quietly take the fastest path.
    fashion_kernels::simd::Isa::from_env().map_err(exit::usage)?;
    match command {
        Command::Train(args) => train::run(args),
        Command::Sweep(args) => sweep::run(args),
        Command::LrFind(args) => lr_find::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Ensemble(args) => ensemble::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Export(args) => export::run(args),
        Command::Networks(args) => networks::run(args),
        Command::Data(DataCommand::Info(args)) => data::info::run(args),
        Command::Data(DataCommand::Augment(args)) => data::augment::run(args),
        Command::Data(DataCommand::Draw(args)) => data::draw::run(args),
        Command::Data(DataCommand::Figure(args)) => data::figure::run(args),
        Command::Data(DataCommand::Audit(args)) => data::audit::run(args),
        Command::Data(DataCommand::Suspects(args)) => data::suspects::run(args),
        Command::Completions(args) => generate::completions(args),
        Command::Man(args) => generate::man(args),
    }
}
