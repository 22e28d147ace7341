"""The same baseline by numpy and scipy: `python baseline.py FILE.csv [MODEL.onnx]` prints {column: parts}.

Nothing here is clever: quantiles are numpy's, every window is scored against a baseline that is built anew from all other rows.
"""

import json
import sys

import numpy as np
import onnxruntime
import pandas as pd
from scipy import stats

PARTS = 120


def rank(knots, x):
    low, high = np.searchsorted(knots, x, "left"), np.searchsorted(knots, x, "right")
    between = np.interp(x, knots, np.arange(PARTS + 1) / PARTS)
    return np.where(high > low, (low + high - 1) / 2 / PARTS, between)


def scores(values):
    """Knots, constants, and a function that gives h1 and h2."""
    knots = np.quantile(values, np.arange(PARTS + 1) / PARTS)
    u = rank(knots, values)
    mean, sd = u.mean(), u.std()
    if sd < 1e-12:
        return knots, (mean, 0, 0, 0), lambda x: (np.zeros(len(x)), np.zeros(len(x)))
    skew = ((u - mean) ** 2 * (u - mean) / sd).mean()
    raw = lambda u: (u - mean) ** 2 - sd**2 - skew * (u - mean) / sd
    spread = raw(u).std()
    if spread < 1e-6:
        spread = 0
    else:
        # A parabola is at its greatest at an end or at its vertex; no score is worth less than ten rows.
        ends = np.array([0, 1, np.clip(mean + skew / (2 * sd), 0, 1)])
        spread *= max(1, np.abs(raw(ends)).max() / spread / np.sqrt(len(values) / 10))
    second = (lambda u: raw(u) / spread) if spread else np.zeros_like
    return knots, (mean, sd, skew, spread), lambda x: ((rank(knots, x) - mean) / sd, second(rank(knots, x)))


def windows(count):
    size = min(300, count // 4)
    number = min(25, count // size)
    starts = [i * (count - size) // (number - 1) for i in range(number)]
    return [np.arange(start, start + size) for start in starts]


def numeric(column):
    values = column[np.isfinite(column)]
    knots, constants, _ = scores(values)
    df = 2 if constants[3] else 1
    ts = []
    for window in windows(len(values)):
        others = np.delete(values, window)
        n, m = len(window), len(others)
        h1, h2 = scores(others)[2](values[window])
        ts.append(n * m / (n + m) * (h1.mean() ** 2 + h2.mean() ** 2))
    edges = np.unique(np.quantile(values, np.arange(1, 10) / 10))
    counts = np.bincount(np.searchsorted(edges, values, "left"), minlength=len(edges) + 1)
    return {
        "nulls": int(len(column) - len(values)),
        "knots": knots.tolist(),
        "constants": [float(c) for c in constants],
        "phi": max(1.0, float(np.mean(ts)) / df),
        "edges": edges.tolist(),
        "counts": counts.tolist(),
    }


def own_cells(order, totals):
    """Eight: whatever surely has more rows than the eighth, and then by the text of what has about as many."""
    sure = lambda more, less: totals[more] - totals[less] > 3 * np.sqrt(totals[more] + totals[less])
    if len(order) <= 8 or sure(order[7], order[8]):
        return order[:8]
    above = [text for text in order if sure(text, order[7])]
    about = sorted(text for text in order if not sure(text, order[7]) and not sure(order[7], text))
    chosen = {*above, *about[: 8 - len(above)]}
    return [text for text in order if text in chosen]


def category(column):
    values = column.dropna()
    totals = values.value_counts()
    order = sorted(totals.index, key=lambda text: (-totals[text], text))
    own = own_cells(order, totals)
    rare = [text for text in order if text not in own]
    cells = values.map(lambda text: own.index(text) if text in own else len(own)).to_numpy()
    counts = np.bincount(cells, minlength=len(own) + 1)
    chi = []
    for window in windows(len(cells)):
        here = np.bincount(cells[window], minlength=len(own) + 1)
        table = np.array([here, counts - here])[:, counts > 0]
        test = stats.chi2_contingency(table, correction=False)
        chi.append(test.statistic / test.dof)
    once = sum(1 for text in rare if totals[text] == 1)
    return {
        "nulls": int(column.isna().sum()),
        "phi": max(1.0, float(np.mean(chi))),
        "values": own,
        "rare": sorted(rare),
        "counts": [*counts[:-1].tolist(), int(counts[-1]) - once, once],
    }


def main(path, model=None):
    rows = pd.read_csv(path)
    parts = {}
    if model is not None:
        # With two threads trees are summed in another order, and a fifth of the answers differ in their last digit.
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        types = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
        feeds = {i.name: rows[[i.name]].to_numpy().astype(types[i.type]) for i in session.get_inputs()}
        for name, array in feeds.items():
            parts[name] = numeric(array[:, 0].astype(np.float64))
        probabilities = session.run(["probabilities"], feeds)[0].astype(np.float64)
        parts["label"] = category(pd.Series(probabilities.argmax(1).astype(str)))
        parts["confidence"] = numeric(probabilities.max(1))
    else:
        for name, column in rows.items():
            if name.startswith("text"):
                parts[name] = category(column)
            else:
                array = column.to_numpy(np.float64)
                parts[name] = numeric(array.astype(np.float32).astype(np.float64) if name.startswith("single") else array)
    json.dump(parts, sys.stdout)


main(*sys.argv[1:])
