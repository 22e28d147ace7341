"""Schedules fire on time: within a second, where MiniStack looks every ten; a rate without a start begins at once, where MiniStack
waits for one period first, and goes on counting where a schedule of the same name was deleted.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from ministack.core.responses import get_account_id, get_region
from ministack.services import scheduler

from .. import patch


def install() -> None:
    scheduler._SCHEDULE_TICK_INTERVAL = 0.5
    patch.source(
        scheduler,
        "_tick_schedules",
        (
            '_schedule_last_fired[state_key] = sched.get("CreationDate", now)',
            '_schedule_last_fired[state_key] = sched.get("CreationDate", now) if sched.get("StartDate") else now - interval',
        ),
    )
    patch.wrap(scheduler, "_create_schedule", _anew)


def _anew(original):
    """What was counted of another schedule of this name is not this one's."""

    def create(name, body):
        answer = original(name, body)
        if answer[0] < 300:
            key = f"{body.get('GroupName', 'default')}/{name}"
            scheduler._schedule_last_fired.pop((get_account_id(), get_region(), key), None)
        return answer

    return create
