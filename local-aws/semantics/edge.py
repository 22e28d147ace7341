"""The front door: what is answered before MiniStack sees a request."""

import asyncio
import json
import os

from . import inventory, lifetime
from .http import endpoints


def wrap(inner):
    """*inner* (an ASGI app) with this project's own paths in front of it."""

    async def app(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/_local-aws":
            if scope["method"] == "DELETE":
                await _answer(send, {"ended": os.getpid()})
                asyncio.get_running_loop().call_later(0.05, lifetime.end)
            else:
                await _answer(send, {"pid": os.getpid()})
            return
        if scope["type"] == "http" and scope["path"] == "/_local-aws/inventory":
            await _answer(send, {"there": inventory.everything()})
            return
        if scope["type"] == "http" and scope["path"] == "/_local-aws/endpoints" and scope["method"] == "PUT":
            endpoints.register(json.loads(await _body(receive)))
            await _answer(send, {})
            return
        await inner(scope, receive, send)

    return app


async def _body(receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _answer(send, body: dict, status: int = 200) -> None:
    payload = json.dumps(body).encode()
    await send({"type": "http.response.start", "status": status,
                "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]})
    await send({"type": "http.response.body", "body": payload})
