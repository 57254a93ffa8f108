//! The figures of merit: the first few large, the rest as a table.

use maud::{Markup, html};

use super::{Estimate, Measure, Report, Unit, tables};
use crate::format;

/// How many are set large.
const LARGE: usize = 4;

/// A value as it is printed.
pub(super) fn print(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => format::percent(value, 2),
        Unit::Number => format::number(value, 3),
    }
}

/// The ends of the interval in words, if there is one.
fn range(estimate: &Estimate, unit: Unit) -> Option<String> {
    let (low, high) = estimate.interval?;
    Some(format!("{} to {}", print(low, unit), print(high, unit)))
}

/// A table's cell with a value over its interval.
pub(super) fn cell(estimate: &Estimate, unit: Unit) -> Markup {
    html! {
        td {
            (print(estimate.value, unit))
            @if let Some(range) = range(estimate, unit) { small { (range) } }
        }
    }
}

pub(super) fn measures(report: &Report<'_>) -> Markup {
    let measures = &report.measures;
    if measures.is_empty() {
        return Markup::default();
    }
    let mut note = Vec::new();
    if !report.split.is_empty() {
        note.push(format!("Measured on the {} set.", report.split));
    }
    if measures.iter().any(|m| m.estimate.interval.is_some()) {
        note.push("The ranges are 95% intervals.".into());
    }
    if !report.intervals.is_empty() {
        note.push(report.intervals.clone());
    }
    let (large, rest) = measures.split_at(measures.len().min(LARGE));
    html! {
        @if !note.is_empty() { p { (note.join(" ")) } }
        dl.cards {
            @for Measure { name, estimate, unit, meaning } in large {
                div {
                    dt { (name) }
                    dd {
                        b { (print(estimate.value, *unit)) }
                        @if let Some(range) = range(estimate, *unit) { span { (range) } }
                        @if !meaning.is_empty() { small { (meaning) } }
                    }
                }
            }
        }
        @if !rest.is_empty() { (table(rest)) }
    }
}

fn table(measures: &[Measure]) -> Markup {
    let rows = html! {
        @for Measure { name, estimate, unit, meaning } in measures {
            tr {
                th scope="row" { (name) " " small { (meaning) } }
                (cell(estimate, *unit))
            }
        }
    };
    tables::table("Further figures of merit", "measures", &["Measure", "Value"], &rows)
}
