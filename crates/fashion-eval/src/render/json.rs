//! JSON in which lists of plain values stay on one line.

use serde::Serialize;

use crate::Metrics;

impl Metrics {
    /// JSON with the keys of the fields in their order, indented by two spaces, a list of numbers on
    /// one line (so that the confusion matrix looks like one), and a newline at the end.
    ///
    /// Each number is the shortest that reads back as the same `f64`; equal metrics give equal bytes.
    pub fn to_json(&self) -> String {
        pretty(self)
    }
}

/// `value` as JSON, indented by two spaces, a list of plain values on one line, a newline at the end.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let indented = serde_json::to_string_pretty(value)
        .expect("numbers, texts and lists always have a JSON form");
    let lines: Vec<&str> = indented.lines().collect();
    let mut out = String::with_capacity(indented.len());
    let mut rest = &lines[..];
    while let [line, below @ ..] = rest {
        out.push_str(line);
        rest = below;
        // Texts end in a quote and have no line breaks, so that brackets at the ends are those of lists.
        let is_end = |line: &str| line.trim_start().starts_with(']');
        if line.ends_with('[')
            && let Some(edge) = rest.iter().position(|l| is_end(l) || l.ends_with(['[', '{']))
            && is_end(rest[edge])
        {
            rest[..=edge].iter().for_each(|line| out.push_str(line.trim_start()));
            rest = &rest[edge + 1..];
        }
        out.push('\n');
    }
    out
}
