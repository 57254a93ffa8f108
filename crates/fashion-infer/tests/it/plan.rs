//! Plans against a plain interpreter of the graph, in double precision.

use crate::{conv, every_operation, tensors, values};
use fashion_infer::tensors::{NamedTensor, Tensors};
use fashion_infer::{Graph, ImageShape, Op, Plan, Shape, Value};

/// Logits of one image (channels last), by tensors in PyTorch's layouts.
fn interpret(graph: &Graph, tensors: &Tensors, image: &[f32]) -> Vec<f64> {
    let shapes = graph.shapes().unwrap();
    // Channels first inside, as PyTorch has it.
    let ImageShape { channels, side } = graph.input();
    let place = |i: usize| (i % (side * side)) * channels + i / (side * side);
    let mut made: Vec<Vec<f64>> = vec![(0..image.len()).map(|i| image[place(i)].into()).collect()];
    for node in graph.nodes() {
        let x = &made[node.of[0].index()];
        let tensor = |suffix: &str| -> Vec<f64> {
            let tensor = tensors.get(&format!("{}.{suffix}", node.name));
            tensor.map_or(Vec::new(), |t| t.values.iter().map(|&v| v.into()).collect())
        };
        let map = match shapes[node.of[0].index()] {
            Shape::Map(map) => map,
            Shape::Row(_) => ImageShape { channels: 0, side: 0 },
        };
        let (side, pixels) = (map.side, map.pixels());
        made.push(match &node.op {
            &Op::Conv { outputs, kernel, stride, padding, bias } => {
                let out = (side + 2 * padding - kernel) / stride + 1;
                let (weight, biases) = (tensor("weight"), tensor("bias"));
                let mut y = vec![0.0; outputs * out * out];
                for (at, y) in y.iter_mut().enumerate() {
                    let (o, row, column) = (at / (out * out), at / out % out, at % out);
                    *y = if bias { biases[o] } else { 0.0 };
                    for i in 0..map.channels {
                        for tap in 0..kernel * kernel {
                            let row = (row * stride + tap / kernel).wrapping_sub(padding);
                            let column = (column * stride + tap % kernel).wrapping_sub(padding);
                            if row < side && column < side {
                                let w = weight[(o * map.channels + i) * kernel * kernel + tap];
                                *y += w * x[i * pixels + row * side + column];
                            }
                        }
                    }
                }
                y
            }
            Op::BatchNorm { epsilon } => {
                let (weight, bias) = (tensor("weight"), tensor("bias"));
                let (mean, variance) = (tensor("running_mean"), tensor("running_var"));
                let norm = |(at, x): (usize, &f64)| {
                    let c = at / pixels;
                    (x - mean[c]) / (variance[c] + epsilon).sqrt() * weight[c] + bias[c]
                };
                x.iter().enumerate().map(norm).collect()
            }
            Op::Relu => x.iter().map(|x| x.max(0.0)).collect(),
            Op::Add => x.iter().zip(&made[node.of[1].index()]).map(|(a, b)| a + b).collect(),
            Op::MaxPool => {
                let half = side / 2;
                let largest = |at: usize| {
                    let (c, row, column) = (at / (half * half), at / half % half, at % half);
                    let pixel =
                        |p: usize| x[c * pixels + (2 * row + p / 2) * side + 2 * column + p % 2];
                    (0..4).map(pixel).fold(f64::NEG_INFINITY, f64::max)
                };
                (0..map.channels * half * half).map(largest).collect()
            }
            Op::GlobalMaxPool => x
                .chunks(pixels)
                .map(|x| x.iter().copied().fold(f64::NEG_INFINITY, f64::max))
                .collect(),
            Op::GlobalAveragePool => {
                x.chunks(pixels).map(|x| x.iter().sum::<f64>() / pixels as f64).collect()
            }
            Op::Flatten => x.clone(),
            Op::Dense { .. } => {
                let bias = tensor("bias");
                let rows = tensor("weight");
                let rows = rows.chunks(x.len()).zip(bias);
                rows.map(|(w, b)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()).collect()
            }
        });
    }
    made.pop().unwrap()
}

/// The plan of a graph with tensors in PyTorch's layouts.
fn plan(graph: &Graph, tensors: &Tensors) -> Plan {
    let own = graph.parameters().into_iter().map(|parameter| {
        let NamedTensor { shape, values } = tensors[&parameter.name].clone();
        let values = parameter.to_network_layout(values);
        (parameter.name, NamedTensor { shape, values })
    });
    Plan::new(graph, &own.collect())
}

fn is_what_the_interpreter_says(graph: &Graph, images: usize) {
    graph.check().unwrap();
    let tensors = tensors(graph);
    let plan = plan(graph, &tensors);
    let pixels = graph.input().values();
    let x: Vec<f32> = values(images * pixels, 99).iter().map(|v| v.abs()).collect();
    let mut logits = vec![0.0; images * graph.classes()];
    plan.logits(&x, &mut logits);
    for (image, logits) in x.chunks(pixels).zip(logits.chunks(graph.classes())) {
        for (&here, expected) in logits.iter().zip(interpret(graph, &tensors, image)) {
            assert!((f64::from(here) - expected).abs() < 1e-5, "{here} not {expected}");
        }
    }
    let mut alone = vec![0.0; graph.classes()];
    plan.logits(&x[..pixels], &mut alone);
    assert_eq!(alone, logits[..graph.classes()], "one image alone");
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut again = vec![0.0; logits.len()];
        pool.install(|| plan.logits(&x, &mut again));
        assert_eq!(again, logits, "{threads} threads");
    }
}

#[test]
fn every_operation_is_what_it_says() {
    is_what_the_interpreter_says(&every_operation(), 23);
}

#[test]
fn blocks_with_pooling_are_what_they_say() {
    // 30 → 28 → 14 → 12 → 6: nothing to leave out; 28 → 26 → 13 → 11 → 5: a row and a column.
    for side in [30, 28] {
        for (bias, norm) in [(true, false), (false, true)] {
            let mut graph = Graph::new(ImageShape { channels: 1, side });
            let mut x = Value::IMAGES;
            for (number, outputs) in [32, 64].into_iter().enumerate() {
                x = graph.add(&format!("conv{number}"), conv(outputs, 3, 1, 0, bias), &[x]);
                if norm {
                    x = graph.add(&format!("norm{number}"), Op::BatchNorm { epsilon: 1e-5 }, &[x]);
                }
                x = graph.add("", Op::Relu, &[x]);
                x = graph.add("", Op::MaxPool, &[x]);
            }
            x = graph.add("", Op::Flatten, &[x]);
            graph.add("fc", Op::Dense { outputs: 3 }, &[x]);
            is_what_the_interpreter_says(&graph, 6);
        }
    }
}

#[test]
fn what_two_use_is_not_folded_away() {
    let mut graph = Graph::new(ImageShape { channels: 1, side: 28 });
    let x = graph.add("conv", conv(32, 3, 1, 0, true), &[Value::IMAGES]);
    let y = graph.add("", Op::Relu, &[x]);
    let sum = graph.add("", Op::Add, &[x, y]);
    let a = graph.add("", Op::MaxPool, &[y]);
    let b = graph.add("", Op::MaxPool, &[sum]);
    let x = graph.add("", Op::Add, &[b, a]);
    let x = graph.add("", Op::GlobalAveragePool, &[x]);
    graph.add("fc", Op::Dense { outputs: 2 }, &[x]);
    is_what_the_interpreter_says(&graph, 5);
}

#[test]
fn features_are_what_the_last_layer_goes_by() {
    let graph = every_operation();
    let (tensors, n) = (tensors(&graph), 9);
    let plan = plan(&graph, &tensors);
    let x: Vec<f32> = values(n * plan.input().values(), 3).iter().map(|v| v.abs()).collect();
    let (mut features, mut logits) = (vec![0.0; n * plan.feature_count()], vec![0.0; n * 5]);
    plan.features(&x, &mut features);
    plan.logits(&x, &mut logits);
    let (weight, bias) = (&tensors["fc.weight"].values, &tensors["fc.bias"].values);
    for (features, logits) in features.chunks(8).zip(logits.chunks(5)) {
        for ((row, bias), logit) in weight.chunks(8).zip(bias).zip(logits) {
            let sum: f32 = row.iter().zip(features).map(|(w, f)| w * f).sum();
            assert!((sum + bias - logit).abs() < 1e-5);
        }
    }
    let p = plan.probabilities(&x);
    assert!(p.chunks(5).all(|p| (p.iter().sum::<f32>() - 1.0).abs() < 1e-6));
}
