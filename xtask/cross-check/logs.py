"""A run's event files, as TensorBoard reads them, against its JSON lines and CSV of the same steps.

The run is killed in the middle and resumed, so that there are several event files and steps that are
done twice.
"""

import csv
import json
import subprocess
import time

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event, SessionLog

from common import arguments, call, dataset, fail, objects, same

STEP = ["loss", "accuracy", "batch_loss", "learning_rate", "gradient_norm"]
EPOCH = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
EPOCHS = 12


def main():
    fashion, work = arguments()
    data = work / "data"
    data.mkdir()
    rng = np.random.default_rng(11)
    for name, n in [("train", 1000), ("test", 100)]:
        images, labels = dataset(rng, n)
        np.savez(data / f"{name}.npz", x=images, y=labels)

    begin = [fashion, "train", "--data", data, "--epochs", EPOCHS, "--batch-size", 16]
    call(*begin, "--schedule", "cosine", "--out", work / "whole", *logs(work, "whole"))
    kill(begin + ["--schedule", "cosine", "--out", work / "run", *logs(work, "run")],
         work / "run" / "history.csv")
    call(fashion, "train", "--resume", work / "run", "--data", data, *logs(work, "run"))

    for run, files in [("whole", 1), ("run", 2)]:
        print(f"run: {run}")
        check(work, run, files)
    for ending in ["csv", "jsonl"]:
        same(f"{ending} of the killed run", (work / f"run.{ending}").read_bytes(),
             (work / f"whole.{ending}").read_bytes())


def logs(work, run: str) -> list:
    return ["--log", work / f"{run}.jsonl", "--log", work / f"{run}.csv",
            "--tensorboard", work / "boards"]


def kill(command: list, history):
    """Kills a run a little after its second epoch."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    while not (history.exists() and len(history.read_text().splitlines()) > 2):
        if process.poll() is not None:
            fail("the run ended before it could be killed")
        time.sleep(0.001)
    time.sleep(0.02)
    process.kill()
    process.wait()


def check(work, run: str, files: int):
    lines = objects((work / f"{run}.jsonl").read_text())
    expected = {}
    for kind, prefix, names in [("step", "train", STEP), ("epoch", "epoch", EPOCH)]:
        for name in names:
            # Event files hold 32-bit numbers.
            expected[f"{prefix}/{name}"] = [
                (line["step"], float(np.float32(line[name])))
                for line in lines if line["event"] == kind
            ]
    folder = work / "boards" / run
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    same("tags", sorted(accumulator.Tags()["scalars"]), sorted(expected))
    for tag, values in expected.items():
        found = [(event.step, event.value) for event in accumulator.Scalars(tag)]
        if found != values:
            fail(f"{tag}: {found} is not {values}")
        print(f"{tag}: the same {len(values)} values")
        if not accumulator.SummaryMetadata(tag).summary_description:
            fail(f"{tag} has no description")

    paths = sorted(folder.iterdir())
    same("number of event files", len(paths), files)
    for number, path in enumerate(paths):
        events = [Event.FromString(data) for data in RawEventFileLoader(str(path)).Load()]
        same("file version", events[0].file_version, "brain.Event:2")
        starts = [event.session_log.status == SessionLog.START for event in events]
        same("starts of a session", sum(starts), number)

    with (work / f"{run}.csv").open() as file:
        rows = list(csv.DictReader(file))
    steps = [line for line in lines if line["event"] == "step"]
    for name in ["step", "epoch", *STEP]:
        same(f"{name} in CSV and JSON", [float(row[name]) for row in rows],
             [float(line[name]) for line in steps])
    validated = {int(row["step"]): [float(row[name]) for name in EPOCH[2:]]
                 for row in rows if row["validation_loss"]}
    same("validation in CSV and JSON", validated,
         {line["step"]: [line[name] for name in EPOCH[2:]]
          for line in lines if line["event"] == "epoch"})
    same("last line", json.dumps(lines[-1]),
         json.dumps({"event": "end", "step": len(steps), "epoch": EPOCHS}))


main()
