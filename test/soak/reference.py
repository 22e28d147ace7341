"""Reference data of 50 columns in every format: `python reference.py FOLDER ROWS`.

Numbers of all digits, rounded ones, whole ones, and, for example lack a tenth of their values. Parquet as pyarrow writes it without
being told anything (a row group has up to 1,048,576 rows) and in row groups of 100,000.
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

folder, rows = pathlib.Path(sys.argv[1]), int(sys.argv[2])
random = np.random.default_rng(1)


def column(i):
    if 40 <= i < 45:
        return random.integers(0, 100, rows)
    values = random.normal(size=rows)
    if i >= 45:
        return np.where(random.random(rows) < 0.1, np.nan, values)
    return values if i < 30 else values.round(2)


columns = {f"x_{i}": column(i) for i in range(50)}
table = pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})
pa.parquet.write_table(table, folder / "one.parquet")
pa.parquet.write_table(table, folder / "groups.parquet", row_group_size=100_000)
pa.csv.write_csv(table, folder / "rows.csv")
np.save(folder / "rows.npy", np.column_stack(list(columns.values())))
with open(folder / "rows.jsonl", "w") as file:
    for start in range(0, rows, 10_000):
        for row in table.slice(start, 10_000).to_pylist():
            cells = (f'"{name}":{"null" if value is None else repr(value)}' for name, value in row.items())
            file.write("{" + ",".join(cells) + "}\n")
