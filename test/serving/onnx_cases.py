"""Runs the node test cases that the PyPI package onnx ships in Python's onnxruntime.

    python onnx_cases.py <folder>

Writes <folder>/cases.jsonl, a line a case: either what ONNX Runtime answered, its tensors being ranges of
<folder>/tensors.bin in the protocol's binary form, or the reason why it did not.
"""

import json
import pathlib
import re
import struct
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

CASES = pathlib.Path(onnx.__file__).parent / "backend/test/data/node"
OUT = pathlib.Path(sys.argv[1])
# onnxruntime's name of an element type: the protocol's.
DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float": "FP32",
    "double": "FP64",
    "string": "BYTES",
}

onnxruntime.set_default_logger_severity(4)


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


# What in ONNX Runtime's messages depends on checkout, case or compiler, or repeats itself.
NOISE = [
    r"^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ",
    r"Load model from .* failed:",
    r"/onnxruntime_src/\S* |\S+\.cc:\d+ ",
    r"[\w:<>]*\bonnxruntime::[\w:<>]+\((?:[^()]|\([^()]*\))*\)(?: const)?(?: \[with [^\]]*\]|::<lambda\(\)>)? ",
    r"Exception during initialization: |Fatal error: |Status Message: |(?:virtual )?onnxruntime::common::Status |^void ",
    r" ?with name ''|\(node:'' |Name:'' ",
    r"Encountered following errors: .*? However |This op has been implemented only for .*?, but ",
]


def reason(error):
    """ONNX Runtime's own words, on one line."""
    text = " ".join(str(error).split())
    for noise in NOISE:
        text = re.sub(noise, "", text)
    return text.strip()


def datatype(value):
    """The datatype of an input or output of the session; None where the protocol has none."""
    found = re.fullmatch(r"tensor\((.*)\)", value.type)
    return DATATYPES.get(found[1]) if found else None


def raw(array):
    if array.dtype.kind in "OUST":
        parts = [v if isinstance(v, bytes) else str(v).encode() for v in array.ravel()]
        return b"".join(struct.pack("<I", len(p)) + p for p in parts)
    return np.ascontiguousarray(array).tobytes()


def same(a, b):
    return a.shape == b.shape and raw(a) == raw(b)


def proto(path, value):
    content = path.read_bytes()
    if not value.type.HasField("tensor_type"):
        raise TypeError("not a tensor")
    return numpy_helper.to_array(onnx.TensorProto.FromString(content))


def run(folder, blob):
    path = folder / "model.onnx"
    case = {"case": folder.name}
    try:
        opened = session(path)
    except Exception as error:
        return case | {"refused": reason(error)}
    for value in opened.get_inputs():
        if datatype(value) is None:
            return case | {"inexpressible": f"input of type {value.type}"}
    outputs = [value for value in opened.get_outputs() if datatype(value)]
    if not outputs:
        return case | {"inexpressible": f"only outputs of type {opened.get_outputs()[0].type}"}
    kinds = {value.name: datatype(value) for value in [*opened.get_inputs(), *outputs]}
    wanted = [value.name for value in outputs]
    graph = onnx.load(path, load_external_data=False).graph
    sets = []

    def put(name, array):
        content = raw(array)
        at = blob.tell()
        blob.write(content)
        finite = array.dtype.kind != "f" or bool(np.isfinite(array).all())
        return {
            "name": name,
            "datatype": kinds[name],
            "shape": list(array.shape),
            "at": at,
            "bytes": len(content),
            "finite": finite,
        }

    for data in sorted(folder.glob("test_data_set_*")):
        try:
            feeds = {}
            for index, value in enumerate(graph.input):
                file = data / f"input_{index}.pb"
                if value.name in kinds and file.exists():
                    feeds[value.name] = proto(file, value)
            answers = opened.run(wanted, feeds)
            # A fresh session: random operators are seeded when they are made.
            again = session(path).run(wanted, feeds)
        except Exception as error:
            return case | {"refused": reason(error)}
        sets.append(
            {
                "inputs": [put(name, array) for name, array in feeds.items()],
                "outputs": [
                    put(name, np.asarray(array)) | {"random": not same(np.asarray(array), np.asarray(other))}
                    for name, array, other in zip(wanted, answers, again)
                ],
            }
        )
    return case | {"model": str(path), "sets": sets}


OUT.mkdir(parents=True, exist_ok=True)
with open(OUT / "tensors.bin", "wb") as blob, open(OUT / "cases.jsonl", "w", encoding="utf-8") as lines:
    for folder in sorted(CASES.iterdir()):
        if (folder / "model.onnx").exists():
            lines.write(json.dumps(run(folder, blob)) + "\n")
print(json.dumps({"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__}))
