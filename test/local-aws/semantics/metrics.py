"""Metrics of functions as Lambda keeps them: by function, by alias or version (Resource), and by the version that an alias ran
(ExecutedVersion), of every kind of invocation; and the metrics in a function's log lines (embedded metric format).
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import time

from ministack.services import cloudwatch, lambda_svc

from . import logs, patch


def install() -> None:
    patch.wrap(lambda_svc, "_execute_function_dispatch", _measured)
    patch.wrap(lambda_svc, "_emit_lambda_metrics", _throttles)
    logs.observers.append(embedded)


def _measured(original):
    def dispatch(func, config, event, request_id, started):
        began = time.time()
        result = original(func, config, event, request_id, started)
        name = config.get("FunctionName", "")
        qualifier = config.get("FunctionArn", "").split(":")[7:]
        dimensions = [{}, {"FunctionName": name}, {"FunctionName": name, "Resource": ":".join([name, *qualifier])}]
        if qualifier and not qualifier[0].isdigit():
            dimensions.append({**dimensions[-1], "ExecutedVersion": result.get("executed_version", config.get("Version", "$LATEST"))})
        if not result.get("throttle"):
            done = result.get("done") or {}
            for one in dimensions:
                cloudwatch.record_metric("AWS/Lambda", "Invocations", 1, "Count", one)
                cloudwatch.record_metric("AWS/Lambda", "Errors", 1 if result.get("error") else 0, "Count", one)
                cloudwatch.record_metric("AWS/Lambda", "Throttles", 0, "Count", one)
                duration = done.get("run_ms", (time.time() - began) * 1000)
                cloudwatch.record_metric("AWS/Lambda", "Duration", duration, "Milliseconds", one)
        return result

    return dispatch


def _throttles(original):
    """MiniStack's own counts are of some kinds of invocations only; the throttled ones, which never run, stay its own."""

    def emit(function_name, duration_ms, error, throttle):
        if throttle:
            for one in ({}, {"FunctionName": function_name}):
                cloudwatch.record_metric("AWS/Lambda", "Throttles", 1, "Count", one)

    return emit


def embedded(line: str) -> None:
    """Stores the metrics of one log line, if it has any."""
    if '"_aws"' not in line:
        return
    try:
        document = json.loads(line)
        meta = document["_aws"]
        for directive in meta["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = {name: str(document[name]) for name in names}
                for metric in directive["Metrics"]:
                    value = document.get(metric["Name"])
                    values = value if isinstance(value, list) else [value]
                    if value is None or not all(isinstance(one, (int, float)) for one in values):
                        continue
                    cloudwatch._store_datum(
                        directive["Namespace"], metric["Name"], dimensions, meta["Timestamp"] / 1000,
                        metric.get("Unit", "None"), None, [float(one) for one in values], None, None,
                    )
    except (ValueError, KeyError, TypeError):
        return  # CloudWatch takes a line that does not fit for plain text
