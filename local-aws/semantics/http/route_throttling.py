"""The RouteSettings of an HTTP API's stage: each route has a bucket of tokens, and what finds it empty is turned away before any
authorizer or function sees it. Routes without settings have the account's limits, which no test reaches.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
"""

import time

from ministack.services import apigateway

from .. import patch

# What an account has where only one of the two is set.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
_RATE, _BURST = 10_000, 5_000


class _Bucket:
    """Full at first; its tokens come back at *rate* a second, up to *burst*."""

    def __init__(self, rate: float, burst: float):
        self.limits = (rate, burst)
        self._tokens, self._at = burst, time.time()

    def take(self) -> bool:
        rate, burst = self.limits
        now = time.time()
        self._tokens = min(burst, self._tokens + max(0.0, now - self._at) * rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


_buckets: dict[tuple[str, str, str], _Bucket] = {}


def turned_away(api_id: str, stage: str, route_key: str):
    """The gateway's answer, if the route has no token left for this request."""
    settings = ((apigateway._stages.get(api_id, {}).get(stage) or {}).get("routeSettings") or {}).get(route_key) or {}
    # A template writes ThrottlingRateLimit, the API's own calls throttlingRateLimit.
    given = {key[0].lower() + key[1:]: value for key, value in settings.items()}
    rate, burst = given.get("throttlingRateLimit"), given.get("throttlingBurstLimit")
    if rate is None and burst is None:
        return None
    limits = (_RATE if rate is None else float(rate), _BURST if burst is None else float(burst))
    key = (api_id, stage, route_key)
    bucket = _buckets.get(key)
    if bucket is None or bucket.limits != limits:
        bucket = _buckets[key] = _Bucket(*limits)
    if bucket.take():
        return None
    return 429, {"Content-Type": "application/json"}, b'{"message":"Too Many Requests"}'


def install() -> None:
    apigateway._turned_away = turned_away
    patch.source(
        apigateway,
        "_handle_execute_in_scope",
        (
            "    stage_vars = _get_stage_variables(api_id, stage)\n",
            "    if away := _turned_away(api_id, stage, route_key):\n        return away\n"
            "    stage_vars = _get_stage_variables(api_id, stage)\n",
        ),
    )
