//! A file of a classifier; or, of what begins with `{` or `[`, a graph or the members' graphs, whose
//! tensors are then made to fit, so that kernels run. It is refused, or answers with probabilities or an
//! error. Where the number of bytes is even, images are seen mirrored too.

#![no_main]

use fashion_infer::tensors::{Metadata, NamedTensor, Tensors};
use fashion_infer::{Classifier, Error, Graph};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let classifier = match data {
        [b'{', ..] => serde_json::from_slice(data).ok().and_then(|one| of_graphs(&[one], data)),
        [b'[', ..] => serde_json::from_slice::<Vec<Graph>>(data)
            .ok()
            .and_then(|graphs| of_graphs(&graphs, data)),
        file => Classifier::from_bytes(file).ok(),
    };
    let Some(classifier) = classifier else { return };
    let work: u64 = classifier.members().iter().map(|member| member.graph.multiply_adds()).sum();
    if work > 10_000_000 {
        return;
    }
    let images = vec![200; 3 * classifier.input().values()];
    match classifier.probabilities(&images) {
        Ok(p) => {
            for p in p.chunks(classifier.classes().len()) {
                assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-3, "{p:?}");
            }
        }
        Err(error) => assert!(matches!(error, Error::Overflow { .. }), "{error}"),
    }
});

fn of_graphs(graphs: &[Graph], json: &[u8]) -> Option<Classifier> {
    let mut tensors = Tensors::new();
    for (number, graph) in graphs.iter().enumerate() {
        graph.check().ok()?;
        if graph.parameter_count() > 1 << 20 {
            return None;
        }
        let prefix = if graphs.len() > 1 { format!("{number}.") } else { String::new() };
        tensors.extend(graph.parameters().into_iter().map(|parameter| {
            // Any will do: variances must not be negative, and zeros would make every answer the same.
            let values = (0..parameter.values()).map(|i| (i % 17) as f32 / 100.0).collect();
            let name = format!("{prefix}{}", parameter.name);
            (name, NamedTensor { shape: parameter.shape, values })
        }));
    }
    let mut metadata = Metadata::from([("graph".into(), String::from_utf8(json.into()).ok()?)]);
    if json.len().is_multiple_of(2) {
        metadata.insert("tta".into(), "flip".into());
    }
    let classifier = Classifier::from_parts(tensors, metadata);
    match graphs {
        [_] => Some(classifier.expect("a graph that was checked")),
        // They may differ in their images or classes.
        _ => classifier.ok(),
    }
}
