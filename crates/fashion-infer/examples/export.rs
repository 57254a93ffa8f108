//! Opens a classifier, classifies a black image, and writes it as an ONNX model:
//! `cargo run -p fashion-infer --example export -- [WEIGHTS.safetensors MODEL.onnx]`.
//!
//! Without arguments it does so with weights of zero, in a temporary folder.

use fashion_infer::tensors::{Metadata, NamedTensor, Tensors, encode};
use fashion_infer::{Classifier, Graph, ImageShape, Op, Value, onnx};
use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let temporary = tempfile::tempdir()?;
    let (weights, model) = match &arguments[..] {
        [weights, model] => (weights.clone(), model.clone()),
        [] => {
            let weights = temporary.path().join("zero.safetensors");
            std::fs::write(&weights, zeros()?)?;
            (weights, temporary.path().join("zero.onnx"))
        }
        _ => return Err("expected WEIGHTS.safetensors and MODEL.onnx, or nothing".into()),
    };
    classify_and_export(&weights, &model)
}

fn classify_and_export(weights: &Path, model: &Path) -> Result<(), Box<dyn Error>> {
    let classifier = Classifier::open(weights)?;
    let black = vec![0; classifier.input().values()];
    for (class, p) in classifier.classes().iter().zip(classifier.probabilities(&black)?) {
        println!("{class:<12} {:5.1}%", 100.0 * p);
    }
    std::fs::write(model, onnx::convert(weights)?)?;
    println!("{}: {} bytes", model.display(), model.metadata()?.len());
    Ok(())
}

/// A file of a network that says the same of every image.
fn zeros() -> Result<Vec<u8>, fashion_infer::Error> {
    let mut graph = Graph::new(ImageShape { channels: 1, side: 28 });
    let row = graph.add("", Op::Flatten, &[Value::IMAGES]);
    graph.add("fc", Op::Dense { outputs: 10 }, &[row]);
    let zero = |parameter: fashion_infer::Parameter| {
        let values = vec![0.0; parameter.values()];
        (parameter.name, NamedTensor { shape: parameter.shape, values })
    };
    let tensors: Tensors = graph.parameters().into_iter().map(zero).collect();
    let json = serde_json::to_string(&graph).expect("strings and numbers are always valid JSON");
    encode(&tensors, &Metadata::from([("graph".into(), json)]))
}
