"""ONNX Runtime, which only classifies: the network as PyTorch exports it, with random weights."""

import io
import logging
import sys
from pathlib import Path

import onnxruntime as ort
import torch

from common import CHANNELS, NETWORK, PARAMETERS, SIDE, THREADS, Lines

sys.path.append(str(Path(__file__).parents[1] / "cross-check"))
from networks import NETWORKS


def model() -> bytes:
    """Any number of images to logits, as everybody else computes."""
    net = NETWORKS[NETWORK]().eval()
    assert sum(p.numel() for p in net.parameters()) == PARAMETERS
    logging.disable()
    images = torch.zeros(2, CHANNELS, SIDE, SIDE)
    made = torch.onnx.export(net, (images,), input_names=["x"], dynamic_shapes=({0: "n"},),
                             verbose=False)
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


lines = Lines("onnxruntime", f"ONNX Runtime {ort.__version__}")
options = ort.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
session = ort.InferenceSession(model(), options, providers=["CPUExecutionProvider"])
_, _, x, y = lines.data(channels_first=True)


def classify(images: int, batch: int):
    right = 0
    for start in range(0, images, batch):
        logits = session.run(None, {"x": x[start:start + batch]})[0]
        right += int((logits.argmax(1) == y[start:start + batch]).sum())
    return right


lines.classify(classify)
lines.latency(lambda i: session.run(None, {"x": x[i:i + 1]}))
