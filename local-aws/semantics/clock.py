"""The accelerated clock: schedules, metrics, alarms, queues, retries and custom resources' deadlines run MODELS_AWS_SPEED times
faster, from the moment of the start, and answers have its date; so do waits and retries of state machines, the tokens of throttled routes and the age of images. Function timeouts
stay real: processors get no faster.

Signatures are good whatever their time: clients may run by either clock.
"""

import os
import time
from email.utils import formatdate

from ministack import app as ministack
from ministack.core import sigv4
from ministack.services import cloudwatch, cloudwatch_logs, ecr, eventbridge, lambda_svc, scheduler, sqs, stepfunctions
from ministack.services.cloudformation import custom_resource

from . import patch
from .functions import provisioned
from .http import route_throttling
from .images import registry
from .metrics import alarms, logs
from .scaling import autoscaling, scaling, tracking

# Set by ``install``.
_SPEED, _EPOCH = 1.0, 0.0
# A loop that looks at something must not become a busy one.
_SHORTEST_SLEEP = 0.05


def now() -> float:
    return _EPOCH + (time.time() - _EPOCH) * _SPEED


class _Clock:
    """The ``time`` module by the accelerated clock, for one of MiniStack's modules."""

    time = staticmethod(now)

    @staticmethod
    def sleep(seconds: float) -> None:
        time.sleep(max(_SHORTEST_SLEEP, seconds / _SPEED))

    @staticmethod
    def gmtime(seconds: float | None = None):
        return time.gmtime(now() if seconds is None else seconds)

    @staticmethod
    def strftime(pattern: str, when=None) -> str:
        return time.strftime(pattern, when or time.gmtime(now()))

    def __getattr__(self, name: str):
        return getattr(time, name)


def install() -> None:
    global _SPEED, _EPOCH
    _SPEED = float(os.environ.get("MODELS_AWS_SPEED", "1"))
    _EPOCH = float(os.environ.get("MODELS_AWS_EPOCH", "0")) / 1000
    if _SPEED == 1:
        return
    by_it = (scheduler, eventbridge, cloudwatch, cloudwatch_logs, ecr, lambda_svc, sqs, alarms, autoscaling, logs, provisioned)
    for module in (*by_it, registry, route_throttling, scaling, tracking):
        module.time = _Clock()
    custom_resource._SPEED = _SPEED
    patch.source(custom_resource, "invoke_custom_resource", ("event_obj.wait(timeout=service_timeout)", "event_obj.wait(timeout=service_timeout / _SPEED)"))
    stepfunctions._SFN_WAIT_SCALE = 1 / _SPEED
    ministack.formatdate = lambda usegmt: formatdate(now(), usegmt=usegmt)
    sigv4.request_time_failure = lambda signature, **_named: None
