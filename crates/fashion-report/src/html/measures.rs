//! The figures of merit: the first few large, the rest as a table.

use std::fmt::Write as _;

use super::{Estimate, Measure, Report, Unit, esc, tables};
use crate::format;

/// How many are set large.
const LARGE: usize = 4;

/// A value as it is printed.
pub(super) fn print(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => format::percent_to(value, 2),
        Unit::Number => format::number(value, 3),
    }
}

/// The ends of the interval in words, if there is one.
fn range(estimate: &Estimate, unit: Unit) -> Option<String> {
    let (low, high) = estimate.interval?;
    Some(format!("{} to {}", print(low, unit), print(high, unit)))
}

/// A table's cell with a value over its interval.
pub(super) fn cell(out: &mut String, estimate: &Estimate, unit: Unit) {
    let _ = write!(out, "<td>{}", esc(&print(estimate.value, unit)));
    if let Some(range) = range(estimate, unit) {
        let _ = write!(out, "<small>{}</small>", esc(&range));
    }
    out.push_str("</td>");
}

pub(super) fn measures(report: &Report<'_>) -> String {
    let measures = &report.measures;
    if measures.is_empty() {
        return String::new();
    }
    let mut out = String::new();
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
    if !note.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", esc(&note.join(" ")));
    }
    let (large, rest) = measures.split_at(measures.len().min(LARGE));
    out.push_str("<dl class=\"cards\">\n");
    for Measure { name, estimate, unit, meaning } in large {
        let value = print(estimate.value, *unit);
        let _ = write!(out, "<div><dt>{}</dt><dd><b>{}</b>", esc(name), esc(&value));
        if let Some(range) = range(estimate, *unit) {
            let _ = write!(out, "<span>{}</span>", esc(&range));
        }
        if !meaning.is_empty() {
            let _ = write!(out, "<small>{}</small>", esc(meaning));
        }
        out.push_str("</dd></div>\n");
    }
    out.push_str("</dl>\n");
    if !rest.is_empty() {
        table(&mut out, rest);
    }
    out
}

fn table(out: &mut String, measures: &[Measure]) {
    tables::open(out, "Further figures of merit", "measures", &["Measure", "Value"]);
    for Measure { name, estimate, unit, meaning } in measures {
        let (name, meaning) = (esc(name), esc(meaning));
        let _ = write!(out, "<tr><th scope=\"row\">{name} <small>{meaning}</small></th>");
        cell(out, estimate, *unit);
        out.push_str("</tr>\n");
    }
    out.push_str(tables::CLOSE);
}
