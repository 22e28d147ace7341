"""Runs MiniStack with this project's additions, on the loopback interface only, for as long as its parent lives."""

import asyncio
import os
import signal
import sys
import threading

from . import lifetime, loopback

loopback.install()  # before MiniStack opens any socket
lifetime.install()

from ministack import app as ministack  # noqa: E402  (the guards above must come first)

from . import additions, edge  # noqa: E402
from .calls import wire  # noqa: E402


def main() -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    additions.install()
    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    calls = os.environ.get("MODELS_AWS_CALLS")
    # Without an addition it answers what AWS does not: the addition's test wants to see that.
    app = wire.Wire(ministack.app, calls) if calls and not os.environ.get("MODELS_AWS_WITHOUT") else ministack.app
    asyncio.run(serve(edge.wrap(app), config))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: lifetime.end())
    signal.signal(signal.SIGINT, lambda *_: lifetime.end())
    threading.current_thread().name = "local-aws"
    sys.exit(main())
