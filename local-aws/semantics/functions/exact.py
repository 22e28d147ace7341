"""An invocation's payload reaches the function as the caller wrote it, and the answer the caller as the function wrote it:
numbers to the digit, any nesting, lone surrogates. What is no JSON is refused.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import contextvars
import json

from ministack.services import lambda_svc

from .. import patch

# (event as parsed, payload as sent) of the direct invocation that is under way.
_sent: contextvars.ContextVar = contextvars.ContextVar("sent", default=None)
_payload: contextvars.ContextVar = contextvars.ContextVar("payload", default=None)


def as_sent(event) -> bytes | None:
    """The caller's bytes for *event*, on one line; None where a service of AWS made the event."""
    pair = _sent.get()
    # Newlines in JSON are white space: inside strings they are escaped.
    return pair[1].replace(b"\n", b" ").replace(b"\r", b" ") if pair and pair[0] is event else None


def install() -> None:
    patch.wrap(lambda_svc, "handle_request", _checked)
    patch.source(
        lambda_svc,
        "_invoke",
        (
            '    payload = result.get("body")\n    if payload is None:',
            '    done = result.get("done") or {}\n    if done.get("status") == "ok":\n'
            '        return 200, resp_headers, done["text"].encode()\n'
            '    payload = result.get("body")\n    if payload is None:',
        ),
    )
    patch.wrap(lambda_svc, "_invoke", _kept)


def _refuse(constant: str):
    raise ValueError(constant)


def _checked(original):
    async def handle(method, path, headers, body, query_params):
        if method == "POST" and path.rstrip("/").endswith("/invocations") and body:
            _payload.set(body)
            try:
                json.loads(body, parse_constant=_refuse)
            except RecursionError:
                body = b"{}"  # too deep for this parser, and the function's to judge
            except ValueError as error:
                message = f"Could not parse request body into json: {error}"
                return lambda_svc.error_response_json("InvalidRequestContentException", message, 400)
        return await original(method, path, headers, body, query_params)

    return handle


def _kept(original):
    async def invoke(name, event, headers, path_qualifier=None, query_params=None):
        if payload := _payload.get():
            _sent.set((event, payload))
        return await original(name, event, headers, path_qualifier, query_params)

    return invoke
