"""Runs MiniStack with this project's additions, on the loopback interface only, for as long as its parent lives."""

import gc
import sys
import threading

from . import lifetime, loopback

gc.disable()  # what is loaded now stays: looking for garbage in it is a tenth of a start
loopback.install()  # before MiniStack opens any socket
lifetime.install()

from . import server  # noqa: E402  (the guards above must come first)

if __name__ == "__main__":
    lifetime.on_signals()
    threading.current_thread().name = "local-aws"
    sys.exit(server.main())
