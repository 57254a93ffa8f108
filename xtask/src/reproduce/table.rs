//! The table itself: scores of each seed, their mean and standard deviation.

use std::fmt::Write as _;

use anyhow::{Result, bail};

/// What the mean accuracy must reach. PyTorch with the same network and recipe has 0.9120 with a
/// standard deviation of 0.0027.
const LEAST_ACCURACY: f64 = 0.908;

/// Where the mean log loss must lie.
const LOG_LOSS: std::ops::RangeInclusive<f64> = 0.23..=0.26;

/// What one run reached on the test set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scores {
    pub(crate) seed: u64,
    pub(crate) accuracy: f64,
    pub(crate) log_loss: f64,
}

/// The runs, and what they ran on.
pub(crate) struct Table {
    pub(crate) rows: Vec<Scores>,
    /// Machine and versions, in a sentence.
    pub(crate) machine: String,
}

impl Table {
    /// Markdown: the table, then what is needed to make it again.
    pub(crate) fn render(&self) -> String {
        let mut out = String::from("| Seed | Test accuracy | Log loss |\n| ---: | ---: | ---: |\n");
        for row in &self.rows {
            let _ = writeln!(
                out,
                "| {} | {:.2}% | {:.4} |",
                row.seed,
                100.0 * row.accuracy,
                row.log_loss
            );
        }
        let (accuracies, losses) = self.columns();
        for (name, accuracy, loss) in [
            ("Mean", mean(&accuracies), mean(&losses)),
            ("Standard deviation", deviation(&accuracies), deviation(&losses)),
        ] {
            let _ = writeln!(out, "| **{name}** | **{:.2}%** | **{loss:.4}** |", 100.0 * accuracy);
        }
        let seeds: Vec<_> = self.rows.iter().map(|row| row.seed.to_string()).collect();
        let _ = write!(
            out,
            "\n{} runs of `fashion train --recipe report`, last epoch's weights, all 10,000 test \
             images, on {}.\nMade with `cargo xtask reproduce --seeds {}`.\n",
            self.rows.len(),
            self.machine,
            seeds.join(",")
        );
        out
    }

    /// An error if the network does not do what it is known to do.
    pub(crate) fn meets_the_goal(&self) -> Result<()> {
        let (accuracies, losses) = self.columns();
        let (accuracy, loss) = (mean(&accuracies), mean(&losses));
        if accuracy < LEAST_ACCURACY || !LOG_LOSS.contains(&loss) {
            bail!(
                "the mean accuracy is {accuracy:.4} and the mean log loss {loss:.4}; expected at \
                 least {LEAST_ACCURACY} and {} to {}",
                LOG_LOSS.start(),
                LOG_LOSS.end()
            );
        }
        Ok(())
    }

    fn columns(&self) -> (Vec<f64>, Vec<f64>) {
        self.rows.iter().map(|row| (row.accuracy, row.log_loss)).unzip()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample standard deviation (divided by n − 1), 0 for a single value.
fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// Compares the rows of two rendered tables; the machine may be another.
pub(crate) fn same_scores(written: &str, fresh: &str) -> Result<()> {
    let rows = |text: &str| {
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
        rows.join("\n")
    };
    let (written, fresh) = (rows(written), rows(fresh));
    if written != fresh {
        bail!(
            "README.md has another table:\n{written}\nthan these runs give:\n{fresh}\nOne machine \
             gives the same numbers every time; another SIMD path may round differently. \
             `cargo xtask reproduce` writes the table"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let row = |seed, accuracy, log_loss| Scores { seed, accuracy, log_loss };
        Table {
            rows: vec![row(0, 0.91, 0.24), row(1, 0.915, 0.25), row(2, 0.911, 0.245)],
            machine: "a machine".into(),
        }
    }

    /// Mean and deviation from `statistics.mean` and `statistics.stdev` of Python 3.12:
    /// 0.912, 0.0026457513110645926; 0.245, 0.0050000000000000044.
    #[test]
    fn the_table_has_each_seed_the_mean_and_the_deviation() {
        assert_eq!(
            table().render(),
            "| Seed | Test accuracy | Log loss |\n\
             | ---: | ---: | ---: |\n\
             | 0 | 91.00% | 0.2400 |\n\
             | 1 | 91.50% | 0.2500 |\n\
             | 2 | 91.10% | 0.2450 |\n\
             | **Mean** | **91.20%** | **0.2450** |\n\
             | **Standard deviation** | **0.26%** | **0.0050** |\n\
             \n\
             3 runs of `fashion train --recipe report`, last epoch's weights, all 10,000 test \
             images, on a machine.\n\
             Made with `cargo xtask reproduce --seeds 0,1,2`.\n"
        );
        assert_eq!(deviation(&[0.9]), 0.0);
    }

    #[test]
    fn another_machine_may_have_the_same_scores_but_not_other_ones() {
        let written = table().render();
        let mut other = table();
        other.machine = "another machine".into();
        same_scores(&written, &other.render()).unwrap();
        other.rows[1].accuracy += 0.0002;
        let error = same_scores(&written, &other.render()).unwrap_err().to_string();
        assert!(error.contains("91.50%") && error.contains("91.52%"), "{error}");
    }

    #[test]
    fn the_goal_is_in_both_columns() {
        table().meets_the_goal().unwrap();
        let mut inaccurate = table();
        inaccurate.rows[0].accuracy = 0.89;
        assert!(inaccurate.meets_the_goal().is_err());
        for loss in [0.1, 0.4] {
            let mut strange = table();
            strange.rows[0].log_loss = loss;
            assert!(strange.meets_the_goal().is_err());
        }
    }
}
