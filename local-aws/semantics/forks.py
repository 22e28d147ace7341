"""Local AWSs that have everything loaded: one process that loads it and does nothing else, and a fork of it for each that
asks: half a second of a processor less than a start, of which `npm test` has two hundred.

``python -m semantics.forks <socket>`` ends when its stdin closes; its forks do not. Who connects writes one line of JSON: ``env``
(the whole environment), ``cwd`` and ``log``; the fork answers with its process id, and is from then on what ``python -m
semantics`` would be, with the connection as its stdin (see ``lifetime``). Only for an environment that differs from this process's
in what nothing reads while it is loaded, in the port and in the folder for temporary files.
"""

import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import time

from . import lifetime, loopback

# No port that is used: what MiniStack's modules keep of it can be found again.
PORT = "48731"
_held: list[threading.Thread] = []


def load() -> None:
    """Threads do not survive a fork: those that modules start begin in the fork."""
    loopback.install()
    begin, threading.Thread.start = threading.Thread.start, lambda thread: _held.append(thread)
    try:
        from . import server  # noqa: F401
    finally:
        threading.Thread.start = begin
    _warm()
    if threading.active_count() != 1:
        raise SystemExit(f"A module begins threads where they cannot be held: {threading.enumerate()}.")


def _warm() -> None:
    """What each fork would read or compute again: service models, and the texts of the functions that additions change."""
    from . import additions, patch
    from .calls import identify

    identify.load()
    out, into = os.pipe()
    if os.fork() == 0:
        os.environ["MODELS_AWS_SPEED"] = "2"  # so that the clock changes what it changes
        additions.install()
        with os.fdopen(into, "w") as pipe:
            json.dump(patch.read, pipe)
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as pipe:
        patch.read.update(json.load(pipe))
    os.wait()


def own(env: dict[str, str]) -> None:
    """Puts port and folder of a fork in the place of ours, which modules of MiniStack have kept."""
    tempfile.tempdir = None
    kept = {PORT: env["GATEWAY_PORT"], os.environ["TMPDIR"]: env["TMPDIR"]}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "ministack":
            continue
        for key, value in list(vars(module).items()):
            if isinstance(value, str) and not key.startswith("__"):
                for ours, theirs in kept.items():
                    if ours in value:
                        value = value.replace(ours, theirs)
                        setattr(module, key, value)
            elif type(value) is int and value == int(PORT):
                setattr(module, key, int(env["GATEWAY_PORT"]))


def _bury(*_) -> None:
    """Waits for the forks that ended, and for what they left, whose time of the processor is then counted as this process's."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # there is none left


def _adopt() -> None:
    """Becomes the parent of what forks leave: they end without waiting for their functions, whose time nobody would count.
    https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
    """
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


_SUBREAPER = 36  # linux/prctl.h


def serve(path: str) -> None:
    signal.signal(signal.SIGCHLD, _bury)
    _adopt()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, which the starter gets, too
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}.new")
        listener.listen(64)
        os.rename(f"{path}.new", path)  # who finds it can connect
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                os.unlink(path)
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _become(connection)
            connection.close()


def _become(connection: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    asked = json.loads(_line(connection))
    output = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.close(output)
    os.dup2(connection.fileno(), 0)
    connection.close()
    own(asked["env"])
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    time.tzset()
    threading.current_thread().name = "local-aws"
    lifetime.on_signals()
    lifetime.install()
    for thread in _held:
        thread.start()
    os.write(0, f"{os.getpid()}\n".encode())
    from . import server

    sys.exit(server.main())


def _line(connection: socket.socket) -> bytes:
    text = b""
    while not text.endswith(b"\n"):
        part = connection.recv(1 << 16)
        if not part:
            os._exit(0)  # who asked has gone
        text += part
    return text


if __name__ == "__main__":
    gc.disable()
    load()
    gc.freeze()
    serve(sys.argv[1])
