"""Alarms as CloudWatch evaluates them: on the metric with exactly their dimensions, period by period, M of N, missing data treated
as asked, metric math included, by the clock and not only when data comes, over a window that slides minute by minute, or one that
is cut by the clock; every change of state is an event, too.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
Each is evaluated once a minute, so one that a stack has just made is not looked at in the same second:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

import json
import logging
import threading
import time

from ministack.core.responses import _request_account_id, _request_region, get_account_id, get_region, new_uuid
from ministack.services import cloudwatch, eventbridge
from ministack.services.cloudformation import provisioners

from .. import patch
from . import alarm_queries, alarm_state, points

logger = logging.getLogger("alarms")
# Seconds between two looks at all alarms.
_LOOK = 1.0
# Seconds after which an alarm of a stack is first evaluated: on AWS a minute at most. A function's log line that counts comes later
# than its answer, on both.
_FIRST = 15.0
_made: dict[tuple, float] = {}
# What each alarm was last evaluated on, with what it names by identity.
_seen: dict[tuple, tuple] = {}


def install() -> None:
    points.install()
    patch.wrap(cloudwatch, "_evaluate_alarm", lambda _original: evaluate)
    patch.wrap(cloudwatch, "_put_metric_alarm", _with_metrics)
    patch.wrap(cloudwatch, "_record_history", _with_event)
    patch.wrap(provisioners, "_cw_metric_alarm_record", _from_template)
    threading.Thread(target=_loop, name="alarms", daemon=True).start()


def _loop() -> None:
    while True:
        time.sleep(_LOOK)
        for (account, region, _name), alarm in list(cloudwatch._alarms.to_dict().items()):
            tokens = _request_account_id.set(account), _request_region.set(region)
            try:
                evaluate(alarm)
            except Exception:
                logger.exception("alarm %s", alarm.get("AlarmName"))
            finally:
                _request_account_id.reset(tokens[0])
                _request_region.reset(tokens[1])


def series(metric: dict, period: int, stat: str, start: float, end: float, origin: float = 0) -> dict[int, float]:
    """Values of one metric (exactly these dimensions) by the start of their period, in [start, end). Periods are counted from `origin`."""
    buckets: dict[int, list] = {}
    for point in points.within(points.of(metric), start, end):
        buckets.setdefault(int((point["Timestamp"] - origin) // period * period + origin), []).append(point)
    values = {at: cloudwatch._stat_value(cloudwatch._calc_stats(found), stat, found) for at, found in buckets.items()}
    return {at: value for at, value in values.items() if value is not None}


def query(queries: list[dict], start: float, end: float, origin: float = 0) -> dict[str, dict[int, float]]:
    """Every query of a MetricDataQueries list by its id; raises ValueError for what AWS refuses."""
    stats = {one["Id"]: one["MetricStat"] for one in queries if "Id" in one and "MetricStat" in one}
    metrics = {
        name: series(stat["Metric"], int(stat.get("Period", 60)), stat.get("Stat", "Average"), start, end, origin)
        for name, stat in stats.items()
    }
    return alarm_queries.evaluated(queries, metrics, start, end, origin)


def evaluate(alarm: dict) -> None:
    if time.time() - _made.get(_key(alarm["AlarmName"]), 0) < _FIRST:
        return
    window = alarm_state.window(alarm, time.time())
    queries = alarm.get("Metrics") or []
    if not _is_new(alarm, queries, window.start, window.end):
        return
    if queries:
        values = query(queries, window.start, window.end, window.start)[alarm_queries.watched(queries)]
    else:
        stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        values = series(alarm, window.period, stat, window.start, window.end, window.start)
    old = alarm["StateValue"]
    state, reason = alarm_state.judged(alarm, window, values)
    if state == old:
        return
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _key(name: str) -> tuple:
    return get_account_id(), get_region(), name


def _is_new(alarm: dict, queries: list[dict], start: float, end: float) -> bool:
    """Whether anything that the state follows from has changed since it was last looked at: most looks come between two minutes."""
    metrics = [one["MetricStat"]["Metric"] for one in queries if "MetricStat" in one] if queries else [alarm]
    found = [points.of(metric) for metric in metrics]
    facts = (id(alarm), id(alarm.get("Metrics")), alarm.get("EvaluationWindow"), alarm["StateValue"], start, end)
    key = _key(alarm["AlarmName"])
    before, _seen[key] = _seen.get(key), (facts, [(one, len(one)) for one in found], alarm, alarm.get("Metrics"))
    if before is None or before[0] != facts:
        return True
    return any(points.came(now, old, read, start, end) for now, (old, read) in zip(found, before[1], strict=True))


def _with_metrics(original):
    """PutMetricAlarm keeps `Metrics`, which MiniStack drops, and since when an alarm is in its state; what AWS refuses is refused."""

    def put(params, cbor_data, is_cbor, is_json=False):
        try:
            alarm_queries.check(cbor_data or {})
        except ValueError as error:
            return cloudwatch._error("ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor)
        before = cloudwatch._alarms.get((cbor_data or {}).get("AlarmName", ""))
        answer = original(params, cbor_data, is_cbor, is_json)
        alarm = cloudwatch._alarms.get((cbor_data or {}).get("AlarmName", ""))
        if alarm and before:
            alarm.setdefault("StateTransitionedTimestamp", before["StateTransitionedTimestamp"])
        if alarm and (cbor_data or {}).get("EvaluationWindow"):
            alarm["EvaluationWindow"] = cbor_data["EvaluationWindow"]
        if alarm and (cbor_data or {}).get("Metrics"):
            alarm["Metrics"] = cbor_data["Metrics"]
            alarm.pop("Period", None)
        return answer

    return put


def _from_template(original):
    """AWS::CloudWatch::Alarm with `Metrics`, which MiniStack refuses; an update keeps since when the alarm is in its state."""

    def record(name, props):
        alarm_queries.check(props)
        before = cloudwatch._alarms.get(name)
        if not before:
            _made[_key(name)] = time.time()
        since = {"StateTransitionedTimestamp": before["StateTransitionedTimestamp"]} if before else {}
        if props.get("EvaluationWindow"):
            since["EvaluationWindow"] = props["EvaluationWindow"]
        if not props.get("Metrics"):
            return {**original(name, props), **since}
        plain = {key: value for key, value in props.items() if key != "Metrics"}
        alarm = original(name, {**plain, "MetricName": "math", "Namespace": "math"})
        for key in ("MetricName", "Namespace", "Period", "Statistic"):
            alarm.pop(key, None)
        return {**alarm, "Metrics": props["Metrics"], **since}

    return record


def _with_event(original):
    def record(alarm_name, old_state, new_state, reason, *rest, **named):
        original(alarm_name, old_state, new_state, reason, *rest, **named)
        alarm = cloudwatch._alarms.get(alarm_name) or cloudwatch._composite_alarms.get(alarm_name) or {}
        # StateUpdatedTimestamp moves with every update of the state; this one when it becomes another:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
        if old_state != new_state or "StateTransitionedTimestamp" not in alarm:
            alarm["StateTransitionedTimestamp"] = time.time()
        if old_state == new_state:
            return
        detail = {
            "alarmName": alarm_name,
            "state": {"value": new_state, "reason": reason, "timestamp": cloudwatch._ts_iso(time.time())},
            "previousState": {"value": old_state},
            "configuration": {"description": alarm.get("AlarmDescription", "")},
        }
        eventbridge._dispatch_event({
            "EventId": new_uuid(),
            "Source": "aws.cloudwatch",
            "DetailType": "CloudWatch Alarm State Change",
            "Detail": json.dumps(detail),
            "Time": time.time(),
            "Resources": [alarm.get("AlarmArn", "")],
            "Account": get_account_id(),
            "Region": get_region(),
            "EventBusName": "default",
        })

    return record
