"""Queries of GetMetricData and PutMetricAlarm: what refers to what, and which of them CloudWatch refuses.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html
"""

import re

from . import expressions

# An alarm may have 20 queries: 10 metrics and 10 expressions.
_METRICS, _EXPRESSIONS = 10, 10
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_WallClockWindow.html
_BY_THE_CLOCK = (60, 300, 3600, 86_400, 604_800)
_HOUR, _DAY = 3600, 86_400


def period_of(queries: list[dict]) -> int:
    """Seconds; an expression takes the period of what it is made of."""
    named = [(one.get("MetricStat") or one).get("Period") for one in queries]
    return max([int(period) for period in named if period], default=60)


def evaluated(queries: list[dict], metrics: dict[str, dict], start: float, end: float, origin: float = 0) -> dict[str, dict[int, float]]:
    """Every query by its id, the expressions over the series of the metrics. Raises ValueError for what AWS refuses."""
    named = [one.get("Id") or "" for one in queries]
    for name in named:
        if not re.fullmatch(r"[a-z][A-Za-z0-9_]{0,254}", name):
            raise ValueError(f"the Id {name!r} is no lowercase letter and letters, digits and _ after it")
        if named.count(name) > 1:
            raise ValueError(f"the Id {name} is there twice")
    if any(("MetricStat" in one) == ("Expression" in one) for one in queries):
        raise ValueError("a query has either a MetricStat or an Expression")
    found, waiting = dict(metrics), [one for one in queries if "Expression" in one]
    while waiting:
        left = {other["Id"] for other in waiting}
        ready = [one for one in waiting if not expressions.names(one["Expression"]) & left]
        if not ready:
            raise ValueError("expressions refer to each other")
        for one in ready:
            found[one["Id"]] = expressions.value(one["Expression"], found, period_of(queries), start, end, origin)
        waiting = [one for one in waiting if one not in ready]
    return found


def watched(queries: list[dict]) -> str:
    """The id of what an alarm watches."""
    return next(one["Id"] for one in queries if one.get("ReturnData", True) is not False)


def check(alarm: dict) -> None:
    """Raises ValueError for an alarm that PutMetricAlarm refuses, by its `Metrics` and its windows."""
    queries = alarm.get("Metrics") or []
    periods = {int(one["MetricStat"]["Period"]) for one in queries if "MetricStat" in one}
    if queries:
        stats = sum(1 for one in queries if "MetricStat" in one)
        if stats > _METRICS or len(queries) - stats > _EXPRESSIONS:
            raise ValueError(f"an alarm has at most {_METRICS} metrics and {_EXPRESSIONS} expressions")
        if sum(1 for one in queries if one.get("ReturnData", True) is not False) != 1:
            raise ValueError("ReturnData is true of exactly one query of an alarm")
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarms-on-metric-math-expressions
        if len(periods) > 1:
            raise ValueError("all metrics of an alarm have the same Period")
        evaluated(queries, {one["Id"]: {0: 1.0} for one in queries if "MetricStat" in one}, 0, 1)
    period = periods.pop() if periods else int(alarm.get("Period") or 60)
    if period * int(alarm.get("EvaluationPeriods") or 1) > (7 * _DAY if period >= _HOUR else _DAY):
        raise ValueError("an alarm looks back at most a day, or a week where its Period is an hour or longer")
    if (alarm.get("EvaluationWindow") or {}).get("WallClockWindow") is not None and period not in _BY_THE_CLOCK:
        raise ValueError(f"a window by the clock has one of these periods: {', '.join(map(str, _BY_THE_CLOCK))}")
