"""Logs a model of so many megabytes: python register.py <name> <megabytes> (server by MLFLOW_TRACKING_URI)."""

import sys

import mlflow
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

name, megabytes = sys.argv[1], int(sys.argv[2])
rows, columns = megabytes * 256, 1024
weights = np.random.default_rng(17).standard_normal((rows, columns), dtype=np.float32)
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "weights"], ["y"])],
    name,
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", rows])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", columns])],
    [numpy_helper.from_array(weights, "weights")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
with mlflow.start_run():
    mlflow.onnx.log_model(model, name="model", registered_model_name=name)
mlflow.MlflowClient().set_registered_model_alias(name, "champion", "1")
