//! `metrics.schema.json` says exactly what `Metrics::to_json` writes.

use std::fs::File;

use fashion_eval::{
    Bins, ConfidenceCurves, Context, Metrics, Predictions, SCHEMA, calibration::Temperature,
    predictions_csv::read_any, selective::Threshold,
};
use ndarray::array;
use serde_json::{Value, json};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

fn schema() -> Value {
    serde_json::from_reader(File::open(format!("{FOLDER}/metrics.schema.json")).unwrap()).unwrap()
}

/// As they are; at a temperature; in bins with a threshold that some reach; and with one that none does.
fn judged(predictions: &Predictions) -> [Value; 4] {
    let context = Context {
        data: "random".into(),
        split: "test".into(),
        classes: (0..predictions.classes()).map(|class| format!("class {class}")).collect(),
    };
    let metrics = Metrics::compute(predictions, &context).unwrap();
    let temperature = Temperature::new(1.5).unwrap();
    let threshold = |value| Threshold { value, target: 0.9, level: 0.95, held_out: 10 };
    let scaled = temperature.apply(predictions);
    let curves = ConfidenceCurves::from(&scaled);
    let calibrated = |value: Option<Option<f64>>| {
        metrics.clone().with_calibrated(&scaled, &curves, temperature, value.map(threshold))
    };
    let last = predictions.classes() - 1;
    let bins = Bins::of_names((0..=last).map(|k| if k < last { "some" } else { "last" })).unwrap();
    let all = [
        calibrated(None).with_tta("flip"),
        calibrated(None).with_bins(&bins, &bins.merge(&scaled), Some(threshold(Some(0.5)))),
        calibrated(Some(None)),
    ];
    let json = |metrics: &Metrics| serde_json::from_str(&metrics.to_json()).unwrap();
    [json(&metrics), json(&all[0]), json(&all[1]), json(&all[2])]
}

/// Why `value` is not what `rule` allows, or has a key that it does not know.
///
/// The keywords that the schema uses, and no others.
fn fault(root: &Value, rule: &Value, value: &Value, at: &str) -> Result<(), String> {
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        other => panic!("{at}: unknown type {other}"),
    };
    let fail = |what: String| Err(format!("{at}: {value} {what}"));
    for (keyword, rule) in rule.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                fault(root, root.pointer(pointer).unwrap(), value, at)?;
            }
            "anyOf" => {
                let rules = rule.as_array().unwrap();
                if !rules.iter().any(|rule| fault(root, rule, value, at).is_ok()) {
                    return fail(format!("is none of {}", json!(rules)));
                }
            }
            "const" if rule != value => return fail(format!("is not {rule}")),
            "type" => {
                let kinds = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                if !kinds.iter().any(|kind| is(kind.as_str().unwrap())) {
                    return fail(format!("is no {rule}"));
                }
            }
            "minimum" | "maximum" if value.is_null() => {}
            "minimum" if value.as_f64() < rule.as_f64() => return fail(format!("is below {rule}")),
            "maximum" if value.as_f64() > rule.as_f64() => return fail(format!("is above {rule}")),
            "minimum" | "maximum" | "const" => {}
            "required" => {
                for key in rule.as_array().unwrap() {
                    if value.get(key.as_str().unwrap()).is_none() {
                        return fail(format!("has no {key}"));
                    }
                }
            }
            "properties" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    match rule.get(key) {
                        Some(rule) => fault(root, rule, value, &format!("{at}.{key}"))?,
                        None => return fail(format!("has {key}, which is not in the schema")),
                    }
                }
            }
            "items" => {
                for (position, value) in value.as_array().into_iter().flatten().enumerate() {
                    fault(root, rule, value, &format!("{at}[{position}]"))?;
                }
            }
            other => panic!("{at}: the test does not know the keyword {other}"),
        }
    }
    Ok(())
}

#[test]
fn what_is_written_is_what_is_stated() {
    let schema = schema();
    assert_eq!(schema["title"], SCHEMA);
    for case in ["ten_classes", "absent_class", "certain", "two_classes", "ties", "one_item"] {
        let file = format!("{FOLDER}/tests/data/{case}.csv");
        let predictions = read_any(File::open(&file).unwrap(), &file, None).unwrap();
        for json in judged(&predictions) {
            assert_eq!(fault(&schema, &schema, &json, case), Ok(()));
        }
    }
}

#[test]
fn nothing_is_optional() {
    fn check(rule: &Value, at: &str) -> usize {
        let Some(rule) = rule.as_object() else { return 0 };
        let mut objects = 0;
        if let Some(properties) = rule.get("properties").filter(|_| rule.contains_key("type")) {
            let mut keys: Vec<_> =
                properties.as_object().unwrap().keys().map(|key| json!(key)).collect();
            let mut required = rule["required"].as_array().unwrap().clone();
            for list in [&mut keys, &mut required] {
                list.sort_by_key(Value::to_string);
            }
            assert_eq!(keys, required, "{at}");
            objects = 1;
        }
        let nested = rule.iter().map(|(key, rule)| check(rule, &format!("{at}.{key}")));
        objects + nested.sum::<usize>()
    }
    assert!(check(&schema(), "schema") > 10);
}

#[test]
fn what_is_not_stated_is_found() {
    let schema = schema();
    let two = Predictions::new(array![[0.9, 0.1], [0.4, 0.6]], vec![0, 0]).unwrap();
    let [_, _, good, _] = judged(&two);
    let broken = |pointer: &str, value: Value| {
        let mut json = good.clone();
        *json.pointer_mut(pointer).unwrap() = value;
        fault(&schema, &schema, &json, "metrics").unwrap_err()
    };
    assert!(broken("/schema", json!("fashion-metrics/1")).contains("is not \"fashion-metrics/2\""));
    assert!(broken("/accuracy", json!(null)).contains("metrics.accuracy: null is no"));
    assert!(broken("/accuracy", json!(1.5)).contains("is above 1"));
    assert!(broken("/confusion/0/1", json!(0.5)).contains("metrics.confusion[0][1]"));
    assert!(broken("/intervals/brier", json!({"low": 1})).contains("is none of"));
    assert!(broken("/macro", json!({"precision": 1, "recall": 1})).contains("has no \"f1\""));
    assert!(broken("/confidence/errors/bins", json!(0)).contains("is below 1"));
    assert!(broken("/confidence/calibrated/temperature", json!(0)).contains("is none of"));
    assert!(broken("/confidence/calibrated/sorted/threshold", json!(null)).contains("is none of"));
    let more = json!({"precision": 1, "recall": 1, "f1": 1, "f2": 1});
    assert!(broken("/macro", more).contains("has f2, which is not in the schema"));
}
