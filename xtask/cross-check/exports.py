"""Exported models in ONNX Runtime: fashion's probabilities on a test set, for every network.

That of Fashion-MNIST for the networks that take its images.
"""

import json

import numpy as np
import onnx
import onnxruntime

from common import arguments, call, close, real_data, same, write_dataset
from networks import NETWORKS, shape

TOLERANCE = 1e-5


def check(fashion, data, work, name):
    run, path = work / name, work / f"{name}.onnx"
    # A target, so that there are a temperature and a threshold to export.
    call(fashion, "train", "--data", data, "--network", name, "--epochs", 1,
         "--target-accuracy", 0.95, "--quiet", "--out", run)
    call(fashion, "export", run, "--to", path)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    same(f"{name}: opset", [o.version for o in model.opset_import if o.domain == ""], [17])
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    metrics = json.loads((run / "metrics.json").read_text())
    same(f"{name}: classes", json.loads(metadata["classes"]),
         [row["class"] for row in metrics["per_class"]])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    images, = session.get_inputs()
    same(f"{name}: input", (images.name, images.type, images.shape[1:]),
         ("images", "tensor(uint8)", list(shape(name))))
    same(f"{name}: outputs", [o.name for o in session.get_outputs()], ["probabilities", "logits"])

    # What fashion says of the test set, plain; ONNX Runtime's are calibrated, and its logits are not.
    rows = [row.split(",") for row in (run / "predictions.csv").read_text().splitlines()[1:]]
    rows = np.array([row[1:] for row in rows if row[0] == "test"], np.float64)
    index, plain = rows[:, 0].astype(int), rows[:, 3:]
    x = np.load(data / "test.npz")["x"][index]
    for batch in (1, 128, 1000):
        parts = range(0, len(x) if batch > 1 else 200, batch)
        found = [session.run(None, {"images": x[at : at + batch]}) for at in parts]
        probabilities, logits = (np.concatenate(part) for part in zip(*found))
        n = len(probabilities)
        close(f"{name}: softmax of the logits, {n} images {batch} at a time",
              softmax(logits), plain[:n], TOLERANCE)
        temperature = float(metadata.get("temperature", 1))
        close(f"{name}: probabilities", probabilities, softmax(logits / temperature), TOLERANCE)


def softmax(logits):
    e = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def main():
    fashion, work = arguments()
    data = work / "colour"
    write_dataset(data, shape("resnet-64"), 2000, 1000)
    for name in NETWORKS:
        check(fashion, data if name == "resnet-64" else real_data(), work, name)


main()
