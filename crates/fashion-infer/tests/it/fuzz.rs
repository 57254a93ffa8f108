//! A file drives kernels that trust their arguments: whatever is changed in one, it is refused, or
//! answers with probabilities or an error, and never with a panic.
//!
//! `FASHION_FUZZ=100000` makes more mutants. With `AddressSanitizer`, on nightly:
//!
//! ```sh
//! RUSTFLAGS=-Zsanitizer=address FASHION_FUZZ=10000 \
//!     cargo +nightly test -p fashion-infer --target x86_64-unknown-linux-gnu fuzz
//! ```

use crate::{conv, every_operation, metadata, tensors, tensors_of};
use fashion_infer::tensors::{Metadata, Tensors, encode};
use fashion_infer::{Classifier, Graph, ImageShape, NoveltyFit, Op, Thresholds, Value};
use serde_json::{Value as Json, json};
use std::cmp::Ordering;

/// More multiply-adds than that for an image are left out: their time is what was asked for.
const MOST_WORK: u64 = 10_000_000;

/// `SplitMix64` (Steele et al., 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Says which mutant a panic is of.
struct Mutant(usize);

impl Drop for Mutant {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("mutant {}", self.0);
        }
    }
}

/// Convolutions with batch normalisation, in pairs, then dense layers.
fn vgg() -> Graph {
    let mut graph = Graph::new(ImageShape { channels: 1, side: 8 });
    let mut x = Value::IMAGES;
    for (number, outputs) in [16, 16, 32].into_iter().enumerate() {
        x = graph.add(&format!("conv{number}"), conv(outputs, 3, 1, 1, false), &[x]);
        x = graph.add(&format!("norm{number}"), Op::BatchNorm { epsilon: 1e-5 }, &[x]);
        x = graph.add("", Op::Relu, &[x]);
        if number > 0 {
            x = graph.add("", Op::MaxPool, &[x]);
        }
    }
    x = graph.add("", Op::Flatten, &[x]);
    x = graph.add("fc1", Op::Dense { outputs: 12 }, &[x]);
    x = graph.add("", Op::Relu, &[x]);
    graph.add("fc2", Op::Dense { outputs: 10 }, &[x]);
    graph
}

/// Two blocks around which there is a way, one of them with a convolution on it.
fn residual() -> Graph {
    let mut graph = Graph::new(ImageShape { channels: 1, side: 7 });
    let mut x = graph.add("stem", conv(16, 3, 1, 1, true), &[Value::IMAGES]);
    for (number, (outputs, stride)) in [(16, 1), (32, 2)].into_iter().enumerate() {
        let y = graph.add(&format!("{number}.a"), conv(outputs, 3, stride, 1, false), &[x]);
        let y = graph.add(&format!("{number}.norm"), Op::BatchNorm { epsilon: 1e-5 }, &[y]);
        let y = graph.add("", Op::Relu, &[y]);
        let y = graph.add(&format!("{number}.b"), conv(outputs, 3, 1, 1, true), &[y]);
        if stride > 1 {
            x = graph.add(&format!("{number}.way"), conv(outputs, 1, stride, 0, true), &[x]);
        }
        x = graph.add("", Op::Add, &[x, y]);
        x = graph.add("", Op::Relu, &[x]);
    }
    x = graph.add("", Op::GlobalAveragePool, &[x]);
    graph.add("fc", Op::Dense { outputs: 3 }, &[x]);
    graph
}

/// Two blocks of convolution and pooling in one kernel, the first of which leaves out a row.
pub(crate) fn blocks() -> Graph {
    let mut graph = Graph::new(ImageShape { channels: 1, side: 16 });
    let mut x = Value::IMAGES;
    for (name, outputs) in [("conv1", 16), ("conv2", 32)] {
        x = graph.add(name, conv(outputs, 3, 1, 0, true), &[x]);
        x = graph.add("", Op::Relu, &[x]);
        x = graph.add("", Op::MaxPool, &[x]);
    }
    x = graph.add("", Op::Flatten, &[x]);
    graph.add("fc", Op::Dense { outputs: 10 }, &[x]);
    graph
}

/// What takes the images and classes of [`vgg`] and is another network.
fn beside_vgg() -> Graph {
    let mut graph = Graph::new(ImageShape { channels: 1, side: 8 });
    let x = graph.add("conv", conv(16, 3, 2, 1, true), &[Value::IMAGES]);
    let x = graph.add("", Op::GlobalMaxPool, &[x]);
    graph.add("fc", Op::Dense { outputs: 10 }, &[x]);
    graph
}

/// A file in parts: the members' graphs, and what fits them.
#[derive(Clone)]
struct Parts {
    graphs: Vec<Json>,
    tensors: Tensors,
    metadata: Metadata,
}

impl Parts {
    fn new(graphs: &[Graph]) -> Parts {
        let mut metadata = metadata(&graphs[0]);
        metadata.insert("temperature".into(), "1.5".into());
        let json = graphs.iter().map(|graph| serde_json::to_value(graph).unwrap()).collect();
        Parts { graphs: json, tensors: all_tensors(graphs), metadata }
    }

    /// Sees images mirrored too.
    fn flipped(mut self) -> Parts {
        self.metadata.insert("tta".into(), "flip".into());
        self
    }

    /// Knows the images of its classes.
    fn knowing(mut self) -> Parts {
        let classifier = Classifier::from_bytes(&self.clone().bytes().unwrap()).unwrap();
        let pixels = classifier.input().values();
        let images: Vec<u8> = (0..40 * pixels).map(|i| (i * 37 % 253) as u8).collect();
        let mut fit = NoveltyFit::of(&classifier);
        let labels: Vec<usize> = (0..40).map(|image| image % 3).collect();
        fit.add(&classifier.layer_features(&images).unwrap(), &labels);
        let thresholds =
            Thresholds { keeping_95: Some(60.0), keeping_99: Some(70.0), held_out: 200 };
        let novelty = fit.finish().unwrap().with_thresholds(thresholds);
        novelty.to_file(&mut self.tensors, &mut self.metadata);
        self
    }

    fn bytes(mut self) -> Option<Vec<u8>> {
        let json = match &self.graphs[..] {
            [one] => one.to_string(),
            several => json!(several).to_string(),
        };
        // Where the entry is to be missing.
        if self.metadata.contains_key("graph") {
            self.metadata.insert("graph".into(), json);
        }
        encode(&self.tensors, &self.metadata).ok()
    }

    /// Tensors and classes for the graphs as they are now, if that can be: what kernels then have to do
    /// nobody has thought of.
    fn fit(&mut self) {
        let graphs = self.graphs.iter().map(|json| serde_json::from_value::<Graph>(json.clone()));
        let Ok(graphs) = graphs.collect::<Result<Vec<Graph>, _>>() else { return };
        let small = |graph: &Graph| graph.check().is_ok() && graph.parameter_count() < 1 << 18;
        if !graphs.is_empty() && graphs.iter().all(small) {
            self.tensors = all_tensors(&graphs);
            self.metadata.remove("novelty");
            let names: Vec<String> = (0..graphs[0].classes()).map(|n| n.to_string()).collect();
            self.metadata.insert("classes".into(), json!(names).to_string());
        }
    }

    fn change_graph(&mut self, random: &mut Random) {
        if self.graphs.is_empty() {
            return;
        }
        let at = random.below(self.graphs.len());
        match random.below(32) {
            0 => return self.graphs.push(self.graphs[at].clone()),
            1 => return drop(self.graphs.remove(at)),
            _ => {}
        }
        let graph = &mut self.graphs[at];
        let count = nodes(graph).len();
        let [a, b] = [random.below(count.max(1)), random.below(count.max(1))];
        match random.below(16) {
            0..7 => change_number(graph, random),
            _ if count == 0 => *graph = json!({}),
            7 => nodes(graph).swap(a, b),
            8 | 9 => {
                let node = nodes(graph).remove(a);
                // Mostly what was made of it is now made of what it was made of.
                if random.below(4) > 0 {
                    let (of, made) = (node["of"][0].as_u64().unwrap_or(0), a as u64 + 1);
                    renumber(graph, |from| match from.cmp(&made) {
                        Ordering::Less => from,
                        Ordering::Equal => of,
                        Ordering::Greater => from - 1,
                    });
                }
            }
            10..13 => {
                // What goes by a value now goes by what this makes of it.
                let of = a as u64 + 1;
                renumber(graph, |from| from.saturating_add(u64::from(from >= of)));
                let op = random.of(&operations()).clone();
                let name = if op.is_object() { format!("new{count}") } else { String::new() };
                nodes(graph).insert(a + 1, json!({"name": name, "op": op, "of": [of]}));
            }
            13 => {
                let node = nodes(graph)[a].clone();
                nodes(graph).insert(b, node);
            }
            14 => {
                let [name, op] = ["name", "op"].map(|field| nodes(graph)[b].get(field).cloned());
                let field = if random.below(3) == 0 { ("name", name) } else { ("op", op) };
                nodes(graph)[a][field.0] = field.1.unwrap_or(json!(""));
            }
            _ => {
                let of = random.below(count + 2);
                let edges = edges(&mut nodes(graph)[a]);
                match edges.first_mut() {
                    Some(edge) if random.below(2) == 0 => *edge = json!(of),
                    _ => edges.push(json!(of)),
                }
            }
        }
    }

    fn change_tensor(&mut self, random: &mut Random) {
        let names: Vec<String> = self.tensors.keys().cloned().collect();
        let [name, other] = [random.of(&names).clone(), random.of(&names).clone()];
        let tensor = self.tensors.get_mut(&name).unwrap();
        match random.below(5) {
            0 => tensor.shape.reverse(),
            1 => {
                let len = tensor.values.len() * random.below(3) / 2;
                tensor.values.resize(len, 1.0);
                tensor.shape = vec![len];
            }
            2 => {
                let extremes = [f32::MAX, f32::MIN, 1e20, f32::MIN_POSITIVE, 1e-45, -0.0, -1.0];
                let value = *random.of(&extremes);
                match random.below(2) {
                    0 => tensor.values.fill(value),
                    _ => tensor.values.iter_mut().take(1).for_each(|first| *first = value),
                }
            }
            3 => drop(self.tensors.remove(&name)),
            _ => {
                let tensor = tensor.clone();
                self.tensors.insert(if name == other { "extra".into() } else { other }, tensor);
            }
        }
    }

    fn change_metadata(&mut self, random: &mut Random) {
        let (names, values) = (
            [
                "format",
                "graph",
                "classes",
                "normalisation",
                "temperature",
                "threshold",
                "architecture",
                "tta",
                "novelty",
                "novelty_threshold_95",
                "novelty_threshold_99",
                "novelty_held_out",
            ],
            [
                "",
                "flip",
                "none",
                "0",
                "1e-40",
                "1e-300",
                "3e38",
                "NaN",
                "-1",
                "[]",
                "[\"a\"]",
                "fashion-classifier/3",
            ],
        );
        let name = (*random.of(&names)).to_owned();
        if random.below(3) == 0 {
            self.metadata.remove(&name);
        } else {
            self.metadata.insert(name, (*random.of(&values)).to_owned());
        }
    }
}

/// The members' tensors, named as in a file.
fn all_tensors(graphs: &[Graph]) -> Tensors {
    match graphs {
        [graph] => tensors(graph),
        graphs => tensors_of(graphs.iter().map(tensors)),
    }
}

/// The nodes of a graph; of one that has none any more, a few of its own.
fn nodes(graph: &mut Json) -> &mut Vec<Json> {
    if !graph["nodes"].is_array() {
        graph["nodes"] = json!([]);
    }
    graph["nodes"].as_array_mut().unwrap()
}

/// Changes what all nodes go by.
fn renumber(graph: &mut Json, number: impl Fn(u64) -> u64) {
    for edge in nodes(graph).iter_mut().flat_map(edges) {
        *edge = json!(number(edge.as_u64().unwrap_or(0)));
    }
}

fn operations() -> [Json; 11] {
    let conv = |outputs, kernel, stride, padding| json!({"conv": {"outputs": outputs, "kernel": kernel, "stride": stride, "padding": padding, "bias": true}});
    [
        json!("relu"),
        json!("relu"),
        json!("max-pool"),
        json!("global-max-pool"),
        json!("global-average-pool"),
        json!("flatten"),
        json!({"dense": {"outputs": 3}}),
        json!({"batch-norm": {"epsilon": 1e-3}}),
        conv(16, 3, 1, 1),
        conv(32, 1, 2, 0),
        conv(64, 3, 2, 1),
    ]
}

fn edges(node: &mut Json) -> &mut Vec<Json> {
    if !node["of"].is_array() {
        node["of"] = json!([]);
    }
    node["of"].as_array_mut().unwrap()
}

fn change_number(graph: &mut Json, random: &mut Random) {
    let mut numbers = Vec::new();
    find_numbers("", graph, &mut numbers);
    // What goes where seldom fits another way.
    if random.below(8) > 0 {
        numbers.retain(|(key, _)| *key != "of");
    }
    if numbers.is_empty() {
        return;
    }
    let at = random.below(numbers.len());
    let (key, number) = &mut numbers[at];
    let near = number.as_i64().unwrap_or(1);
    let usual: &[u64] = match *key {
        "outputs" => &[3, 10, 16, 32, 48, 64],
        "side" => &[1, 2, 5, 6, 7, 9, 12, 13, 17, 28, 31],
        "channels" | "kernel" => &[1, 3],
        "stride" => &[1, 2],
        "padding" => &[0, 1],
        _ => &[0, 1, 2, 3, 4, 5, 6, 7, 8],
    };
    **number = match random.below(5) {
        0 => json!(near + random.below(5) as i64 - 2),
        1 => random
            .of(&[
                json!(-1),
                json!(0.5),
                json!(1e-320),
                json!(1e300),
                json!(1024),
                json!(1025),
                json!(2048),
                json!(2064),
                json!(1u64 << 26),
                json!(1u64 << 32),
                json!(1u64 << 60),
                json!(u64::MAX),
                json!(null),
                json!("1"),
                json!(true),
            ])
            .clone(),
        _ => json!(*random.of(usual)),
    };
}

/// Every number, and the name it has, or the array that it is in.
fn find_numbers<'a>(key: &'a str, json: &'a mut Json, found: &mut Vec<(&'a str, &'a mut Json)>) {
    match json {
        Json::Number(_) | Json::Bool(_) => found.push((key, json)),
        Json::Array(all) => all.iter_mut().for_each(|json| find_numbers(key, json, found)),
        Json::Object(all) => all.iter_mut().for_each(|(key, json)| find_numbers(key, json, found)),
        Json::Null | Json::String(_) => {}
    }
}

fn change_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let end = if random.below(8) == 0 { bytes.len() } else { header };
    let at = random.below(end);
    match random.below(8) {
        0 => bytes[at] ^= 1 << random.below(8),
        // A digit for a digit: sizes that are still numbers.
        1..4 => {
            let digits: Vec<usize> = (8..header).filter(|&i| bytes[i].is_ascii_digit()).collect();
            bytes[*random.of(&digits)] = b'0' + random.below(10) as u8;
        }
        4 => bytes[at] = *random.of(b"{}[],:\"0"),
        5 => bytes.truncate(at),
        6 => bytes.extend_from_within(at..),
        _ => {
            let text = b"\"dtype\":\"F32\"";
            let all: Vec<usize> =
                (0..header - text.len()).filter(|&i| bytes[i..].starts_with(text)).collect();
            let types = ["F64", "F16", "I32", "U8\"", "C64"];
            let at = *random.of(&all) + text.len() - 4;
            bytes[at..at + 3].copy_from_slice(random.of(&types).as_bytes());
        }
    }
}

/// A changed file.
fn mutant(bases: &[Parts], random: &mut Random) -> Option<Vec<u8>> {
    let mut parts = random.of(bases).clone();
    let kind = random.below(9);
    for _ in 0..=random.below(2) {
        match kind {
            0..5 => parts.change_graph(random),
            5 => parts.change_tensor(random),
            6 => parts.change_metadata(random),
            _ => {}
        }
    }
    if kind < 5 && random.below(6) > 0 {
        parts.fit();
    }
    let mut bytes = parts.bytes()?;
    if kind > 6 {
        change_bytes(&mut bytes, random);
    }
    Some(bytes)
}

#[test]
fn mutated_files_are_refused_or_answer() {
    let every = every_operation();
    let bases = [
        Parts::new(&[vgg()]),
        Parts::new(&[residual()]),
        Parts::new(&[blocks()]),
        Parts::new(&[vgg(), vgg()]),
        Parts::new(&[beside_vgg(), vgg(), beside_vgg()]).flipped(),
        Parts::new(&[residual()]).flipped(),
        Parts::new(&[blocks()]).knowing(),
        Parts::new(&[beside_vgg(), vgg()]).knowing(),
        Parts::new(std::slice::from_ref(&every)),
    ];
    for base in &bases {
        Classifier::from_bytes(&base.clone().bytes().unwrap()).unwrap();
    }
    let mutants = std::env::var("FASHION_FUZZ").map_or(1500, |count| count.parse().unwrap());
    let [mut refused, mut answered, mut known] = [0, 0, 0];
    for number in 0..mutants {
        let _named = Mutant(number);
        let Some(bytes) = mutant(&bases, &mut Random(number as u64)) else { continue };
        let classifier = match Classifier::from_bytes(&bytes) {
            Ok(classifier) => classifier,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
                continue;
            }
        };
        let work: u64 = classifier.members().iter().map(|m| m.graph.multiply_adds()).sum();
        if work > MOST_WORK {
            continue;
        }
        let images: Vec<u8> =
            (0..3 * classifier.input().values()).map(|i| (i * 31 % 251) as u8).collect();
        let features = classifier.features(&images).unwrap();
        assert_eq!(features.len(), 3 * classifier.feature_count());
        if let Ok(Some(scores)) = classifier.novelty_scores(&images) {
            assert!(
                scores.len() == 3 && scores.iter().all(|score| score.is_finite()),
                "{scores:?}"
            );
            known += 1;
        }
        if let Ok(p) = classifier.probabilities(&images) {
            answered += 1;
            let classes = classifier.classes().len();
            assert_eq!(p.len(), 3 * classes);
            for p in p.chunks(classes) {
                assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{p:?}");
                assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{p:?}");
            }
        }
    }
    println!("{mutants} mutants: {refused} refused, {answered} answered, {known} knew");
    assert!(known > mutants / 100, "{known} of {mutants}");
    assert!(refused > mutants / 4 && answered > mutants / 6, "{refused}, {answered} of {mutants}");
}
