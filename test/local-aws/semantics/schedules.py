"""Schedules fire on time: within a second, where MiniStack looks every ten.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from ministack.services import scheduler


def install() -> None:
    scheduler._SCHEDULE_TICK_INTERVAL = 0.5
