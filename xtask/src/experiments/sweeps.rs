//! Sweeps of one setting around the report's, searches, and what training time buys.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result, bail};
use fashion_report::{SettingValue, TimedPoint, sweep_time};
use serde::Deserialize;

use super::{DATA, FILE, Runs};
use crate::markers::{NONE, Part, table};
use crate::workspace::Workspace;
use crate::{command, reproduce};

/// How fast a point learns is told by the first epoch with this validation accuracy.
const LEARNT: f64 = 0.85;

/// Networks by the settings of `quick`, for so many epochs; of the largest, which would take an hour for more, fewer.
const TIME: [[&str; 2]; 2] = [
    ["report-cnn,vgg-small,vgg,vgg-large,resnet", "5,10,20"],
    ["wide-resnet,resnet-large", "10,5"],
];

/// Recipes that hold images out, the same for all with this seed.
const RECIPES: [&str; 4] = ["report-tuned", "quick", "best", "long"];
const SEED: u64 = 0;

/// A network or recipe, its epochs, the minutes that they took, and the accuracy on held-out images.
type Timed = (String, String, f64, f64);

/// Draws again what training time buys.
pub(super) fn time(workspace: &Workspace, runs: &Runs<'_>) -> Result<()> {
    const PART: Part = Part { file: "docs/accuracy.md", chore: "experiments-time" };
    let mut all = Vec::new();
    for (number, [networks, epochs]) in TIME.iter().enumerate() {
        let folder = runs.out.join(format!("time-{number}"));
        let [networks, epochs] = [format!("network={networks}"), format!("epochs={epochs}")];
        let options = ["--recipe", "quick", "--vary", &networks, "--vary", &epochs, "--seeds", "1"];
        sweep(workspace, runs.fashion, &options, &folder)?;
        all.extend(swept(&folder)?);
    }
    for recipe in RECIPES {
        all.push(of_recipe(workspace, runs, recipe)?);
    }
    all.sort_by(|a, b| a.2.total_cmp(&b.2));
    let rows = all.iter().map(|(name, epochs, minutes, accuracy)| {
        vec![name.clone(), epochs.clone(), format!("{minutes:.1}"), per_cent(*accuracy)]
    });
    let table = table(&["Network or recipe", "Epochs", "Minutes", "Held-out accuracy"], rows);
    let sweeps = TIME.map(|[networks, epochs]| {
        format!(
            "`fashion sweep --recipe quick --vary network={networks} --vary epochs={epochs} --seeds 1`"
        )
    });
    let how = format!(
        "{}; recipes by `fashion train --recipe NAME --seed {SEED}`, judged by `fashion eval RUN --split \
         validation --tta none`",
        sweeps.join(", ")
    );
    runs.settle(workspace, &PART, &table, &how)?;
    if runs.check {
        return Ok(());
    }
    let points = all.into_iter().map(|(name, _, minutes, accuracy)| TimedPoint {
        value: SettingValue::Text(name.replace('`', "")),
        minutes,
        accuracy,
    });
    let points: Vec<_> = points.collect();
    let figure = sweep_time::draw("network or recipe", &points, "validation", DATA)?;
    let folder = runs.out.join("figures");
    figure.write(&folder, "time")?;
    runs.keep_figure(workspace, &folder.join("time.svg"), "accuracy-time")
}

/// The runs of a sweep of networks and epochs. Of several at once each had some of the cores: its minutes are as many
/// of all of them.
fn swept(folder: &Path) -> Result<Vec<Timed>> {
    #[derive(Deserialize)]
    struct Environment {
        threads: usize,
    }
    let cores = available_parallelism()?.get() as f64;
    let timings = lines(&folder.join("timings.csv"))?;
    let of_trial = |trial: Line| {
        let seconds = timings.iter().find(|line| line.get("trial") == trial.get("trial"));
        let seconds = seconds.and_then(|line| number(line, "seconds"));
        let text = |name: &str| trial.get(name).cloned().unwrap_or_default();
        let run = folder.join("trials").join(text("trial"));
        let Environment { threads } = reproduce::json(&run.join("environment.json"))?;
        let minutes = seconds.context("a trial has no time")? / 60.0 * threads as f64 / cores;
        Ok((
            format!("`{}`", text("network")),
            text("epochs"),
            minutes,
            number(&trial, "validation_accuracy").context("a trial has no accuracy")?,
        ))
    };
    lines(&folder.join("results.csv"))?.into_iter().map(of_trial).collect()
}

/// A run of a recipe, of those of `reproduce`. As of the networks, images are seen once, without flips.
fn of_recipe(workspace: &Workspace, runs: &Runs<'_>, recipe: &str) -> Result<Timed> {
    #[derive(Deserialize)]
    struct HeldOut {
        accuracy: f64,
    }
    let run = reproduce::run_folder(&reproduce::default_out(workspace), recipe, SEED);
    let minutes = reproduce::scores(workspace, runs.fashion, (recipe, SEED), &run)?.minutes;
    let mut eval = Command::new(runs.fashion);
    eval.args(["eval", "--split", "validation", "--tta", "none", "--json"]).arg(&run);
    let held_out: HeldOut =
        serde_json::from_str(&command::text(eval.current_dir(workspace.root()))?)?;
    let config = run.join("config.toml");
    let text =
        fs::read_to_string(&config).with_context(|| format!("cannot read {}", config.display()))?;
    let epochs = epochs(&text).with_context(|| format!("{} is not of a run", config.display()))?;
    Ok((format!("recipe `{recipe}`"), epochs, minutes, held_out.accuracy))
}

/// The epochs of a run's `config.toml`: of several networks `2 × 20`.
fn epochs(config: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Config {
        training: Training,
    }
    #[derive(Deserialize)]
    struct Training {
        epochs: usize,
        members: usize,
    }
    let Config { training: Training { epochs, members } } = toml::from_str(config)?;
    Ok(if members == 1 { epochs.to_string() } else { format!("{members} × {epochs}") })
}

/// A search for settings, its options and what of its points is told: the columns and their heads.
pub(super) struct Search {
    /// The name of its folder.
    name: &'static str,
    part: Part,
    options: &'static [&'static str],
    columns: &'static [[&'static str; 2]],
}

/// Among networks, and how much they are erased, which is best in the end.
#[rustfmt::skip]
pub(super) const NETWORKS: Search = Search {
    name: "search-networks",
    part: Part { file: "docs/accuracy.md", chore: "experiments-search-networks" },
    options: &[
        "--method", "asha", "--budget-minutes", "30", "--samples", "8", "--seeds", "1",
        "--min-epochs", "5", "--factor", "2", "--recipe", "quick",
        "--vary", "network=vgg-large,resnet,resnet-large", "--vary", "erase=0,0.25,0.5",
        "--vary", "lr=0.004..0.012:log",
    ],
    columns: &[["network", "Network"], ["erase", "Erase"], ["learning_rate", "Rate"]],
};

/// Around `quick`, what its settings are.
#[rustfmt::skip]
pub(super) const SETTINGS: Search = Search {
    name: "search",
    part: Part { file: "docs/accuracy.md", chore: "experiments-search" },
    options: &[
        "--method", "asha", "--budget-minutes", "30", "--samples", "8", "--seeds", "1",
        "--min-epochs", "5", "--factor", "2", "--recipe", "quick", "--network", "resnet",
        "--vary", "lr=0.003..0.015:log", "--vary", "weight-decay=0.01..0.1:log",
        "--vary", "label-smoothing=0..0.1", "--vary", "shift=0.0535,0.089", "--vary", "erase=0,0.25,0.5",
    ],
    columns: &[
        ["learning_rate", "Rate"], ["weight_decay", "Weight decay"], ["label_smoothing", "Smoothing"],
        ["shift", "Shift"], ["erase", "Erase"],
    ],
};

/// Searches again.
pub(super) fn search(workspace: &Workspace, runs: &Runs<'_>, search: &Search) -> Result<()> {
    let folder = runs.out.join(search.name);
    sweep(workspace, runs.fashion, search.options, &folder)?;
    let rows = lines(&folder.join("points.csv"))?.into_iter().map(|point| {
        let text = |name: &str| point.get(name).cloned().unwrap_or_else(|| NONE.to_owned());
        let settings = search.columns.iter().map(|[name, _]| text(name));
        let accuracy = number(&point, "validation_accuracy_mean");
        let accuracy = accuracy.map_or(NONE.to_owned(), per_cent);
        settings.chain([text("epochs_done"), accuracy]).collect::<Vec<_>>()
    });
    let heads = search.columns.iter().map(|[_, head]| *head);
    let heads: Vec<_> = heads.chain(["Epochs", "Held-out accuracy"]).collect();
    let how = format!("`fashion sweep {}`", search.options.join(" "));
    runs.settle(workspace, &search.part, &table(&heads, rows), &how)
}

/// The fields of a line of a CSV file, by the names of the columns.
type Line = BTreeMap<String, String>;

/// A sweep of one setting around the report's.
pub(super) struct Sweep {
    /// The name of its folder and its figures.
    name: &'static str,
    part: Part,
    setting: &'static str,
    values: &'static str,
}

pub(super) const LEARNING_RATE: Sweep = Sweep {
    name: "learning-rate",
    part: Part { file: FILE, chore: "experiments-learning-rate" },
    setting: "learning_rate",
    values: "1e-5,3e-5,1e-4,3e-4,1e-3,3e-3,1e-2,3e-2,1e-1",
};
pub(super) const BATCH_SIZE: Sweep = Sweep {
    name: "batch-size",
    part: Part { file: FILE, chore: "experiments-batch-size" },
    setting: "batch_size",
    values: "16,32,64,128,256,512,1024",
};

/// Makes the table and the figures of a sweep again.
pub(super) fn run(workspace: &Workspace, runs: &Runs<'_>, experiment: &Sweep) -> Result<()> {
    let folder = runs.out.join(experiment.name);
    let Sweep { name, part, setting, values } = experiment;
    let vary = format!("{setting}={values}");
    sweep(workspace, runs.fashion, &["--vary", &vary, "--seeds", "0,1,2"], &folder)?;
    let table = render(&folder, setting)?;
    let how = format!("`fashion sweep --vary {setting}={values} --seeds 0,1,2`");
    runs.settle(workspace, part, &table, &how)?;
    if runs.check {
        return Ok(());
    }
    for figure in ["sweep", "curves"] {
        let from = folder.join("figures").join(format!("{figure}.svg"));
        runs.keep_figure(workspace, &from, &format!("{name}-{figure}"))?;
    }
    Ok(())
}

/// Does a sweep, or what is left of it; one that ended is taken as it is.
fn sweep(workspace: &Workspace, fashion: &Path, options: &[&str], folder: &Path) -> Result<()> {
    let mut command = Command::new(fashion);
    command.arg("sweep").current_dir(workspace.root());
    if folder.join("sweep.toml").is_file() {
        command.arg("--resume").arg(folder);
    } else {
        command.args(options).arg("--out").arg(folder);
    }
    if !folder.join("points.csv").is_file() {
        command::run(&mut command)?;
    }
    let spec = folder.join("sweep.toml");
    let text =
        fs::read_to_string(&spec).with_context(|| format!("cannot read {}", spec.display()))?;
    if !text.contains(DATA) {
        bail!(
            "{} is not about `{DATA}`, which `cargo xtask fetch-data` brings; remove it and try again",
            folder.display()
        );
    }
    Ok(())
}

/// Markdown of a sweep of one setting, from the CSV files of its folder and the histories of its runs.
fn render(folder: &Path, setting: &str) -> Result<String> {
    let mut points = lines(&folder.join("points.csv"))?;
    points.sort_by(|a, b| {
        let value = |point| number(point, setting).unwrap_or(f64::NAN);
        value(a).total_cmp(&value(b))
    });
    let trials = lines(&folder.join("results.csv"))?;
    let rows: Result<Vec<_>> =
        points.iter().map(|point| row(folder, setting, point, &trials)).collect();
    let heads = [
        &setting.replace('_', " "),
        "Validation accuracy",
        "Validation loss",
        "Training loss",
        &format!("Epochs to {:.0}%", 100.0 * LEARNT),
        "Diverged",
    ];
    Ok(table(&heads, rows?))
}

fn row(folder: &Path, setting: &str, point: &Line, trials: &[Line]) -> Result<Vec<String>> {
    let number = |name: &str| number(point, name);
    let text = |name: &str| point.get(name).map_or("0", String::as_str);
    let spread =
        |name: &str| Some((number(&format!("{name}_mean"))?, number(&format!("{name}_sd"))?));
    let own = trials.iter().filter(|trial| trial.get("point") == point.get("point"));
    let learnt = own
        .map(|trial| learnt(&folder.join("trials").join(&trial["trial"])))
        .collect::<Result<Vec<_>>>()?;
    let seeds = learnt.len();
    // There is no average where a seed never gets there.
    let epochs: Option<usize> = learnt.into_iter().sum();
    let cells = [
        Some(text(setting).to_owned()),
        spread("validation_accuracy")
            .map(|(mean, sd)| format!("{:.2} ± {:.2}%", 100.0 * mean, 100.0 * sd)),
        spread("validation_loss").map(|(mean, sd)| format!("{mean:.3} ± {sd:.3}")),
        number("train_loss_mean").map(|loss| format!("{loss:.3}")),
        epochs.map(|sum| format!("{:.1}", sum as f64 / seeds as f64)),
        Some(format!("{} of {seeds}", text("seeds_diverged"))),
    ];
    Ok(cells.map(|cell| cell.unwrap_or_else(|| NONE.to_owned())).into())
}

fn per_cent(accuracy: f64) -> String {
    format!("{:.2}%", 100.0 * accuracy)
}

fn number(line: &Line, name: &str) -> Option<f64> {
    line.get(name)?.parse().ok()
}

/// The first epoch of a run whose validation accuracy is [`LEARNT`].
fn learnt(run: &Path) -> Result<Option<usize>> {
    let history = run.join("history.csv");
    if !history.exists() {
        // It diverged in its first epoch.
        return Ok(None);
    }
    let reached = |epoch: &Line| number(epoch, "validation_accuracy").is_some_and(|a| a >= LEARNT);
    Ok(lines(&history)?.iter().position(reached).map(|position| position + 1))
}

/// The lines of a CSV file without quotes.
fn lines(path: &Path) -> Result<Vec<Line>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
    let names: Vec<String> = lines.next().into_iter().flatten().collect();
    Ok(lines.map(|fields| names.iter().cloned().zip(fields).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn epochs_are_those_of_all_networks() {
        let config =
            |members| format!("schema = \"x\"\n[training]\nepochs = 20\nmembers = {members}\n");
        assert_eq!(epochs(&config(1)).unwrap(), "20");
        assert_eq!(epochs(&config(2)).unwrap(), "2 × 20");
        epochs("epochs = 20\nmembers = 1\n").unwrap_err();
    }

    #[test]
    fn a_run_s_minutes_are_of_all_cores() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name, text| write(folder.path(), name, text);
        write("timings.csv", "trial,seconds\na,120\n");
        write("results.csv", "trial,network,epochs,validation_accuracy\na,vgg,5,0.9\n");
        write("trials/a/environment.json", "{\"threads\": 1}");
        let minutes = 2.0 / available_parallelism().unwrap().get() as f64;
        assert_eq!(swept(folder.path()).unwrap(), [("`vgg`".into(), "5".into(), minutes, 0.9)]);
    }

    #[test]
    fn points_come_in_the_order_of_their_values_with_what_their_runs_did() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name, text| write(folder.path(), name, text);
        write(
            "points.csv",
            "rank,point,learning_rate,seeds_diverged,validation_accuracy_mean,\
             validation_accuracy_sd,validation_loss_mean,validation_loss_sd,train_loss_mean\n\
             1,2,0.001,0,0.91,0.002,0.25,0.01,0.1\n2,1,1e-5,1,0.75,,0.7,,0.8\n",
        );
        write("results.csv", "trial,point\na,2\nb,2\nc,1\nd,1\n");
        let history = "epoch,validation_accuracy\n1,0.8\n2,0.85\n";
        write("trials/a/history.csv", history);
        write("trials/b/history.csv", "epoch,validation_accuracy\n1,0.9\n");
        write("trials/c/history.csv", history);
        let table = render(folder.path(), "learning_rate").unwrap();
        let lines: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| 1e-5 | – | – | 0.800 | – | 1 of 2 |",
                "| 0.001 | 91.00 ± 0.20% | 0.250 ± 0.010 | 0.100 | 1.5 | 0 of 2 |"
            ]
        );
    }
}
