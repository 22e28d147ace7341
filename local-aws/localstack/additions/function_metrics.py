"""``AWS/Lambda`` metrics by function, by alias or version (Resource) and by the version that ran (ExecutedVersion), zeros included, and the
metrics in log lines. LocalStack has Invocations and Errors by function alone, and reads no log lines.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
"""

import time

from localstack.services.lambda_.invocation import version_manager
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager
from semantics.metrics import embedded_format

from . import patch
from .metrics import kept
from .series import key


def install() -> None:
    patch.wrap(LambdaVersionManager, "invoke", _measured)
    for name in ("record_cw_metric_invocation", "record_cw_metric_error"):
        patch.wrap(version_manager, name, lambda _original: lambda **_counts: None)


def _measured(original):
    def invoke(self, *, invocation):
        began = time.time()
        result = original(self, invocation=invocation)
        of = self.function_version.id
        name, qualifier = of.function_name, invocation.invoked_arn.split(":")[7:]
        dimensions = [{}, {"FunctionName": name}, {"FunctionName": name, "Resource": ":".join([name, *qualifier])}]
        if qualifier and not qualifier[0].isdigit() and qualifier[0] != "$LATEST":
            dimensions.append({**dimensions[-1], "ExecutedVersion": of.qualifier})
        now = time.time()
        counted = {
            "Invocations": (1.0, "Count"),
            "Errors": (1.0 if result.is_error else 0.0, "Count"),
            "Throttles": (0.0, "Count"),
            "Duration": (getattr(result, "run_ms", (now - began) * 1000), "Milliseconds"),
        }
        for one in dimensions:
            for metric, (value, unit) in counted.items():
                kept.add(key(of.account, of.region, "AWS/Lambda", metric, one), began, [value], unit=unit)
        for line in (result.logs or "").splitlines():
            embedded(of.account, of.region, line)
        return result

    return invoke


def embedded(account: str, region: str, line: str) -> None:
    """Keeps the metrics of one log line, if it has any."""
    stamp, found = embedded_format.read(line, time.time())
    for namespace, name, dimensions, unit, values in found:
        kept.add(key(account, region, namespace, name, dimensions), stamp, values, unit=unit)
