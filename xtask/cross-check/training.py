"""`vgg` trained by fashion and by PyTorch with the same recipe: the same accuracy, within the seeds' spread.

Five epochs of Adam with a cosine schedule, three seeds, each with the held-out part that fashion draws. Takes
about twenty minutes on two cores.
"""

import csv
import math
import statistics
import tomllib

import numpy as np
import torch
import torch.nn.functional as F

from common import arguments, call, fail, read_predictions, real_data
from networks import Vgg, initialise, pixels

EPOCHS, SEEDS, TOLERANCE = 5, range(3), 0.003


def fashion_run(fashion, data, work, seed):
    """Trains a run; gives its settings, what it held out, and its accuracy there after the last epoch."""
    run = work / f"run-{seed}"
    call(fashion, "train", "--data", data, "--network", "vgg", "--epochs", EPOCHS,
         "--schedule", "cosine", "--seed", seed, "--quiet", "--out", run)
    settings = tomllib.loads((run / "config.toml").read_text())["training"]
    held_out = read_predictions(run / "predictions.csv", "validation")[0]
    with open(run / "history.csv") as file:
        accuracy = float(list(csv.DictReader(file))[-1]["validation_accuracy"])
    return settings, held_out, accuracy


def pytorch_run(images, labels, settings, held_out, seed):
    """Trains the same network with the same settings; gives its accuracy on the same part."""
    torch.manual_seed(seed)
    network = Vgg().to(memory_format=torch.channels_last)
    initialise(network)
    optimiser = torch.optim.Adam(
        network.parameters(), settings["learning_rate"],
        (settings["beta1"], settings["beta2"]), settings["epsilon"],
    )
    kept = torch.ones(len(labels), dtype=torch.bool)
    kept[held_out] = False
    train = kept.nonzero().squeeze(1)
    batch = settings["batch_size"]
    steps = EPOCHS * math.ceil(len(train) / batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: (1 + math.cos(math.pi * step / steps)) / 2
    )
    for _ in range(EPOCHS):
        network.train()
        for indices in train[torch.randperm(len(train))].split(batch):
            x = images[indices].contiguous(memory_format=torch.channels_last)
            optimiser.zero_grad()
            F.cross_entropy(network(x), labels[indices]).backward()
            optimiser.step()
            schedule.step()
    network.eval()
    with torch.no_grad():
        predicted = torch.cat([network(x).argmax(1) for x in images[held_out].split(1000)])
    return (predicted == labels[held_out]).float().mean().item()


def main():
    fashion, work = arguments()
    torch.set_num_threads(2)
    data = real_data()
    arrays = np.load(data / "train.npz")
    images, labels = pixels(arrays["x"]), torch.from_numpy(arrays["y"]).long()
    found = {"fashion": [], "PyTorch": []}
    for seed in SEEDS:
        settings, held_out, accuracy = fashion_run(fashion, data, work, seed)
        found["fashion"].append(accuracy)
        found["PyTorch"].append(pytorch_run(images, labels, settings, held_out, seed))
        print(f"seed {seed}: " + ", ".join(f"{name} {a[-1]:.2%}" for name, a in found.items()))
    means = {name: statistics.mean(accuracies) for name, accuracies in found.items()}
    for name, accuracies in found.items():
        print(f"{name}: {means[name]:.2%}, spread {statistics.stdev(accuracies):.2%}")
    apart = abs(means["fashion"] - means["PyTorch"])
    if apart > TOLERANCE:
        fail(f"the means are {apart:.2%} apart; at most {TOLERANCE:.2%} is allowed")
    print(f"held-out accuracies: means within {apart:.2%}, {TOLERANCE:.2%} allowed")


main()
