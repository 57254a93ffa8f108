"""ONNX Runtime, which only classifies."""

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from common import THREADS, Lines


def model() -> bytes:
    """The network with random weights; logits, as everybody else computes."""
    random = np.random.default_rng(0)
    shapes = dict(w1=(32, 1, 3, 3), b1=(32,), w2=(64, 32, 3, 3), b2=(64,),
                  w3=(1600, 128), b3=(128,), w4=(128, 10), b4=(10,))
    weights = [numpy_helper.from_array((random.standard_normal(shape) * 0.05).astype(np.float32), name)
               for name, shape in shapes.items()]
    node, pool = helper.make_node, dict(kernel_shape=[2, 2], strides=[2, 2])
    nodes = [
        node("Conv", ["x", "w1", "b1"], ["c1"], kernel_shape=[3, 3]),
        node("Relu", ["c1"], ["r1"]), node("MaxPool", ["r1"], ["p1"], **pool),
        node("Conv", ["p1", "w2", "b2"], ["c2"], kernel_shape=[3, 3]),
        node("Relu", ["c2"], ["r2"]), node("MaxPool", ["r2"], ["p2"], **pool),
        node("Flatten", ["p2"], ["f"]), node("Gemm", ["f", "w3", "b3"], ["g1"]),
        node("Relu", ["g1"], ["r3"]), node("Gemm", ["r3", "w4", "b4"], ["y"]),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
              for name, shape in (("x", ["n", 1, 28, 28]), ("y", ["n", 10]))]
    graph = helper.make_graph(nodes, "network", values[:1], values[1:], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    return made.SerializeToString()


lines = Lines("onnxruntime", f"ONNX Runtime {ort.__version__}")
options = ort.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
session = ort.InferenceSession(model(), options, providers=["CPUExecutionProvider"])
_, _, x, y = lines.data(1, 28, 28)


def classify(batch: int):
    right = 0
    for start in range(0, len(x), batch):
        logits = session.run(None, {"x": x[start:start + batch]})[0]
        right += int((logits.argmax(1) == y[start:start + batch]).sum())
    return right


lines.classified(classify)
lines.latency(lambda i: session.run(None, {"x": x[i:i + 1]}))
