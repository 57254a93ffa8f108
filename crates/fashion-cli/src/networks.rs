//! `fashion networks`

use crate::args::NetworksArgs;
use crate::exit;
use crate::output;
use anyhow::Result;
use fashion_eval::thousands;
use fashion_kernels::simd::Isa;
use fashion_model::{Architecture, ImageShape};
use serde::Serialize;
use std::ops::RangeInclusive;
use std::process::ExitCode;

/// Classes of the networks that are told of; with more, only the last layer is larger.
const CLASSES: usize = 10;

/// A network, as `--json` prints it.
#[derive(Serialize)]
struct Answer {
    name: &'static str,
    input: ImageShape,
    parameters: usize,
    multiply_adds: u64,
    purpose: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    plan: Vec<Step>,
}

/// One operation of a network.
#[derive(Serialize)]
struct Row {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    operation: String,
    /// The rows whose results it takes, counted from 1; 0 are the images.
    of: Vec<usize>,
    output: String,
    parameters: usize,
    multiply_adds: u64,
}

/// What is done in one go in use.
#[derive(Serialize)]
struct Step {
    /// The rows of the layers, counted from 1.
    layers: RangeInclusive<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    output: String,
    multiplications: usize,
}

/// Lists the networks, or the layers of one.
pub(crate) fn run(args: &NetworksArgs) -> Result<ExitCode> {
    let text = match &args.network {
        Some(name) => {
            let network = name.parse().map_err(exit::usage)?;
            let mut answer = answer(network, true);
            if args.plan {
                answer.plan = plan(network, &answer.layers);
            }
            match (args.json, args.plan) {
                (true, _) => output::json_line(&answer)?,
                (false, false) => drawn(network, &answer),
                (false, true) => planned(network, &answer),
            }
        }
        None => {
            let answers: Vec<Answer> =
                Architecture::ALL.iter().map(|&network| answer(network, false)).collect();
            match args.json {
                true => answers.iter().map(output::json_line).collect::<Result<String>>()?,
                false => listed(&answers),
            }
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn answer(network: Architecture, with_layers: bool) -> Answer {
    let trained = network.zeroed(CLASSES);
    let graph = trained.graph();
    let layers = graph.layers();
    let rows = layers.iter().map(|layer| Row {
        name: layer.node.name.clone(),
        operation: layer.node.op.to_string(),
        of: layer.node.of.iter().map(|value| value.index()).collect(),
        output: layer.output.to_string(),
        parameters: layer.parameters,
        multiply_adds: layer.multiply_adds,
    });
    Answer {
        name: network.name(),
        input: network.input(),
        parameters: graph.parameter_count(),
        multiply_adds: graph.multiply_adds(),
        purpose: network.purpose(),
        layers: if with_layers { rows.collect() } else { Vec::new() },
        plan: Vec::new(),
    }
}

fn plan(network: Architecture, layers: &[Row]) -> Vec<Step> {
    let steps = network.zeroed(CLASSES).plan();
    let steps = steps.steps().map(|step| Step {
        layers: step.nodes.start + 1..=step.nodes.end,
        method: step.method,
        output: layers[step.nodes.end - 1].output.clone(),
        multiplications: step.multiplications,
    });
    steps.collect()
}

fn planned(network: Architecture, answer: &Answer) -> String {
    let what = |step: &Step| {
        let layers = &answer.layers[step.layers.start() - 1..*step.layers.end()];
        let name = |row: &Row| match row.name.is_empty() {
            true => row.operation.clone(),
            false => row.name.clone(),
        };
        layers.iter().map(name).collect::<Vec<_>>().join(" + ")
    };
    let width = answer.plan.iter().map(|step| what(step).chars().count()).max().unwrap_or(0);
    let line = |layers: &str, what: &str, method: &str, output: &str, products: &str| {
        let line =
            format!("{layers:>7}  {what:<width$}  {method:<32}  {output:<12}  {products:>15}");
        line.trim_end().to_owned() + "\n"
    };
    let isa = Isa::current();
    let mut text = format!("{network} in use, with {isa}\n\n");
    text += &line("layers", "in one go", "by", "output", "multiplications");
    for step in &answer.plan {
        let layers = match (step.layers.start(), step.layers.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}–{last}"),
        };
        let (method, products) = (step.method.unwrap_or(""), unless_0(step.multiplications));
        text += &line(&layers, &what(step), method, &step.output, &products);
    }
    let all: usize = answer.plan.iter().map(|step| step.multiplications).sum();
    text += &format!(
        "\n{} multiplications an image, for {} multiply-adds\n",
        thousands(all),
        thousands(answer.multiply_adds as usize)
    );
    text
}

/// A number, or nothing where there is nothing.
fn unless_0(count: usize) -> String {
    if count == 0 { String::new() } else { thousands(count) }
}

fn listed(answers: &[Answer]) -> String {
    let line = |name: &str, parameters: &str, sums: &str, purpose: &str| {
        format!("{name:<12}  {parameters:>10}  {sums:>13}  {purpose}\n")
    };
    let rows = answers.iter().map(|answer| {
        let parameters = thousands(answer.parameters);
        line(answer.name, &parameters, &thousands(answer.multiply_adds as usize), answer.purpose)
    });
    line("network", "parameters", "multiply-adds", "what for") + &rows.collect::<String>()
}

fn drawn(network: Architecture, answer: &Answer) -> String {
    let widest = |of: &dyn Fn(&Row) -> &str, title: &str| {
        let lengths = answer.layers.iter().map(|row| of(row).chars().count());
        lengths.max().unwrap_or(0).max(title.len())
    };
    let width = widest(&|row| &row.name, "layer");
    // Room for `of 12 and 34`.
    let wide = widest(&|row| &row.operation, "operation") + 6;
    let line = |place: &str, name: &str, operation: &str, output: &str, costs: [&str; 2]| {
        let [parameters, sums] = costs;
        let line = format!(
            "{place:>3}  {name:<width$}  {operation:<wide$}  {output:<12}  {parameters:>10}  {sums:>13}"
        );
        line.trim_end().to_owned() + "\n"
    };
    let mut text = format!("{network}: {}\n\n", answer.purpose);
    text += &line("", "layer", "operation", "output", ["parameters", "multiply-adds"]);
    let images = answer.layers[0].of[0];
    text += &line(
        &images.to_string(),
        "",
        "images",
        &network.zeroed(CLASSES).graph().input().to_string(),
        [""; 2],
    );
    for (position, row) in answer.layers.iter().enumerate() {
        // What is not the row before is said.
        let operation = match row.of[..] {
            [of] if of == position => row.operation.clone(),
            [of] => format!("{} of {of}", row.operation),
            _ => {
                let of: Vec<String> = row.of.iter().map(usize::to_string).collect();
                format!("{} of {}", row.operation, of.join(" and "))
            }
        };
        let costs = [unless_0(row.parameters), unless_0(row.multiply_adds as usize)];
        let costs = [costs[0].as_str(), costs[1].as_str()];
        let place = (position + 1).to_string();
        text += &line(&place, &row.name, &operation, &row.output, costs);
    }
    let sums = [thousands(answer.parameters), thousands(answer.multiply_adds as usize)];
    text + "\n" + &line("", "", "", "", [&sums[0], &sums[1]])
}
