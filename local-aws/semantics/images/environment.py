"""An execution environment of an image function: the image's own command, which asks the Runtime API for events. All else of an
environment, its log, limits and end, is as of any other function.
https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
https://docs.aws.amazon.com/lambda/latest/dg/images-parms.html
"""

import contextlib
import errno
import json
import os
import platform
import signal
import subprocess
import threading
import time
from typing import IO

from ..functions import payload
from ..functions.process import Environment
from ..functions.sandbox import MARK
from . import layers, rooms, source
from .runtime_api import RuntimeApi

_MACHINE = {"amd64": "x86_64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
_SEMANTICS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class ImageEnvironment(Environment):
    code_zip: source.Image

    def run(self, *event, **context) -> dict:
        self.code_zip.root()  # a time that is nobody's
        return super().run(*event, **context)

    def prepare(self) -> bool:
        self.code_zip.root()
        return super().prepare()

    # -- the process -----------------------------------------------------------------------------------------------------

    def _spawn(self) -> None:
        self._end()
        command = _Command(self.code_zip, self.config)
        self._fault = command.fault(self.config)
        if self._fault:
            return
        try:
            super()._spawn()
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            self._fault = "Runtime.InvalidEntrypoint", f"fork/exec {command.words[0]}: exec format error"

    def _start(self, reports: int) -> tuple[subprocess.Popen, IO[bytes]]:
        config, command = self.config, _Command(self.code_zip, self.config)
        memory_mb = int(config.get("MemorySize", 128))
        calls = os.environ.get("MODELS_AWS_CALLS")
        room = rooms.Room(self.code_zip.root(), self._tmp, (_SEMANTICS, *([calls] if calls else [])))
        self._log.lines += [rooms.PLAIN_NOTICE] if rooms.way() == rooms.PLAIN else []
        output, into = os.pipe()
        wires = _Wires(os.dup(reports), into)
        self._api = api = RuntimeApi(wires.tell, payload.SYNC_RESPONSE)
        env = {
            # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html; an image's own variables are below the function's.
            **{"LANG": "en_US.UTF-8", "TZ": ":UTC", "LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime", **command.variables},
            **(variables := self._variables(memory_mb)),
            **_preloaded(room, variables.get("NODE_OPTIONS") or command.variables.get("NODE_OPTIONS", "")),
            **({"MODELS_AWS_CALLS": room.seen(calls)} if calls else {}),
            "AWS_LAMBDA_RUNTIME_API": api.address,
        }
        try:
            started = room.command(command.argv, env, command.cwd)
            proc = subprocess.Popen(started.argv, cwd=started.cwd, env=started.env, stdin=subprocess.DEVNULL, stdout=into, stderr=subprocess.STDOUT)
        except BaseException:
            api.close()
            wires.close()
            os.close(output)
            raise
        threading.Thread(target=_watch, args=(proc, api, wires), daemon=True).start()
        return proc, os.fdopen(output, "rb")

    def _hang_up(self) -> None:
        """Who watches it does."""

    def _send(self, context: dict, event: bytes) -> None:
        speed = float(os.environ["MODELS_AWS_SPEED"])
        # By the clock that the process has: an accelerated one gets to the limit when the real one does.
        epoch = float(os.environ.get("MODELS_AWS_EPOCH") or 0)
        now = epoch + (time.time() * 1000 - epoch) * speed
        headers = {
            "Lambda-Runtime-Aws-Request-Id": context["awsRequestId"],
            "Lambda-Runtime-Deadline-Ms": str(int(now + context["remaining"] * speed)),
            "Lambda-Runtime-Invoked-Function-Arn": context["invokedFunctionArn"],
        }
        if context["traceId"]:
            headers["Lambda-Runtime-Trace-Id"] = context["traceId"]
        if context["clientContext"]:
            headers["Lambda-Runtime-Client-Context"] = json.dumps(context["clientContext"])
        self._api.offer(headers, event)

    def _wait(self, request_id: str, deadline: float, timeout: float | None) -> dict:
        if self._fault:
            kind, why = self._fault
            body = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {why}"}
            return {"kind": "exit", "reason": why, "memory_mb": 0, "body": body}
        told = super()._wait(request_id, deadline, timeout)
        if told["kind"] == "initError":
            self._end()  # whether it ends or not
        return told

    def _processes(self) -> list[int]:
        """All of them: what has the image as its root, and what that has started, is below the first."""
        found = [self._proc.pid]
        for pid in found:
            found += _children(pid)
        return found

    def _kill_process(self) -> None:
        # Those that are deepest first: one between that ended first would leave them.
        for pid in reversed(self._processes()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _exit_code(self) -> int:
        code = super()._exit_code()
        # What starts it tells a signal as shells do.
        return 128 - code if code - 128 in (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV, signal.SIGILL, signal.SIGBUS, signal.SIGTERM) else code


class _Command:
    """What is started: the image's own, as far as the function's configuration has no other."""

    def __init__(self, image: source.Image, config: dict):
        own = image.config.get("config") or {}
        other = (config.get("ImageConfigResponse") or {}).get("ImageConfig") or {}
        self.image, self.root = image, image.root()
        self.variables = dict(one.split("=", 1) for one in own.get("Env") or [] if "=" in one)
        self.cwd = other.get("WorkingDirectory") or own.get("WorkingDir") or "/"
        self.words = [*(other.get("EntryPoint") or own.get("Entrypoint") or []), *(other.get("Command") or own.get("Cmd") or [])]
        self.argv = [self._program(), *self.words[1:]] if self.words else []

    def _program(self) -> str:
        word = self.words[0]
        if "/" in word:
            return word if word.startswith("/") else os.path.join(self.cwd, word)
        folders = (self.variables.get("PATH") or "/usr/local/bin:/usr/bin:/bin").split(":")
        return next((path for path in (f"{folder}/{word}" for folder in folders) if os.path.isfile(layers.resolved(self.root, path))), word)

    def fault(self, config: dict) -> tuple[str, str] | None:
        """Why it cannot be started: type of error and message, as AWS has them.
        https://repost.aws/knowledge-center/lambda-container-images
        """
        if not os.path.isdir(layers.resolved(self.root, self.cwd)):
            return "Runtime.InvalidWorkingDir", f"chdir {self.cwd}: no such file or directory"
        if not self.words:
            return "Runtime.InvalidEntrypoint", "the image has neither an entry point nor a command"
        place, named = layers.resolved(self.root, self.argv[0]), self.words[0]
        if "/" not in self.argv[0]:
            return "Runtime.InvalidEntrypoint", f'exec: "{named}": executable file not found in $PATH'
        if not os.path.isfile(place):
            return "Runtime.InvalidEntrypoint", f"fork/exec {named}: no such file or directory"
        if not os.stat(place).st_mode & 0o111:
            return "Runtime.InvalidEntrypoint", f"fork/exec {named}: permission denied"
        if self.image.architecture not in (config.get("Architectures") or ["x86_64"]):
            return "Runtime.InvalidEntrypoint", f"fork/exec {named}: exec format error"
        if self.image.architecture != _MACHINE:
            return "Runtime.InvalidEntrypoint", f"fork/exec {named}: exec format error (local AWS: this machine is {_MACHINE}, and runs no image for {self.image.architecture})"
        return None


class _Wires:
    """What leads from a process to its environment, until it has ended."""

    def __init__(self, reports: int, output: int):
        self._lock = threading.Lock()
        self._reports, self._output = os.fdopen(reports, "wb"), os.fdopen(output, "wb")

    def tell(self, report: dict) -> None:
        with self._lock, contextlib.suppress(OSError, ValueError):  # it was killed meanwhile
            self._output.write(f"{MARK}\n".encode())
            self._output.flush()
            self._reports.write(json.dumps(report).encode() + b"\n")
            self._reports.flush()

    def close(self) -> None:
        with self._lock:
            for one in (self._output, self._reports):
                with contextlib.suppress(OSError):
                    one.close()


def _watch(proc: subprocess.Popen, api: RuntimeApi, wires: _Wires) -> None:
    proc.wait()
    api.close()
    wires.close()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):  # it has ended, or this system tells no children
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                found += map(int, children.read().split())
    return found


def _preloaded(room: rooms.Room, options: str) -> dict[str, str]:
    """What makes Node's clock the accelerated one, and writes down what its clients of AWS ask; other programs do not read it."""
    wanted = [
        *(["clock.mjs"] if os.environ["MODELS_AWS_SPEED"] != "1" else []),
        *(["calls/record.mjs"] if os.environ.get("MODELS_AWS_CALLS") else []),
    ]
    imports = [f"--import=file://{room.seen(_SEMANTICS)}/{file}" for file in wanted]
    return {"NODE_OPTIONS": " ".join([*imports, options]).strip()} if imports else {}
