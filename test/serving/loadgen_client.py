"""MLPerf's LoadGen as a client: it asks a running `sls models serve` over HTTP, and prints what it says, and what was wrong.

python loadgen_client.py <SingleStream|Server> <url> <cases.jsonl> <folder> <seconds> <rate> <objective ms> <percentile>
"""

import http.client
import json
import queue
import sys
import threading
import urllib.parse

import mlperf_loadgen as loadgen
from loadgen_run import complete, run

scenario, url, cases, folder, seconds, rate, objective, percentile = sys.argv[1:]
WORKERS = 32
TOLERANCE = 1e-4

target = urllib.parse.urlsplit(url)
with open(cases, encoding="utf-8") as lines:
    asked = [json.loads(line) for line in lines if line.strip()]
bodies = [json.dumps({"inputs": case["inputs"]}).encode() for case in asked]
waiting = queue.SimpleQueue()
faults = []


def fault_in(status, text, expected):
    """What is wrong with an answer, None where nothing is."""
    if status != 200:
        return f"HTTP {status}: {text[:200]!r}"
    given = {output["name"]: output["data"] for output in json.loads(text)["outputs"]}
    for output in expected:
        got = given.get(output["name"], [])
        if len(got) != len(output["data"]) or any(abs(a - b) > TOLERANCE for a, b in zip(got, output["data"], strict=True)):
            return f"{output['name']}: expected {output['data']}, got {got}"
    return None


def ask(connection, body):
    """Once more where the server has closed a connection that was idle: Node.js does so after five seconds, and nothing was asked then."""
    for is_last in (False, True):
        is_reused = connection.sock is not None
        try:
            connection.request("POST", target.path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (ConnectionError, http.client.RemoteDisconnected):
            connection.close()
            if is_last or not is_reused:
                raise
    raise AssertionError


def serve(connection, sample):
    at = sample.index % len(asked)
    try:
        wrong = fault_in(*ask(connection, bodies[at]), asked[at].get("outputs", []))
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        connection.close()
        wrong = repr(error)
    if wrong is not None:
        faults.append(wrong)
    complete([sample])


def connected():
    return http.client.HTTPConnection(target.hostname, target.port)


def work():
    """One connection that stays open, as a client of its own."""
    connection = connected()
    while (sample := waiting.get()) is not None:
        serve(connection, sample)


alone = connected()


def issue(samples):
    for sample in samples:
        if scenario == "SingleStream":
            serve(alone, sample)
        else:
            waiting.put(sample)


workers = [threading.Thread(target=work, daemon=True) for _ in range(WORKERS)]
for worker in workers:
    worker.start()

settings = loadgen.TestSettings()
settings.mode = loadgen.TestMode.PerformanceOnly
settings.scenario = getattr(loadgen.TestScenario, scenario)
settings.min_duration_ms = round(float(seconds) * 1000)
# One caller begins with that many a second, and goes on until the time is over.
settings.single_stream_expected_latency_ns = 1_000_000
settings.single_stream_target_latency_percentile = 0.9
settings.min_query_count = 64 if scenario == "SingleStream" else round(float(rate) * float(seconds))
settings.server_target_qps = float(rate)
settings.server_target_latency_ns = round(float(objective) * 1e6)
settings.server_target_latency_percentile = float(percentile)

told = run(settings, issue, len(asked), folder)
for _ in workers:
    waiting.put(None)
for worker in workers:
    worker.join(10)
print(json.dumps({**told, "faults": faults[:3], "errors": len(faults)}))
