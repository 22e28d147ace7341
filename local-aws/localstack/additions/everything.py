"""The list of additions."""

import importlib

# In the order of installation.
MODULES = (
    "executor", "retained", "replacement", "substitution", "custom_resources", "aliases", "alias_resource", "configurations",
    "asynchronous", "log_events", "metrics", "function_metrics", "alarms", "dashboards", "http_api", "schedules", "percentages",
    "moto_services", "front",
)


def install() -> None:
    for name in MODULES:
        importlib.import_module(f"{__package__}.{name}").install()
