"""One step from equal weights: the same loss, gradients and running statistics as PyTorch's in float64.

PyTorch's own in float32 are up to 2e-3 off in the first layers of `vgg`, where sums nearly cancel. The
images are few, and the seed is such that rounding decides no ReLU and no maximum. A step of plain gradient
descent with a rate of 1 moves each weight by its gradient; a rate too small to move any leaves the
weights that the step begins with.
"""

import csv

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from common import arguments, call, close, same, write_dataset
from networks import NETWORKS, pixels, shape

TOLERANCE = 1e-4
IMAGES = 16


def run(fashion, data, work, name, rate):
    out = work / f"{name}-{rate}"
    call(fashion, "train", "--data", data, "--network", name, "--epochs", 1, "--batch-size", IMAGES,
         "--optimiser", "sgd", "--momentum", 0, "--nesterov", "false", "--lr", rate,
         "--validation", "none", "--seed", 2, "--quiet", "--out", out)
    with open(out / "history.csv") as file:
        loss = float(next(csv.DictReader(file))["train_loss"])
    return load_file(out / "weights" / "last.safetensors"), loss


def main():
    fashion, work = arguments()
    for name, network in NETWORKS.items():
        data = work / f"{name}-data"
        write_dataset(data, shape(name), IMAGES, IMAGES)
        arrays = np.load(data / "train.npz")
        images, labels = arrays["x"], arrays["y"]
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
