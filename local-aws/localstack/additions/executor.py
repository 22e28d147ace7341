"""Functions run as Node processes by this project's own runtime, where LocalStack wants Docker.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import io
import json
import threading

from localstack import config
from localstack.services.lambda_.invocation import runtime_executor
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor
from semantics.functions import files, framing, memory
from semantics.functions.sandbox import Sandbox

from . import patch

_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def install() -> None:
    memory.install()
    # Others hold on to ``get_runtime_executor`` already; what it asks is this.
    patch.wrap(runtime_executor, "EXECUTOR_PLUGIN_MANAGER", lambda _original: _Executors())


class _Executors:
    """As LocalStack looks for an executor by its name."""

    def exists(self, _name: str) -> bool:
        return True

    def load(self, _name: str):
        return self.Plugin

    class Plugin:
        @staticmethod
        def load():
            return Processes


class Process(Sandbox):
    def __init__(self, version: FunctionVersion, variables: dict):
        own = version.config
        super().__init__(
            {
                "FunctionName": version.id.function_name,
                "FunctionArn": version.qualified_arn,
                "Version": version.id.qualifier,
                "Handler": own.handler,
                "Runtime": own.runtime,
                "Timeout": own.timeout,
                "MemorySize": own.memory_size,
                "Environment": {"Variables": own.environment or {}},
            }
        )
        self.version, self.variables = version, variables
        self.initialization = variables["AWS_LAMBDA_INITIALIZATION_TYPE"]
        self.stream = variables["AWS_LAMBDA_LOG_STREAM_NAME"]

    def files(self) -> tuple[str, str | None, list[str]]:
        opt, notices = files.opt_dir([_content(layer.code) for layer in self.version.config.layers])
        return files.task_dir(_content(self.version.config.code)), opt, notices

    def credentials(self) -> dict:
        return {name: self.variables[name] for name in _CREDENTIALS}


class Processes(RuntimeExecutor):
    """An execution environment as LocalStack asks for one."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self.process: Process | None = None
        self.init_ms: float | None = None

    def start(self, env_vars: dict[str, str]) -> None:
        self.process = Process(self.function_version, env_vars)
        # Provisioned ones only: what starts with its first event tells that event of a failed start.
        if env_vars["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency" and not self.process.prepare():
            raise StatusErrorException("Environment startup failed", payload=b"{}")

    def stop(self) -> None:
        if self.process:
            self.process.kill()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        request_id = payload["invoke-id"]
        # Newlines in JSON are white space: inside strings they are escaped.
        event = payload["payload"].encode().replace(b"\n", b" ").replace(b"\r", b" ")
        done = self.process.run(
            event or b"{}",
            request_id,
            invoked_function_arn=payload["invoked-function-arn"],
            trace_id=payload["trace-id"],
        )
        body = done["text"].encode() if done["status"] == "ok" else json.dumps(done["body"]).encode()
        most = config.LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES
        is_error = done["status"] != "ok"
        if len(body) > most:
            message = f"Response payload size exceeded maximum allowed payload size ({most} bytes)."
            body, is_error = json.dumps({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}).encode(), True
        logs = "\n".join(framing.framed(done, self.process.config, request_id)) + "\n"
        result = InvocationResult(request_id, body, is_error=is_error, logs=logs)
        # Read by ``function_metrics``.
        result.run_ms = done["run_ms"]
        return result

    def get_logs(self) -> str:
        return ""

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        if not (function_version.config.runtime or "").startswith("nodejs"):
            raise LambdaRuntimeException("Only Node.js functions of zip packages run here.")
        _content(function_version.config.code)

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        pass


_contents: dict[str, bytes] = {}
_reading = threading.Lock()


def _content(code) -> bytes:
    """The zip, read once a digest."""
    with _reading:
        if code.code_sha256 not in _contents:
            target = io.BytesIO()
            code._download_archive_to_file(target)
            _contents[code.code_sha256] = target.getvalue()
        return _contents[code.code_sha256]
