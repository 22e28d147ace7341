"""When scheduled actions take place: at(…) and cron(…) by the clock of a time zone, rate(…) by elapsed time. Pure.
https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
"""

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from ministack.services import eventbridge

_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name. Throws ValueError where there is none of this name."""
    try:
        return ZoneInfo(name)
    except Exception as error:  # unknown, or no name of a file at all
        raise ValueError(f"Invalid time zone: {name}") from error


def due(schedule: str, where: ZoneInfo, since: float, until: float, origin: float) -> bool:
    """Whether *schedule* has a moment in (since, until], all in epoch seconds; rates count from *origin*.
    Throws ValueError for a text that is no schedule."""
    if found := re.fullmatch(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", schedule):
        return since < datetime.fromisoformat(found[1]).replace(tzinfo=where).timestamp() <= until
    if found := re.fullmatch(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)", schedule):
        every = int(found[1]) * _SECONDS[found[2]]
        return (until - origin) // every > max(0, (since - origin) // every)
    fields = eventbridge._parse_cron_fields(schedule)
    if fields is None:
        raise ValueError(f"Invalid schedule expression: {schedule}")
    # Cron is of wall clocks: its next moment is looked for on the zone's clock, from just before the minute of *since*.
    wall = datetime.fromtimestamp(since, where).replace(tzinfo=timezone.utc) - timedelta(minutes=1)
    while (wall := eventbridge._cron_next_fire(fields, wall)) is not None:
        # A time that the clock shows twice in autumn counts once, the first time.
        moment = wall.replace(tzinfo=where).timestamp()
        if moment > until:
            return False
        if moment > since:
            return True
    return False
