"""One step from equal weights: the same loss, running statistics and gradients as PyTorch's in float64.

Of the millions of ReLUs and maxima of a step, rounding decides the few whose inputs lie within it of
their kink, and each of these moves gradients of the first layers by up to a percent: no tolerance is both
tight and safe, and no seed is without them. But which they may be is known from PyTorch alone, and what
each would change, were it decided the other way, is one backward pass in float64. A gradient may differ
by the sum of some of these changes, whole and as few as there are; what is left must be rounding's size.
PyTorch's own float32 leaves twice what ours does. A wrong gradient is no sum of so few.
"""

import csv
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.overrides import TorchFunctionMode

from common import arguments, call, fail, networks, same, weights_of, write_dataset
from networks import NETWORKS, pixels

# Of a tensor's norm.
TOLERANCE = 2e-5
# How much may be decided by rounding, by the most that PyTorch's float32 has at such inputs.
ROUNDING = 2
SEEDS, IMAGES = range(5), 10


class Step(NamedTuple):
    """What a step gives, by name."""

    loss: torch.Tensor
    statistics: dict[str, torch.Tensor]
    gradients: dict[str, torch.Tensor]


class Relu(NamedTuple):
    """What goes into it, what comes out of it and of the maximum after it, and the side of that."""

    x: torch.Tensor
    y: torch.Tensor
    side: int


class Relus(TorchFunctionMode):
    """Notes them all."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        y = function(*args, **(kwargs or {}))
        if function is F.relu:
            self.seen.append(Relu(args[0], y, 1))
        elif function in (torch.max_pool2d, torch.Tensor.amax):
            x, of = args
            assert x is self.seen[-1].y, "a maximum of something else than a ReLU"
            self.seen[-1] = Relu(self.seen[-1].x, y, x.shape[2] if of == (2, 3) else of)
        return y


def fashion_step(fashion, data, out, name, seed):
    """The weights that a step begins with, and the step. The rate is too small to move any, and what is
    remembered of the first gradient is the gradient."""
    call(fashion, "train", "--data", data, "--network", name, "--epochs", 1, "--batch-size", IMAGES,
         "--optimiser", "sgd", "--lr", 1e-30, "--validation", "none", "--seed", seed, "--quiet",
         "--out", out)
    with open(out / "history.csv") as file:
        loss = float(next(csv.DictReader(file))["train_loss"])
    remembered = load_file(out / "checkpoint" / "epoch-0001.safetensors")
    tensors = weights_of(out / "weights" / "last.safetensors")
    statistics = {key: value for key, value in tensors.items() if "running" in key}
    weights = {key: value for key, value in tensors.items() if key not in statistics}
    gradients = {key: remembered[f"{key}.velocity"] for key in weights}
    return weights, Step(torch.tensor(loss), statistics, gradients)


def pytorch_step(name, weights, images, labels):
    """The same step in the precision of the images, its ReLUs, and the parameters."""
    model = NETWORKS[name]().train()
    missing, extra = model.load_state_dict(weights, strict=False)
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    same(f"{name}: names", ([key for key in missing if not key.endswith(statistics)], extra), ([], []))
    model.to(images.dtype)
    with Relus() as relus:
        loss = F.cross_entropy(model(images), labels)
    for relu in relus.seen:
        relu.y.retain_grad()
    loss.backward(retain_graph=True)
    statistics = {key: value for key, value in model.state_dict().items() if "running" in key}
    parameters = dict(model.named_parameters())
    gradients = {key: parameter.grad for key, parameter in parameters.items()}
    return Step(loss.detach(), statistics, gradients), relus.seen, list(parameters.values())


def decisions(relu, rounding):
    """Of each decision by rounding, what it would change of the gradient of the input: places, values."""
    x, side = relu.x.detach(), relu.side
    maps = x.reshape(*x.shape[:2], *(x.shape[2:] or (1, 1)))

    def windows(values):
        return values.unfold(2, side, side).unfold(3, side, side).flatten(4)

    best, which = windows(maps).topk(min(2, side * side))
    places = windows(torch.arange(x.numel()).view_as(maps)).gather(-1, which)
    first, slope = best[..., 0], relu.y.grad.reshape(best.shape[:-1])
    for at in ((first.abs() <= rounding) & (slope != 0)).nonzero().unbind():
        at = tuple(at)
        yield places[at][:1], -slope[at] if first[at] > 0 else slope[at]
    if side > 1:
        close = (first > 0) & (first - best[..., 1] <= 2 * rounding) & (slope != 0)
        for at in close.nonzero().unbind():
            at = tuple(at)
            # The second instead of the first.
            yield places[at], slope[at] * torch.tensor([-1, 1])


def changes(relus, rounded, parameters, norms):
    """What each decision by rounding would change of all gradients: a row each."""
    rows = [torch.empty(0, sum(parameter.numel() for parameter in parameters))]
    for relu, other in zip(relus, rounded):
        rounding = ROUNDING * (relu.x - other.x).abs().max()
        for places, values in decisions(relu, rounding):
            slope = torch.zeros(relu.x.numel(), dtype=relu.x.dtype)
            slope[places] = values
            gradients = torch.autograd.grad(
                relu.x, parameters, slope.view_as(relu.x), retain_graph=True, materialize_grads=True,
                allow_unused=True,
            )
            rows.append(flat(gradients, norms)[None])
    return torch.cat(rows)


def flat(tensors, norms):
    return torch.cat([(tensor / norm).float().flatten() for tensor, norm in zip(tensors, norms)])


def explain(difference, rows):
    """What is left of a difference without the changes that make it less, and how many these are."""
    squares, taken = rows.square().sum(1), 0
    while taken < len(rows):
        less, best = (2 * rows @ difference - squares).max(0)
        if less <= 0:
            break
        difference = difference - rows[best]
        squares[best], taken = torch.inf, taken + 1
    return difference, taken


def compare(what, ours, single, exact, relus, rounded, parameters):
    """Fails where our step, explained, is not PyTorch's in float64."""
    plain = {"loss": (ours.loss, exact.loss)}
    plain |= {key: (ours.statistics[key], value) for key, value in exact.statistics.items()}
    off = {key: ((a - b).norm() / b.norm()).item() for key, (a, b) in plain.items()}

    norms = [gradient.norm() for gradient in exact.gradients.values()]
    sizes = [parameter.numel() for parameter in parameters]

    def left(step, rows):
        found = [step.gradients[key] - gradient for key, gradient in exact.gradients.items()]
        difference, taken = explain(flat(found, norms), rows)
        each = [part.norm().item() for part in difference.split(sizes)]
        return dict(zip(exact.gradients, each)), taken

    gradients, taken = left(ours, torch.empty(0, sum(sizes)))
    said = ""
    if max(gradients.values()) > TOLERANCE:
        rows = changes(relus, rounded, parameters, norms)
        gradients, taken = left(ours, rows)
        theirs, of_theirs = left(single, rows)
        said = (f", with {taken} of {len(rows)} decisions by rounding; "
                f"PyTorch's float32 {max(theirs.values()):.1e}, with {of_theirs}")
    off |= {f"gradient of {key}": value for key, value in gradients.items()}
    for key, value in off.items():
        if not value <= TOLERANCE:
            fail(f"{what}: {key} is {value:.1e} of its norm off{said}; at most {TOLERANCE:.0e} is allowed")
    print(f"{what}: within {max(off.values()):.1e} of the norms{said}")


def main():
    fashion, work = arguments()
    shapes = networks(fashion)
    same("the networks of networks.py", sorted(NETWORKS), sorted(shapes))
    for name, shape in shapes.items():
        data = work / f"{name}-data"
        write_dataset(data, shape, IMAGES, IMAGES)
        arrays = np.load(data / "train.npz")
        images, labels = pixels(arrays["x"]), torch.from_numpy(arrays["y"]).long()
        for seed in SEEDS:
            weights, ours = fashion_step(fashion, data, work / f"{name}-{seed}", name, seed)
            exact, relus, parameters = pytorch_step(name, weights, images.double(), labels)
            single, rounded, _ = pytorch_step(name, weights, images, labels)
            compare(f"{name}, seed {seed}", ours, single, exact, relus, rounded, parameters)


main()
