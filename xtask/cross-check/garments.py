"""The weights that come with the program, in PyTorch: as many of the test images right, the same probabilities."""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open

from common import arguments, call, close, read_predictions, same, test_set, weights_of
from networks import NETWORKS, pixels

DATA = Path(__file__).parents[2] / "data"
WEIGHTS = [DATA / "garments.safetensors", DATA / "garments-photo.safetensors"]
TOLERANCE = 1e-4


def probabilities(model, x):
    with torch.no_grad():
        return torch.cat([F.softmax(model(part), 1) for part in x.split(1000)])


def check(weights, fashion, work, data, images, labels):
    with safe_open(weights, "pt") as file:
        metadata = file.metadata()
    model = NETWORKS[metadata["architecture"]]().eval()
    missing, extra = model.load_state_dict(weights_of(weights), strict=False)
    same("names", ([n for n in missing if "num_batches" not in n], extra), ([], []))
    x = pixels(np.array(images))
    expected = probabilities(model, x)
    tta = metadata.get("tta", "none")
    if tta == "flip":
        expected = (expected + probabilities(model, x.flip(3))) / 2
    else:
        same("tta", tta, "none")

    metrics = json.loads(call(fashion, "eval", weights, "--data", data, "--json"))
    same("data", metrics["data"], "Fashion-MNIST (official)")
    same("images", (metrics["n"], len(labels)), (10_000, 10_000))
    right = int((expected.argmax(1).numpy() == labels).sum())
    same("right answers", right, round(metrics["accuracy"] * metrics["n"]))
    print(f"{weights.stem}: accuracy {right / len(labels):.2%}")
    csv = work / "predictions.csv"
    csv.write_text(call(fashion, "eval", weights, "--data", data, "--csv"))
    index, true, _, plain = read_predictions(csv, "test")
    same("true classes", true.tolist(), labels[index].tolist())
    close("probabilities", plain, expected.numpy()[index], TOLERANCE)


def main():
    fashion, work = arguments()
    found = test_set()
    if found is None:
        print("left out: there is no Fashion-MNIST; run `cargo xtask fetch-data`, or set FASHION_DATA")
        return
    for weights in WEIGHTS:
        check(weights, fashion, work, *found)


main()
