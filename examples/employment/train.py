"""Trains the example model and writes what is committed beside it: employment.onnx, reference.csv, later.csv, answers.json.

    python -m pip install -r requirements.txt
    python -m pip download --no-deps nannyml==0.13.1 -d wheel
    python train.py wheel/nannyml-0.13.1-py3-none-any.whl

One thread and fixed seeds: the same versions give the same files.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import hashlib
import io
import json
import pathlib
import platform
import re
import sys
import zipfile

import numpy as np
import onnxruntime
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

HERE = pathlib.Path(__file__).parent
# Age is a number; all others are the Census Bureau's codes.
NUMBERS = ["AGEP"]
CODES = "SCHL MAR RELP DIS ESP CIT MIG MIL ANC NATIVITY DEAR DEYE DREM SEX RAC1P".split()
FIRST = {"n_estimators": 100, "max_depth": 4, "learning_rate": 0.2}
REFERENCE_ROWS = 4000
ANSWER_ROWS = 5


def read(wheel, name):
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(f"nannyml/datasets/data/employment_MA_{name}.pq")
    rows = pd.read_parquet(io.BytesIO(content))
    features = rows[NUMBERS + CODES].astype({c: np.float32 for c in NUMBERS} | {c: np.int64 for c in CODES})
    return rows, features


def load(wheel):
    """The 2015 rows of the wheel's data set: features and the truth."""
    rows, features = read(wheel, "reference")
    return features, rows["employed"].to_numpy()


def write(rows, name):
    rows.astype({c: np.int64 for c in NUMBERS}).to_csv(HERE / name, index=False, lineterminator="\n")


def feeds(rows):
    """One [n, 1] array a column, as the exported graph takes them."""
    return {column: rows[[column]].to_numpy() for column in rows.columns}


def tensor(name, array):
    datatype = {"float32": "FP32", "int64": "INT64"}[array.dtype.name]
    values = array.ravel()
    # A float32 in the fewest digits that name it.
    data = [float(str(v)) for v in values] if datatype == "FP32" else values.tolist()
    return {"name": name, "shape": list(array.shape), "datatype": datatype, "data": data}


def fit(features, truth, **options):
    # Trees need no scaling; the transformer is there so that the exporter makes one input a column.
    columns = ColumnTransformer([("number", "passthrough", NUMBERS), ("code", "passthrough", CODES)])
    boosting = GradientBoostingClassifier(**options, random_state=0)
    return make_pipeline(columns, boosting).fit(features, truth)


def export(classifier):
    types = [(c, FloatTensorType([None, 1])) for c in NUMBERS] + [(c, Int64TensorType([None, 1])) for c in CODES]
    model = to_onnx(
        classifier,
        initial_types=types,
        name="employment",
        target_opset={"": 20, "ai.onnx.ml": 3},
        # Probabilities as one tensor; the default, a list of maps, is nothing that the protocol can carry.
        options={"zipmap": False},
    )
    # The exporter keeps the opsets in a set, whose order changes from run to run.
    opsets = sorted(model.opset_import, key=lambda entry: entry.domain)
    model.ClearField("opset_import")
    model.opset_import.extend(opsets)
    return model


def split(features, employed):
    return train_test_split(features, employed, test_size=0.3, random_state=0)


def main(wheel):
    features, employed = load(wheel)
    train, test, train_y, test_y = split(features, employed)
    classifier = fit(train, train_y, **FIRST)
    content = export(classifier).SerializeToString(deterministic=True)
    (HERE / "employment.onnx").write_bytes(content)

    # Rows that the model has not seen, in the order in which it takes their columns.
    reference = test.iloc[:REFERENCE_ROWS]
    write(reference, "reference.csv")
    # Every 50th row or so of the years 2016 to 2018, in the order of the survey.
    _, later = read(wheel, "analysis")
    write(later.iloc[:: len(later) // REFERENCE_ROWS].iloc[:REFERENCE_ROWS], "later.csv")

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    label, probabilities = session.run(None, feeds(test))
    assert (label == classifier.predict(test)).mean() > 0.9999, "the exported model answers otherwise than scikit-learn"
    first = feeds(reference.iloc[:ANSWER_ROWS])
    names = [output.name for output in session.get_outputs()]
    document = {
        "onnxruntime": onnxruntime.__version__,
        "python": platform.python_version(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "employed": test_y[:ANSWER_ROWS].tolist(),
        "request": {"inputs": [tensor(name, array) for name, array in first.items()]},
        "answer": {"outputs": [tensor(name, array) for name, array in zip(names, session.run(None, first))]},
    }
    # One tensor a line.
    text = re.sub(r', (?="request"|"answer"|\{"name")', ",\n", json.dumps(document, allow_nan=False))
    (HERE / "answers.json").write_text(text + "\n", encoding="utf-8")
    print(
        f"{len(train)} rows trained, {len(test)} kept out: accuracy {accuracy_score(test_y, label):.3f}, "
        f"AUC {roc_auc_score(test_y, probabilities[:, 1]):.3f}; employment.onnx {len(content)} bytes"
    )


if __name__ == "__main__":
    main(sys.argv[1])
