"""PyTorch. Variants: `eager` (as its tutorials write it), `channels_last`, `compile` (channels-last
through torch.compile)."""

import time

from common import BATCH, EPOCHS, IMAGES, PARAMETERS, THREADS, VARIANT, WARM_UP, Lines

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(THREADS)
lines = Lines(f"pytorch-{VARIANT}", f"PyTorch {torch.__version__}")
x, y, x_test, y_test = map(torch.from_numpy, lines.data(1, 28, 28))

net = nn.Sequential(
    nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
)
assert sum(p.numel() for p in net.parameters()) == PARAMETERS
layout = torch.contiguous_format if VARIANT == "eager" else torch.channels_last
net = net.to(memory_format=layout)
forward = torch.compile(net, dynamic=False) if VARIANT == "compile" else net
adam = torch.optim.Adam(net.parameters(), lr=1e-3)


def epoch(images: int, after_step=None):
    order = torch.randperm(len(x))[:images]
    for start in range(0, images, BATCH):
        batch = order[start:start + BATCH]
        adam.zero_grad(set_to_none=True)
        logits = forward(x[batch].contiguous(memory_format=layout))
        F.cross_entropy(logits, y[batch]).backward()
        adam.step()
        if after_step:
            after_step()
            after_step = None


def classify(batch: int):
    right = 0
    for start in range(0, len(x_test), batch):
        part = x_test[start:start + batch].contiguous(memory_format=layout)
        right += int((forward(part).argmax(1) == y_test[start:start + batch]).sum())
    return right


epoch(WARM_UP, lines.first_step)
seconds = []
for _ in range(EPOCHS):
    start = time.perf_counter()
    epoch(IMAGES)
    seconds.append(time.perf_counter() - start)
lines.trained(seconds)
net.eval()
with torch.inference_mode():
    lines.classified(classify)
    lines.latency(lambda i: forward(x_test[i:i + 1].contiguous(memory_format=layout)).numpy())
