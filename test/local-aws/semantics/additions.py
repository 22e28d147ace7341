"""The list of additions, by name. ``on(name)`` says whether one is in use."""

import importlib
import os

# In the order of installation: what is installed later wraps what was before.
NAMES = (
    "runtime", "utilisation", "weights", "memory", "payload", "exact", "client_context", "publish", "signatures", "actions", "permissions", "http_api", "route_throttling",
    "schedules", "custom_resources", "load_balancer", "metrics", "throttling", "alarms", "metric_data", "autoscaling", "clock", "provisioned", "initialization", "aliases", "transport",
    "endpoints", "asynchronous", "log_filter", "objects", "object_keys", "object_events", "queues", "redrive", "event_sources", "state_machines",
    "distributed_map", "machine_deletion",
)
_left_out: set[str] = set()


def install() -> None:
    """Installs every addition but those that MODELS_AWS_WITHOUT names (comma separated; for the tests of the additions)."""
    _left_out.update(filter(None, os.environ.get("MODELS_AWS_WITHOUT", "").split(",")))
    if unknown := _left_out - set(NAMES):
        raise SystemExit(f"MODELS_AWS_WITHOUT names no addition: {', '.join(sorted(unknown))}. There are: {', '.join(NAMES)}.")
    for name in NAMES:
        if on(name):
            importlib.import_module(f"{__package__}.{name}").install()


def on(name: str) -> bool:
    return name not in _left_out
