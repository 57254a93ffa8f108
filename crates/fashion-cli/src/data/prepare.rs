//! `fashion data prepare`

use crate::args::PrepareArgs;
use crate::exit;
use crate::output::{self, about};
use crate::train::interrupt::Interrupt;
use crate::train::progress::Watch;
use anyhow::Result;
use fashion_data::prepare::{Preparation, Prepare, prepare_tree};
use fashion_data::{MAX_SIDE, MIN_SIDE};
use fashion_eval::thousands;
use fashion_train::RunFolder;
use std::process::ExitCode;
use std::time::Duration;

/// Writes pictures as a network takes them.
pub(crate) fn run(args: &PrepareArgs) -> Result<ExitCode> {
    let &PrepareArgs { ref from, ref to, prepare: preparation, side, colour, ref pictures } = args;
    if !(MIN_SIDE..=MAX_SIDE).contains(&side) || preparation == Preparation::None {
        return Err(exit::usage(format!(
            "--side is {side}, --prepare {preparation}; expected a side of {MIN_SIDE} to {MAX_SIDE}, and \
             zalando or photo"
        )));
    }
    RunFolder::check_free(to)?;
    let prepare = Prepare { preparation, side, channels: if colour { 3 } else { 1 } };
    let watch = Watch::new(None::<Interrupt>, false);
    let tree = prepare_tree(from, to, prepare, &pictures.limits(), &|done, all| {
        watch.show_after(Duration::from_millis(300), || {
            let share = done as f64 / all as f64;
            let pictures = format!("{} of {} pictures", thousands(done), thousands(all));
            (share, ("preparing".to_owned(), format!("{pictures}  {}", watch.left(share))))
        });
    });
    watch.clear();
    let tree = tree?;
    for (path, doubt) in &tree.doubtful {
        output::note(&format!("doubtful {}: {doubt}", path.display()));
    }
    for error in &tree.failed {
        output::note(&format!("{} {}", exit::error_word(), output::inline(&error.to_string())));
    }
    about("written", format_args!("{} pictures of {side}x{side} pixels", thousands(tree.written)));
    output::print(&format!("{}\n", to.display()))?;
    Ok(if tree.failed.is_empty() { exit::DONE } else { exit::FAILED }.into())
}
