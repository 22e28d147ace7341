"""The other side of batch, and its files.

    batch.py make <rows.csv> <count> <file>   the given rows again and again, as .csv, .npy or .parquet
    batch.py run <model> <rows.csv> <out.csv> <times>   read_csv, onnxruntime, to_csv in one process; prints ms of each time
"""

import sys
import time

import numpy as np


def make(source, count, target):
    count = int(count)
    if target.endswith(".csv"):
        return repeat(source, count, target)
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pd.read_csv(source)
    rows = rows.iloc[np.arange(count) % len(rows)].reset_index(drop=True)
    if target.endswith(".npy"):
        np.save(target, np.ascontiguousarray(rows.to_numpy(dtype=np.float32)))
    else:
        pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), target)


def repeat(source, count, target):
    """Gigabytes, so as text."""
    with open(source, "rb") as given:
        header, *lines = given.read().splitlines(keepends=True)
    whole = b"".join(lines)
    with open(target, "wb") as out:
        out.write(header)
        for _ in range(count // len(lines)):
            out.write(whole)
        out.write(b"".join(lines[: count % len(lines)]))


def run(model, source, target, times):
    import onnxruntime as ort
    import pandas as pd

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    inputs = {one.name: np.float32 if "float" in one.type else np.int64 for one in session.get_inputs()}
    for turn in range(int(times) + 1):
        started = time.perf_counter()
        rows = pd.read_csv(source)
        feeds = {name: rows[[name]].to_numpy(dtype=dtype) for name, dtype in inputs.items()}
        label, probabilities = session.run(None, feeds)
        answers = pd.DataFrame(probabilities, columns=["probabilities_0", "probabilities_1"])
        answers.insert(0, "label", label)
        answers.insert(0, "row", np.arange(1, len(rows) + 1))
        answers.to_csv(target, index=False, lineterminator="\n")
        if turn > 0:
            print((time.perf_counter() - started) * 1000)


if __name__ == "__main__":
    {"make": make, "run": run}[sys.argv[1]](*sys.argv[2:])
