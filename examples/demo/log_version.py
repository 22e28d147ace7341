"""Logs a version of the demo's model as a training script would, and lets its alias lead there:

python log_version.py <model.onnx> <reference.csv> <AUC>    (server by MLFLOW_TRACKING_URI)
"""

import sys

import mlflow
import onnx
import pandas as pd

graph, data, auc = sys.argv[1:]
dataset = mlflow.data.from_pandas(pd.read_csv(data), name="employment-2015")
mlflow.set_experiment("employment")
with mlflow.start_run():
    mlflow.log_input(dataset, context="training")
    info = mlflow.onnx.log_model(onnx.load(graph), name="model", registered_model_name="employment")
    mlflow.log_metric("auc", float(auc), dataset=dataset, model_id=info.model_id)
version = info.registered_model_version
mlflow.MlflowClient().set_registered_model_alias("employment", "champion", version)
print(f"logged version {version} of employment, AUC {auc}; champion is version {version}")
