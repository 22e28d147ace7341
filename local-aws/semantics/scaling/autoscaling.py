"""Application Auto Scaling of provisioned concurrency, which MiniStack has nothing of: scalable targets, target-tracking policies and
scheduled actions, which act by the local clock. What each call takes and refuses:
https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
The one resource here is a function's version or alias, never $LATEST (`function:my-function:prod` or `function:my-function:1`):
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

import hashlib
import json
import time

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import lambda_svc

from .. import patch
from . import occurrences, scaling, scaling_rights, tracking
from .scaling import targets

SERVICE = "application-autoscaling"
DIMENSION = "lambda:function:ProvisionedConcurrency"


class Refused(Exception):
    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def invalid(message: str) -> Refused:
    return Refused("ValidationException", message)


def install() -> None:
    app.SERVICE_HANDLERS[SERVICE] = handle_request
    router.SERVICE_PATTERNS[SERVICE] = {"target_prefixes": ["AnyScaleFrontendService."]}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    patch.wrap(iam_actions, "extract_resource_arn", _resource)
    patch.wrap(iam_actions, "request_tag_context", _context)


# -- permissions -------------------------------------------------------------------------------------------------------


def _resource(original):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html"""

    def resource(service, method, path, headers, body, query_params, region, account_id):
        if service != SERVICE:
            return original(service, method, path, headers, body, query_params, region, account_id)
        named = json.loads(body or b"{}").get("ResourceId")
        describes = headers.get("x-amz-target", "").rpartition(".")[2].startswith("Describe")
        return target_arn(named) if named and not describes else "*"

    return resource


def _context(original):
    def context(service, iam_action, body, params):
        found = original(service, iam_action, body, params)
        if service != SERVICE:
            return found
        asked = json.loads(body or b"{}")
        keys = {"service-namespace": asked.get("ServiceNamespace"), "scalable-dimension": asked.get("ScalableDimension")}
        return {**found, **{f"{SERVICE}:{key}": value for key, value in keys.items() if value}}

    return context


def target_arn(resource_id: str) -> str:
    identity = hashlib.sha256(resource_id.encode()).hexdigest()[:36]
    return f"arn:aws:{SERVICE}:{get_region()}:{get_account_id()}:scalable-target/{identity}"


# -- calls -------------------------------------------------------------------------------------------------------------


async def handle_request(method, path, headers, body, query_params):
    headers_out = {"Content-Type": "application/x-amz-json-1.1"}
    operation = headers.get("x-amz-target", "").removeprefix("AnyScaleFrontendService.")
    call = _CALLS.get(operation)
    try:
        if call is None:
            raise Refused("UnknownOperationException", f"Local AWS has no {operation} of Application Auto Scaling.")
        asked = json.loads(body or b"{}")
        if asked.get("ServiceNamespace") != "lambda" or asked.get("ScalableDimension", DIMENSION) != DIMENSION:
            raise invalid("Unsupported service namespace, resource type or scalable dimension")
        with scaling.lock:
            return 200, headers_out, json.dumps(call(asked, scaling_rights.caller(headers, query_params))).encode()
    except Refused as refused:
        return 400, headers_out, json.dumps({"__type": refused.code, "Message": str(refused)}).encode()


def _named(asked: dict) -> str:
    """The resource id; its function and its qualifier must be there."""
    if not asked.get("ScalableDimension"):
        raise invalid("1 validation error detected: Value null at 'scalableDimension' failed to satisfy constraint: Member must not be null")
    kind, *parts = str(asked.get("ResourceId", "")).split(":")
    if kind != "function" or len(parts) != 2 or not all(parts) or parts[1] == "$LATEST":
        raise invalid("Unsupported service namespace, resource type or scalable dimension")
    return asked["ResourceId"]


def _registered(asked: dict, verb: str = "registered") -> dict:
    resource_id = _named(asked)
    if resource_id not in targets:
        raise Refused("ObjectNotFoundException", f"No scalable target {verb} for {_place(resource_id)}")
    return targets[resource_id]


def _place(resource_id: str) -> str:
    return f"service namespace: lambda, resource ID: {resource_id}, scalable dimension: {DIMENSION}"


def _limits(asked: dict, least: int | None, most: int | None) -> tuple[int | None, int | None]:
    least, most = asked.get("MinCapacity", least), asked.get("MaxCapacity", most)
    if any(value is not None and value < 0 for value in (least, most)):
        raise invalid("Minimum and maximum capacity cannot be negative")
    if least is not None and most is not None and most < least:
        raise invalid("Maximum capacity cannot be less than minimum capacity")
    return least, most


def _register(asked: dict, caller: scaling_rights.Caller) -> dict:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html"""
    resource_id = _named(asked)
    target = targets.get(resource_id)
    least, most = _limits(asked, *((target["MinCapacity"], target["MaxCapacity"]) if target else (None, None)))
    if least is None or most is None:
        raise invalid("Minimum and maximum capacity are required to register a new scalable target")
    name, qualifier = resource_id.split(":")[1:]
    if not lambda_svc._function_qualifier_exists(lambda_svc._functions.get(name), qualifier):
        raise invalid(f"Function not found: {lambda_svc._func_arn(name)}:{qualifier}")
    _permitted(caller, scaling_rights.of_target(name, qualifier))
    _permitted(caller, scaling_rights.of_linked_role())
    role = scaling_rights.linked_role()
    if target is None:
        target = targets[resource_id] = {
            "ServiceNamespace": "lambda", "ResourceId": resource_id, "ScalableDimension": DIMENSION, "CreationTime": time.time(),
            "RoleARN": role, "ScalableTargetARN": target_arn(resource_id), "SuspendedState": {}, "policies": {}, "actions": {}, "scaled_at": 0,
        }
        scaling.look_from_now_on()
    target.update(MinCapacity=least, MaxCapacity=most)
    target["SuspendedState"] = {
        key: asked.get("SuspendedState", target["SuspendedState"]).get(key, False)
        for key in ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    }
    # "If the specified resource is not active in the target service, this operation does not change the resource's capacity."
    if current := scaling.capacity(target):
        scaling.scale(target, current)
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def _permitted(caller: scaling_rights.Caller, rights: list[tuple[str, str]]) -> None:
    """https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html"""
    if missing := [action for action, resource in rights if not caller.may(action, resource)]:
        raise invalid(f"User is missing the following permissions: {', '.join(missing)}")


def _deregister(asked: dict, _caller) -> dict:
    target = _registered(asked, "found")
    for policy in target["policies"].values():
        tracking.delete_alarms(policy)
    del targets[target["ResourceId"]]
    return {}


def _put_policy(asked: dict, caller: scaling_rights.Caller) -> dict:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html"""
    target, name = _registered(asked), asked.get("PolicyName")
    old = target["policies"].get(name, {})
    config = asked.get("TargetTrackingScalingPolicyConfiguration") or old.get("TargetTrackingScalingPolicyConfiguration")
    if not name or asked.get("PolicyType", old.get("PolicyType")) != "TargetTrackingScaling" or not config:
        raise invalid("A policy for lambda is of type TargetTrackingScaling, with a name and a configuration")
    metric = (config.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
    if metric != "LambdaProvisionedConcurrencyUtilization":
        raise invalid(f"Unsupported metric type {metric}: local AWS tracks LambdaProvisionedConcurrencyUtilization")
    if not config.get("TargetValue", 0) > 0:
        raise invalid("TargetValue must be greater than 0")
    _permitted(caller, scaling_rights.of_alarms(target["ResourceId"]))
    policy = {
        "PolicyARN": _part_arn("scalingPolicy", target, "policyName", name), "CreationTime": time.time(), **old, "PolicyName": name,
        **{key: target[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")},
        "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": config,
    }
    policy["Alarms"] = tracking.put_alarms(policy)
    target["policies"][name] = policy
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def _part_arn(kind: str, target: dict, label: str, name: str) -> str:
    return f"arn:aws:autoscaling:{get_region()}:{get_account_id()}:{kind}:{new_uuid()}:resource/lambda/{target['ResourceId']}:{label}/{name}"


def _part(asked: dict, kind: str, key: str, words: str) -> tuple[dict, str]:
    resource_id, name = _named(asked), asked.get(key)
    target = targets.get(resource_id)
    if target is None or name not in target[kind]:
        raise Refused("ObjectNotFoundException", f"No {words} found for {_place(resource_id)}, {words} name: {name}")
    return target, name


def _delete_policy(asked: dict, caller: scaling_rights.Caller) -> dict:
    target, name = _part(asked, "policies", "PolicyName", "scaling policy")
    _permitted(caller, scaling_rights.of_alarms(target["ResourceId"]))
    tracking.delete_alarms(target["policies"].pop(name))
    return {}


def _put_action(asked: dict, _caller) -> dict:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html"""
    target, name = _registered(asked), asked.get("ScheduledActionName")
    old = target["actions"].get(name, {})
    schedule, timezone = asked.get("Schedule", old.get("Schedule")), asked.get("Timezone", old.get("Timezone"))
    change = asked.get("ScalableTargetAction", old.get("ScalableTargetAction"))
    if not name or not schedule or not change or set(change) - {"MinCapacity", "MaxCapacity"}:
        raise invalid("A scheduled action has a name, a schedule and a minimum or maximum capacity")
    _limits(change, None, None)
    try:
        occurrences.due(schedule, occurrences.zone(timezone or "UTC"), 0, 0, 0)
    except ValueError as error:
        raise invalid(str(error)) from error
    now = time.time()
    target["actions"][name] = {
        "ScheduledActionARN": _part_arn("scheduledAction", target, "scheduledActionName", name), "CreationTime": now,
        **{key: value for key, value in old.items() if key not in ("StartTime", "EndTime")},
        "ScheduledActionName": name, "Schedule": schedule, "ScalableTargetAction": change, "seen": now,
        **{key: target[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")},
        **({"Timezone": timezone} if timezone else {}),
        # "If you don't specify start and end times, the old values are deleted."
        **{key: asked[key] for key in ("StartTime", "EndTime") if key in asked},
    }
    return {}


def _delete_action(asked: dict, _caller) -> dict:
    target, name = _part(asked, "actions", "ScheduledActionName", "scheduled action")
    del target["actions"][name]
    return {}


def _described(found: list[dict], asked: dict, key: str) -> dict:
    """One page: from NextToken (the number of what was shown), at most MaxResults."""
    start, size = int(asked.get("NextToken", 0)), asked.get("MaxResults", 50)
    page = [{name: value for name, value in one.items() if name[0].isupper()} for one in found[start:start + size]]
    return {key: page, **({"NextToken": str(start + size)} if len(found) > start + size else {})}


def _describe_targets(asked: dict, _caller) -> dict:
    ids = asked.get("ResourceIds")
    return _described([one for name, one in targets.items() if not ids or name in ids], asked, "ScalableTargets")


def _describe_parts(kind: str, names: str, name: str, key: str):
    def describe(asked: dict, _caller) -> dict:
        owners = [one for one in targets.values() if asked.get("ResourceId") in (None, one["ResourceId"])]
        parts = [part for owner in owners for part in owner[kind].values()]
        return _described([part for part in parts if not asked.get(names) or part[name] in asked[names]], asked, key)

    return describe


_CALLS = {
    "RegisterScalableTarget": _register,
    "DeregisterScalableTarget": _deregister,
    "DescribeScalableTargets": _describe_targets,
    "PutScalingPolicy": _put_policy,
    "DeleteScalingPolicy": _delete_policy,
    "DescribeScalingPolicies": _describe_parts("policies", "PolicyNames", "PolicyName", "ScalingPolicies"),
    "PutScheduledAction": _put_action,
    "DeleteScheduledAction": _delete_action,
    "DescribeScheduledActions": _describe_parts("actions", "ScheduledActionNames", "ScheduledActionName", "ScheduledActions"),
}
