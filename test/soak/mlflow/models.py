"""Logs models as people do: python models.py (server by MLFLOW_TRACKING_URI). Prints what it registered."""

import json

import mlflow
import numpy as np
import onnx
import pandas as pd
from mlflow.models import infer_signature
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(16)
columns = ["age", "hours", "tenure", "visits"]
rows = rng.normal(size=(200, 4)).astype(np.float32)
left = (rows[:, 0] + rows[:, 1] > 0).astype(int)
frame = pd.DataFrame(rows, columns=columns).assign(left=left)
dataset = mlflow.data.from_pandas(frame, name="churn-2026-11", targets="left")
mlflow.set_experiment("churn")


def log(name, graph, auc):
    with mlflow.start_run():
        mlflow.log_input(dataset, context="training")
        info = mlflow.onnx.log_model(
            graph,
            name="model",
            signature=infer_signature(rows, left),
            input_example=rows[:2],
            registered_model_name=name,
        )
        # The second value is the one that counts.
        for step, value in enumerate([auc - 0.1, auc]):
            mlflow.log_metric("auc", value, step=step, dataset=dataset, model_id=info.model_id)
        mlflow.MlflowClient().set_logged_model_tags(info.model_id, {"task": "tabular-classification"})


def scores(penalty):
    model = LogisticRegression(C=penalty).fit(rows, left)
    return to_onnx(model, rows[:1], options={id(model): {"zipmap": False}})


log("churn", scores(1.0), 0.90)
log("churn", scores(0.01), 0.91)

# Weights of more than a kilobyte lie outside the graph.
weights = onnx.numpy_helper.from_array(rng.normal(size=(4, 512)).astype(np.float32), "weights")
tensor = onnx.helper.make_tensor_value_info
graph = onnx.helper.make_graph(
    [onnx.helper.make_node("MatMul", ["x", "weights"], ["y"])],
    "wide",
    [tensor("x", onnx.TensorProto.FLOAT, ["n", 4])],
    [tensor("y", onnx.TensorProto.FLOAT, ["n", 512])],
    [weights],
)
log("wide", onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10), 0.5)

with mlflow.start_run():
    mlflow.sklearn.log_model(LogisticRegression().fit(rows, left), name="model", registered_model_name="flavor")

client = mlflow.MlflowClient()
client.set_registered_model_alias("churn", "champion", "1")
client.set_model_version_tag("churn", "1", "license", "apache-2.0")
print(json.dumps({"registered": [model.name for model in client.search_registered_models()]}))
