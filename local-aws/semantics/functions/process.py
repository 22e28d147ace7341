"""An execution environment in MiniStack: its functions' code, layers, roles and events."""

import json
import time

from ministack.core.lambda_runtime import execution_credentials
from ministack.services import lambda_svc

from . import client_context, exact, files, payload
from .sandbox import Sandbox


class Environment(Sandbox):
    """Same surface as MiniStack's ``Worker``, so that its pool leases, reaps and invalidates it alike."""

    def __init__(self, func_name: str, config: dict, code_zip: bytes):
        super().__init__(config)
        self.func_name, self.code_zip = func_name, code_zip
        self.in_use, self.last_used = False, time.time()

    def files(self) -> tuple[str, str | None, list[str]]:
        zips = [found for found in (lambda_svc._resolve_layer_zip(layer) for layer in self.config.get("Layers", [])) if found]
        return files.task_dir(self.code_zip), *files.opt_dir(zips)

    def credentials(self) -> dict:
        return execution_credentials(self.config)

    def invoke(self, event, request_id: str, *, trace_id=None, invoked_function_arn: str) -> dict:
        sent = exact.as_sent(event) or json.dumps(event, separators=(",", ":")).encode()
        answer = self.run(
            sent, request_id, invoked_function_arn=invoked_function_arn, trace_id=trace_id, client_context=client_context.of(event)
        )
        if answer["status"] == "ok" and (large := payload.answer_too_large(len(answer["text"].encode()))):
            answer.update(status="error", body=large)
        return answer
