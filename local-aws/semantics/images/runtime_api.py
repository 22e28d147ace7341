"""Lambda's Runtime API for one execution environment: what a process asks for its events, and where it gives answers and errors.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_VERSION = "/2018-06-01"
_ANSWER = re.compile(r"/runtime/invocation/([^/]+)/(response|error)")
_OK = (202, {"status": "OK"})
# As the emulator that AWS publishes answers: https://github.com/aws/aws-lambda-runtime-interface-emulator
_NOT_NOW = (403, {"errorMessage": "State transition is not allowed", "errorType": "InvalidStateTransition"})
_NO_SUCH_REQUEST = (400, {"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"})


class RuntimeApi:
    """``tell`` gets a report for each thing that the process says: ready, next, ok, error, initError. ``largest``: bytes of an answer."""

    def __init__(self, tell: Callable[[dict], None], largest: int):
        self._tell, self._largest = tell, largest
        self._news = threading.Condition()
        # An event that waits for the process; the one that it has; the one that it has answered.
        self._offered: tuple[dict[str, str], bytes] | None = None
        self._running = self._answered = ""
        self._is_ready, self._is_closed, self._polls = False, False, 0
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def offer(self, headers: dict[str, str], event: bytes) -> None:
        with self._news:
            self._offered = headers, event
            self._news.notify_all()

    def close(self) -> None:
        with self._news:
            self._is_closed = True
            self._news.notify_all()
        # It waits until the server looks.
        threading.Thread(target=self._server.end, daemon=True).start()

    def next(self) -> tuple[int, dict | bytes, dict[str, str]]:
        with self._news:
            if self._running:
                return *_NOT_NOW, {}
            self._polls += 1
            poll, answered, self._answered = self._polls, self._answered, ""
            began, self._is_ready = not self._is_ready, True
        if began:
            self._tell({"kind": "ready", "requestId": ""})
        elif answered:
            self._tell({"kind": "next", "requestId": answered})
        with self._news:
            # Who asks again has given up asking before.
            self._news.wait_for(lambda: self._offered or self._is_closed or poll != self._polls)
            if self._is_closed or poll != self._polls or not self._offered:
                return 500, {"errorMessage": "The environment ends", "errorType": "Container.Ended"}, {}
            headers, event = self._offered
            self._offered, self._running = None, headers["Lambda-Runtime-Aws-Request-Id"]
        return 200, event, headers

    def post(self, path: str, headers, body: bytes) -> tuple[int, dict]:
        if path == "/runtime/init/error":
            self._tell({"kind": "initError", "requestId": "", "body": _error(headers, body)})
            return _OK
        request_id, kind = _ANSWER.fullmatch(path).groups()
        with self._news:
            if request_id != self._running:
                return _NO_SUCH_REQUEST
            self._running, self._answered = "", request_id
        if kind == "error":
            self._tell({"kind": "error", "requestId": request_id, "body": _error(headers, body)})
            return _OK
        self._tell({"kind": "ok", "requestId": request_id, "text": body.decode("utf-8", "replace")})
        if len(body) > self._largest:
            return 413, {"errorMessage": f"Exceeded maximum allowed payload size ({self._largest} bytes).", "errorType": "RequestEntityTooLarge"}
        return _OK


def _error(headers, body: bytes) -> dict:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        found = {"errorMessage": body.decode("utf-8", "replace")}
    return {"errorType": headers.get("Lambda-Runtime-Function-Error-Type", "Runtime.Unknown"), "errorMessage": "", **found}


class _Server(ThreadingHTTPServer):
    daemon_threads, block_on_close = True, False

    def end(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address) -> None:
        """A process that was killed has left its connection."""


def _handler(api: RuntimeApi):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together
        disable_nagle_algorithm = True

        def do_GET(self):
            if self.path == f"{_VERSION}/runtime/invocation/next":
                self._send(*api.next())
            else:
                self._send(404, {}, {})

        def do_POST(self):
            path = self.path.removeprefix(_VERSION)
            body = self._body()
            known = self.path.startswith(_VERSION) and (path == "/runtime/init/error" or _ANSWER.fullmatch(path))
            self._send(*(api.post(path, self.headers, body) if known else (404, {})), {})

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass  # trailers
            return b"".join(parts)

        def _send(self, status: int, body: dict | bytes, headers: dict[str, str]) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response_only(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            """Nobody reads it."""

    return Handler
