"""One execution environment of a Node function: a process, warm between invocations, with what Lambda gives it.

Knows no emulator: a subclass says where code and layers lie, and whose the credentials are.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from typing import IO

from . import files, memory

_HERE = os.path.dirname(os.path.abspath(__file__))
_INIT_SECONDS = 10  # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
_PROVISIONED_INIT_SECONDS = 900
_LOOK_SECONDS = 0.02
# What a function has written when it is answered is here by then, or its log is taken without it: who closed its
# output, or lent it to a process that goes on, would be waited for without end.
_LOG_SECONDS = 5
# At the end of a line of the log: all up to here belongs to the report that comes now. One is before each report.
MARK = "\0."


class Sandbox:
    """``config`` has the members of a function's configuration by the API's names."""

    def __init__(self, config: dict):
        self.config = config
        self.initialization = "on-demand"
        self.stream = f"{time.strftime('%Y/%m/%d')}/[{config.get('Version', '$LATEST')}]{uuid.uuid4().hex}"
        self._lock, self._proc, self._tmp = threading.Lock(), None, None
        self._retired = False
        # The request that it was asked last, and what is read of reports.
        self._last: str | None = None
        self._parts: list[bytes] = []
        self._reported = 0
        self._log = _Log()

    # -- what an emulator knows ----------------------------------------------------------------------------------------

    def files(self) -> tuple[str, str | None, list[str]]:
        """The folders of code and layers, and notices for the log."""
        raise NotImplementedError

    def credentials(self) -> dict:
        """Variables of the role's session."""
        raise NotImplementedError

    # -- life ----------------------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """Ends it: at once, or when the event that it has is answered. A change of the function does not reach an invocation that runs.
        https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
        """
        self._retired = True
        if self._lock.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._lock.release()

    @contextlib.contextmanager
    def _use(self):
        """Only who has it may start or end the process, or close what leads to it: the numbers of descriptors come again."""
        try:
            with self._lock:
                yield
        finally:
            if self._retired:
                self.kill()

    def _end(self) -> None:
        if self._proc is not None:
            self._kill_process()
            self._proc.wait()
            self._hang_up()
            os.close(self._reports)
            self._proc = None
        self._discard_tmpdir()

    def _kill_process(self) -> None:
        self._proc.kill()

    def _hang_up(self) -> None:
        """Closes what leads to the process, which has ended."""
        os.close(self._events)

    def _discard_tmpdir(self) -> None:
        if self._tmp:
            shutil.rmtree(self._tmp, ignore_errors=True)
            self._tmp = None

    def prepare(self) -> bool:
        """Initialises without an event. False: that fails."""
        with self._use():
            self._spawn()
            # Provisioned environments may take longer than ten seconds: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
            return self._wait("", time.monotonic() + _PROVISIONED_INIT_SECONDS, None)["kind"] == "ready"

    def run(self, event: bytes, request_id: str, *, invoked_function_arn: str, trace_id=None, client_context=None) -> dict:
        """Runs one event, JSON on one line. Gives ``status`` ok (``text``: the answer's JSON) or error (``body``), ``log``, ``init_ms``, ``run_ms``."""
        with self._use():
            timeout = float(self.config.get("Timeout", 3))
            result, init_ms = None, None
            self._await_next()
            if self._proc is None or self._proc.poll() is not None:
                began = time.monotonic()
                self._spawn()
                result = self._wait(request_id, began + _INIT_SECONDS, None)
                if result and result["kind"] == "timeout":
                    # Cut at 10 s: Lambda starts over, within the function's own timeout.
                    self._spawn()
                    result = self._wait(request_id, time.monotonic() + timeout, timeout)
                init_ms = (time.monotonic() - began) * 1000
                result = None if result["kind"] == "ready" else result
            began = time.monotonic()
            if result is None:
                context = {
                    "awsRequestId": request_id,
                    "invokedFunctionArn": invoked_function_arn,
                    "remaining": timeout * 1000,
                    "traceId": trace_id,
                    "clientContext": client_context,
                }
                self._send(context, event)
                self._last = request_id
                result = self._wait(request_id, began + timeout, timeout)
            return {
                "status": "ok" if result["kind"] == "ok" else "error",
                "text": result.get("text"),
                "body": result.get("body"),
                "init_ms": init_ms,
                "run_ms": (time.monotonic() - began) * 1000,
                "memory_mb": result["memory_mb"],
                "log": self._log.take(),
                "reason": result.get("reason"),
            }

    def _send(self, context: dict, event: bytes) -> None:
        text = b'{"context":' + json.dumps(context).encode() + b',"event":' + event + b"}\n"
        # Written beside the wait: a large event does not fit into the pipe at once. Its descriptor is its own: it may come to
        # write when ours is closed, and is somebody else's.
        threading.Thread(target=_write, args=(os.dup(self._events), text), daemon=True).start()

    def _await_next(self) -> None:
        """An event is for a runtime that asks for it: not for one that ends by what its last event has left behind.
        https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next
        """
        last, self._last = self._last, None
        if last and self._proc and self._wait(last, time.monotonic() + _INIT_SECONDS, None)["kind"] != "next":
            self._end()

    def _spawn(self) -> None:
        self._end()
        self._last, self._parts, self._reported = None, [], 0
        self._log = _Log()  # its own: what the one before wrote may still come
        self._tmp = tempfile.mkdtemp(prefix="env-", dir=os.environ["TMPDIR"])
        self._reports, reports = os.pipe()
        try:
            self._proc, output = self._start(reports)
        except BaseException:
            os.close(self._reports)
            raise
        finally:
            os.close(reports)
        threading.Thread(target=self._log.read, args=(output,), daemon=True).start()

    def _start(self, reports: int) -> tuple[subprocess.Popen, IO[bytes]]:
        """The process and its output, whose reports go to the descriptor ``reports``, a line of JSON each."""
        task, opt, notices = self.files()
        self._log.lines += notices
        memory_mb = int(self.config.get("MemorySize", 128))
        event_read, self._events = os.pipe()
        accelerated = os.environ["MODELS_AWS_SPEED"] != "1"
        proc = subprocess.Popen(
            [
                os.environ["MODELS_AWS_NODE"],
                # As AWS's own bootstrap: the heap follows the function's memory, not the machine's.
                f"--max-old-space-size={memory_mb * 9 // 10}",
                f"--max-semi-space-size={max(1, memory_mb // 20)}",
                # Else a start, which loads the SDK, clears one of 1 MB again and again: a sixth of it.
                f"--min-semi-space-size={max(1, min(16, memory_mb // 32))}",
                *(["--import", os.path.join(os.path.dirname(_HERE), "clock.mjs")] if accelerated else []),
                *(["--import", os.path.join(os.path.dirname(_HERE), "calls", "record.mjs")] if os.environ.get("MODELS_AWS_CALLS") else []),
                os.path.join(_HERE, "bootstrap.mjs"),
                str(event_read),
                str(reports),
                files.compile_cache(),
            ],
            cwd=task,
            env=self._env(task, opt, memory_mb),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(event_read, reports),
        )
        os.close(event_read)
        return proc, proc.stdout

    def _env(self, task: str, opt: str | None, memory_mb: int) -> dict:
        runtime = files.runtime_modules()
        path = [runtime, os.path.dirname(runtime), task]
        if opt:
            path = [f"{opt}/nodejs/node24/node_modules", f"{opt}/nodejs/node_modules", *path]
        return {
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PATH": os.pathsep.join(filter(None, [opt and f"{opt}/bin", os.environ["PATH"]])),
            "LD_LIBRARY_PATH": ":".join(filter(None, [task, f"{task}/lib", opt and f"{opt}/lib"])),
            "NODE_PATH": os.pathsep.join(path),
            "TMPDIR": self._tmp,
            **self._variables(memory_mb),
            "_HANDLER": self.config["Handler"],
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.config['Runtime']}",
            "LAMBDA_TASK_ROOT": task,
            "LAMBDA_RUNTIME_DIR": os.path.dirname(runtime),
        }

    def _variables(self, memory_mb: int) -> dict:
        """The function's own, and what Lambda tells every function, whatever it is packaged as."""
        config = self.config
        _, _, _, region, *_ = config["FunctionArn"].split(":")
        own = (config.get("Environment") or {}).get("Variables") or {}
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html; AWS_ENDPOINT_URL stands for AWS itself.
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
            **own,
            # Read by clock.mjs and record.mjs only.
            **{name: os.environ[name] for name in ("MODELS_AWS_SPEED", "MODELS_AWS_EPOCH", "MODELS_AWS_CALLS") if os.environ.get(name)},
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
            "AWS_LAMBDA_INITIALIZATION_TYPE": self.initialization,
            "AWS_LAMBDA_LOG_GROUP_NAME": log_group(config),
            "AWS_LAMBDA_LOG_STREAM_NAME": self.stream,
            **self.credentials(),
        }

    def _wait(self, request_id: str, deadline: float, timeout: float | None) -> dict:
        """The next report of the process, or how it ended: timeout, killed, exited."""
        peak = 0.0
        limit = int(self.config.get("MemorySize", 128))
        os.set_blocking(self._reports, False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._reports, selectors.EVENT_READ)
            while True:
                if report := self._read_report(request_id):
                    if report["kind"] == "next":
                        return report
                    # Also what was too quick for a look: the kernel would not have let it answer.
                    if memory.over(limit, *self._processes()):
                        self._kill_process()
                        return self._exited(request_id, limit)
                    self._log.settle(self._reported)
                    peak = max(peak, memory.used_mb(*self._processes(), peak=True))
                    return {**report, "memory_mb": peak}
                if selector.select(_LOOK_SECONDS):
                    chunk = os.read(self._reports, 1 << 20)
                    if not chunk:
                        return self._exited(request_id, peak)
                    self._parts.append(chunk)
                    if b"\n" in chunk:
                        continue
                if memory.over(limit, *self._processes()):
                    self._kill_process()
                    return self._exited(request_id, limit)
                if time.monotonic() > deadline:
                    self._end()
                    return {
                        "kind": "timeout",
                        "reason": "timeout",
                        "memory_mb": peak,
                        "body": {
                            "errorType": "Sandbox.Timedout",
                            "errorMessage": f"RequestId: {request_id} Error: Task timed out after {timeout or _INIT_SECONDS:.2f} seconds",
                        },
                    }

    def _processes(self) -> list[int]:
        """Whose memory is the function's."""
        return [self._proc.pid]

    def _read_report(self, request_id: str) -> dict | None:
        """The next report of this request, or of the initialisation. There may be several: a promise that nobody awaited may fail when
        its request is answered."""
        while self._parts and b"\n" in self._parts[-1]:
            line, _, rest = b"".join(self._parts).partition(b"\n")
            self._parts = [rest]
            report = json.loads(line)
            self._reported += 1
            if report["requestId"] in ("", request_id):
                return report
        return None

    def _exited(self, request_id: str, peak: float) -> dict:
        code = self._exit_code()
        if code < 0:
            how = f"Runtime exited with error: signal: {_SIGNALS.get(-code, signal.Signals(-code).name)}"
        else:
            how = f"Runtime exited with error: exit status {code}" if code else "Runtime exited without providing a reason"
        self._log.settle()
        self._end()
        body = {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {request_id} Error: {how}"}
        return {"kind": "exit", "reason": how, "memory_mb": peak, "body": body}

    def _exit_code(self) -> int:
        """A signal as a negative number."""
        return self._proc.wait()


class _Log:
    """What one process writes, line by line."""

    def __init__(self):
        self.lines: list[str] = []
        self._marks, self._ended = 0, False
        self._news = threading.Condition()

    def read(self, output: IO[bytes]) -> None:
        """Until nobody can write any more."""
        for raw in output:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            with self._news:
                if line.endswith(MARK):
                    self._marks += 1
                    line = line.removesuffix(MARK)  # what has no end yet
                    self.lines += [line] if line else []
                else:
                    self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def settle(self, reported: int | None = None) -> None:
        """Waits for what was written before the report of this number, or before the end."""
        with self._news:
            self._news.wait_for(lambda: self._ended or (reported is not None and self._marks >= reported), timeout=_LOG_SECONDS)

    def take(self) -> list[str]:
        with self._news:
            lines, self.lines = self.lines, []
        return lines


_SIGNALS = {9: "killed", 6: "aborted", 11: "segmentation fault", 4: "illegal instruction", 7: "bus error", 15: "terminated"}


def log_group(config: dict) -> str:
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"


def _write(pipe: int, data: bytes) -> None:
    """Closes ``pipe``."""
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(pipe, view):]
    except OSError:
        pass  # it ended meanwhile, which the waiting side sees
    finally:
        os.close(pipe)
