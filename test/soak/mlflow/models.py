"""Logs models as people do: python models.py (server by MLFLOW_TRACKING_URI). Leaves answers.json behind."""

import json

import lightgbm
import mlflow
import numpy as np
import onnx
import onnxmltools
import pandas as pd
from mlflow.models import infer_signature
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(16)
columns = ["age", "hours", "tenure", "visits"]
rows = rng.normal(size=(200, 4)).astype(np.float32)
left = (rows[:, 0] + rows[:, 1] > 0).astype(int)
frame = pd.DataFrame(rows, columns=columns).assign(left=left)
dataset = mlflow.data.from_pandas(frame, name="churn-2026-11", targets="left")
mlflow.set_experiment("churn")


def log(name, graph, auc=0.9):
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

# Models of other flavors, and what their exporters make of them.
forest = make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=20, random_state=1)).fit(rows, left)
boosted = lightgbm.LGBMClassifier(n_estimators=20, verbose=-1).fit(rows, left)
regressor = lightgbm.LGBMRegressor(n_estimators=20, verbose=-1).fit(rows, rows[:, 2] * rows[:, 3])
types = [("x", FloatTensorType([None, 4]))]
log("forest", to_onnx(forest, rows[:1], options={id(forest): {"zipmap": False}}))
log("boosted", onnxmltools.convert_lightgbm(boosted, initial_types=types, zipmap=False))
log("price", onnxmltools.convert_lightgbm(regressor, initial_types=types))
with mlflow.start_run():
    trusted = ["sklearn.tree._tree.Tree"]
    mlflow.sklearn.log_model(forest, name="model", registered_model_name="flavor", skops_trusted_types=trusted)
with mlflow.start_run():
    mlflow.lightgbm.log_model(boosted, name="model", registered_model_name="flavor-lightgbm")
with mlflow.start_run():
    mlflow.lightgbm.log_model(regressor, name="model", registered_model_name="flavor-price")

client = mlflow.MlflowClient()
client.set_registered_model_alias("churn", "champion", "1")
client.set_model_version_tag("churn", "1", "license", "apache-2.0")

# What MLflow itself answers about some rows: by the graph, and by the flavor that it was exported from.
some = rows[:20]
plain = lambda value: np.asarray(value).tolist()
answers = {"rows": plain(some), "graphs": {}, "flavors": {}}
for name, flavor in [("forest", "flavor"), ("boosted", "flavor-lightgbm"), ("price", "flavor-price")]:
    outputs = mlflow.pyfunc.load_model(f"models:/{name}/1").predict(some)
    answers["graphs"][name] = {output: plain(value) for output, value in outputs.items()}
    answers["flavors"][name] = plain(mlflow.pyfunc.load_model(f"models:/{flavor}/1").predict(some))
with open("answers.json", "w") as file:
    json.dump(answers, file)
