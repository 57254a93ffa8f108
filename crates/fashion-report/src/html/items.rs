//! The items as the script finds them: their numbers as one compact block of JSON.

use fashion_eval::{JudgedItem, Metrics};
use serde_json::{Value, json};

use super::{many, sheet};
use crate::{Item, format};

/// The items in the order of the sheet, and how they rank. Alike ones stand together, which makes
/// the sheet smaller.
pub(super) struct Items<'r, 'a> {
    pub(super) list: Vec<&'r Item<'a>>,
    /// Positions in the list, the most confident first.
    pub(super) by_confidence: Vec<usize>,
    by_loss: Vec<usize>,
    by_margin: Vec<usize>,
}

impl<'r, 'a> Items<'r, 'a> {
    pub(super) fn of(items: &'r [Item<'a>]) -> Self {
        let mut list: Vec<&Item<'a>> = items.iter().collect();
        list.sort_by_key(|Item { judged, .. }| (judged.label, judged.predicted, judged.index));
        // The largest first, among equals the lowest index; what is no number last.
        let ranked = |value: fn(&JudgedItem) -> f64| {
            let key = |&place: &usize| {
                let value = value(&list[place].judged);
                if value.is_nan() { f64::NEG_INFINITY } else { value }
            };
            let mut order: Vec<usize> = (0..list.len()).collect();
            order.sort_by(|a, b| {
                let index = |place: &usize| list[*place].judged.index;
                key(b).total_cmp(&key(a)).then_with(|| index(a).cmp(&index(b)))
            });
            order
        };
        let by_confidence = ranked(|item| item.confidence);
        let by_loss = ranked(JudgedItem::loss);
        let by_margin = ranked(JudgedItem::margin);
        Self { list, by_confidence, by_loss, by_margin }
    }

    /// The misclassified items, the most confidently wrong first, with their places in the list.
    pub(super) fn wrong(&self) -> impl Iterator<Item = (usize, &'r Item<'a>)> {
        self.by_confidence
            .iter()
            .map(|&place| (place, self.list[place]))
            .filter(|(_, item)| item.is_wrong())
    }

    /// What the script needs to know, as JSON that cannot end the element it stands in. An item is a
    /// list: index, true class, predicted class, loss in hundredths, margin and K probabilities as
    /// [`format::per_mille`] has them, then index and class of each neighbour.
    ///
    /// Of many classes nothing has a place for each: an item has so many pairs of class and probability
    /// as `likely` says, the most probable first, and `counts` are true class, predicted class and number
    /// where that is not 0. `maps` is whether misclassified items have occlusion maps.
    pub(super) fn json(&self, metrics: &Metrics, maps: bool) -> String {
        let many = many(metrics.per_class.len());
        let counts = match many {
            false => json!(metrics.confusion),
            true => {
                let counts = metrics.confusion.counts();
                let counts = counts.indexed_iter().filter(|(_, count)| **count > 0);
                counts.map(|((label, predicted), count)| json!([label, predicted, count])).collect()
            }
        };
        let numbers = json!({
            "names": metrics.per_class.iter().map(|class| &class.class).collect::<Vec<_>>(),
            "counts": counts,
            "columns": sheet::COLUMNS,
            "likely": if many { LIKELY } else { 0 },
            "maps": maps,
            "items": self.list.iter().map(|item| numbers(item, many)).collect::<Vec<_>>(),
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

/// Probabilities of an item on the page where there are many classes.
const LIKELY: usize = 10;

/// The classes of which the page has the probabilities where there are many: the most probable, the true
/// and the predicted one among them.
fn likely(JudgedItem { label, predicted, probabilities, .. }: &JudgedItem) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..probabilities.len()).collect();
    classes.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let (asked, others): (Vec<usize>, Vec<usize>) =
        classes.into_iter().partition(|class| [label, predicted].contains(&class));
    let mut classes: Vec<usize> = asked.into_iter().chain(others).take(LIKELY).collect();
    classes.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    classes
}

fn numbers(Item { judged, neighbours, .. }: &Item<'_>, many: bool) -> Vec<Value> {
    let hundredths = (100.0 * judged.loss()).round();
    let mut out = vec![
        json!(judged.index),
        json!(judged.label),
        json!(judged.predicted),
        json!(hundredths.is_finite().then_some(hundredths as i32)),
        json!(format::per_mille(judged.margin())),
    ];
    let share = |class: usize| json!(format::per_mille(judged.probabilities[class]));
    if many {
        out.extend(likely(judged).into_iter().flat_map(|class| [json!(class), share(class)]));
    } else {
        out.extend((0..judged.probabilities.len()).map(share));
    }
    out.extend(neighbours.iter().flat_map(|near| [json!(near.index), json!(near.label)]));
    out
}

#[cfg(test)]
mod tests {
    use fashion_eval::{Context, Predictions};
    use ndarray::Array2;

    use super::*;

    fn item(index: usize, predicted: usize, confidence: f64, rest: f64) -> Item<'static> {
        let mut probabilities = vec![rest; 2];
        probabilities[predicted] = confidence;
        let judged = JudgedItem { index, label: 0, predicted, confidence, probabilities };
        Item { judged, pixels: &[], map: vec![], neighbours: vec![] }
    }

    #[test]
    fn the_numbers_are_those_of_the_items_in_the_order_of_the_sheet() {
        let predicted = [0, 0, 0, 1, 1, 1, 1, 1, 1];
        let p = Array2::from_shape_fn((9, 2), |(row, class)| {
            f64::from(u8::from(predicted[row] == class))
        });
        let predictions = Predictions::new(p, vec![0, 0, 0, 0, 0, 1, 1, 1, 1]).unwrap();
        let classes = vec!["</script>\"&\\".into(), "Bag".into()];
        let context = Context { data: "custom".into(), split: "test".into(), classes };
        let metrics = Metrics::compute(&predictions, &context).unwrap();
        let items = [item(7, 1, 0.9, f64::NAN), item(5, 0, 0.8, 0.2), item(3, 1, 0.9, 0.1)];
        let items = Items::of(&items);
        let wrong: Vec<_> = items.wrong().map(|(place, item)| (place, item.judged.index)).collect();
        assert_eq!(wrong, [(1, 3), (2, 7)]);
        let text = items.json(&metrics, true);
        assert!(!text.contains('<') && !text.contains('&'));
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            json,
            json!({
                "names": ["</script>\"&\\", "Bag"],
                "counts": [[3, 2], [0, 4]],
                "columns": 40,
                "likely": 0,
                "maps": true,
                "items": [
                    [5, 0, 0, 22, 600, 800, 200],
                    [3, 0, 1, 230, 800, 100, 900],
                    [7, 0, 1, null, null, null, 900],
                ],
                "order": {"confidence": [1, 2, 0], "loss": [1, 0, 2], "margin": [1, 0, 2]},
            })
        );
    }

    #[test]
    fn of_many_classes_an_item_has_the_most_probable_and_the_counts_are_those_that_are_some() {
        let p = Array2::from_shape_fn((40, 40), |(row, class)| f64::from(u8::from(row == class)));
        let predictions = Predictions::new(p, (0..40).map(|row| row.max(1)).collect()).unwrap();
        let classes = (0..40).map(|class| class.to_string()).collect();
        let context = Context { data: "custom".into(), split: "test".into(), classes };
        let metrics = Metrics::compute(&predictions, &context).unwrap();
        // Ever less probable, but for class 30, which it was taken for; it is of the last one.
        let mut probabilities: Vec<f64> =
            (0..40).map(|class| 0.1 - 0.001 * f64::from(class)).collect();
        (probabilities[30], probabilities[39]) = (0.25, 0.0);
        let judged =
            JudgedItem { index: 7, label: 39, predicted: 30, confidence: 0.25, probabilities };
        let items = [Item { judged, pixels: &[], map: vec![], neighbours: vec![] }];
        let json: Value = serde_json::from_str(&Items::of(&items).json(&metrics, false)).unwrap();
        let pairs = [30, 250, 0, 100, 1, 99, 2, 98, 3, 97, 4, 96, 5, 95, 6, 94, 7, 93, 39, -1];
        assert_eq!(json["items"][0].as_array().unwrap()[5..], pairs.map(Value::from));
        assert_eq!(json["likely"], 10);
        assert_eq!(json["counts"].as_array().unwrap()[..2], [json!([1, 0, 1]), json!([1, 1, 1])]);
        assert_eq!(json["counts"].as_array().unwrap().len(), 40);
    }
}
