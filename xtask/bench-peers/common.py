"""What the measurements share: arguments, synthetic images, lines of JSON, best and median.

The job is the report's: two 3 x 3 convolutions (32, 64) with ReLU and pooling, dense 128, dense 10;
f32, Adam, batch 128, 60,000 images to train on and 10,000 to classify. Speed hardly depends on the
pixels, so they are random. The age and the memory of the process are read from Linux's /proc.
"""

import json
import os
import sys
import time

import numpy as np

TRAINED, CLASSIFIED, BATCH = 60_000, 10_000, 128
PARAMETERS = 225_034

if len(sys.argv) not in (4, 5):
    sys.exit(f"usage: {sys.argv[0]} THREADS EPOCHS STEPS [VARIANT]; `cargo xtask bench-peers` calls this")
# STEPS bounds the steps of an epoch, for those who would take minutes over a whole one.
THREADS, EPOCHS = int(sys.argv[1]), int(sys.argv[2])
IMAGES = min(TRAINED, int(sys.argv[3]) * BATCH)
VARIANT = sys.argv[4] if len(sys.argv) == 5 else None
# Images of the steps that are not timed: fifty whole batches and one as short as an epoch's last,
# so that whatever is compiled for a shape is compiled by then.
WARM_UP = min(50 * BATCH, IMAGES) + TRAINED % BATCH
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

    def data(self, *shape: int) -> tuple[np.ndarray, ...]:
        """Images to train on, labels, images to classify, labels; the time is not the peer's."""
        start = time.perf_counter()
        random = np.random.default_rng(0)
        arrays = []
        for n in (TRAINED, CLASSIFIED):
            pixels = random.integers(0, 256, (n, *shape), dtype=np.uint8)
            arrays += [pixels / np.float32(255), random.integers(0, 10, n)]
        self.drawing += time.perf_counter() - start
        return tuple(arrays)

    def first_step(self):
        """To be called when the first training step is done."""
        age = process_age()
        self.print("startup", to_first_step_s=round(age, 3),
                   excl_datagen_s=round(age - self.drawing, 3), rss_mb=peak_memory())

    def trained(self, seconds: list[float]):
        """The epochs, each of IMAGES images."""
        best, median = best_and_median(seconds)
        self.print("train", images=IMAGES, best_s=round(best, 3), median_s=round(median, 3),
                   best_samples_s=round(IMAGES / best), median_samples_s=round(IMAGES / median),
                   peak_rss_mb=peak_memory())

    def classified(self, once, repetitions: int = 8, **more):
        """Classifies CLASSIFIED images with `once(batch size)`; the first two times do not count."""
        for batch in (128, 1000):
            best, median = best_and_median(timed(lambda _: once(batch), repetitions, 2))
            self.print("infer", batch=batch, **more, best_samples_s=round(CLASSIFIED / best),
                       median_samples_s=round(CLASSIFIED / median))

    def latency(self, once, repetitions: int = 3000, **more):
        """Classifies one image after the other with `once(index)`; the first 300 do not count."""
        best, median = best_and_median(timed(once, repetitions + 300, 300))
        self.print("latency_b1", **more, best_us=round(best * 1e6, 1),
                   median_us=round(median * 1e6, 1), peak_rss_mb=peak_memory())


def timed(once, repetitions: int, warm_up: int) -> list[float]:
    seconds = []
    for i in range(repetitions):
        start = time.perf_counter()
        once(i)
        seconds.append(time.perf_counter() - start)
    return seconds[warm_up:]


def best_and_median(seconds: list[float]) -> tuple[float, float]:
    seconds = sorted(seconds)
    return seconds[0], seconds[len(seconds) // 2]
