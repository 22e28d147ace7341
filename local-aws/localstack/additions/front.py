"""The front door of a local AWS: `npm run aws -- status`, `stop`, and what is there."""

import json
import os
import threading

from localstack.http import Response
from localstack.services.edge import ROUTER
from semantics import lifetime

from . import inventory


def install() -> None:
    ROUTER.add("/_local-aws", _self, methods=["GET", "DELETE"])
    ROUTER.add("/_local-aws/inventory", lambda _request: _json({"there": inventory.everything()}), methods=["GET"])


def _self(request):
    if request.method == "DELETE":
        threading.Timer(0.2, lifetime.end).start()
        return _json({"ended": os.getpid()})
    return _json({"pid": os.getpid()})


def _json(value: dict):
    return Response(json.dumps(value), 200, mimetype="application/json")
