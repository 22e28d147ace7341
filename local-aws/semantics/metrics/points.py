"""The points of a metric by their minute: who looks at some minutes again and again, as alarms do, does not pass through all that was
ever measured. MiniStack throws old points away with every request, of all metrics; here it does so once an hour of its clock.
"""

import threading

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch

from .. import patch

_MINUTE = 60
_EVICT_SECONDS = 3600
_lock = threading.Lock()
# By the identity of a metric's list of points, which they hold on to.
_indices: dict[int, "_Index"] = {}
_evicted: dict[tuple[str, str], float] = {}


def install() -> None:
    patch.wrap(cloudwatch, "_evict_old_metrics", _hourly)


def of(metric: dict) -> list[dict]:
    """All points of the metric with exactly these dimensions."""
    dimensions = cloudwatch._dims_from_list(metric.get("Dimensions") or [])
    return cloudwatch._metrics.get((metric.get("Namespace"), metric.get("MetricName"), cloudwatch._dims_key(dimensions))) or []


def within(points: list[dict], start: float, end: float) -> list[dict]:
    """Those in [start, end)."""
    with _lock:
        return [point for minute in _minutes(points, start, end) for point in minute if start <= point["Timestamp"] < end]


def came(points: list[dict], before: list[dict], read: int, start: float, end: float) -> bool:
    """Whether [start, end) has other points than when those of the metric were ``before``, the first ``read`` of them."""
    if points is not before:
        return bool(points) or bool(before)
    return len(points) < read or any(start <= point["Timestamp"] < end for point in points[read:])


class _Index:
    def __init__(self, points: list[dict]):
        self.points, self.read, self.minutes = points, 0, {}

    def fresh(self) -> bool:
        return len(self.points) >= self.read

    def update(self) -> None:
        for point in self.points[self.read:]:
            self.minutes.setdefault(int(point["Timestamp"] // _MINUTE), []).append(point)
            self.read += 1


def _minutes(points: list[dict], start: float, end: float) -> list[list[dict]]:
    index = _indices.get(id(points))
    if index is None or index.points is not points or not index.fresh():
        index = _indices[id(points)] = _Index(points)
    index.update()
    first, last = int(start // _MINUTE), int(-(-end // _MINUTE)) - 1
    if last - first > len(index.minutes):
        return [index.minutes[minute] for minute in sorted(index.minutes) if first <= minute <= last]
    return [index.minutes[minute] for minute in range(first, last + 1) if minute in index.minutes]


def _hourly(original):
    def evict() -> None:
        now, where = cloudwatch.time.time(), (get_account_id(), get_region())
        if now - _evicted.get(where, 0) < _EVICT_SECONDS:
            return
        _evicted[where] = now
        with _lock:
            _indices.clear()
            original()

    return evict
