"""What the checks share: calling `fashion`, small data sets, comparisons that say what differs."""

import gzip
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np

CLASSES = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]


def arguments() -> tuple[str, Path]:
    """The `fashion` binary and an empty folder to work in."""
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} FASHION FOLDER; `cargo xtask cross-check` calls this")
    return sys.argv[1], Path(sys.argv[2])


def weights_of(path):
    """The network's tensors in a file, without the statistics of known images."""
    from safetensors.torch import load_file

    return {key: value for key, value in load_file(path).items() if not key.startswith("statistics.")}


def real_data() -> Path:
    """A folder with `train.npz` and `test.npz` of Fashion-MNIST."""
    folder = Path(os.environ.get("FASHION_NPZ", "data"))
    if not (folder / "train.npz").is_file():
        fail(f"this check needs Fashion-MNIST in {folder}: run `cargo xtask fetch-data` first")
    return folder


def test_set():
    """A folder with Fashion-MNIST, and images and labels of its test set; nothing where it is not at hand."""
    for name in ("FASHION_FILES", "FASHION_NPZ"):
        folder = Path(os.environ.get(name) or "data")
        if (folder / "test.npz").is_file():
            arrays = np.load(folder / "test.npz")
            return folder, arrays["x"], arrays["y"]
        if (folder / "t10k-images-idx3-ubyte.gz").is_file():
            # A magic number and the shape, big-endian, then the bytes.
            images, labels = (gzip.decompress((folder / f"t10k-{part}-ubyte.gz").read_bytes())
                              for part in ("images-idx3", "labels-idx1"))
            images = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28)
            return folder, images, np.frombuffer(labels, np.uint8, offset=8)
    return None


def call(*command) -> str:
    """Runs a command and returns what it wrote to standard output."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        fail(f"`{' '.join(map(str, command))}` ended with {done.returncode}")
    return done.stdout


def fail(message: str):
    sys.exit(f"error: {message}")


def same(what: str, found, expected):
    if found != expected:
        fail(f"{what} is {found!r}, expected {expected!r}")
    print(f"{what}: the same")


def close(what: str, found, expected, tolerance: float):
    """Compares numbers or arrays; NaN is never close."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if found.shape != expected.shape:
        fail(f"{what} has the shape {found.shape}, expected {expected.shape}")
    worst = np.abs(found - expected).max()
    if not worst <= tolerance:
        at = np.unravel_index(np.abs(found - expected).argmax(), found.shape)
        fail(f"{what} differs by {worst:g} at {at}; at most {tolerance:g} is allowed")
    print(f"{what}: within {worst:.1e}, {tolerance:.0e} allowed")


def networks(fashion) -> dict[str, tuple[int, ...]]:
    """The networks of `fashion networks`, and the shapes of their images as in an npz."""
    shapes = {}
    for network in objects(call(fashion, "networks", "--json")):
        side, channels = network["input"]["side"], network["input"]["channels"]
        shapes[network["name"]] = (side, side) if channels == 1 else (side, side, channels)
    return shapes


def objects(text: str) -> list[dict]:
    """The objects of a JSON array, or of one JSON text a line."""
    text = text.strip()
    if text.startswith("["):
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines()]


def dataset(rng: np.random.Generator, n: int, shape=(28, 28)) -> tuple[np.ndarray, np.ndarray]:
    """Ten classes that can be learnt but overlap: a bar at the class's height, and noise."""
    labels = (np.arange(n) % 10).astype(np.uint8)
    images = rng.integers(0, 160, (n, *shape))
    for image, label in zip(images, labels):
        image[4 + 2 * label : 8 + 2 * label, 4:24] += 60
    return images.astype(np.uint8), labels


def write_dataset(folder: Path, shape, train: int, test: int):
    """Such images as `train.npz` and `test.npz`, with the names of the classes."""
    folder.mkdir()
    for part, n in (("train", train), ("test", test)):
        images, labels = dataset(np.random.default_rng(n), n, shape)
        np.savez(folder / f"{part}.npz", x=images, y=labels, classes=CLASSES)


def write_png(path: Path, image: np.ndarray):
    """An 8-bit grey PNG (W3C PNG specification, second edition)."""
    height, width = image.shape

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    rows = b"".join(b"\0" + row.tobytes() for row in image.astype(np.uint8))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def read_predictions(path: Path, split: str) -> tuple[np.ndarray, ...]:
    """Index, true class, predicted class and probabilities of one part of predictions.csv."""
    lines = path.read_text().splitlines()
    same(f"{path.name}: columns", lines[0],
         "split,index,true,predicted," + ",".join(f"p{c}" for c in range(10)))
    rows = [line.split(",") for line in lines[1:]]
    rows = np.array([row[1:] for row in rows if row[0] == split], np.float64)
    if len(rows) == 0:
        fail(f"{path} has no rows of the split `{split}`")
    index, true, predicted = rows[:, :3].astype(np.int64).T
    return index, true, predicted, rows[:, 3:]
