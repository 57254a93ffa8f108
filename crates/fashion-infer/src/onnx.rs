//! Classifiers as ONNX models, for programs that have ONNX Runtime and not this crate.
//!
//! Opset 17, one input `images` (n, side, side, channels), or (n, side, side) where they are grey, of
//! bytes; scaling of the pixels, temperature and softmax are inside. Outputs `probabilities` and
//! `logits` (n, classes), the latter before the temperature; of several members, or of images that are
//! seen mirrored too, the logits are the logarithms of the mean probabilities. The names of the classes,
//! as a JSON array, and whatever else the file said of itself are in the model's metadata.

use crate::classifier::{Contents, prefix};
use crate::error::Error;
use crate::graph::{Graph, ImageShape, Node, Op};
use crate::protobuf::{bytes, float, integer, message, text};
use crate::tensors::{self, Tensors};
use crate::tta::Tta;
use std::path::Path;

/// The version of the operators.
const OPSET: u64 = 17;
/// The version of the format that came with these operators.
const IR_VERSION: u64 = 8;
// Types of tensors, as `TensorProto.DataType` numbers them.
const FLOAT: u64 = 1;
const UINT8: u64 = 2;
const INT64: u64 = 7;

/// A file's classifier as an ONNX model.
///
/// # Errors
/// As [`Classifier::open`](crate::Classifier::open).
pub fn convert(path: &Path) -> Result<Vec<u8>, Error> {
    let contents = tensors::load(path)?;
    let contents = Contents::check(contents.0, contents.1);
    contents.map(|contents| model(&contents)).map_err(|problem| problem.in_file(path))
}

/// As [`convert`], of a file's bytes.
///
/// # Errors
/// As [`Classifier::from_bytes`](crate::Classifier::from_bytes).
pub fn convert_bytes(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let (tensors, metadata) = tensors::decode(bytes)?;
    Ok(model(&Contents::check(tensors, metadata)?))
}

/// `ModelProto`.
fn model(contents: &Contents) -> Vec<u8> {
    let metadata = &contents.metadata;
    let mut out = Vec::new();
    integer(&mut out, 1, IR_VERSION);
    text(&mut out, 2, "fashion"); // producer_name
    message(&mut out, 7, |out| graph(out, contents));
    message(&mut out, 8, |out| {
        text(out, 1, ""); // the domain of the standard operators
        integer(out, 2, OPSET);
    });
    let names = serde_json::to_string(&contents.classes).expect("strings are always JSON");
    let unnamed = (!metadata.contains_key("classes")).then_some(("classes", &names));
    let known = metadata.iter().map(|(key, value)| (key.as_str(), value));
    for (key, value) in known.chain(unnamed) {
        message(&mut out, 14, |out| {
            text(out, 1, key);
            text(out, 2, value);
        });
    }
    out
}

/// `GraphProto`.
fn graph(out: &mut Vec<u8>, contents: &Contents) {
    let input = contents.members[0].0.input();
    let mut printer = Printer::default();
    printer.pixels(input);
    let mirrored = contents.tta == Tta::Flip;
    let images = if mirrored { printer.views() } else { "pixels" };
    let temperature = contents.calibration.map_or(1.0, |calibration| calibration.temperature);
    printer.number("temperature", temperature as f32);
    let is_mean = contents.members.len() > 1 || mirrored;
    let mut answers = Vec::new();
    for (number, (graph, tensors)) in contents.members.iter().enumerate() {
        let prefix = prefix(number, is_mean);
        printer.member(graph, tensors, &prefix, images);
        if is_mean {
            let p = format!("{prefix}probabilities");
            printer.node("Softmax", &[&format!("{prefix}logits")], &p, |of| int(of, "axis", 1));
            answers.push(p);
        }
    }
    if is_mean {
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        let of_members = if mirrored { "views.mean" } else { "mean" };
        printer.node("Mean", &answers, of_members, |_| ());
        if mirrored {
            printer.mean_of_views(of_members, contents.classes.len());
        }
        printer.node("Log", &["mean"], "logits", |_| ());
    }
    printer.node("Div", &["logits", "temperature"], "warm", |_| ());
    printer.node("Softmax", &["warm"], "probabilities", |of| int(of, "axis", 1));
    out.extend(printer.nodes);
    text(out, 2, contents.metadata.get("architecture").map_or("classifier", String::as_str));
    out.extend(printer.constants);
    let mut shape = vec![input.side; 2];
    shape.extend((input.channels > 1).then_some(input.channels));
    tensor_info(out, 11, "images", UINT8, &shape);
    for name in ["probabilities", "logits"] {
        tensor_info(out, 12, name, FLOAT, &[contents.classes.len()]);
    }
}

/// A `ValueInfoProto` of a tensor that begins with a dimension of as many images as are given.
fn tensor_info(out: &mut Vec<u8>, field: u32, name: &str, kind: u64, shape: &[usize]) {
    message(out, field, |out| {
        text(out, 1, name);
        // TypeProto, and its Tensor.
        message(out, 2, |out| {
            message(out, 1, |out| {
                integer(out, 1, kind);
                message(out, 2, |out| {
                    message(out, 1, |out| text(out, 2, "n")); // dim_param
                    for &size in shape {
                        message(out, 1, |out| integer(out, 1, size as u64)); // dim_value
                    }
                });
            });
        });
    });
}

/// An `AttributeProto`; `kind` is 1 for a float, 2 for an int, 7 for ints.
fn attribute(node: &mut Vec<u8>, name: &str, kind: u64, value: impl FnOnce(&mut Vec<u8>)) {
    message(node, 5, |out| {
        text(out, 1, name);
        value(out);
        integer(out, 20, kind);
    });
}

fn int(node: &mut Vec<u8>, name: &str, value: u64) {
    attribute(node, name, 2, |out| integer(out, 3, value));
}

fn ints(node: &mut Vec<u8>, name: &str, values: &[usize]) {
    attribute(node, name, 7, |out| {
        values.iter().for_each(|&value| integer(out, 8, value as u64));
    });
}

/// `NodeProto`s and the `TensorProto`s of their constants, as fields of the graph.
#[derive(Default)]
struct Printer {
    nodes: Vec<u8>,
    constants: Vec<u8>,
}

impl Printer {
    /// Bytes (n, side, side[, channels]) become `pixels` (n, channels, side, side) within 0–1.
    fn pixels(&mut self, input: ImageShape) {
        self.node("Cast", &["images"], "levels", |of| int(of, "to", FLOAT));
        self.number("white", 255.0);
        self.node("Div", &["levels", "white"], "scaled", |_| ());
        if input.channels > 1 {
            self.node("Transpose", &["scaled"], "pixels", |of| ints(of, "perm", &[0, 3, 1, 2]));
        } else {
            self.constant("axes", INT64, &[1], &1i64.to_le_bytes());
            self.node("Unsqueeze", &["scaled", "axes"], "pixels", |_| ());
        }
    }

    /// The `pixels` and then, as if they were other images, their mirror images; and what they are called.
    fn views(&mut self) -> &'static str {
        // From the last column on, backwards, to beyond the first.
        let slice = [("starts", -1), ("ends", i64::MIN), ("columns", 3), ("steps", -1)];
        for (name, value) in slice {
            self.constant(name, INT64, &[1], &value.to_le_bytes());
        }
        let of = ["pixels", "starts", "ends", "columns", "steps"];
        self.node("Slice", &of, "mirrored", |_| ());
        self.node("Concat", &["pixels", "mirrored"], "views", |of| int(of, "axis", 0));
        "views"
    }

    /// The `mean` of what was made of images and of their mirror images, which come after them.
    fn mean_of_views(&mut self, of: &str, classes: usize) {
        let shape: Vec<u8> = [2, -1, classes as i64].iter().flat_map(|n| n.to_le_bytes()).collect();
        self.constant("apart.shape", INT64, &[3], &shape);
        self.node("Reshape", &[of, "apart.shape"], "apart", |_| ());
        self.node("ReduceMean", &["apart"], "mean", |of| {
            ints(of, "axes", &[0]);
            int(of, "keepdims", 0);
        });
    }

    /// What a network makes of the images, the last of which is called `logits`, after the prefix.
    fn member(&mut self, graph: &Graph, tensors: &Tensors, prefix: &str, images: &str) {
        for (name, tensor) in tensors {
            self.constant(&format!("{prefix}{name}"), FLOAT, &tensor.shape, &tensor.bytes());
        }
        let last = graph.nodes().len();
        let value = |index: usize| match index {
            0 => images.to_owned(),
            index if index == last => format!("{prefix}logits"),
            index => format!("{prefix}value{index}"),
        };
        for (position, node) in graph.nodes().iter().enumerate() {
            let of: Vec<String> = node.of.iter().map(|of| value(of.index())).collect();
            self.operation(node, of, prefix, &value(position + 1));
        }
    }

    fn operation(&mut self, node: &Node, mut of: Vec<String>, prefix: &str, to: &str) {
        let tensor = |suffix: &str| format!("{prefix}{}.{suffix}", node.name);
        match node.op {
            Op::Conv { bias, .. } => {
                of.push(tensor("weight"));
                of.extend(bias.then(|| tensor("bias")));
            }
            Op::BatchNorm { .. } => {
                of.extend(["weight", "bias", "running_mean", "running_var"].map(tensor));
            }
            Op::Dense { .. } => of.extend(["weight", "bias"].map(tensor)),
            Op::GlobalMaxPool | Op::GlobalAveragePool => {
                let max = node.op == Op::GlobalMaxPool;
                let (pool, pooled) = (format!("{to}.pooled"), if max { "Max" } else { "Average" });
                self.node(&format!("Global{pooled}Pool"), &[&of[0]], &pool, |_| ());
                of = vec![pool];
            }
            Op::Relu | Op::Add | Op::MaxPool | Op::Flatten => {}
        }
        let op_type = match node.op {
            Op::Conv { .. } => "Conv",
            Op::BatchNorm { .. } => "BatchNormalization",
            Op::Relu => "Relu",
            Op::Add => "Add",
            Op::MaxPool => "MaxPool",
            Op::GlobalMaxPool | Op::GlobalAveragePool | Op::Flatten => "Flatten",
            Op::Dense { .. } => "Gemm",
        };
        let of: Vec<&str> = of.iter().map(String::as_str).collect();
        self.node(op_type, &of, to, |out| match node.op {
            Op::Conv { kernel, stride, padding, .. } => {
                ints(out, "kernel_shape", &[kernel; 2]);
                ints(out, "pads", &[padding; 4]);
                ints(out, "strides", &[stride; 2]);
            }
            Op::BatchNorm { epsilon } => {
                attribute(out, "epsilon", 1, |out| float(out, 2, epsilon as f32));
            }
            Op::MaxPool => {
                ints(out, "kernel_shape", &[2; 2]);
                ints(out, "strides", &[2; 2]);
            }
            Op::Dense { .. } => int(out, "transB", 1),
            _ => {}
        });
    }

    fn node(&mut self, op: &str, of: &[&str], to: &str, attributes: impl FnOnce(&mut Vec<u8>)) {
        message(&mut self.nodes, 1, |out| {
            of.iter().for_each(|name| text(out, 1, name));
            text(out, 2, to);
            text(out, 3, to); // its own name
            text(out, 4, op);
            attributes(out);
        });
    }

    fn number(&mut self, name: &str, value: f32) {
        self.constant(name, FLOAT, &[], &value.to_le_bytes());
    }

    fn constant(&mut self, name: &str, kind: u64, shape: &[usize], data: &[u8]) {
        message(&mut self.constants, 5, |out| {
            shape.iter().for_each(|&size| integer(out, 1, size as u64));
            integer(out, 2, kind);
            text(out, 8, name);
            bytes(out, 9, data);
        });
    }
}
