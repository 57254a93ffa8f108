"""Weights in both directions between fashion and PyTorch: the same file, the same probabilities.

The network is the report's. Tensors have PyTorch's own layouts.
"""

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file

from common import CLASSES, arguments, call, close, dataset, objects, read_predictions, same, weights_of, write_png
from networks import ReportCnn, pixels

TOLERANCE = 1e-5


def probabilities(model, images: np.ndarray, temperature=1.0) -> np.ndarray:
    with torch.no_grad():
        return F.softmax(model(pixels(images)) / temperature, 1).numpy()


def run_to_pytorch(fashion, work, data, test):
    """The weights of a run, loaded by PyTorch, give the run's predictions.csv."""
    run = work / "run"
    call(fashion, "train", "--data", data, "--epochs", 2, "--seed", 3, "--out", run)
    path = run / "weights" / "best.safetensors"
    model = ReportCnn()
    model.load_state_dict(weights_of(path), strict=True)
    index, true, _, p = read_predictions(run / "predictions.csv", "test")
    images, labels = test
    same("true classes", true.tolist(), labels[index].tolist())
    close("probabilities of the run", p, probabilities(model, images[index]), TOLERANCE)
    with safe_open(path, "pt") as file:
        # Without its statistics a file must not speak of novelty.
        metadata = {key: text for key, text in file.metadata().items() if not key.startswith("novelty")}
    same("architecture", metadata["architecture"], "report-cnn")
    return metadata


def pytorch_to_predict(fashion, work, metadata, test):
    """A file that PyTorch wrote, with metadata and without, gives PyTorch's probabilities."""
    torch.manual_seed(5)
    model = ReportCnn()
    images = test[0][:20]
    pictures = []
    for at, image in enumerate(images):
        pictures.append(work / f"{at}.png")
        write_png(pictures[-1], image)
    for name, extra in [("without metadata", None), ("with metadata", metadata)]:
        # What calibrates the run's network is applied to whatever has its metadata.
        expected = probabilities(model, images, float((extra or {}).get("temperature", 1)))
        path = work / f"{name.replace(' ', '-')}.safetensors"
        tensors = {key: value.contiguous() for key, value in model.state_dict().items()}
        save_file(tensors, path, metadata=extra)
        found = objects(call(fashion, "predict", path, *pictures, "--json"))
        same(f"{name}: paths", [one["path"] for one in found], [str(path) for path in pictures])
        p = [one["probabilities"] for one in found]
        close(f"{name}: probabilities", p, expected, TOLERANCE)
        best = expected.argmax(1)
        same(f"{name}: predicted", [one["predicted"] for one in found], best.tolist())
        names = CLASSES if extra else [str(c) for c in range(len(CLASSES))]
        same(f"{name}: class", [one["class"] for one in found], [names[c] for c in best])


def main():
    fashion, work = arguments()
    rng = np.random.default_rng(11)
    train, test = dataset(rng, 1000), dataset(rng, 300)
    data = work / "data"
    data.mkdir()
    for name, (images, labels) in [("train", train), ("test", test)]:
        np.savez(data / f"{name}.npz", x=images, y=labels)
    metadata = run_to_pytorch(fashion, work, data, test)
    pytorch_to_predict(fashion, work, metadata, test)


main()
