"""What a direct invocation gives as ``X-Amz-Client-Context`` reaches the function as ``context.clientContext``.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
"""

import base64
import contextvars
import json

from ministack.services import lambda_svc

from .. import patch

# (event, client context as sent) of the direct invocation that is under way.
_given: contextvars.ContextVar = contextvars.ContextVar("client_context", default=None)


def of(event):
    """The client context that came with *event*; None where there was none, or a service of AWS made the event."""
    pair = _given.get()
    if not pair or pair[0] is not event or not pair[1]:
        return None
    try:
        return json.loads(base64.b64decode(pair[1]))
    except ValueError:
        return None


def install() -> None:
    patch.wrap(lambda_svc, "_invoke", _kept)


def _kept(original):
    async def invoke(name, event, headers, path_qualifier=None, query_params=None):
        _given.set((event, headers.get("x-amz-client-context")))
        return await original(name, event, headers, path_qualifier, query_params)

    return invoke
