"""Runs MLPerf's LoadGen against a stub whose answers take random times, and prints its trace and its words.

python loadgen.py <SingleStream|Server> <seed> <queries> <folder> <objective ms> <percentile>
"""

import json
import random
import sys
import threading
import time

import mlperf_loadgen as loadgen
from loadgen_run import complete, run

scenario, seed, count, folder, objective, percentile = sys.argv[1:]
chance = random.Random(int(seed))


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

print(json.dumps(run(settings, issue, 64, folder)))
