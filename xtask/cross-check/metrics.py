"""A run's metrics.json, and `fashion eval --json`, against scikit-learn on its predictions.csv."""

import json

import numpy as np
from sklearn import metrics as sk

from common import CLASSES, arguments, call, close, read_predictions, same

TOLERANCE = 1e-9


def main():
    fashion, work = arguments()
    run = work / "run"
    call(fashion, "train", "--data", "sample", "--epochs", 1, "--seed", 1, "--out", run)
    found = json.loads((run / "metrics.json").read_text())
    index, true, predicted, p = read_predictions(run / "predictions.csv", found["split"])
    same("predicted class", predicted.tolist(), p.argmax(1).tolist())
    compare(found, index, true, predicted, p)

    evaluated = json.loads(call(fashion, "eval", run, "--json"))
    same("`fashion eval` and metrics.json: keys", sorted(evaluated), sorted(found))
    compare(evaluated, index, true, predicted, p)


def compare(found: dict, index, true, predicted, p):
    labels = range(10)
    same("number of items", found["n"], len(true))
    close("accuracy", found["accuracy"], sk.accuracy_score(true, predicted), TOLERANCE)
    # The probabilities of a row are rounded to 32 bits, so that they miss 1 by a little;
    # scikit-learn would divide by their sum.
    clipped = np.clip(p[np.arange(len(true)), true], np.finfo(float).eps, 1 - np.finfo(float).eps)
    close("log loss", found["log_loss"], -np.log(clipped).mean(), TOLERANCE)
    normalised = p / p.sum(1, keepdims=True)
    close("log loss of scikit-learn", found["log_loss"],
          sk.log_loss(true, normalised, labels=labels), 1e-6)

    scores = sk.precision_recall_fscore_support(true, predicted, labels=labels, zero_division=0)
    for column, name in enumerate(["precision", "recall", "f1"]):
        close(name, [row[name] for row in found["per_class"]], scores[column], TOLERANCE)
        for mean in "macro", "weighted":
            expected = sk.precision_recall_fscore_support(
                true, predicted, labels=labels, average=mean, zero_division=0)[column]
            close(f"{mean} {name}", found[mean][name], expected, TOLERANCE)
    same("support", [row["support"] for row in found["per_class"]], scores[3].tolist())
    same("classes", [row["class"] for row in found["per_class"]], CLASSES)

    confusion = sk.confusion_matrix(true, predicted, labels=labels)
    same("confusion", found["confusion"], confusion.tolist())
    off_diagonal = np.where(np.eye(10, dtype=bool), -1, confusion).ravel()
    pairs = [divmod(int(at), 10) for at in np.argsort(-off_diagonal, kind="stable")]
    expected = [(a, b, int(confusion[a, b])) for a, b in pairs if a != b and confusion[a, b] > 0]
    ours = [(pair["true"], pair["predicted"], pair["count"]) for pair in found["most_confused"]]
    same("most confused pairs", ours, expected)

    wrong = np.flatnonzero(true != predicted)
    wrong = wrong[np.lexsort((index[wrong], -p[wrong].max(1)))]
    ranking = found["misclassified"]["ranking"]
    same("number misclassified", found["misclassified"]["count"], len(wrong))
    same("ranking of the misclassified", [item["index"] for item in ranking],
         index[wrong].tolist()[: len(ranking)])


main()
