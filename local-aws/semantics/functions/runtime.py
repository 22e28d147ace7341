"""Lambda's Node runtime in place of MiniStack's: AWS's errors, exits and timeouts, the SDK that AWS's runtime brings, layers by
NODE_PATH, a clean environment, one log stream an environment, and logs only where the role may write them. Environments that
start at once get credentials each: MiniStack goes through the list of them while others are added to it.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
"""

import json

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sts

from .. import patch
from ..metrics import logs
from . import framing
from .process import Environment


# Each is called with a function's configuration, and gives the class of its environments, or None.
environments: list = [lambda config: Environment if str(config.get("Runtime", "")).startswith("nodejs") else None]


def install() -> None:
    patch.wrap(lambda_runtime, "_worker_class_for", lambda original: lambda config: environment_of(config) or original(config))
    patch.wrap(lambda_runtime, "kill_workers", _kill)
    patch.wrap(lambda_svc, "_execute_function_warm", _execute)
    patch.wrap(lambda_svc, "_emit_lambda_logs", _emit)
    patch.source(sts, "_evict_expired_sessions", ("in _sessions.items()", "in list(_sessions.items())"))


def environment_of(config: dict) -> type[Environment] | None:
    """None: MiniStack's own."""
    return next(filter(None, (given(config) for given in environments)), None)


def _kill(original):
    def kill(workers):
        rest = []
        for worker in workers:
            if isinstance(worker, Environment):
                worker.kill()
            else:
                rest.append(worker)
        original(rest)

    return kill


def _execute(original):
    def execute(func, event, request_id):
        config = func.get("config") or func
        if not environment_of(config) or not func.get("code_zip"):
            return original(func, event, request_id)
        version = config.get("Version", "$LATEST")
        lambda_svc._ensure_reaper_thread()
        worker, _ = lambda_runtime.acquire_worker(config["FunctionName"], config, func["code_zip"], qualifier=version)
        try:
            done = worker.invoke(
                event,
                request_id,
                trace_id=lambda_svc._xray_trace_id_for_invocation(config),
                invoked_function_arn=config["FunctionArn"],
            )
        finally:
            lambda_runtime.release_worker(worker)
        lines = framing.framed(done, config, request_id)
        logs.write(config, worker.stream, lines)
        result = {"log": "\n".join(lines), "log_source": "environment", "done": done}
        if done["status"] == "ok":
            return {**result, "body": _parsed(done["text"])}
        return {**result, "body": done["body"], "error": True, "function_error": "Unhandled"}

    return execute


def _parsed(text: str):
    """An image may answer what is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _emit(original):
    def emit(func, request_id, log_text, error, duration_ms, *, log_source=None):
        if log_source != "environment":  # ours have written theirs
            original(func, request_id, log_text, error, duration_ms, log_source=log_source)

    return emit
