"""MiniStack with this project's additions behind an HTTP server. What it imports is loaded, and nothing is begun by that."""

import asyncio
import contextlib
import gc
import importlib
import os

import uvicorn
from ministack import app as ministack

from .calls import models

models.share()  # before a module of MiniStack takes what it replaces

from . import additions, edge  # noqa: E402
from .calls import wire  # noqa: E402

for _path in additions.MODULES:
    importlib.import_module(f"{__package__}.{_path}")


class _Server(uvicorn.Server):
    """Ends as ``lifetime`` has it, whatever it is doing."""

    def capture_signals(self):
        return contextlib.nullcontext()


def main() -> None:
    additions.install()
    calls = os.environ.get("MODELS_AWS_CALLS")
    # Without an addition it answers what AWS does not: the addition's test wants to see that.
    app = wire.Wire(ministack.app, calls) if calls and not os.environ.get("MODELS_AWS_WITHOUT") else ministack.app
    # MiniStack brings Hypercorn, which reads and writes HTTP in Python: half of the time of a request.
    config = uvicorn.Config(
        edge.wrap(app),
        host="127.0.0.1",
        port=int(os.environ["GATEWAY_PORT"]),
        http="httptools",
        loop="asyncio",
        ws="wsproto",
        lifespan="on",
        proxy_headers=False,
        timeout_keep_alive=75,
        server_header=False,
        date_header=False,
        access_log=False,
        log_level="warning",
    )
    gc.freeze()
    gc.enable()
    asyncio.run(_Server(config).serve())
