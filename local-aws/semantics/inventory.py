"""Everything that is there, over all services that keep something of a stack: for "nothing is left after remove"."""

import sys

from .scaling import scaling, scaling_rights

_WHERE = {
    "stack": ("cloudformation", "_stacks"),
    "function": ("lambda_svc", "_functions"),
    "layer": ("lambda_svc", "_layers"),
    "event source mapping": ("lambda_svc", "_esms"),
    "function URL": ("lambda_svc", "_function_urls"),
    "bucket": ("s3", "_buckets"),
    "log group": ("cloudwatch_logs", "_log_groups"),
    "role": ("iam", "_roles"),
    "policy": ("iam", "_policies"),
    "schedule": ("scheduler", "_schedules"),
    "schedule group": ("scheduler", "_schedule_groups"),
    "HTTP API": ("apigateway", "_apis"),
    "REST API": ("apigateway_v1", "_rest_apis"),
    "alarm": ("cloudwatch", "_alarms"),
    "scalable target": (scaling, "targets"),
    "composite alarm": ("cloudwatch", "_composite_alarms"),
    "dashboard": ("cloudwatch", "_dashboards"),
    "topic": ("sns", "_topics"),
    "queue": ("sqs", "_queues"),
    "rule": ("eventbridge", "_rules"),
    "state machine": ("stepfunctions", "_state_machines"),
    "repository": ("ecr", "_repositories"),
    "parameter": ("ssm", "_parameters"),
    "secret": ("secretsmanager", "_secrets"),
    "build project": ("codebuild", "_projects"),
    "load balancer": ("alb", "_lbs"),
}
# What every account has from the start, or keeps from the first use on.
_ALWAYS = {"schedule group default", f"role {scaling_rights.LINKED_ROLE}"}


def everything() -> list[str]:
    """``kind name`` of each thing, of every account and region; stacks that are deleted and layers without versions aside."""
    found = []
    for kind, (module, store) in _WHERE.items():
        if isinstance(module, str):
            module = sys.modules.get(f"ministack.services.{module}")
        if module is None:
            continue  # never used
        items = getattr(module, store).to_dict()
        for key, value in items.items():
            if kind == "stack" and value.get("StackStatus") == "DELETE_COMPLETE":
                continue
            if kind == "layer" and not any(not version.get("_deleted") for version in value.get("versions", [])):
                continue
            name = f"{kind} {'/'.join(map(str, key[2:] if len(key) > 2 else key[1:]))}"
            if name not in _ALWAYS:
                found.append(name)
    return sorted(found)
