"""Size limits of what goes in and out of Lambda: 6 MB each way, 1 MB for asynchronous invocations.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import json

from ministack.services import lambda_svc

from .. import patch

SYNC = 6 * 1024 * 1024
ASYNC = 1024 * 1024
SYNC_RESPONSE = SYNC + 100  # the service's own message says 6291556

_limits_on = False


def install() -> None:
    global _limits_on
    _limits_on = True
    patch.wrap(lambda_svc, "handle_request", _limited)


def _limited(original):
    async def handle(method, path, headers, body, query_params):
        if method == "POST" and path.rstrip("/").endswith("/invocations"):
            asynchronous = headers.get("x-amz-invocation-type") == "Event"
            limit = ASYNC if asynchronous else SYNC
            if len(body) > limit:
                message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
                return lambda_svc.error_response_json("RequestTooLargeException", message, 413)
        return await original(method, path, headers, body, query_params)

    return handle


def event_too_large(event: dict) -> bool:
    """Whether a gateway's event, its body in base64 included, is beyond what it can invoke a function with."""
    body = event.get("body") or ""
    # Most events are far away from the limit; only near it is the exact size worth the time.
    if not _limits_on or len(body) < SYNC // 8:
        return False
    return len(json.dumps(event, ensure_ascii=False).encode()) > SYNC


def answer_too_large(size: int) -> dict | None:
    """What the caller gets instead of an answer of *size* bytes."""
    if not _limits_on or size <= SYNC_RESPONSE:
        return None
    return {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": f"Response payload size exceeded maximum allowed payload size ({SYNC_RESPONSE} bytes).",
    }
