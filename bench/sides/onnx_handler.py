"""The handler of someone who serves the same model from Lambda's Python: one thread, which is right for one vCPU."""

import json
import os

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
names = [output.name for output in session.get_outputs()]
TYPES = {"INT64": np.int64, "FP32": np.float32}


def handler(event, context):
    (given,) = json.loads(event["body"])["inputs"]
    array = np.asarray(given["data"], TYPES[given["datatype"]]).reshape(given["shape"])
    outputs = [
        {
            "name": name,
            "datatype": "INT64" if result.dtype == np.int64 else "FP32",
            "shape": result.shape,
            "data": result.ravel().tolist(),
        }
        for name, result in zip(names, session.run(None, {given["name"]: array}))
    ]
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"model_name": "python", "outputs": outputs}),
    }
