"""Classifies images as a script would: Pillow or NumPy reads them, ONNX Runtime answers, CSV comes out.

run_predict.py THREADS MODEL PLACE, where the place is an npz file or a folder of PNG or JPEG files; `cargo xtask
bench-predict` calls this. Photographs are decoded at an eighth of their size (`draft`), made grey, scaled to the
tile and negated; no garment is looked for. Files are read on as many threads, since Pillow lets go of Python's lock while it
decodes, and the next batch while the one before is classified.
"""

import csv
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

BATCH = 512
SIDE = 28

threads, model, place = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
options = ort.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def read(path: str) -> np.ndarray:
    with Image.open(path) as image:
        if image.format != "JPEG":
            return np.asarray(image)
        image.draft("L", (SIDE * 8, SIDE * 8))
        return 255 - np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))


def files(folder: Path) -> list[str]:
    found = []
    for above, folders, names in os.walk(folder):
        folders.sort()
        found += [os.path.join(above, name) for name in sorted(names) if name.endswith((".png", ".jpg"))]
    return found


def batches():
    """Names and images of each batch."""
    if place.suffix == ".npz":
        images = np.load(place)["images"]
        for start in range(0, len(images), BATCH):
            end = min(start + BATCH, len(images))
            yield [f"{place}#{index}" for index in range(start, end)], images[start:end]
        return
    paths = files(place)
    chunks = [paths[start:start + BATCH] for start in range(0, len(paths), BATCH)]
    with ThreadPoolExecutor(threads) as pool:
        ahead = pool.map(read, chunks[0])
        for chunk, after in zip(chunks, [*chunks[1:], []]):
            images, ahead = ahead, pool.map(read, after)
            yield chunk, np.stack(list(images))


written = csv.writer(sys.stdout, lineterminator="\n")
for names, images in batches():
    probabilities = session.run(["probabilities"], {"images": images})[0]
    rows = zip(names, probabilities.argmax(1).tolist(), probabilities.tolist())
    written.writerows([name, predicted, *row] for name, predicted, row in rows)
