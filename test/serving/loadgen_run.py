"""One run of MLPerf's LoadGen, and what it says of it: its trace, its percentiles and its verdict."""

import pathlib
import re

import mlperf_loadgen as loadgen


def complete(samples):
    loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(sample.id, 0, 0) for sample in samples])


def run(settings, issue, samples, folder):
    """``issue`` gets samples, and calls ``complete`` for each of them once."""
    logging = loadgen.LogSettings()
    logging.enable_trace = True
    logging.log_output.outdir = folder
    logging.log_output.copy_summary_to_stdout = False
    system = loadgen.ConstructSUT(issue, lambda: None)
    library = loadgen.ConstructQSL(samples, samples, lambda loaded: None, lambda loaded: None)
    loadgen.StartTestWithLogSettings(system, library, settings, logging)
    loadgen.DestroyQSL(library)
    loadgen.DestroySUT(system)
    # LoadGen's trace is not always JSON, but a sample is always a line.
    trace = pathlib.Path(folder, "mlperf_log_trace.json").read_text()
    summary = pathlib.Path(folder, "mlperf_log_summary.txt").read_text()

    def words(pattern):
        return {name: value for name, value in re.findall(pattern, summary)}

    return {
        "latencies": [int(latency) for latency in re.findall(r'"complete_ns":(\d+)', trace)],
        "verdict": re.search(r"Result is : (\w+)", summary)[1],
        "percentiles": words(r"([\d.]+) percentile latency \(ns\)\s+: (\d+)"),
        "estimates": words(r"([\d.]+)th percentile estimate: (\d+)"),
        "satisfied": {name.strip(): value for name, value in re.findall(r"^  (.+?) satisfied ?: (\w+)", summary, re.M)},
        "more": (re.search(r"at least (\d+) more queries", summary) or [None, None])[1],
    }
