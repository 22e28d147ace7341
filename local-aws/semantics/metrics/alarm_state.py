"""The state that an alarm takes: its window, M of N, missing data treated as asked. Where points are missing, older ones count in their
place: only what is missing in the whole evaluation range is treated as asked.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
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


# Periods before the evaluated ones that are in the evaluation range. AWS says of the range that it is longer, and by how much only in
# its examples: five for three.
_FURTHER = 2


class Window(NamedTuple):
    """The evaluation range, and how many of its periods are evaluated."""

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
    return Window(end - (periods + _FURTHER) * period, end, period, periods)


def judged(alarm: dict, seen: Window, values: dict[int, float]) -> tuple[str, str]:
    """The state that follows from the values by the start of their period, and the reason."""
    needed = int(alarm.get("DatapointsToAlarm") or seen.periods)
    edge = float(alarm.get("Threshold", 0))
    crosses = _COMPARE.get(alarm.get("ComparisonOperator", ""), lambda _value, _edge: False)
    missing = alarm.get("TreatMissingData", "missing")
    everything = [values.get(int(seen.start + index * seen.period)) for index in range(seen.periods + _FURTHER)]
    # The most recent ones that are there; all that are there, where they are too few.
    real = [(len(everything) - index, crosses(value, edge)) for index, value in enumerate(everything) if value is not None][-seen.periods:]
    lacking, crossing = seen.periods - len(real), sum(1 for _age, one in real if one)
    breaching = crossing + (lacking if missing == "breaching" else 0)
    reason = f"Threshold Crossed: {breaching} of {seen.periods} datapoints {everything} {alarm.get('ComparisonOperator')} {edge}"
    if breaching >= needed:
        return "ALARM", reason
    if lacking == 0 or missing in ("breaching", "notBreaching") or crossing < len(real):
        return "OK", reason
    if real and missing == "missing" and real[0][0] >= needed:
        return "ALARM", reason
    state = alarm["StateValue"] if missing == "ignore" or real else "INSUFFICIENT_DATA"
    return state, f"Insufficient Data: {lacking} datapoints were unknown." if state == "INSUFFICIENT_DATA" else reason
