"""Metrics in a log line: the embedded metric format.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json

_MOST_METRICS, _MOST_DIMENSIONS, _MOST_VALUES = 100, 30, 100
# Metrics so old, or so far ahead, are not taken.
_PAST_SECONDS, _AHEAD_SECONDS = 14 * 86_400, 2 * 3_600


def read(line: str, now: float) -> tuple[float, list[tuple]]:
    """The time of a line's metrics, and (namespace, name, dimensions, unit, values) of each; none where the line is plain text."""
    if '"_aws"' not in line:
        return now, []
    try:
        document = json.loads(line)
        stamp = document["_aws"]["Timestamp"] / 1000
        found = [datum for directive in document["_aws"]["CloudWatchMetrics"] for datum in _data(document, directive)]
    except (ValueError, KeyError, TypeError):
        return now, []
    return (stamp, found) if now - _PAST_SECONDS <= stamp <= now + _AHEAD_SECONDS else (now, [])


def _data(document: dict, directive: dict) -> list[tuple]:
    """Every metric of a directive with every dimension set. Raises ValueError, KeyError or TypeError where it breaks the format."""
    metrics, sets = directive["Metrics"], directive["Dimensions"]
    if len(metrics) > _MOST_METRICS or any(len(names) > _MOST_DIMENSIONS for names in sets):
        raise ValueError("more than the format allows")
    data = []
    for names in sets:
        dimensions = {name: document[name] for name in names}
        if not all(isinstance(value, str) and value for value in dimensions.values()):
            raise ValueError("a dimension that is no text")
        for metric in metrics:
            value = document[metric["Name"]]
            values = value if isinstance(value, list) else [value]
            if not all(type(one) in (int, float) for one in values):
                raise ValueError("a value that is no number")
            # What comes after these is lost without a word.
            kept = [float(one) for one in values[:_MOST_VALUES]]
            data.append((directive["Namespace"], metric["Name"], dimensions, metric.get("Unit", "None"), kept))
    return data
