//! The items as the script finds them: their numbers as one compact block of JSON.

use serde_json::{Value, json};

use super::{Item, Report, sheet};
use crate::format;

/// The items in the order of the sheet, and how they rank. Alike ones stand together, which makes
/// the sheet smaller.
pub(super) struct Items<'r, 'a> {
    pub(super) list: Vec<&'r Item<'a>>,
    /// Positions in the list, the most confident first.
    pub(super) by_confidence: Vec<usize>,
    by_loss: Vec<usize>,
    by_margin: Vec<usize>,
}

/// The probability of the predicted class.
pub(super) fn confidence(item: &Item<'_>) -> f64 {
    item.probabilities.get(item.predicted).copied().unwrap_or(f64::NAN)
}

impl<'r, 'a> Items<'r, 'a> {
    pub(super) fn of(report: &'r Report<'a>) -> Self {
        let mut list: Vec<&Item<'a>> = report.items.iter().collect();
        list.sort_by_key(|item| (item.label, item.predicted, item.index));
        // The largest first, among equals the lowest index; what is no number last.
        let ranked = |value: fn(&Item<'_>) -> f64| {
            let key = |&place: &usize| {
                let value = value(list[place]);
                if value.is_nan() { f64::NEG_INFINITY } else { value }
            };
            let mut order: Vec<usize> = (0..list.len()).collect();
            order.sort_by(|a, b| {
                key(b).total_cmp(&key(a)).then_with(|| list[*a].index.cmp(&list[*b].index))
            });
            order
        };
        let by_confidence = ranked(confidence);
        let by_loss = ranked(|item| item.loss);
        let by_margin = ranked(|item| item.margin);
        Self { list, by_confidence, by_loss, by_margin }
    }

    /// The misclassified items, the most confidently wrong first, with their places in the list.
    pub(super) fn wrong(&self) -> impl Iterator<Item = (usize, &'r Item<'a>)> {
        self.by_confidence
            .iter()
            .map(|&place| (place, self.list[place]))
            .filter(|(_, item)| item.label != item.predicted)
    }

    /// What the script needs to know, as JSON that cannot end the element it stands in. An item is a
    /// list: index, true class, predicted class, loss in hundredths, margin and K probabilities as
    /// [`format::per_mille`] has them, then index and class of each neighbour.
    pub(super) fn json(&self, report: &Report<'_>) -> String {
        let numbers = json!({
            "names": report.class_names,
            "counts": report.confusion,
            "columns": sheet::COLUMNS,
            "items": self.list.iter().map(|item| numbers(item)).collect::<Vec<_>>(),
            "order": {
                "confidence": self.by_confidence,
                "loss": self.by_loss,
                "margin": self.by_margin,
            },
        });
        let markup = [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")];
        markup.iter().fold(numbers.to_string(), |json, (sign, code)| json.replace(sign, code))
    }
}

fn numbers(item: &Item<'_>) -> Vec<Value> {
    let hundredths = (100.0 * item.loss).round();
    let loss = (hundredths.abs() < 1e9).then_some(hundredths as i32);
    let mut out = vec![
        json!(item.index),
        json!(item.label),
        json!(item.predicted),
        json!(loss),
        json!(format::per_mille(item.margin)),
    ];
    out.extend(item.probabilities.iter().map(|&share| json!(format::per_mille(share))));
    out.extend(item.neighbours.iter().flat_map(|near| [json!(near.index), json!(near.label)]));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(index: usize, predicted: usize, confidence: f64, loss: f64) -> Item<'static> {
        let mut probabilities = vec![1.0 - confidence; 2];
        probabilities[predicted] = confidence;
        Item {
            index,
            predicted,
            probabilities,
            loss,
            margin: 2.0 * confidence - 1.0,
            ..Item::default()
        }
    }

    #[test]
    fn the_numbers_are_those_of_the_items_in_the_order_of_the_sheet() {
        let report = Report {
            class_names: vec!["</script>\"&\\".into(), "Bag".into()],
            confusion: vec![vec![3, 2], vec![0, 4]],
            items: vec![
                item(7, 1, 0.9, f64::INFINITY),
                item(5, 0, 0.8, 0.22),
                item(3, 1, 0.9, 1.234),
            ],
            ..Report::default()
        };
        let items = Items::of(&report);
        let wrong: Vec<_> = items.wrong().map(|(place, item)| (place, item.index)).collect();
        assert_eq!(wrong, [(1, 3), (2, 7)]);
        let text = items.json(&report);
        assert!(!text.contains('<') && !text.contains('&'));
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            json,
            json!({
                "names": ["</script>\"&\\", "Bag"],
                "counts": [[3, 2], [0, 4]],
                "columns": 40,
                "items": [
                    [5, 0, 0, 22, 600, 800, 200],
                    [3, 0, 1, 123, 800, 100, 900],
                    [7, 0, 1, null, 800, 100, 900],
                ],
                "order": {"confidence": [1, 2, 0], "loss": [2, 1, 0], "margin": [1, 2, 0]},
            })
        );
    }
}
