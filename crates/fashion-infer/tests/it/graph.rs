//! What a graph says of itself, and what it refuses.

use crate::{conv, every_operation};
use fashion_infer::{Graph, ImageShape, Op, Role, Shape, Value};

#[test]
fn shapes_tensors_and_costs_follow() {
    let graph = every_operation();
    graph.check().unwrap();
    let shapes = graph.shapes().unwrap();
    assert_eq!(shapes[4], Shape::Map(ImageShape { channels: 32, side: 8 }));
    assert_eq!(
        (shapes[9].to_string(), shapes[16].to_string()),
        ("4 × 4 × 32".into(), "512".into())
    );
    let parameters = graph.parameters();
    let of = |name: &str| parameters.iter().find(|p| p.name == name).unwrap();
    assert_eq!(of("conv2.weight").shape, [32, 16, 3, 3]);
    assert_eq!(of("norm3.running_var").role, Role::Statistic);
    assert_eq!(of("b.weight").flattened, Some((16, 32)));
    assert_eq!(of("a.weight").flattened, None);
    assert!(parameters.iter().all(|p| p.name != "shortcut.bias" && p.name != "conv2.bias"));
    let convs = 16 * 27 + 16 + 32 * 144 + 32 * 16;
    let norms = 2 * (16 + 32 + 32);
    let dense = 8 * 32 + 8 + 8 * 512 + 8 + 5 * 8 + 5;
    assert_eq!(graph.parameter_count(), convs + norms + dense);
    let sums = 256 * 16 * 27 + 64 * 32 * 144 + 64 * 32 * 16 + 8 * 32 + 8 * 512 + 5 * 8;
    assert_eq!(graph.multiply_adds(), sums);
    assert_eq!(graph.classes(), 5);
}

#[test]
fn json_gives_the_graph_back() {
    let graph = every_operation();
    let json = serde_json::to_string(&graph).unwrap();
    assert_eq!(serde_json::from_str::<Graph>(&json).unwrap(), graph);
    let first = r#"{"input":{"channels":3,"side":16},"nodes":[{"name":"conv1","op":{"conv":{"outputs":16,"kernel":3,"stride":1,"padding":1,"bias":true}},"of":[0]},{"name":"norm1","op":{"batch-norm":{"epsilon":0.00001}},"of":[1]},{"op":"relu","of":[2]},"#;
    assert!(json.starts_with(first), "{json}");
    assert!(serde_json::from_str::<Graph>(&json.replace("\"relu\"", "\"gelu\"")).is_err());
}

#[test]
fn layouts_go_there_and_back() {
    let graph = every_operation();
    let parameters = graph.parameters();
    let weight = parameters.iter().find(|p| p.name == "b.weight").unwrap();
    let values: Vec<f32> = (0..8 * 512).map(|i| i as f32).collect();
    let network = weight.to_network_layout(values.clone());
    // Row 1, channel 7, pixel 3 of a file is pixel 3, channel 7 in use.
    assert_eq!(network[512 + 3 * 32 + 7], values[512 + 7 * 16 + 3]);
    assert_eq!(weight.to_file_layout(network), values);
}

/// The error of a graph of 28 × 28 grey images.
fn refusal<R>(build: impl FnOnce(&mut Graph) -> R) -> String {
    let mut graph = Graph::new(ImageShape { channels: 1, side: 28 });
    build(&mut graph);
    graph.check().unwrap_err().to_string()
}

#[test]
fn graphs_that_cannot_be_computed_are_refused() {
    let end = |graph: &mut Graph, x: Value| {
        let x = graph.add("", Op::Flatten, &[x]);
        graph.add("fc", Op::Dense { outputs: 10 }, &[x]);
    };
    let later = |n: usize| serde_json::from_str::<Value>(&n.to_string()).unwrap();
    let images = Value::IMAGES;
    let cases: [(String, &str); 22] = [
        (refusal(|_| ()), "its last operation is not a dense layer"),
        (
            refusal(|g| g.add("", Op::Relu, &[later(1)])),
            "operation (number 1) uses the value 1, which is not made before it",
        ),
        (refusal(|g| g.add("", Op::Relu, &[later(99)])), "uses the value 99"),
        (refusal(|g| g.add("", Op::Relu, &[])), "takes 0 values; expected 1"),
        (refusal(|g| g.add("", Op::Add, &[images, images])), "adds a value to itself"),
        (
            refusal(|g| {
                let x = g.add("c", conv(16, 3, 1, 1, true), &[images]);
                let pooled = g.add("", Op::MaxPool, &[x]);
                g.add("", Op::Add, &[x, pooled]);
            }),
            "adds 28 × 28 × 16 and 14 × 14 × 16",
        ),
        (refusal(|g| g.add("fc", Op::Dense { outputs: 1 }, &[images])), "takes a row of"),
        (refusal(|g| g.add("", Op::MaxPool, &[images])), "a multiple of 16, not 1"),
        (
            refusal(|g| {
                let row = g.add("", Op::Flatten, &[images]);
                g.add("", Op::MaxPool, &[row]);
            }),
            "takes pixels, not a row of numbers",
        ),
        (
            refusal(|g| {
                let row = g.add("", Op::Flatten, &[images]);
                g.add("fc", Op::Dense { outputs: usize::MAX }, &[row]);
            }),
            "weights; at most",
        ),
        (
            refusal(|g| {
                let row = g.add("", Op::Flatten, &[images]);
                g.add("fc", Op::Dense { outputs: 0 }, &[row]);
            }),
            "fc (number 2) makes nothing",
        ),
        (refusal(|g| g.add("c", conv(17, 3, 1, 1, true), &[images])), "cannot be computed"),
        (refusal(|g| g.add("c", conv(16, 5, 1, 1, true), &[images])), "cannot be computed"),
        (
            refusal(|g| g.add("c", conv(usize::MAX & !15, 3, 1, 1, true), &[images])),
            "weights or more",
        ),
        (
            refusal(|g| g.add("", conv(16, 3, 1, 1, true), &[images])),
            r#"is named "", and so it cannot be"#,
        ),
        (refusal(|g| g.add("n", Op::BatchNorm { epsilon: 0.0 }, &[images])), "an epsilon of 0e0"),
        (
            refusal(|g| {
                let x = g.add("c", conv(16, 3, 1, 1, true), &[images]);
                let x = g.add("c", conv(16, 3, 1, 1, true), &[x]);
                end(g, x);
            }),
            r#"two operations are named "c""#,
        ),
        (
            refusal(|g| {
                let x = g.add("c", conv(16, 3, 1, 1, true), &[images]);
                g.add("unused", conv(16, 3, 1, 1, true), &[images]);
                end(g, x);
            }),
            "nothing uses what unused (number 2) makes",
        ),
        (
            // 28 · 28 · 2032 values each.
            refusal(|g| {
                let x = g.add("c", conv(2032, 1, 1, 0, true), &[images]);
                let x = (0..42).fold(x, |x, _| g.add("", Op::Relu, &[x]));
                end(g, x);
            }),
            "operation (number 43) makes 68502784 values of an image, with those before; at most 67108864",
        ),
        (
            // The same 64 numbers, which PyTorch has in two orders.
            refusal(|g| {
                let x = g.add("a", conv(16, 3, 2, 1, true), &[images]);
                let x = g.add("b", conv(16, 3, 2, 1, true), &[x]);
                let x = g.add("", Op::MaxPool, &[x]);
                let four = g.add("c", conv(16, 3, 2, 1, true), &[x]);
                let one = g.add("", Op::MaxPool, &[four]);
                let one = g.add("d", conv(64, 1, 1, 0, true), &[one]);
                let [a, b] = [four, one].map(|x| g.add("", Op::Flatten, &[x]));
                let a = g.add("", Op::Relu, &[a]);
                let x = g.add("", Op::Add, &[a, b]);
                g.add("fc", Op::Dense { outputs: 10 }, &[x]);
            }),
            "operation (number 10) adds rows of unlike pixels and channels",
        ),
        (
            refusal(|g| {
                let x = g.add("c", conv(16, 3, 1, 1, true), &[images]);
                g.add("n", Op::BatchNorm { epsilon: 1e-320 }, &[x]);
            }),
            "an epsilon of 1e-320; expected 1e-37 or more, below 1",
        ),
        (
            refusal(|g| {
                let mut x = images;
                (0..fashion_infer::MAX_NODES).for_each(|_| x = g.add("", Op::Relu, &[x]));
                end(g, x);
            }),
            "operations; at most 4096",
        ),
    ];
    for (error, part) in cases {
        assert!(error.contains(part), "{error} lacks {part}");
    }
    for (channels, side) in [(2, 28), (1, 0), (3, 1025), (usize::MAX, usize::MAX)] {
        let mut graph = Graph::new(ImageShape { channels, side });
        end(&mut graph, images);
        let error = graph.check().unwrap_err().to_string();
        assert!(error.contains("neither grey nor RGB"), "{error}");
    }
}
