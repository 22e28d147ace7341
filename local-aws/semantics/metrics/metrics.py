"""Metrics of functions as Lambda keeps them: by function, by alias or version (Resource), and by the version that an alias ran
(ExecutedVersion), of every kind of invocation; and the metrics in a function's log lines (embedded metric format).
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import time

from ministack.services import cloudwatch, cloudwatch_logs, lambda_svc

from .. import patch
from . import embedded_format, logs


def install() -> None:
    patch.wrap(lambda_svc, "_execute_function_dispatch", _measured)
    # Its own counts are of some kinds of invocations only, and of some twice; the throttled ones are counted in `throttling`.
    patch.wrap(lambda_svc, "_emit_lambda_metrics", lambda _original: lambda *_counts, **_named: None)
    logs.observers.append(embedded)
    patch.wrap(cloudwatch_logs, "_put_log_events", _from_clients)


def _from_clients(original):
    """Reads lines that any client writes, too.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Generation_PutLogEvents.html
    """

    def put(data):
        answer = original(data)
        if answer[0] == 200:
            for event in data.get("logEvents", []):
                embedded(event.get("message", ""))
        return answer

    return put


def _measured(original):
    """What is counted is told when the function has ended, of the time at which it was invoked.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#invocation-metrics
    """

    def dispatch(func, config, event, request_id, started):
        began, invoked = time.time(), cloudwatch.time.time()
        result = original(func, config, event, request_id, started)
        name = config.get("FunctionName", "")
        qualifier = config.get("FunctionArn", "").split(":")[7:]
        dimensions = [{}, {"FunctionName": name}, {"FunctionName": name, "Resource": ":".join([name, *qualifier])}]
        if qualifier and not qualifier[0].isdigit():
            dimensions.append({**dimensions[-1], "ExecutedVersion": result.get("executed_version", config.get("Version", "$LATEST"))})
        if not result.get("throttle"):
            done = result.get("done") or {}
            counted = {
                "Invocations": (1, "Count"),
                "Errors": (1 if result.get("error") else 0, "Count"),
                "Throttles": (0, "Count"),
                "Duration": (done.get("run_ms", (time.time() - began) * 1000), "Milliseconds"),
            }
            for one in dimensions:
                for metric, (value, unit) in counted.items():
                    cloudwatch._store_datum("AWS/Lambda", metric, one, invoked, unit, value, None, None, None)
        return result

    return dispatch


def embedded(line: str) -> None:
    """Stores the metrics of one log line, if it has any. CloudWatch takes a line that does not fit for plain text."""
    # The emulator's own clock, which may be an accelerated one.
    stamp, found = embedded_format.read(line, cloudwatch.time.time())
    for namespace, name, dimensions, unit, values in found:
        cloudwatch._store_datum(namespace, name, dimensions, stamp, unit, None, values, None, None)
