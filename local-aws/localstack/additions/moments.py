"""When a schedule fires: rate(…) for the first time at once, at(…) once; knows no emulator. Schedules of cron(…) nobody needed here yet.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


def is_due(expression: str, zone: str, now: float, last: float | None) -> bool:
    """``last`` is when it fired last; None: never."""
    if found := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        return last is None or now - last >= int(found[1]) * _SECONDS[found[2]]
    if found := re.fullmatch(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", expression):
        return last is None and now >= datetime.fromisoformat(found[1]).replace(tzinfo=ZoneInfo(zone)).timestamp()
    return False
