"""Trains the later versions that the demo releases, in versions/, and writes the cases of the gate, cases.jsonl.

    python releases.py wheel/nannyml-0.13.1-py3-none-any.whl

2 is better. 3, 4 and 5 are bad in ways that happen: columns in the wrong order, and a calibration table with holes.
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime
from onnx import helper, numpy_helper
from sklearn.metrics import roc_auc_score

from train import FIRST, HERE, export, feeds, fit, load, split, tensor

VERSIONS = HERE / "versions"
CASES = 25


def calibrated(model, column, table):
    """Appends what a calibration step does: the probability times its group's factor, by a column's code."""
    graph = model.graph
    for node in graph.node:
        node.output[:] = ["uncalibrated" if name == "probabilities" else name for name in node.output]
        node.input[:] = ["uncalibrated" if name == "probabilities" else name for name in node.input]
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(table, np.float32), "factors"),
            numpy_helper.from_array(np.array([[0, 1]], np.float32), "employed_only"),
            numpy_helper.from_array(np.array([[1, -1]], np.float32), "signs"),
            numpy_helper.from_array(np.array([[1, 0]], np.float32), "ones"),
            numpy_helper.from_array(np.array([1], np.int64), "column_axis"),
        ]
    )
    graph.node.extend(
        [
            helper.make_node("Gather", ["factors", column], ["factor"]),
            helper.make_node("Mul", ["uncalibrated", "employed_only"], ["kept"]),
            helper.make_node("ReduceSum", ["kept", "column_axis"], ["employed"], keepdims=1),
            helper.make_node("Mul", ["employed", "factor"], ["scaled"]),
            # [1 - p, p]
            helper.make_node("Mul", ["scaled", "signs"], ["signed"]),
            helper.make_node("Sub", ["ones", "signed"], ["probabilities"]),
        ]
    )
    return model


def factors(rows, truth, predicted, column, codes):
    """Observed over predicted, a group each; a group without rows has 0/0, as in any division of empty sums."""
    with np.errstate(invalid="ignore"):
        groups = [(rows[column] == code).to_numpy() for code in range(codes)]
        return [np.float64(truth[g].sum()) / np.float64(predicted[g].sum()) for g in groups]


def run(content, rows):
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, feeds(rows))


def main(wheel):
    features, employed = load(wheel)
    train, test, train_y, test_y = split(features, employed)
    VERSIONS.mkdir(exist_ok=True)
    contents = {1: (HERE / "employment.onnx").read_bytes()}

    def save(version, model):
        contents[version] = model.SerializeToString(deterministic=True)
        (VERSIONS / f"{version}.onnx").write_bytes(contents[version])

    better = fit(train, train_y, n_estimators=150, max_depth=5, learning_rate=0.1, subsample=0.7)
    save(2, export(better))

    # Education and relationship changed places on the way into training, not on the way into the endpoint.
    swapped = train.assign(SCHL=train["RELP"], RELP=train["SCHL"])
    save(3, export(fit(swapped, train_y, **FIRST)))

    predicted = better.predict_proba(train)[:, 1]
    # Calibrated on the rows of a join that lost everyone who had moved within the state.
    stayed = (train["MIG"] != 3).to_numpy()
    save(4, calibrated(export(better), "MIG", factors(train[stayed], train_y[stayed], predicted[stayed], "MIG", 4)))
    # Calibrated on people born in the country only: the others arrive later.
    born = (train["NATIVITY"] == 1).to_numpy()
    save(5, calibrated(export(better), "NATIVITY", factors(train[born], train_y[born], predicted[born], "NATIVITY", 3)))

    # Cases that hold for every good model: people whose label all of them are sure of, none in a hole of the tables.
    answers = {version: run(content, test) for version, content in contents.items()}
    good = [answers[version] for version in (1, 2, 4, 5)]
    sure = np.all([np.nan_to_num(p.max(axis=1)) > 0.9 for _, p in good], axis=0)
    agree = np.all([label == good[0][0] for label, _ in good], axis=0) & (good[0][0] == test_y)
    whole = np.all([np.isfinite(p).all(axis=1) for _, p in good], axis=0)
    usable = np.flatnonzero(sure & agree & whole)
    each = [usable[good[0][0][usable] == value][: CASES // 2 + value] for value in (0, 1)]
    with (HERE / "cases.jsonl").open("w", encoding="utf-8") as file:
        for row in sorted(np.concatenate(each)):
            one = feeds(test.iloc[[row]])
            case = {
                "inputs": [tensor(name, array) for name, array in one.items()],
                "outputs": [tensor("label", good[0][0][[row]])],
            }
            file.write(json.dumps(case, allow_nan=False) + "\n")
    for version, (label, probabilities) in answers.items():
        finite = np.isfinite(probabilities).all(axis=1)
        auc = roc_auc_score(test_y[finite], probabilities[finite, 1])
        wrong = sum(int(label[row] != good[0][0][row]) for row in np.concatenate(each))
        print(
            f"version {version}: AUC {auc:.3f}, accuracy {(label == test_y).mean():.3f}, without an answer "
            f"{1 - finite.mean():.1%}, cases failed {wrong}, {len(contents[version])} bytes"
        )


main(sys.argv[1])
