"""Runs MLPerf's LoadGen against a stub whose answers take random times, and prints its trace and its words.

python loadgen.py <SingleStream|Server> <seed> <queries> <folder> <objective ms> <percentile>
"""

import json
import pathlib
import random
import re
import sys
import threading
import time

import mlperf_loadgen as loadgen

scenario, seed, count, folder, objective, percentile = sys.argv[1:]
chance = random.Random(int(seed))


def complete(samples):
    loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(sample.id, 0, 0) for sample in samples])


def issue(samples):
    if scenario == "SingleStream":
        time.sleep(chance.expovariate(1 / 0.0003))
        complete(samples)
    else:
        threading.Timer(chance.expovariate(1 / 0.002), complete, [samples]).start()


settings = loadgen.TestSettings()
settings.mode = loadgen.TestMode.PerformanceOnly
settings.scenario = getattr(loadgen.TestScenario, scenario)
settings.min_query_count = int(count)
settings.max_query_count = int(count)
settings.min_duration_ms = 0
settings.single_stream_target_latency_percentile = 0.9
settings.server_target_qps = 1000
settings.server_target_latency_ns = round(float(objective) * 1e6)
settings.server_target_latency_percentile = float(percentile)
settings.schedule_rng_seed = int(seed)

logging = loadgen.LogSettings()
logging.enable_trace = True
logging.log_output.outdir = folder
logging.log_output.copy_summary_to_stdout = False
system = loadgen.ConstructSUT(issue, lambda: None)
library = loadgen.ConstructQSL(64, 64, lambda samples: None, lambda samples: None)
loadgen.StartTestWithLogSettings(system, library, settings, logging)
loadgen.DestroyQSL(library)
loadgen.DestroySUT(system)

# LoadGen's trace is not always JSON, but a sample is always a line.
trace = pathlib.Path(folder, "mlperf_log_trace.json").read_text()
latencies = [int(latency) for latency in re.findall(r'"complete_ns":(\d+)', trace)]
summary = pathlib.Path(folder, "mlperf_log_summary.txt").read_text()


def words(pattern):
    return {name: value for name, value in re.findall(pattern, summary)}


print(
    json.dumps(
        {
            "latencies": latencies,
            "verdict": re.search(r"Result is : (\w+)", summary)[1],
            "percentiles": words(r"([\d.]+) percentile latency \(ns\)\s+: (\d+)"),
            "estimates": words(r"([\d.]+)th percentile estimate: (\d+)"),
            "satisfied": {name.strip(): value for name, value in re.findall(r"^  (.+?) satisfied ?: (\w+)", summary, re.M)},
            "more": (re.search(r"at least (\d+) more queries", summary) or [None, None])[1],
        }
    )
)
