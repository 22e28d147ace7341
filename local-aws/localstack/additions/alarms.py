"""Alarms as CloudWatch evaluates them: period by period, metric math and percentiles included, windows by the clock; every change of state
is an event, too. LocalStack evaluates plain metrics only, drops the window, does not update an alarm of a template, and sends no events.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

import json
import logging
import threading
import time

from localstack.aws.connect import connect_to
from localstack.services.cloudformation.resource_provider import ResourceProvider
from localstack.services.cloudwatch.alarm_scheduler import AlarmScheduler
from localstack.services.cloudwatch.models import LocalStackMetricAlarm, cloudwatch_stores
from localstack.services.cloudwatch.provider_v2 import CloudwatchProvider, ValidationException
from semantics.metrics import alarm_queries, alarm_state

from . import metrics, patch, resource_types
from .series import key

logger = logging.getLogger("alarms")
# Seconds between two looks at all alarms: their windows are whole minutes.
_LOOK = 2.0
# EvaluationWindow of an alarm by its ARN: LocalStack's API is older than it.
_windows: dict[str, dict] = {}
_STATE = ("StateValue", "StateReason", "StateUpdatedTimestamp", "StateTransitionedTimestamp")
_OF_API = (
    "AlarmName", "ComparisonOperator", "EvaluationPeriods", "Period", "MetricName", "Namespace", "Statistic", "Threshold", "ActionsEnabled",
    "AlarmActions", "AlarmDescription", "DatapointsToAlarm", "Dimensions", "EvaluateLowSampleCountPercentile", "ExtendedStatistic",
    "InsufficientDataActions", "Metrics", "OKActions", "ThresholdMetricId", "TreatMissingData", "Unit",
)


def install() -> None:
    patch.wrap(AlarmScheduler, "schedule_metric_alarm", lambda _original: lambda self, alarm_arn: None)
    patch.wrap(CloudwatchProvider, "put_metric_alarm", _checked)
    patch.wrap(CloudwatchProvider, "_update_state", _with_event)
    resource_types.add("AWS::CloudWatch::Alarm", Alarm, identifier="AlarmName", create_only=("AlarmName",))
    threading.Thread(target=_loop, name="alarms", daemon=True).start()


class Alarm(ResourceProvider):
    def create(self, request):
        model = dict(request.desired_state)
        model.setdefault("AlarmName", f"{request.stack_name}-{request.logical_resource_id}")
        client = request.aws_client_factory.cloudwatch
        client.put_metric_alarm(**{name: model[name] for name in _OF_API if name in model})
        model["Arn"] = client.describe_alarms(AlarmNames=[model["AlarmName"]])["MetricAlarms"][0]["AlarmArn"]
        _windows.pop(model["Arn"], None)
        if model.get("EvaluationWindow"):
            _windows[model["Arn"]] = model["EvaluationWindow"]
        return resource_types.done(model)

    update = create

    def delete(self, request):
        request.aws_client_factory.cloudwatch.delete_alarms(AlarmNames=[request.desired_state["AlarmName"]])
        return resource_types.done({})


def _checked(original):
    def put(self, context, request) -> None:
        try:
            alarm_queries.check(request)
        except ValueError as error:
            raise ValidationException(str(error)) from error
        before = {alarm.alarm["AlarmName"]: alarm.alarm for alarm in list(self.get_store(context.account_id, context.region).alarms.values())}
        old = {name: before[request["AlarmName"]][name] for name in _STATE} if request["AlarmName"] in before else {}
        original(self, context, request)
        # An alarm that is changed stays in its state: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        for alarm in self.get_store(context.account_id, context.region).alarms.values():
            if alarm.alarm["AlarmName"] == request["AlarmName"]:
                alarm.alarm.update(old)

    return put


def _loop() -> None:
    while True:
        time.sleep(_LOOK)
        for account, regions in list(cloudwatch_stores.items()):
            for region, store in list(regions.items()):
                for alarm in list(store.alarms.values()):
                    if isinstance(alarm, LocalStackMetricAlarm):
                        try:
                            _evaluate(account, region, alarm.alarm)
                        except Exception:
                            logger.exception("alarm %s", alarm.alarm.get("AlarmName"))


def _evaluate(account: str, region: str, alarm: dict) -> None:
    seen = alarm_state.window({**alarm, "EvaluationWindow": _windows.get(alarm["AlarmArn"])}, time.time())
    queries = alarm.get("Metrics") or []
    if queries:
        values = metrics.query(account, region, queries, seen.start, seen.end, seen.start)[alarm_queries.watched(queries)]
    else:
        where = key(account, region, alarm.get("Namespace"), alarm.get("MetricName"), alarm.get("Dimensions"))
        stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        values = metrics.kept.by_period(where, seen.period, stat, seen.start, seen.end, seen.start)
    state, reason = alarm_state.judged(alarm, seen, values)
    if state != alarm["StateValue"]:
        client = connect_to(aws_access_key_id=account, region_name=region).cloudwatch
        client.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason=reason)


def _with_event(original):
    def update(self, context, alarm, *rest, **named):
        before = _state(alarm.alarm)
        original(self, context, alarm, *rest, **named)
        details = alarm.alarm
        detail = {
            "alarmName": details["AlarmName"],
            "state": _state(details),
            "previousState": before,
            "configuration": {"description": details.get("AlarmDescription", "")},
        }
        entry = {
            "Source": "aws.cloudwatch",
            "DetailType": "CloudWatch Alarm State Change",
            "Resources": [details["AlarmArn"]],
            "Detail": json.dumps(detail),
        }
        client = connect_to(aws_access_key_id=context.account_id, region_name=context.region).events
        threading.Thread(target=client.put_events, kwargs={"Entries": [entry]}, daemon=True).start()

    return update


def _state(alarm: dict) -> dict:
    stamp = alarm["StateUpdatedTimestamp"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
    return {"value": alarm["StateValue"], "reason": alarm["StateReason"], "timestamp": stamp}
