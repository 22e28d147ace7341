"""Models that others published, asked by Python's onnxruntime as their own code asks them.

    python real_models.py silero <silero_vad_v5.onnx>
    python real_models.py magika <file>…

Prints JSON: a list of {"inputs", "outputs"} in the protocol's form; for magika with the path and the kind of file
that its own Python package names.
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime

DATATYPES = {"float32": "FP32", "int32": "INT32", "int64": "INT64"}


def tensor(name, array):
    data = [float(v) for v in array.ravel()] if array.dtype == np.float32 else array.ravel().tolist()
    return {"name": name, "shape": list(array.shape), "datatype": DATATYPES[array.dtype.name], "data": data}


def ask(session, feeds):
    names = [output.name for output in session.get_outputs()]
    answers = dict(zip(names, session.run(names, feeds)))
    return answers, {
        "inputs": [tensor(name, array) for name, array in feeds.items()],
        "outputs": [tensor(name, array) for name, array in answers.items()],
    }


def silero(path):
    """Six windows of 32 ms: silence, then a voiced sound. The state of one is an input of the next."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    time = np.arange(6 * 512) / 16000
    voice = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 12)) * (time > 0.064) * 0.3
    state = np.zeros((2, 1, 128), dtype=np.float32)
    cases = []
    for window in voice.astype(np.float32).reshape(6, 1, 512):
        answers, case = ask(session, {"input": window, "state": state, "sr": np.array(16000, dtype=np.int64)})
        state = answers["stateN"]
        cases.append(case)
    return cases


def magika(paths):
    from magika import Magika

    detector = Magika()
    folder = pathlib.Path(sys.modules["magika"].__file__).parent / "models/standard_v3_3"
    config = json.loads((folder / "config.min.json").read_text())
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    cases = []
    for path in paths:
        # The package's own rule: the first and last bytes of the file without white space at its ends, padded.
        content = pathlib.Path(path).read_bytes()
        size = config["block_size"]
        head, tail = content[:size].lstrip(), content[-size:].rstrip()
        pad = [config["padding_token"]]
        begin = list(head[: config["beg_size"]])
        end = list(tail[-config["end_size"] :])
        row = begin + pad * (config["beg_size"] - len(begin)) + pad * (config["end_size"] - len(end)) + end
        answers, case = ask(session, {"bytes": np.array([row], dtype=np.int32)})
        label = config["target_labels_space"][int(answers["target_label"][0].argmax())]
        expected = detector.identify_path(path).dl.label
        assert label == expected, f"{path}: features differ from the package's ({label}, {expected})"
        cases.append(case | {"path": path, "label": label})
    return {"model": str(folder / "model.onnx"), "labels": config["target_labels_space"], "cases": cases}


print(json.dumps(silero(sys.argv[2]) if sys.argv[1] == "silero" else magika(sys.argv[2:])))
