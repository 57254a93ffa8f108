//! ONNX models, as ONNX Runtime has run them.

use crate::{
    every_operation, file, metadata, metadata_of, other_tensors, small, tensors, tensors_of,
};
use fashion_infer::tensors::{Metadata, Tensors, encode};
use fashion_infer::{Classifier, onnx};
use std::path::Path;

/// Calibrated, so that all that can be printed is.
fn calibrated(tensors: &Tensors, mut metadata: Metadata) -> Vec<u8> {
    metadata.insert("temperature".into(), "1.5".into());
    encode(tensors, &metadata).unwrap()
}

fn two_members() -> Vec<u8> {
    let graph = every_operation();
    let both = tensors_of([tensors(&graph), other_tensors(&graph)]);
    calibrated(&both, metadata_of(&[&graph; 2]))
}

/// Of images that are seen mirrored too.
fn flips() -> [Vec<u8>; 2] {
    let (every, small) = (every_operation(), small());
    let of = |tensors: Tensors, mut metadata: Metadata| {
        metadata.insert("tta".into(), "flip".into());
        calibrated(&tensors, metadata)
    };
    [
        of(tensors(&small), metadata(&small)),
        of(tensors_of([tensors(&small), tensors(&every)]), metadata_of(&[&small, &every])),
    ]
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
/// for name in ("one", "two", "flip", "two-flip"):
///     onnx.checker.check_model(onnx.load(f"{name}.onnx"), full_check=True)
///     print(onnxruntime.InferenceSession(f"{name}.onnx").run(["probabilities"], {"images": images}))
/// ```
#[test]
fn models_are_those_that_onnx_runtime_has_run() {
    let [flip, two_flip] = flips();
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
        (
            "flip",
            flip,
            [
                [0.185506, 0.18418, 0.211066, 0.212151, 0.207097],
                [0.186216, 0.18375, 0.211334, 0.212616, 0.206083],
            ],
        ),
        (
            "two-flip",
            two_flip,
            [
                [0.178671, 0.226169, 0.158348, 0.269428, 0.167383],
                [0.185965, 0.20702, 0.157119, 0.281283, 0.168613],
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
