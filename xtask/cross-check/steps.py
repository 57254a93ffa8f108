"""One step from equal weights: the same loss, gradients and running statistics as PyTorch's in float64.

PyTorch's own in float32 are up to 2e-3 off in the first layers of `vgg`, where sums nearly cancel. The
images are few, and chosen so that rounding decides no ReLU and no maximum. A step of plain gradient
descent with a rate of 1 moves each weight by its gradient; a rate too small to move any leaves the
weights that the step begins with.
"""

import csv

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from common import arguments, call, close, dataset, same
from networks import NETWORKS, pixels

TOLERANCE = 1e-4
IMAGES = 16


def run(fashion, data, work, name, rate):
    out = work / f"{name}-{rate}"
    call(fashion, "train", "--data", data, "--network", name, "--epochs", 1, "--batch-size", IMAGES,
         "--optimiser", "sgd", "--momentum", 0, "--nesterov", "false", "--lr", rate,
         "--validation", "none", "--seed", 7, "--quiet", "--out", out)
    with open(out / "history.csv") as file:
        loss = float(next(csv.DictReader(file))["train_loss"])
    return load_file(out / "weights" / "last.safetensors"), loss


def main():
    fashion, work = arguments()
    images, labels = dataset(np.random.default_rng(1), IMAGES)
    data = work / "data"
    data.mkdir()
    for part in ("train", "test"):
        np.savez(data / f"{part}.npz", x=images, y=labels)
    for name, network in NETWORKS.items():
        before, _ = run(fashion, data, work, name, 1e-30)
        after, loss = run(fashion, data, work, name, 1)
        model = network()
        missing, extra = model.load_state_dict(before, strict=False)
        same(f"{name}: names", ([n for n in missing if "num_batches" not in n], extra), ([], []))
        for key, value in model.state_dict().items():
            if key.endswith("running_mean"):
                value.zero_()
            elif key.endswith("running_var"):
                value.fill_(1)
        model.train().double()
        expected = F.cross_entropy(model(pixels(images).double()), torch.from_numpy(labels).long())
        expected.backward()
        close(f"{name}: loss", loss, expected.item(), TOLERANCE)
        for key, parameter in model.named_parameters():
            close(f"{name}: gradient of {key}", before[key] - after[key], parameter.grad, TOLERANCE)
        for key, value in model.state_dict().items():
            if "running" in key:
                close(f"{name}: {key}", after[key], value, TOLERANCE)


main()
