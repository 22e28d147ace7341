"""The list of additions. MODELS_AWS_WITHOUT leaves some out (comma separated): what LocalStack does without them."""

import importlib
import os

# In the order of installation.
MODULES = (
    "executor", "retained", "replacement", "substitution", "custom_resources", "aliases", "alias_resource", "configurations",
    "asynchronous", "log_events", "metrics", "function_metrics", "alarms", "dashboards", "http_api", "schedules", "percentages",
    "moto_services", "front",
)


def install() -> None:
    left_out = set(filter(None, os.environ.get("MODELS_AWS_WITHOUT", "").split(",")))
    if unknown := left_out - set(MODULES):
        raise SystemExit(f"MODELS_AWS_WITHOUT names no addition: {', '.join(sorted(unknown))}. There are: {', '.join(MODULES)}.")
    for name in MODULES:
        if name not in left_out:
            importlib.import_module(f"{__package__}.{name}").install()
