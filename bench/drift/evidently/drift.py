"""How often Evidently calls a column drifted that is left to its defaults.

Standard input: JSON {sizes, shifts, references, repeats}; sizes are rows of a window, references rows of the reference,
shifts in sigma. Standard output: JSON {version, rows: [{reference, n, shift, method, threshold, drifted}]}.
"""
import json
import sys
import warnings

import evidently
import numpy as np
import pandas as pd
from evidently import Report
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from evidently.metrics import ValueDrift

warnings.filterwarnings("ignore")
asked = json.load(sys.stdin)
random = np.random.default_rng(20240611)


def judged(reference, current):
    """The test that Evidently picks for the column, at the threshold that it picks."""
    test = get_stattest(reference, current, ColumnType.Numerical, None)
    return test, test(reference, current, ColumnType.Numerical, None)


def must_be_the_report(reference, current):
    """A whole report takes 0.1 s a column, most of it for pictures: the test alone must say the same."""
    snapshot = Report([ValueDrift(column="x")]).run(
        pd.DataFrame({"x": current}), pd.DataFrame({"x": reference})
    )
    metric = snapshot.dict()["metrics"][0]
    test, result = judged(reference, current)
    config = metric["config"]
    same = (
        abs(float(metric["value"]) - result.drift_score) < 1e-12
        and config["method"] == test.display_name
        and config["threshold"] == result.actual_threshold
    )
    if not same:
        raise SystemExit(f"Evidently's report says {metric}, its test {result}.")


rows = []
for size in asked["references"]:
    for n in asked["sizes"]:
        for shift in asked["shifts"]:
            drifted = 0
            for i in range(asked["repeats"]):
                reference = pd.Series(random.standard_normal(size))
                current = pd.Series(random.standard_normal(n) + shift)
                if i == 0 and shift == asked["shifts"][0]:
                    must_be_the_report(reference, current)
                test, result = judged(reference, current)
                drifted += bool(result.drifted)
            rows.append(
                {
                    "reference": size,
                    "n": n,
                    "shift": shift,
                    "method": test.display_name,
                    "threshold": result.actual_threshold,
                    "drifted": drifted / asked["repeats"],
                }
            )
print(json.dumps({"version": evidently.__version__, "rows": rows}))
