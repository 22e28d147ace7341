"""Asynchronous invocations wait for a function that is being updated.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

import time

from localstack.services.lambda_ import api_utils
from localstack.services.lambda_.provider import LambdaProvider

from . import patch

_LOOK_SECONDS, _LONGEST = 0.1, 60


def install() -> None:
    patch.wrap(LambdaProvider, "invoke", _patient)


def _patient(original):
    def invoke(self, context, function_name, invocation_type=None, *rest, **named):
        if invocation_type == "Event":
            account, region = api_utils.get_account_and_region(function_name, context)
            name, _qualifier = api_utils.get_name_and_qualifier(function_name, named.get("qualifier"), context)
            end = time.monotonic() + _LONGEST
            while time.monotonic() < end and _is_updated(self, name, account, region):
                time.sleep(_LOOK_SECONDS)
        return original(self, context, function_name, invocation_type, *rest, **named)

    return invoke


def _is_updated(provider, name: str, account: str, region: str) -> bool:
    try:
        latest = provider._get_function(function_name=name, account_id=account, region=region).latest()
    except Exception:
        return False  # the invocation tells of a function that is not there
    update, state = latest.config.last_update, latest.config.state
    return getattr(update, "status", None) == "InProgress" or getattr(state, "state", None) == "Pending"
