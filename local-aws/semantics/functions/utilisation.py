"""Metrics of provisioned concurrency: for each invocation of a version or alias that holds some, how much of it is in use, and
whether the invocation found an environment of it or spilled over.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#concurrency-metrics
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html#provisioned-concurrency-metrics

The dimension Resource names what the concurrency is configured on. An invocation through an alias of a version that itself holds
concurrency uses that of the version.
"""

import threading
from collections import Counter

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, lambda_svc

from .. import patch

_running: Counter = Counter()
_lock = threading.Lock()


def install() -> None:
    # Below the choice of an alias's version (weights): what arrives here is the version that runs.
    patch.wrap(lambda_svc, "_execute_function_dispatch", _counted)


def holder(config: dict) -> tuple[str, int] | None:
    """The alias or version whose provisioned concurrency this invocation uses, and how much that is."""
    function = lambda_svc._functions.get(config.get("FunctionName", "")) or {}
    for qualifier in [*config.get("FunctionArn", "").split(":")[7:], config.get("Version", "$LATEST")]:
        held = function.get("provisioned_concurrency", {}).get(qualifier)
        # What is asked for and not there yet is not used.
        if held and held["AllocatedProvisionedConcurrentExecutions"]:
            return qualifier, held["AllocatedProvisionedConcurrentExecutions"]
    return None


def _counted(original):
    def dispatch(func, config, event, request_id, started):
        held = holder(config)
        if held is None:
            return original(func, config, event, request_id, started)
        qualifier, allocated = held
        name = config["FunctionName"]
        key = (get_account_id(), get_region(), name, qualifier)
        with _lock:
            _running[key] += 1
            running = _running[key]
        _record(name, qualifier, running, allocated)
        try:
            return original(func, config, event, request_id, started)
        finally:
            with _lock:
                _running[key] -= 1

    return dispatch


def _record(name: str, qualifier: str, running: int, allocated: int) -> None:
    used = min(running, allocated)
    spilled = running > allocated
    for dimensions in ({"FunctionName": name}, {"FunctionName": name, "Resource": f"{name}:{qualifier}"}):
        for metric, value in (
            ("ProvisionedConcurrentExecutions", used),
            ("ProvisionedConcurrencyInvocations", 0 if spilled else 1),
            ("ProvisionedConcurrencySpilloverInvocations", 1 if spilled else 0),
            # None of it is there yet while it is being allocated.
            *([("ProvisionedConcurrencyUtilization", used / allocated)] if allocated else []),
        ):
            cloudwatch.record_metric("AWS/Lambda", metric, value, "Count", dimensions)
