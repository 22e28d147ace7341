"""MLflow's own download in a process that has it loaded: a line `<uri> <folder>` in, the milliseconds out."""

import sys
import time

import mlflow

mlflow.artifacts  # Loaded when it is first asked for.
print("ready", flush=True)
for line in sys.stdin:
    uri, folder = line.split()
    began = time.perf_counter()
    mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder)
    print((time.perf_counter() - began) * 1000, flush=True)
