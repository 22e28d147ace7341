"""An event for a function that is being updated is delivered once the update is over; LocalStack loses it with the queue of what was before.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

import logging
import threading
import time

logger = logging.getLogger("waiting")
_LOOK_SECONDS, _LONGEST = 0.2, 120


def ready(client, name: str, qualifier: str | None = None) -> None:
    """Returns when the function is not being made or updated, or after two minutes."""
    given = {"Qualifier": qualifier} if qualifier else {}
    end = time.monotonic() + _LONGEST
    while time.monotonic() < end:
        found = client.get_function_configuration(FunctionName=name, **given)
        if found.get("LastUpdateStatus") != "InProgress" and found.get("State") != "Pending":
            return
        time.sleep(_LOOK_SECONDS)


def invoke_when_ready(client, name: str, payload: bytes, attempts: int = 3) -> None:
    """As an asynchronous invocation: returns at once, and tries again where the function fails."""

    def call() -> None:
        for attempt in range(attempts):
            try:
                ready(client, name)
                if "FunctionError" not in client.invoke(FunctionName=name, Payload=payload):
                    return
            except Exception:
                logger.exception("event for %s, attempt %d", name, attempt + 1)
            time.sleep(_LOOK_SECONDS)

    threading.Thread(target=call, name=f"event-{name}", daemon=True).start()
