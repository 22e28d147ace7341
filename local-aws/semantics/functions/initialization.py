"""Provisioned environments are initialised before they are asked, know it by AWS_LAMBDA_INITIALIZATION_TYPE, are asked before
others, and go with their configuration; where their init fails, there is none.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html

Of those that are asked for one starts before READY; this machine starts the others when a request finds no free one.
"""

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from .. import patch
from . import provisioned, runtime
from .process import Environment

_PROVISIONED, _ON_DEMAND = "provisioned-concurrency", "on-demand"


def install() -> None:
    provisioned.initialisers.append(_initialise)
    patch.wrap(lambda_runtime, "_worker_class_for", _typed)
    patch.wrap(lambda_svc, "_delete_provisioned_concurrency", _deleted)


def _record(function: dict, qualifier: str) -> dict | None:
    alias = function.get("aliases", {}).get(qualifier)
    return function["versions"].get(alias["FunctionVersion"] if alias else qualifier)


def _pool(record: dict) -> list:
    config = record["config"]
    return lambda_runtime._workers.setdefault(lambda_runtime._worker_key(config["FunctionName"], config, config["Version"]), [])


def _initialise(function: dict, qualifier: str) -> bool:
    """Starts one environment. False: its init fails."""
    record = _record(function, qualifier)
    made = record and runtime.environment_of(record["config"])
    if not made:
        return True
    if any(_is(worker, _PROVISIONED) for worker in _pool(record)):
        return True
    environment = made(record["config"]["FunctionName"], record["config"], record["code_zip"])
    environment.initialization = _PROVISIONED
    if not environment.prepare():
        return False
    with lambda_runtime._lock:
        pool = _pool(record)
        idle = [worker for worker in pool if not worker.in_use]
        pool[:] = [environment, *(worker for worker in pool if worker.in_use)]
    lambda_runtime.kill_workers(idle)
    return True


def _is(worker, initialization: str) -> bool:
    return isinstance(worker, Environment) and worker.initialization == initialization


def _typed(original):
    def class_for(config: dict):
        made = original(config)

        def make(name: str, config: dict, code_zip: bytes):
            worker = made(name, config, code_zip)
            function = lambda_svc._functions.get(name) or {}
            held = function.get("provisioned_concurrency", {}).get(config.get("Version", "$LATEST"))
            allocated = held["AllocatedProvisionedConcurrentExecutions"] if held else 0
            if allocated and isinstance(worker, Environment):
                key = lambda_runtime._worker_key(name, config, config.get("Version", "$LATEST"))
                # Called with the pool's lock held.
                there = sum(_is(one, _PROVISIONED) for one in lambda_runtime._workers.get(key, []))
                worker.initialization = _PROVISIONED if there < allocated else _ON_DEMAND
            return worker

        return make

    return class_for


def _deleted(original):
    def delete(name: str, qualifier: str):
        function = lambda_svc._functions.get(name)
        answer = original(name, qualifier)
        record = _record(function, qualifier) if function else None
        if record is not None:
            with lambda_runtime._lock:
                pool = _pool(record)
                gone = [worker for worker in pool if not worker.in_use and _is(worker, _PROVISIONED)]
                pool[:] = [worker for worker in pool if worker not in gone]
            lambda_runtime.kill_workers(gone)
        return answer

    return delete
