//! ONNX models, as ONNX Runtime has run them.

use crate::{every_operation, file, metadata, tensors};
use fashion_infer::tensors::encode;
use fashion_infer::{Classifier, onnx};
use std::path::Path;

/// Calibrated, and of two members, so that all that can be printed is.
fn two_members() -> Vec<u8> {
    let graph = every_operation();
    let mut other = tensors(&graph);
    other.values_mut().filter(|t| t.shape.len() > 1).for_each(|t| t.values.reverse());
    let both = [tensors(&graph), other].into_iter().enumerate().flat_map(|(member, tensors)| {
        tensors.into_iter().map(move |(name, tensor)| (format!("{member}.{name}"), tensor))
    });
    let mut metadata = metadata(&graph);
    metadata.insert("graph".into(), serde_json::to_string(&[&graph, &graph]).unwrap());
    metadata.insert("temperature".into(), "1.5".into());
    encode(&both.collect(), &metadata).unwrap()
}

fn images() -> Vec<u8> {
    (0..2 * 768usize).map(|i| (i * i * 31 % 251) as u8).collect()
}

/// Run by onnxruntime 1.32.0 on the models of `tests/models`, after `onnx.checker.check_model`:
///
/// ```python
/// import numpy as np, onnx, onnxruntime
/// i = np.arange(2 * 768, dtype=np.int64)
/// images = (i * i * 31 % 251).astype(np.uint8).reshape(2, 16, 16, 3)
/// for name in ("one", "two"):
///     onnx.checker.check_model(onnx.load(f"{name}.onnx"), full_check=True)
///     print(onnxruntime.InferenceSession(f"{name}.onnx").run(["probabilities"], {"images": images}))
/// ```
#[test]
fn models_are_those_that_onnx_runtime_has_run() {
    let cases = [
        (
            "one",
            file(&every_operation()),
            [
                [0.167657, 0.301143, 0.0565092, 0.383788, 0.0909022],
                [0.173578, 0.234077, 0.0549138, 0.446275, 0.0911564],
            ],
        ),
        (
            "two",
            two_members(),
            [
                [0.147398, 0.290753, 0.129105, 0.273668, 0.159076],
                [0.149856, 0.260813, 0.120937, 0.295, 0.173394],
            ],
        ),
    ];
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    for (name, bytes, expected) in cases {
        let model = onnx::convert_bytes(&bytes).unwrap();
        let path = models.join(format!("{name}.onnx"));
        assert!(model == std::fs::read(&path).unwrap(), "{} would be another", path.display());
        let p = Classifier::from_bytes(&bytes).unwrap().probabilities(&images()).unwrap();
        for (here, expected) in p.iter().zip(expected.as_flattened()) {
            assert!((here - expected).abs() < 1e-5, "{name}: {here} not {expected}");
        }
    }
}
