//! Graphs, plans and files.
//!
//! One program for all of it: each would link the whole crate anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod file;
mod fuzz;
mod graph;
mod join;
mod novelty;
mod onnx;
mod plan;

use fashion_infer::tensors::{Metadata, NamedTensor, Tensors, encode};
use fashion_infer::{Graph, ImageShape, Op, Role, Value};

fn conv(outputs: usize, kernel: usize, stride: usize, padding: usize, bias: bool) -> Op {
    Op::Conv { outputs, kernel, stride, padding, bias }
}

/// A graph in which every operation occurs, for RGB images of 16 × 16.
fn every_operation() -> Graph {
    let mut graph = Graph::new(ImageShape { channels: 3, side: 16 });
    let x = graph.add("conv1", conv(16, 3, 1, 1, true), &[Value::IMAGES]);
    let x = graph.add("norm1", Op::BatchNorm { epsilon: 1e-5 }, &[x]);
    let x = graph.add("", Op::Relu, &[x]);
    // A value that two use: nothing is folded into it.
    let y = graph.add("conv2", conv(32, 3, 2, 1, false), &[x]);
    let y = graph.add("norm2", Op::BatchNorm { epsilon: 1e-3 }, &[y]);
    let shortcut = graph.add("shortcut", conv(32, 1, 2, 0, false), &[x]);
    let x = graph.add("", Op::Add, &[y, shortcut]);
    let x = graph.add("", Op::Relu, &[x]);
    let x = graph.add("", Op::MaxPool, &[x]);
    let x = graph.add("norm3", Op::BatchNorm { epsilon: 1e-5 }, &[x]);
    let largest = graph.add("", Op::GlobalMaxPool, &[x]);
    let mean = graph.add("", Op::GlobalAveragePool, &[x]);
    let sum = graph.add("", Op::Add, &[largest, mean]);
    let a = graph.add("a", Op::Dense { outputs: 8 }, &[sum]);
    let a = graph.add("", Op::Relu, &[a]);
    let flat = graph.add("", Op::Flatten, &[x]);
    let b = graph.add("b", Op::Dense { outputs: 8 }, &[flat]);
    let sum = graph.add("", Op::Add, &[a, b]);
    let x = graph.add("", Op::Relu, &[sum]);
    graph.add("fc", Op::Dense { outputs: 5 }, &[x]);
    graph
}

/// Another network for the images and classes of [`every_operation`].
fn small() -> Graph {
    let mut graph = Graph::new(ImageShape { channels: 3, side: 16 });
    let x = graph.add("conv", conv(16, 3, 2, 1, true), &[Value::IMAGES]);
    let x = graph.add("", Op::GlobalAveragePool, &[x]);
    graph.add("fc", Op::Dense { outputs: 5 }, &[x]);
    graph
}

/// Reproducible numbers in −1 to 1.
fn values(n: usize, seed: usize) -> Vec<f32> {
    let k = |i: usize| (i * 7919 + i * i % 1009 * 613 + seed * 104_729) % 2003;
    (0..n).map(|i| (k(i) as f32 - 1001.0) / 1001.0).collect()
}

/// Tensors of a graph, in PyTorch's layouts.
fn tensors(graph: &Graph) -> Tensors {
    let mut tensors = Tensors::new();
    for (seed, parameter) in graph.parameters().into_iter().enumerate() {
        let scale = match parameter.role {
            Role::Weight => 1.5 / (parameter.shape[1..].iter().product::<usize>() as f32).sqrt(),
            _ => 0.3,
        };
        let positive = parameter.role == Role::Scale || parameter.name.ends_with("running_var");
        let shift = if positive { 1.0 } else { 0.0 };
        let values = values(parameter.values(), seed).iter().map(|v| shift + scale * v).collect();
        tensors.insert(parameter.name, NamedTensor { shape: parameter.shape, values });
    }
    tensors
}

/// The metadata of a file with this graph.
fn metadata(graph: &Graph) -> Metadata {
    let names: Vec<String> = (0..graph.classes()).map(|class| format!("class {class}")).collect();
    Metadata::from([
        ("format".into(), fashion_infer::FORMAT.into()),
        ("graph".into(), serde_json::to_string(graph).unwrap()),
        ("architecture".into(), "test".into()),
        ("classes".into(), serde_json::to_string(&names).unwrap()),
        ("normalisation".into(), "0-1".into()),
    ])
}

/// The bytes of a file with this graph.
fn file(graph: &Graph) -> Vec<u8> {
    encode(&tensors(graph), &metadata(graph)).unwrap()
}

/// The tensors of another network of the same graph.
fn other_tensors(graph: &Graph) -> Tensors {
    let mut tensors = tensors(graph);
    tensors.values_mut().filter(|t| t.shape.len() > 1).for_each(|t| t.values.reverse());
    tensors
}

/// The tensors of a file of several networks.
fn tensors_of(members: impl IntoIterator<Item = Tensors>) -> Tensors {
    let named = members.into_iter().enumerate().flat_map(|(member, tensors)| {
        tensors.into_iter().map(move |(name, tensor)| (format!("{member}.{name}"), tensor))
    });
    named.collect()
}

/// The metadata of a file with these graphs.
fn metadata_of(graphs: &[&Graph]) -> Metadata {
    let mut metadata = metadata(graphs[0]);
    metadata.insert("graph".into(), serde_json::to_string(graphs).unwrap());
    metadata
}

/// Reproducible images.
fn images(graph: &Graph, n: usize) -> Vec<u8> {
    (0..n * graph.input().values()).map(|i| (i * 31 % 251) as u8).collect()
}
