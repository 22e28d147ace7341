"""What NVIDIA's clients are asked by: the case of standard input, and a line a check."""

import json
import sys

import numpy as np
from tritonclient.utils import triton_to_np_dtype

case = json.load(sys.stdin)


def array(tensor):
    kind = triton_to_np_dtype(tensor["datatype"])
    if kind == np.object_:
        return np.array([v.encode() for v in tensor["data"]], dtype=object).reshape(tensor["shape"])
    return np.array(tensor["data"], dtype=kind).reshape(tensor["shape"])


def check(text, holds=True):
    assert holds, text
    print(text, flush=True)
