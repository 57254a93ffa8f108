//! A file of a classifier; or, of what begins with `{`, a graph, whose tensors are then made to fit it,
//! so that kernels run. It is refused, or answers with probabilities or an error.

#![no_main]

use fashion_infer::tensors::{Metadata, NamedTensor};
use fashion_infer::{Classifier, Error, Graph};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let classifier = match data {
        [b'{', ..] => of_graph(data),
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

fn of_graph(json: &[u8]) -> Option<Classifier> {
    let graph: Graph = serde_json::from_slice(json).ok()?;
    graph.check().ok()?;
    if graph.parameter_count() > 1 << 20 {
        return None;
    }
    let tensors = graph.parameters().into_iter().map(|parameter| {
        // Any will do: variances must not be negative, and zeros would make every answer the same.
        let values = (0..parameter.values()).map(|i| (i % 17) as f32 / 100.0).collect();
        (parameter.name, NamedTensor { shape: parameter.shape, values })
    });
    let metadata = Metadata::from([("graph".into(), serde_json::to_string(&graph).ok()?)]);
    Some(Classifier::from_parts(tensors.collect(), metadata).expect("a graph that was checked"))
}
