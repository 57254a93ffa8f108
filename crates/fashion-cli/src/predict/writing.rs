//! Answers as text.

use crate::args::PredictFormat;
use crate::output;
use fashion_judge::Answer;
use std::fmt::Write;

/// What the column of who is to sort takes: at most `person: background`.
const SORTED_BY: usize = 18;

/// What the probability behind the name of the second most probable class takes: ` (50.0%)`.
const PROBABILITY: usize = 8;

/// Writes answers in one format, after a header where that has one.
///
/// The path is a table's last column, since the widest is not known before the last picture is found.
pub(super) struct Writer<'a> {
    format: PredictFormat,
    classes: &'a [String],
    class_width: usize,
    /// Whether it is known who is to sort.
    sorts: bool,
    begun: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(format: PredictFormat, classes: &'a [String], sorts: bool) -> Writer<'a> {
        let class_width = output::width(classes.iter().map(String::as_str), 12);
        Writer { format, classes, class_width, sorts, begun: false }
    }

    /// The answers, after the header where they are the first.
    pub(super) fn text(&mut self, answers: &[Answer]) -> String {
        if answers.is_empty() {
            return String::new();
        }
        let header = !std::mem::replace(&mut self.begun, true);
        match self.format {
            PredictFormat::Json => Answer::to_json(answers),
            PredictFormat::Csv if header => {
                Answer::csv_header(self.classes.len()) + &Answer::to_csv(answers)
            }
            PredictFormat::Csv => Answer::to_csv(answers),
            PredictFormat::Table => self.table(header, answers),
        }
    }

    fn table(&self, header: bool, answers: &[Answer]) -> String {
        let mut text = String::new();
        if header {
            self.row(&mut text, ["class", "probability", "sorted by", "runner-up", "image"]);
        }
        for answer in answers {
            let percent = |class: usize| format!("{:.1}%", 100.0 * answer.probabilities[class]);
            let second = answer.runner_up();
            let reason = answer.reason.map_or(String::new(), |reason| format!(": {reason}"));
            self.row(
                &mut text,
                [
                    &output::inline(&answer.class),
                    &percent(answer.predicted),
                    &format!("{}{reason}", answer.sorted_by.unwrap_or_default()),
                    &format!("{} ({})", output::inline(&self.classes[second]), percent(second)),
                    &output::inline(&answer.path),
                ],
            );
        }
        text
    }

    fn row(&self, text: &mut String, [class, probability, sorted_by, second, image]: [&str; 5]) {
        let width = self.class_width;
        let written = if self.sorts {
            write!(text, "{class:<width$}  {probability:>11}  {sorted_by:<SORTED_BY$}  ")
        } else {
            write!(text, "{class:<width$}  {probability:>11}  ")
        };
        let width = width + PROBABILITY;
        written
            .and_then(|()| writeln!(text, "{second:<width$}  {image}"))
            .expect("written to memory");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fashion_data::Classes;

    #[test]
    fn a_row_has_the_two_most_probable_classes_and_ends_with_the_path() {
        let classes = Classes::garments();
        let mut probabilities = vec![0.0; 10];
        (probabilities[9], probabilities[7]) = (0.75, 0.25);
        let answer = Answer {
            path: "a\nb.png".into(),
            predicted: 9,
            class: classes[9].clone(),
            probabilities,
            tta: None,
            sorted_by: None,
            reason: None,
        };
        let mut plain = Writer::new(PredictFormat::Table, &classes, false);
        assert_eq!(plain.text(&[]), "");
        assert_eq!(
            plain.text(std::slice::from_ref(&answer)),
            "class         probability  runner-up             image\n\
             Ankle boot          75.0%  Sneaker (25.0%)       a\u{fffd}b.png\n"
        );
        assert_eq!(plain.text(std::slice::from_ref(&answer)).lines().count(), 1);
        let mut sorted = Writer::new(PredictFormat::Table, &classes, true);
        let answer = Answer { sorted_by: Some("person"), reason: Some("background"), ..answer };
        assert_eq!(
            sorted.text(&[answer]),
            "class         probability  sorted by           runner-up             image\n\
             Ankle boot          75.0%  person: background  Sneaker (25.0%)       a\u{fffd}b.png\n"
        );
    }
}
