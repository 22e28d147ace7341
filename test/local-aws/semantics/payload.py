"""Size limits of what goes in and out of Lambda and the gateways before it.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

SYNC_REQUEST = 6 * 1024 * 1024
SYNC_RESPONSE = 6 * 1024 * 1024 + 100  # what the service's own message says: 6291556

_limits_on = False


def install() -> None:
    global _limits_on
    _limits_on = True


def answer_too_large(size: int) -> dict | None:
    """What the caller gets instead of an answer of *size* bytes."""
    if not _limits_on or size <= SYNC_RESPONSE:
        return None
    return {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": f"Response payload size exceeded maximum allowed payload size ({SYNC_RESPONSE} bytes).",
    }
