"""Points of metrics, by exactly their dimensions, and statistics of them; knows no emulator.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension
"""

import re
import threading
from typing import NamedTuple

_MINUTE = 60
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


class Key(NamedTuple):
    account: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


class Point(NamedTuple):
    at: float
    count: float
    total: float
    least: float
    most: float


def key(account: str, region: str, namespace: str, name: str, dimensions) -> Key:
    """``dimensions`` is a map, or the API's list of Name and Value."""
    pairs = dimensions.items() if isinstance(dimensions, dict) else ((one["Name"], one["Value"]) for one in dimensions or [])
    return Key(account, region, namespace, name, tuple(sorted(pairs)))


class Series:
    """Points by minute, so that who looks at some minutes again and again does not pass through all."""

    def __init__(self):
        self._minutes: dict[Key, dict[int, list[Point]]] = {}
        self._units: dict[Key, str] = {}
        self._lock = threading.Lock()

    def add(self, where: Key, at: float, values: list[float], counts: list[float] | None = None, unit: str | None = None) -> None:
        for value, count in zip(values, counts or [1.0] * len(values), strict=True):
            self._put(where, Point(at, count, value * count, value, value))
        self._units.setdefault(where, unit or "None")

    def add_set(self, where: Key, at: float, found: dict, unit: str | None = None) -> None:
        """A statistic set."""
        self._put(where, Point(at, *(float(found[name]) for name in ("SampleCount", "Sum", "Minimum", "Maximum"))))
        self._units.setdefault(where, unit or "None")

    def _put(self, where: Key, point: Point) -> None:
        with self._lock:
            self._minutes.setdefault(where, {}).setdefault(int(point.at // _MINUTE), []).append(point)

    def unit(self, where: Key) -> str:
        return self._units.get(where, "None")

    def keys(self) -> list[Key]:
        with self._lock:
            return list(self._minutes)

    def within(self, where: Key, start: float, end: float) -> list[Point]:
        """Those in [start, end)."""
        with self._lock:
            minutes = self._minutes.get(where, {})
            first, last = int(start // _MINUTE), int(-(-end // _MINUTE))
            chosen = sorted(minutes) if last - first > len(minutes) else range(first, last)
            return [point for minute in chosen for point in minutes.get(minute, ()) if start <= point.at < end]

    def by_period(self, where: Key, period: int, stat: str, start: float, end: float, origin: float = 0) -> dict[int, float]:
        """The statistic by the start of each period that has points; periods are counted from ``origin``."""
        buckets: dict[int, list[Point]] = {}
        for point in self.within(where, start, end):
            buckets.setdefault(int((point.at - origin) // period * period + origin), []).append(point)
        return {at: statistic(points, stat) for at, points in sorted(buckets.items())}


def statistic(points: list[Point], stat: str) -> float:
    """Raises ValueError for a statistic that nobody needed yet."""
    count, total = sum(point.count for point in points), sum(point.total for point in points)
    if stat == "SampleCount":
        return count
    if stat == "Sum":
        return total
    if stat == "Average":
        return total / count
    if stat == "Minimum":
        return min(point.least for point in points)
    if stat == "Maximum":
        return max(point.most for point in points)
    found = _PERCENTILE.fullmatch(stat)
    if found is None:
        raise ValueError(f"The statistic {stat} is not supported here.")
    return _percentile(points, float(found[1]))


def _percentile(points: list[Point], share: float) -> float:
    """Between the two nearest of the values, each as often as it came."""
    values = sorted((point.total / point.count, point.count) for point in points if point.count > 0)
    rank = (sum(count for _value, count in values) - 1) * share / 100
    passed, below = 0.0, values[0][0]
    for value, count in values:
        if rank < passed:
            return below + (value - below) * (rank - passed + 1)
        passed += count
        below = value
        if rank <= passed - 1:
            return value
    return below
