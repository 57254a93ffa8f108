//! Answers as text.

use crate::args::PredictFormat;
use crate::output;
use fashion_eval::Bins;
use fashion_judge::Answer;
use std::fmt::Write;

/// What the column of who is to sort takes: at most `person: background`.
const SORTED_BY: usize = 18;

/// What the probability behind a name takes: ` (50.0%)`, ` (100.0%)`.
const PROBABILITY: usize = 9;

/// Writes answers in one format, after a header where that has one.
///
/// The path is a table's last column, since the widest is not known before the last picture is found.
pub(super) struct Writer<'a> {
    format: PredictFormat,
    classes: &'a [String],
    class_width: usize,
    /// Of the bins, where classes go into bins.
    bin_width: Option<usize>,
    begun: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        format: PredictFormat,
        classes: &'a [String],
        bins: Option<&Bins>,
    ) -> Writer<'a> {
        let width =
            |names: &[String], least| output::width(names.iter().map(String::as_str), least);
        let bin_width = bins.map(|bins| width(bins.names(), 3) + PROBABILITY);
        Writer { format, classes, class_width: width(classes, 12), bin_width, begun: false }
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
            self.row(&mut text, ["class", "probability", "bin", "sorted by", "runner-up", "image"]);
        }
        for answer in answers {
            let percent = |class: usize| format!("{:.1}%", 100.0 * answer.probabilities[class]);
            let second = answer.runner_up();
            let bin = answer.bin.as_deref().zip(answer.bin_probability);
            let bin = bin.map(|(name, p)| format!("{} ({:.1}%)", output::inline(name), 100.0 * p));
            let reason = answer.reason.map_or(String::new(), |reason| format!(": {reason}"));
            self.row(
                &mut text,
                [
                    &output::inline(&answer.class),
                    &percent(answer.predicted),
                    &bin.unwrap_or_default(),
                    &format!("{}{reason}", answer.sorted_by.unwrap_or_default()),
                    &format!("{} ({})", output::inline(&self.classes[second]), percent(second)),
                    &output::inline(&answer.path),
                ],
            );
        }
        text
    }

    fn row(&self, text: &mut String, cells: [&str; 6]) {
        let [class, probability, bin, sorted_by, second, image] = cells;
        let mut put = |cell: &str, width| write!(text, "{cell:<width$}  ").expect("to memory");
        put(class, self.class_width);
        put(&format!("{probability:>11}"), 11);
        if let Some(width) = self.bin_width {
            put(bin, width);
        }
        put(sorted_by, SORTED_BY);
        put(second, self.class_width + PROBABILITY);
        text.push_str(image);
        text.push('\n');
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
            bin: None,
            bin_probability: None,
            tta: None,
            sorted_by: None,
            reason: None,
            novelty: None,
        };
        let mut plain = Writer::new(PredictFormat::Table, &classes, None);
        assert_eq!(plain.text(&[]), "");
        assert_eq!(
            plain.text(std::slice::from_ref(&answer)),
            "class         probability  sorted by           runner-up              image\n\
             Ankle boot          75.0%                      Sneaker (25.0%)        a\u{fffd}b.png\n"
        );
        assert_eq!(plain.text(std::slice::from_ref(&answer)).lines().count(), 1);
        let mut sorted = Writer::new(PredictFormat::Table, &classes, None);
        let answer = Answer { sorted_by: Some("person"), reason: Some("background"), ..answer };
        assert_eq!(
            sorted.text(std::slice::from_ref(&answer)),
            "class         probability  sorted by           runner-up              image\n\
             Ankle boot          75.0%  person: background  Sneaker (25.0%)        a\u{fffd}b.png\n"
        );
        let bins =
            Bins::new([("shoes", ["Sneaker", "Ankle boot"])], Some("rest"), &classes).unwrap();
        let mut binned = Writer::new(PredictFormat::Table, &classes, Some(&bins));
        let answer = Answer {
            bin: Some("shoes".into()),
            bin_probability: Some(1.0),
            sorted_by: Some("machine"),
            reason: None,
            ..answer
        };
        assert_eq!(
            binned.text(&[answer]),
            "class         probability  bin             sorted by           runner-up              image\n\
             Ankle boot          75.0%  shoes (100.0%)  machine             Sneaker (25.0%)        a\u{fffd}b.png\n"
        );
    }
}
