"""Photographs prepared as Zalando did against ImageMagick, which Zalando used."""

import re
import shutil
import subprocess
import sys

import common
import numpy as np

# Levels that may differ: sums are rounded at other places.
ALLOWED = 1


def photograph(rng: np.random.Generator, side: int) -> np.ndarray:
    """Something striped in colour on a ground that is nearly white, of any shape, in a square."""
    image = 255 - rng.integers(0, 5, (side, side, 3))
    top, left = rng.integers(1, side // 3, 2)
    height, width = rng.integers(side // 4, side // 2, 2)
    y, x = np.mgrid[:height, :width]
    stripes = [(a * x + b * y + c) % 230 for a, b, c in rng.integers(0, 40, (3, 3))]
    garment = np.stack(stripes, -1)
    round_ = ((x - width / 2) / width) ** 2 + ((y - height / 2) / height) ** 2 < rng.uniform(0.2, 0.5)
    image[top:top + height, left:left + width][round_] = garment[round_]
    return image.astype(np.uint8)


def read(convert: str, path) -> np.ndarray:
    grey = subprocess.run([convert, str(path), "gray:-"], check=True, stdout=subprocess.PIPE)
    return np.frombuffer(grey.stdout, np.uint8).astype(int)


def main():
    fashion, folder = common.arguments()
    convert = shutil.which("convert")
    version = convert and subprocess.run([convert, "-version"], capture_output=True, text=True).stdout
    version = re.search(r"ImageMagick (6\S*)", version or "")
    if not version:
        print("left out: ImageMagick 6 is not installed (its program `convert`)")
        sys.exit()
    print(f"against ImageMagick {version[1]}")
    rng = np.random.default_rng(0)
    for side in (28, 32, 64):
        photographs, tiles = folder / f"photographs-{side}", folder / f"tiles-{side}"
        photographs.mkdir()
        for number in range(60):
            image = photograph(rng, int(rng.integers(64, 129)))
            header = f"P6 {image.shape[1]} {image.shape[0]} 255\n".encode()
            subprocess.run([convert, "-", str(photographs / f"{number:02}.png")], check=True,
                           input=header + image.tobytes())
        common.call(fashion, "data", "prepare", photographs, tiles, "--prepare", "zalando", "--side", side)
        worst = 0
        for path in sorted(photographs.iterdir()):
            size = f"{side}x{side}"
            expected = folder / "expected.png"
            subprocess.run(
                [convert, str(path), "-fuzz", "5%", "-trim", "+repage", "-sample", size, "-adaptive-sharpen",
                 "1x1", "-gravity", "center", "-extent", size, "-negate", "-colorspace", "Gray", str(expected)],
                check=True)
            worst = max(worst, np.abs(read(convert, tiles / path.name) - read(convert, expected)).max())
        if worst > ALLOWED:
            common.fail(f"tiles of {size} differ by {worst} levels; at most {ALLOWED} is allowed")
        print(f"60 tiles of {size}: within {worst} levels")


main()
