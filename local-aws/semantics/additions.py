"""The list of additions, by name. ``on(name)`` says whether one is in use."""

import importlib
import os

# In the order of installation: what is installed later wraps what was before.
MODULES = (
    "functions.runtime", "functions.utilisation", "functions.weights", "functions.memory",
    "functions.payload", "functions.exact", "functions.client_context", "functions.publish",
    "access.signatures", "access.actions", "access.permissions", "access.trust", "access.secrets", "http.http_api",
    "http.route_throttling", "events.schedules", "custom_resources", "http.load_balancer", "metrics.metrics", "functions.throttling",
    "metrics.alarms", "metrics.metric_data", "scaling.autoscaling", "clock", "functions.provisioned",
    "functions.initialization", "functions.aliases", "transport", "internal_errors", "http.endpoints",
    "functions.states", "images.image_functions", "images.registry", "images.distribution",
    "functions.function_urls", "functions.layer_list", "change_sets", "stack_states", "properties", "deletions",
    "access.deployer", "functions.asynchronous", "metrics.log_filter", "objects.objects", "objects.object_keys",
    "objects.object_events", "events.queues", "events.redrive", "events.builds", "functions.event_sources",
    "machines.state_machines", "machines.distributed_map", "machines.machine_deletion",
)
# By its module’s own name, which is one of a kind.
_MODULE = {path.rpartition(".")[2]: path for path in MODULES}
_left_out: set[str] = set()


def install() -> None:
    """Installs every addition but those that MODELS_AWS_WITHOUT names (comma separated; for the tests of the additions)."""
    _left_out.update(filter(None, os.environ.get("MODELS_AWS_WITHOUT", "").split(",")))
    if unknown := _left_out - set(_MODULE):
        raise SystemExit(f"MODELS_AWS_WITHOUT names no addition: {', '.join(sorted(unknown))}. There are: {', '.join(_MODULE)}.")
    for name, path in _MODULE.items():
        if on(name):
            importlib.import_module(f"{__package__}.{path}").install()


def on(name: str) -> bool:
    return name not in _left_out
