"""Exported models in ONNX Runtime: fashion's probabilities on a test set, for every network.

Of a part of Fashion-MNIST for the networks that take its images. And those of an ensemble, of images seen
mirrored too, and of both.
"""

import json

import numpy as np
import onnx
import onnxruntime

from common import arguments, call, close, networks, real_data, same, write_dataset

TOLERANCE = 1e-5


def check(fashion, data, work, name, shape):
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
         ("images", "tensor(uint8)", list(shape)))
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


def check_means(fashion, data, work):
    """The mean of two networks, that of an image and its mirror image, and that of all four."""
    for name in ("report-cnn", "resnet"):
        call(fashion, "train", "--data", data, "--network", name, "--epochs", 5, "--quiet",
             "--out", work / f"member-{name}")
    members = work / "member-report-cnn", work / "member-resnet"
    x = np.load(data / "test.npz")["x"]
    mirrored = np.ascontiguousarray(x[:, :, ::-1])

    def answer(name, runs, *options):
        file, path = work / f"{name}.safetensors", work / f"{name}.onnx"
        call(fashion, "ensemble", *runs, "--data", data, "--out", file, *options)
        call(fashion, "export", file, "--to", path)
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        found = [session.run(None, {"images": images}) for images in (x, mirrored)]
        (probabilities, logits), (_, of_mirrored) = found
        csv = call(fashion, "eval", file, "--data", data, "--csv").splitlines()[1:]
        plain = np.array([row.split(",")[4:] for row in csv], np.float64)
        close(f"{name}: plain probabilities", softmax(logits), plain, TOLERANCE)
        close(f"{name}: probabilities", probabilities,
              softmax(logits / float(metadata["temperature"])), TOLERANCE)
        one = session.run(None, {"images": x[:1]})
        close(f"{name}: one image", one[0], probabilities[:1], TOLERANCE)
        return softmax(logits), softmax(of_mirrored)

    alone = [answer(run.name, [run]) for run in members]
    mean = np.mean([seen for seen, _ in alone], 0)
    close("mean of two networks", answer("two", members)[0], mean, TOLERANCE)
    seen, turned = answer("flip", members[:1], "--tta", "flip")
    close("mean of an image and its mirror image", seen, np.mean(alone[0], 0), TOLERANCE)
    close("that of its mirror image", turned, seen, TOLERANCE)
    all_four = answer("two-flip", members, "--tta", "flip")[0]
    close("mean of all four", all_four, np.mean(alone, (0, 1)), TOLERANCE)


def real_part(folder):
    """Enough of Fashion-MNIST that the networks learn something of it."""
    folder.mkdir()
    for part, n in (("train", 6000), ("test", 2000)):
        arrays = np.load(real_data() / f"{part}.npz")
        np.savez(folder / f"{part}.npz", x=arrays["x"][:n], y=arrays["y"][:n])
    return folder


def softmax(logits):
    e = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def main():
    fashion, work = arguments()
    grey = work / "grey"
    write_dataset(grey, (28, 28), 2000, 500)
    check_means(fashion, grey, work)
    folders = {(28, 28): real_part(work / "garments")}
    for name, shape in networks(fashion).items():
        if shape not in folders:
            folders[shape] = work / f"{name}-data"
            write_dataset(folders[shape], shape, 2000, 1000)
        check(fashion, folders[shape], work, name, shape)


main()
