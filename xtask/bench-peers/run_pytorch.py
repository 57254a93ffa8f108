"""PyTorch. Variants: `eager` (as its tutorials write it), `channels_last`, `compile` (channels-last
through torch.compile)."""

import sys
from pathlib import Path

from common import BATCH, NETWORK, PARAMETERS, THREADS, VARIANT, Lines

import torch
import torch.nn.functional as F

sys.path.append(str(Path(__file__).parents[1] / "cross-check"))
from networks import NETWORKS

torch.set_num_threads(THREADS)
lines = Lines(f"pytorch-{VARIANT}", f"PyTorch {torch.__version__}")
x, y, x_test, y_test = map(torch.from_numpy, lines.data(channels_first=True))

net = NETWORKS[NETWORK]()
assert sum(p.numel() for p in net.parameters()) == PARAMETERS
layout = torch.contiguous_format if VARIANT == "eager" else torch.channels_last
net = net.to(memory_format=layout)
forward = torch.compile(net, dynamic=False) if VARIANT == "compile" else net
adam = torch.optim.Adam(net.parameters(), lr=1e-3)


def epoch(images: int):
    for batch in torch.randperm(len(x))[:images].split(BATCH):
        adam.zero_grad(set_to_none=True)
        logits = forward(x[batch].contiguous(memory_format=layout))
        F.cross_entropy(logits, y[batch]).backward()
        adam.step()


def classify(images: int, batch: int):
    right = 0
    for start in range(0, images, batch):
        part = x_test[start:start + batch].contiguous(memory_format=layout)
        right += int((forward(part).argmax(1) == y_test[start:start + batch]).sum())
    return right


lines.train(epoch)
net.eval()
with torch.inference_mode():
    lines.classify(classify)
    lines.latency(lambda i: forward(x_test[i:i + 1].contiguous(memory_format=layout)).numpy())
