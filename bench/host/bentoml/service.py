"""The protocol's inference as a BentoML service, with two processes.

    MODEL=<path> NAME=<name> bentoml serve service:Served

As its documentation writes one, but `async`: the model runs in the event loop, which spares a thread for each request.
"""

import os
from typing import Any

import bentoml
import numpy as np
import onnxruntime

NUMPY = {"FP32": np.float32, "INT64": np.int64}
PROTOCOL = {np.dtype(kind): name for name, kind in NUMPY.items()}


@bentoml.service(workers=2, traffic={"timeout": 60})
class Served:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        self.names = [output.name for output in self.session.get_outputs()]

    @bentoml.api(route=f"/v2/models/{os.environ['NAME']}/infer")
    async def infer(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        feeds = {one["name"]: np.asarray(one["data"], NUMPY[one["datatype"]]).reshape(one["shape"]) for one in inputs}
        outputs = [
            {"name": name, "datatype": PROTOCOL[value.dtype], "shape": list(value.shape), "data": value.ravel().tolist()}
            for name, value in zip(self.names, self.session.run(None, feeds))
        ]
        return {"model_name": os.environ["NAME"], "model_version": "1", "outputs": outputs}
