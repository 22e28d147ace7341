"""Invocations that are turned away: all versions and aliases of a function share its reserved concurrency, and each invocation
above it counts once, by function and by the alias or version that was asked. A template's reservation is one, too. What is reserved
is no longer the account's to share: the other functions have the rest.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
"""

from ministack.services import cloudwatch, lambda_svc
from ministack.services.cloudformation import provisioners

from .. import patch

_PROPERTY = "ReservedConcurrentExecutions"


def install() -> None:
    patch.wrap(lambda_svc, "_reserved_concurrency", _of_function)
    patch.wrap(lambda_svc, "_acquire_execution_slot", _counted)
    patch.wrap(provisioners, "_lambda_create", _created)
    patch.wrap(provisioners, "_lambda_update", _updated)


def _of_function(original):
    """The record of a version is as it was published; the reservation is the function's of now."""

    def reserved(func, config):
        function = lambda_svc._functions.get(config.get("FunctionName", "")) or func
        return original(function, config)

    return reserved


def _counted(original):
    def acquire(func, config):
        slot, limit = (None, "account") if _rest_is_used(func, config) else original(func, config)
        if slot is None:
            name = config.get("FunctionName", "")
            resource = ":".join([name, *config.get("FunctionArn", "").split(":")[7:]])
            for dimensions in ({}, {"FunctionName": name}, {"FunctionName": name, "Resource": resource}):
                cloudwatch.record_metric("AWS/Lambda", "Throttles", 1, "Count", dimensions)
        return slot, limit

    return acquire


def _rest_is_used(func, config) -> bool:
    """Whether a function without a reservation finds the concurrency that is left to such functions in use."""
    limit = lambda_svc._ACCOUNT_CONCURRENCY_CAP
    if limit <= 0 or lambda_svc._reserved_concurrency(func, config) is not None:
        return False
    reserving = {lambda_svc._inflight_key(one["config"]): one["concurrency"] for one in lambda_svc._functions.values() if one.get("concurrency") is not None}
    with lambda_svc._inflight_lock:
        used = sum(count for key, count in lambda_svc._inflight.items() if key not in reserving)
    return used >= limit - sum(reserving.values())


def _created(original):
    def create(logical_id, props, *rest):
        made = original(logical_id, props, *rest)
        _reserve(made[0], props)
        return made

    return create


def _updated(original):
    """What the template does not change of it, somebody else may have."""

    def update(physical_id, old_props, new_props, *rest, **named):
        made = original(physical_id, old_props, new_props, *rest, **named)
        if old_props.get(_PROPERTY) != new_props.get(_PROPERTY):
            _reserve(made[0], new_props)
        return made

    return update


def _reserve(name: str, props: dict) -> None:
    wish = props.get(_PROPERTY)
    lambda_svc._functions[name]["concurrency"] = None if wish is None else int(wish)
