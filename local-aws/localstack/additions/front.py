"""The front door of a local AWS: `npm run aws -- status`, `stop`, and what is there."""

import json
import os
import threading

from hypercorn.config import Config
from localstack.http import Response
from localstack.services.edge import ROUTER
from semantics import lifetime

from . import inventory


def install() -> None:
    # It closes a connection after five seconds without a request, or a thousand with one: a client that does not try again meets the end.
    Config.keep_alive_timeout, Config.keep_alive_max_requests = 75, 1_000_000_000
    ROUTER.add("/_local-aws", _self, methods=["GET", "DELETE"])
    ROUTER.add("/_local-aws/inventory", lambda _request: _json({"there": inventory.everything()}), methods=["GET"])


def _self(request):
    if request.method == "DELETE":
        threading.Timer(0.2, lifetime.end).start()
        return _json({"ended": os.getpid()})
    return _json({"pid": os.getpid()})


def _json(value: dict):
    return Response(json.dumps(value), 200, mimetype="application/json")
