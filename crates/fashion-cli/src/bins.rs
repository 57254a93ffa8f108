//! `--bins` of commands that use what is trained already.

use crate::output;
use anyhow::Result;
use fashion_judge::Trained;
use fashion_train::BinRules;
use std::path::Path;

/// A classifier whose classes go into the bins of a file, if one is given, and whether it has lost the
/// threshold of its own by that.
pub(crate) fn with_bins(trained: Trained, file: Option<&Path>) -> Result<(Trained, bool)> {
    let Some(file) = file else { return Ok((trained, false)) };
    let sorts = |trained: &Trained| {
        trained.classifier.calibration().is_some_and(|calibration| calibration.target.is_some())
    };
    let before = sorts(&trained);
    let trained = trained.with_bins(&BinRules::file(file))?;
    let lost = before && !sorts(&trained);
    Ok((trained, lost))
}

/// What there is to say of weights that have lost their threshold.
pub(crate) fn no_threshold(trained: &Trained, file: &Path) -> String {
    let what = "nothing is called unsure: the threshold is right for other --bins";
    match &trained.run {
        Some(run) => format!(
            "{what}; for weights with one for these, `fashion ensemble {} --bins {} --out FILE`",
            output::quoted(run.path()),
            output::quoted(file)
        ),
        None => format!("{what}, and weights without their run cannot have one chosen anew"),
    }
}
