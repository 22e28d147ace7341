"""Runs MiniStack with this project's additions, on the loopback interface only, for as long as its parent lives."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading

from . import lifetime, loopback

gc.disable()  # what is loaded now stays: looking for garbage in it is a tenth of a start
loopback.install()  # before MiniStack opens any socket
lifetime.install()

import uvicorn  # noqa: E402  (the guards above must come first)
from ministack import app as ministack  # noqa: E402

from . import additions, edge  # noqa: E402
from .calls import models, wire  # noqa: E402


class _Server(uvicorn.Server):
    """Ends as ``lifetime`` has it, whatever it is doing."""

    def capture_signals(self):
        return contextlib.nullcontext()


def main() -> None:
    models.share()
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


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: lifetime.end())
    signal.signal(signal.SIGINT, lambda *_: lifetime.end())
    threading.current_thread().name = "local-aws"
    sys.exit(main())
