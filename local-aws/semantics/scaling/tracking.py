"""Target tracking: a policy's pair of alarms, and what capacity their metric asks for.
https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

import math
import time

from ministack.core.responses import new_uuid
from ministack.services import cloudwatch

from ..metrics import alarms

_PERIOD = 60
# Out after three minutes above the target, in after fifteen below it, both on the average. AWS's pages leave the numbers open
# ("scales in more gradually"); they are those of the alarms that it makes, where the lower one is at nine tenths of the target.
# https://georgemao.medium.com/understanding-lambda-provisioned-concurrency-autoscaling-735eb14040cf
_HIGH_PERIODS, _LOW_PERIODS, _LOW_SHARE = 3, 15, 0.9


def put_alarms(policy: dict) -> list[dict]:
    """Makes the alarms of a new policy, or moves those that it has; gives them as the API shows them."""
    name, qualifier = policy["ResourceId"].split(":")[1:]
    target = policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
    shared = {
        "Namespace": "AWS/Lambda",
        "MetricName": "ProvisionedConcurrencyUtilization",
        "Dimensions": [{"Name": "FunctionName", "Value": name}, {"Name": "Resource", "Value": f"{name}:{qualifier}"}],
        "Statistic": "Average",
        "Period": _PERIOD,
        "AlarmActions": [policy["PolicyARN"]],
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
    }
    names = alarm_names(policy) or [f"TargetTracking-{policy['ResourceId']}-{side}-{new_uuid()}" for side in ("AlarmHigh", "AlarmLow")]
    high = {"Threshold": target, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": _HIGH_PERIODS}
    low = {"Threshold": target * _LOW_SHARE, "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": _LOW_PERIODS}
    for alarm, edge in zip(names, (high, low)):
        cloudwatch._put_metric_alarm({}, {"AlarmName": alarm, **shared, **edge}, False, is_json=True)
    return [{"AlarmName": alarm, "AlarmARN": cloudwatch._alarms[alarm]["AlarmArn"]} for alarm in names]


def alarm_names(policy: dict) -> list[str]:
    return [alarm["AlarmName"] for alarm in policy.get("Alarms", [])]


def delete_alarms(policy: dict) -> None:
    for name in alarm_names(policy):
        cloudwatch._alarms.pop(name, None)


def wanted(policy: dict, current: int, scaled_at: float) -> int | None:
    """The capacity that the policy asks for now, or None. *scaled_at*: when it last changed; older data says nothing of *current*."""
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    for name, cooldown in zip(alarm_names(policy), ("ScaleOutCooldown", "ScaleInCooldown")):
        alarm = cloudwatch._alarms.get(name)
        inward = cooldown == "ScaleInCooldown"
        if alarm is None or alarm["StateValue"] != "ALARM" or (inward and config.get("DisableScaleIn")):
            continue
        end = time.time() // _PERIOD * _PERIOD
        # By default 0 s: TargetTrackingScalingPolicyConfiguration of the API reference.
        if end - _PERIOD < scaled_at or time.time() < scaled_at + config.get(cooldown, 0):
            continue
        value = alarms.series(alarm, _PERIOD, "Average", end - _PERIOD, end).get(int(end - _PERIOD))
        if value is not None:
            return math.ceil(round(current * value / config["TargetValue"], 9))
    return None
