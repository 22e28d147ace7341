"""The state that an alarm takes: its window, M of N, missing data treated as asked.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
"""

from typing import NamedTuple

from . import alarm_queries

_COMPARE = {
    "GreaterThanOrEqualToThreshold": lambda value, edge: value >= edge,
    "GreaterThanThreshold": lambda value, edge: value > edge,
    "LessThanThreshold": lambda value, edge: value < edge,
    "LessThanOrEqualToThreshold": lambda value, edge: value <= edge,
}


class Window(NamedTuple):
    start: float
    end: float
    period: int
    periods: int


def window(alarm: dict, now: float) -> Window:
    """What is looked at: whole minutes only, the running one aside; or by the clock, whole periods only."""
    periods, queries = int(alarm.get("EvaluationPeriods", 1)), alarm.get("Metrics") or []
    period = alarm_queries.period_of(queries) if queries else int(alarm.get("Period") or 60)
    step = period if (alarm.get("EvaluationWindow") or {}).get("WallClockWindow") is not None else min(period, 60)
    end = now // step * step
    return Window(end - periods * period, end, period, periods)


def judged(alarm: dict, seen: Window, values: dict[int, float]) -> tuple[str, str]:
    """The state that follows from the values by the start of their period, and the reason."""
    needed = int(alarm.get("DatapointsToAlarm") or seen.periods)
    edge = float(alarm.get("Threshold", 0))
    crosses = _COMPARE.get(alarm.get("ComparisonOperator", ""), lambda _value, _edge: False)
    missing = alarm.get("TreatMissingData", "missing")
    found = [values.get(int(seen.start + index * seen.period)) for index in range(seen.periods)]
    breaching = sum(1 for value in found if (missing == "breaching" if value is None else crosses(value, edge)))
    known = sum(1 for value in found if value is not None or missing in ("breaching", "notBreaching"))
    reason = f"Threshold Crossed: {breaching} of {seen.periods} datapoints {found} {alarm.get('ComparisonOperator')} {edge}"
    if breaching >= needed:
        return "ALARM", reason
    if known > 0:
        return "OK", reason
    state = alarm["StateValue"] if missing == "ignore" else "INSUFFICIENT_DATA"
    return state, f"Insufficient Data: {seen.periods - known} datapoints were unknown." if state == "INSUFFICIENT_DATA" else reason
