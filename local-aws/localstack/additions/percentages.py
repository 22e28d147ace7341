"""``ToleratedFailurePercentage`` of a Map may be a whole number; LocalStack's parser takes one with a point only.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from localstack.services.stepfunctions.provider import StepFunctionsProvider

from . import patch
from .definitions import with_points


def install() -> None:
    for name in ("create_state_machine", "update_state_machine"):
        patch.wrap(StepFunctionsProvider, name, _whole)


def _whole(original):
    def call(self, context, *args, **named):
        if args and isinstance(args[0], dict) and args[0].get("definition"):
            args[0]["definition"] = with_points(args[0]["definition"])
        if isinstance(named.get("request"), dict) and named["request"].get("definition"):
            named["request"]["definition"] = with_points(named["request"]["definition"])
        if named.get("definition"):
            named["definition"] = with_points(named["definition"])
        return original(self, context, *args, **named)

    return call
