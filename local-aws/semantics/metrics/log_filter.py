"""FilterLogEvents gives pages, and reads patterns as AWS does. MiniStack cuts after the limit, lets any JSON pattern match any line, and
terms whatever their case, but none that is optional.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

import heapq

from ministack.services import cloudwatch_logs

from .. import patch
from . import filter_pattern

# One page has at most so many events, and bytes of their messages. AWS also ends a page, empty perhaps, after some time of searching.
_EVENTS, _BYTES, _SEARCHED = 10_000, 1024 * 1024, 20_000


def install() -> None:
    patch.wrap(cloudwatch_logs, "_filter_log_events", _filtered)


def _filtered(original):
    def filtered(data):
        group = cloudwatch_logs._resolve_log_group_name(data)
        if group not in cloudwatch_logs._log_groups:
            return original(data)
        token, pattern = data.get("nextToken") or "0", data.get("filterPattern") or ""
        matches = _matcher(pattern)
        if matches is None:
            return _invalid(f"The local AWS does not read this filter pattern: {pattern}")
        if not token.isdigit():
            return _invalid("The specified nextToken is invalid.")
        return cloudwatch_logs.json_response(_page(data, cloudwatch_logs._log_groups[group]["streams"], int(token), matches))

    return filtered


def _page(data: dict, streams: dict, first: int, matches) -> dict:
    """The events from the *first* on, of all streams in the order of their time."""
    low, high = data.get("startTime") or 0, data.get("endTime")
    names = [name for name in data.get("logStreamNames") or list(streams) if name in streams]
    names = [name for name in names if name.startswith(data.get("logStreamNamePrefix") or "")]
    with cloudwatch_logs._log_events_lock:
        ranges = [
            [({**event, "logStreamName": name}) for event in streams[name]["events"]
             if low <= event["timestamp"] and (high is None or event["timestamp"] <= high)]
            for name in names
        ]
    merged = list(heapq.merge(*ranges, key=lambda event: (event["timestamp"], event.get("ingestionTime", 0))))
    room, left = min(data.get("limit") or _EVENTS, _EVENTS), _BYTES
    found, at = [], first
    while at < len(merged) and at < first + _SEARCHED and len(found) < room:
        event = merged[at]
        if matches(event.get("message", "")):
            left -= len(event.get("message", "").encode())
            if left < 0 and found:
                break
            found.append(event)
        at += 1
    return {"events": found, "searchedLogStreams": [], **({"nextToken": str(at)} if at < len(merged) else {})}


def _matcher(pattern: str):
    """A function from a message to whether it matches; None where the pattern is of a kind that nobody needed yet."""
    return filter_pattern.of_member(pattern) if pattern.strip().startswith("{") else filter_pattern.of_terms(pattern)


def _invalid(message: str):
    return cloudwatch_logs.error_response_json("InvalidParameterException", message, 400)
