"""Files by numpy, pandas and pyarrow, and what they read of ours: `python batch_arrays.py write|read FOLDER`."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 15_000
NULL_EVERY = 101


def frame():
    i = np.arange(ROWS)
    a = np.sin(i).astype("float32")
    return pd.DataFrame(
        {
            "id": pd.Series([f"é{n}" if n % 3 else None for n in i], dtype="object"),
            "when": pd.to_datetime(1_700_000_000_123_456_789 + i * 1_000_000_007, unit="ns", utc=True),
            "a": np.where(i % NULL_EVERY == 5, np.nan, a).astype("float32"),
            "n": (i.astype("int64") * 2**40) - 3,
            "b": i % 7 == 0,
            "t": pd.Series([f"t{n % 50}" for n in i], dtype="object"),
        }
    )


VARIANTS = {
    "plain": {"compression": "none", "use_dictionary": False},
    "snappy": {},
    "gzip": {"compression": "gzip"},
    "brotli": {"compression": "brotli"},
    "zstd": {"compression": "zstd", "use_dictionary": False},
    "v2": {"data_page_version": "2.0", "version": "2.6"},
    "v2-plain": {"data_page_version": "2.0", "use_dictionary": False, "compression": "none"},
    "small-groups": {"row_group_size": 700},
    "small-pages": {"data_page_size": 2000, "write_batch_size": 100, "dictionary_pagesize_limit": 3000},
    "page-index": {"data_page_size": 2000, "write_batch_size": 100, "write_page_index": True},
    "split": {"use_dictionary": False, "column_encoding": {"a": "BYTE_STREAM_SPLIT"}},
    "delta": {
        "use_dictionary": False,
        "column_encoding": {"n": "DELTA_BINARY_PACKED", "t": "DELTA_BYTE_ARRAY", "id": "DELTA_LENGTH_BYTE_ARRAY"},
    },
    "int96": {"use_deprecated_int96_timestamps": True},
}


def write(folder):
    df = frame()
    df.to_parquet(folder / "pandas.parquet")
    table = pa.Table.from_pandas(df, preserve_index=False)
    for name, options in VARIANTS.items():
        pq.write_table(table, folder / f"{name}.parquet", **options)
    nested = table.append_column("pair", pa.array([[1, 2]] * ROWS))
    pq.write_table(nested, folder / "nested.parquet")
    pq.write_table(table.slice(0, 0), folder / "none.parquet")
    rows = [
        None
        if np.isnan(a)
        else {
            "a": float(a),
            "n": str(n),
            "b": bool(b),
            "t": t,
            "id": id,
            "when": when.tz_localize(None).isoformat(timespec="nanoseconds"),
        }
        for id, when, a, n, b, t in df.itertuples(index=False)
    ]
    (folder / "rows.json").write_text(json.dumps(rows))

    x = np.sin(np.arange(24.0)).reshape(4, 2, 3)
    np.save(folder / "x.npy", x.astype("float32"))
    np.save(folder / "double.npy", x)
    np.save(folder / "flat.npy", x.reshape(4, 6).astype("float16"))
    np.save(folder / "fortran.npy", np.asfortranarray(x.reshape(4, 6)))
    np.save(folder / "big.npy", x.astype(">f4"))
    np.save(folder / "objects.npy", np.array([{}, {}]), allow_pickle=True)
    np.savez(folder / "archive.npz", x)
    np.lib.format.write_array(open(folder / "version-3.npy", "wb"), x.astype("float32"), version=(3, 0))
    for kind in "?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8":
        np.save(folder / f"{kind.replace('?', 'b1')}.npy", np.array([0, 1, 1, 0]).astype(kind))
    (folder / "x.json").write_text(json.dumps({"x": x.astype("float32").reshape(4, 6).tolist()}))


def read(folder):
    single, double = np.load(folder / "single.npy"), np.load(folder / "double-out.npy")
    # What numpy writes of it is the same to the byte.
    np.save(folder / "again.npy", single)
    table = pq.read_table(folder / "out.parquet")
    df = pd.read_parquet(folder / "out.parquet")
    empty = pq.read_table(folder / "empty.parquet")
    print(
        json.dumps(
            {
                "single": [str(single.dtype), np.where(np.isnan(single), -1, single).tolist()],
                "double": [str(double.dtype), np.where(np.isnan(double), -1, double).tolist()],
                "types": {field.name: f"{field.type}{'?' if field.nullable else ''}" for field in table.schema},
                "columns": {name: [str(value) for value in values] for name, values in table.to_pydict().items()},
                "pandas": len(df),
                "empty": [empty.num_rows, empty.num_columns],
            }
        )
    )


{"write": write, "read": read}[sys.argv[1]](Path(sys.argv[2]))
