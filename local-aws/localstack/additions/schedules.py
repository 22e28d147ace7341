"""Schedules of EventBridge Scheduler fire; LocalStack keeps them only.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html
"""

import logging
import threading
import time

from localstack.aws.connect import connect_to
from moto.scheduler.models import scheduler_backends

from . import moments
from .waiting import invoke_when_ready

logger = logging.getLogger("schedules")
_LOOK_SECONDS = 0.5
# By the schedule itself: another one of the same name counts anew.
_fired: dict[int, tuple[object, float]] = {}


def install() -> None:
    threading.Thread(target=_loop, name="schedules", daemon=True).start()


def _loop() -> None:
    while True:
        time.sleep(_LOOK_SECONDS)
        try:
            _look()
        except Exception:
            logger.exception("schedules")


def _look() -> None:
    there = set()
    for account, regions in list(scheduler_backends.items()):
        for region, backend in list(regions.items()):
            for group in list(backend.schedule_groups.values()):
                for schedule in list(group.schedules.values()):
                    there.add(id(schedule))
                    _, last = _fired.get(id(schedule), (None, None))
                    zone = schedule.schedule_expression_timezone
                    if schedule.state == "ENABLED" and moments.is_due(schedule.schedule_expression, zone, time.time(), last):
                        _fired[id(schedule)] = schedule, time.time()
                        client = connect_to(aws_access_key_id=account, region_name=region).lambda_
                        invoke_when_ready(client, schedule.target["Arn"], (schedule.target.get("Input") or "{}").encode(), attempts=1)
                        if getattr(schedule, "action_after_completion", None) == "DELETE" and schedule.schedule_expression.startswith("at("):
                            group.schedules.pop(schedule.name, None)
    for gone in set(_fired) - there:
        del _fired[gone]
