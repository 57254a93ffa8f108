"""What the measurements share: arguments, synthetic images, lines of JSON, best and median.

The job is a network of `fashion networks`; f32, Adam, batch 128. Speed hardly depends on the pixels, so
they are random. The age and the memory of the process are read from Linux's /proc.
"""

import json
import os
import sys
import time

import numpy as np

BATCH = 128

if len(sys.argv) not in (8, 9):
    sys.exit(f"usage: {sys.argv[0]} THREADS SECONDS NETWORK SIDE CHANNELS PARAMETERS BATCHES [VARIANT]; "
             "`cargo xtask bench-peers` calls this")
# SECONDS is for training, and again for classifying with each size of batches.
THREADS, SECONDS, NETWORK = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
# Of the images, and how many parameters there are.
SIDE, CHANNELS, PARAMETERS = map(int, sys.argv[4:7])
# The sizes of batches to classify in, with commas.
BATCHES = [int(batch) for batch in sys.argv[7].split(",")]
VARIANT = sys.argv[8] if len(sys.argv) == 9 else None
# As many pixels as Fashion-MNIST's.
TRAINED = 60_000 * 28 * 28 // (SIDE * SIDE * CHANNELS)
CLASSIFIED = max(1000, 10_000 * 28 * 28 // (SIDE * SIDE * CHANNELS))
os.environ["OMP_NUM_THREADS"] = str(THREADS)


def process_age() -> float:
    """Seconds since this process was started, to a hundredth."""
    with open("/proc/self/stat") as stat:
        # Field 22; the second is the program's name in brackets, which may hold spaces.
        started = int(stat.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
    with open("/proc/uptime") as uptime:
        return float(uptime.read().split()[0]) - started


def peak_memory() -> int:
    """The most memory that this process has had, in MiB."""
    with open("/proc/self/status") as status:
        return next(round(int(line.split()[1]) / 1024) for line in status if line.startswith("VmHWM"))


def pin():
    """Keeps the process on THREADS processors, for libraries that cannot be told a number."""
    allowed = sorted(os.sched_getaffinity(0), reverse=True)
    os.sched_setaffinity(0, allowed[:THREADS])


class Lines:
    """Prints the figures of one peer."""

    def __init__(self, peer: str, version: str):
        self.head = dict(peer=peer, version=version, threads=THREADS)
        self.drawing = 0.0

    def print(self, what: str, **figures):
        print(json.dumps(self.head | dict(what=what) | figures), flush=True)

    def data(self, channels_first: bool) -> tuple[np.ndarray, ...]:
        """Images to train on, labels, images to classify, labels; the time is not the peer's."""
        start = time.perf_counter()
        random = np.random.default_rng(0)
        shape = (CHANNELS, SIDE, SIDE) if channels_first else (SIDE, SIDE, CHANNELS)
        arrays = []
        for n in (TRAINED, CLASSIFIED):
            pixels = random.integers(0, 256, (n, *shape), dtype=np.uint8)
            arrays += [pixels / np.float32(255), random.integers(0, 10, n)]
        self.drawing += time.perf_counter() - start
        return tuple(arrays)

    def train(self, epoch):
        """Trains with `epoch(images)`: one step, some that do not count, and three epochs."""
        epoch(BATCH)
        age = process_age()
        self.print("startup", to_first_step_s=round(age, 3),
                   excl_datagen_s=round(age - self.drawing, 3), rss_mb=peak_memory())
        images, seconds = measure(epoch, BATCH, TRAINED, SECONDS, 3)
        self.print("train", **speeds(images, seconds), peak_rss_mb=peak_memory())

    def classify(self, once):
        """Classifies with `once(images, batch size)`."""
        for batch in BATCHES:
            images, seconds = measure(lambda n: once(n, batch), batch, CLASSIFIED, SECONDS, 8)
            self.print("infer", batch=batch, **speeds(images, seconds))

    def latency(self, once):
        """Classifies one image after the other with `once(index)`; the first tenth does not count."""
        once(0)
        start, seconds = time.perf_counter(), []
        while len(seconds) < 3300 and time.perf_counter() - start < SECONDS + 1:
            seconds.append(timed(once, len(seconds) % CLASSIFIED))
        best, median = best_and_median(seconds[len(seconds) // 10:])
        self.print("latency_b1", best_us=round(best * 1e6, 1),
                   median_us=round(median * 1e6, 1), peak_rss_mb=peak_memory())


def measure(once, batch: int, most: int, seconds: float, repetitions: int) -> tuple[int, list[float]]:
    """Does `once(images)` so often, or twice if it is slow, with whole batches: together about so long.

    How many batches that are is tried out, untimed: whatever is compiled is compiled by then.
    """
    once(batch)
    images, most = batch, most // batch * batch
    while timed(once, images) < seconds / repetitions / 2 and images < most:
        images = min(2 * images, most)
    taken = []
    while len(taken) < 2 or (len(taken) < repetitions and sum(taken) < seconds):
        taken.append(timed(once, images))
    return images, taken


def timed(once, argument) -> float:
    start = time.perf_counter()
    once(argument)
    return time.perf_counter() - start


def speeds(images: int, seconds: list[float]) -> dict:
    best, median = best_and_median(seconds)
    return dict(images=images, best_samples_s=round(images / best, 1),
                median_samples_s=round(images / median, 1))


def best_and_median(seconds: list[float]) -> tuple[float, float]:
    seconds = sorted(seconds)
    return seconds[0], seconds[len(seconds) // 2]
