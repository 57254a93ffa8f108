"""npz files as NumPy writes them: whatever their types and layouts, the same pixels and labels.

`fashion data info --json` has the SHA-256 of each part in IDX form, which is computed here from
the arrays themselves.
"""

import hashlib
import struct

import numpy as np

from common import arguments, call, dataset, fail


def digest(header: list[int], body: np.ndarray) -> str:
    return hashlib.sha256(struct.pack(f">{len(header)}I", *header) + body.tobytes()).hexdigest()


def digests(images: np.ndarray, labels: np.ndarray) -> list[str]:
    n = len(labels)
    return [digest([0x803, n, 28, 28], images), digest([0x801, n], labels)]


def one_hot(labels: np.ndarray) -> np.ndarray:
    return np.eye(10)[labels]


def variants():
    """A name, how to save, the names of the arrays, and what becomes of images and of labels."""
    plain = lambda a: a
    yield "plain", np.savez, ("x", "y"), plain, plain
    yield "compressed", np.savez_compressed, ("x", "y"), plain, plain
    for names in [("X", "y"), ("images", "labels"), ("arr_0", "arr_1"), ("first", "second")]:
        yield f"names {names}", np.savez, names, plain, plain
    for shape in [(-1, 784), (-1, 28, 28, 1), (-1, 1, 28, 28)]:
        reshaped = lambda a, shape=shape: a.reshape(shape)
        yield f"images {shape}", np.savez, ("x", "y"), reshaped, plain
        yield (f"images {shape}, Fortran order", np.savez_compressed, ("x", "y"),
               lambda a, f=reshaped: np.asfortranarray(f(a)), plain)
    yield "images in Fortran order", np.savez, ("x", "y"), np.asfortranarray, plain
    for kind in ["i2", "i4", "i8", "u2", "u4", "u8", ">i4", ">u2", "f2", "f4", "f8", ">f8"]:
        yield f"images {kind}", np.savez, ("x", "y"), lambda a, k=kind: a.astype(k), plain
    for kind in ["f2", "f4", "f8", ">f4"]:
        yield (f"images {kind} from 0 to 1", np.savez, ("x", "y"),
               lambda a, k=kind: (a / 255).astype(k), plain)
    for kind in ["i1", "i4", "i8", ">i8", "u8", "f2", "f4", "f8"]:
        yield f"labels {kind}", np.savez, ("x", "y"), plain, lambda a, k=kind: a.astype(k)
    yield "labels (N, 1)", np.savez, ("x", "y"), plain, lambda a: a[:, None]
    for kind in ["?", "u1", "i8", "f4", "f8"]:
        yield f"labels one-hot {kind}", np.savez, ("x", "y"), plain, lambda a, k=kind: one_hot(a).astype(k)
    yield ("labels one-hot, Fortran order", np.savez_compressed, ("x", "y"), plain,
           lambda a: np.asfortranarray(one_hot(a)))


def main():
    fashion, work = arguments()
    rng = np.random.default_rng(7)
    parts = {"train": dataset(rng, 60), "test": dataset(rng, 30)}
    for images, _ in parts.values():
        images[0, 0, :2] = 0, 255
    expected = [part for images, labels in parts.values() for part in digests(images, labels)]
    count = 0
    for name, save, names, of_images, of_labels in variants():
        folder = work / f"{count}"
        folder.mkdir()
        for part, (images, labels) in parts.items():
            arrays = [of_images(images), of_labels(labels)]
            save(folder / f"{part}.npz", **dict(zip(names, arrays)))
        info = call(fashion, "data", "info", "--data", folder, "--json")
        missing = [part for part in expected if part not in info]
        if missing:
            fail(f"{name}: `fashion data info` does not have the SHA-256 {missing} of the arrays")
        print(f"{name}: read as written")
        count += 1

    # The comparison itself must be able to fail.
    images, labels = parts["test"]
    images[3, 14, 14] ^= 1
    np.savez(work / "0" / "test.npz", x=images, y=labels)
    if expected[2] in call(fashion, "data", "info", "--data", work / "0", "--json"):
        fail("another pixel did not change the SHA-256")
    print(f"{count} variants")


main()
