"""Provisioned concurrency that takes its time, that is refused beyond what there is, and that can be listed: the path of
GetProvisionedConcurrencyConfig with `?List=ALL`.
https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html
https://docs.aws.amazon.com/lambda/latest/api/API_ListProvisionedConcurrencyConfigs.html
"""

import re
import threading
import time

from ministack.core import iam_actions
from ministack.services import lambda_svc

from .. import patch

# Seconds from IN_PROGRESS to READY. On AWS "a minute or two"; tests at the plain clock shall not wait that long.
ALLOCATION = 3.0
# What an account has, whatever this machine can run, and keeps for its functions without any: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
_ACCOUNT, _LEAST_UNRESERVED = 1000, 100

# Each is called with a function and a qualifier before its concurrency is READY, and says whether environments start.
initialisers: list = []


def install() -> None:
    patch.wrap(lambda_svc, "handle_request", _request)
    patch.source(lambda_svc, "_get_account_settings", ("_ACCOUNT_CONCURRENCY_CAP or 1000", str(_ACCOUNT)))
    patch.wrap(lambda_svc, "_put_provisioned_concurrency", _allocated)
    patch.wrap(iam_actions, "extract_iam_action", _action)


def _allocated(original):
    def put(name: str, qualifier: str, data: dict):
        function = lambda_svc._functions.get(name)
        if function is None or lambda_svc._validate_function_qualifier_exists(name, qualifier):
            return original(name, qualifier, data)
        wish = data.get("ProvisionedConcurrentExecutions", 0)
        if reason := _refusal(function, qualifier, wish):
            return lambda_svc.error_response_json("InvalidParameterValueException", reason, 400)
        before = function["provisioned_concurrency"].get(qualifier)
        if before and before["RequestedProvisionedConcurrentExecutions"] == wish:
            return lambda_svc.json_response(before, 202)
        original(name, qualifier, data)
        config = function["provisioned_concurrency"][qualifier]
        kept = min(before["AllocatedProvisionedConcurrentExecutions"], wish) if before else 0
        _has(config, kept, "IN_PROGRESS")
        threading.Thread(target=_come_up, args=(function, qualifier, config, wish), daemon=True).start()
        return lambda_svc.json_response(config, 202)

    return put


def _has(config: dict, amount: int, status: str) -> None:
    config.update(AllocatedProvisionedConcurrentExecutions=amount, AvailableProvisionedConcurrentExecutions=amount, Status=status)


def _come_up(function: dict, qualifier: str, config: dict, wish: int) -> None:
    """A configuration that was replaced or deleted meanwhile is nobody's any more."""
    time.sleep(ALLOCATION)
    if function["provisioned_concurrency"].get(qualifier) is not config:
        return
    if all(initialise(function, qualifier) for initialise in initialisers):
        _has(config, wish, "READY")
    else:
        _has(config, 0, "FAILED")
        config["StatusReason"] = "FUNCTION_ERROR_INIT_FAILURE"


def _refusal(function: dict, qualifier: str, wish: int) -> str | None:
    """All versions of a function share its reservation; without one, they share what the account has unreserved."""
    if qualifier in ("", "$LATEST"):
        return "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    if wish < 1:
        return "ProvisionedConcurrentExecutions must be at least 1"
    if (reserved := function.get("concurrency")) is not None:
        if _held(function, qualifier) + wish > reserved:
            return "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
        return None
    functions = [lambda_svc._functions[name] for name in lambda_svc._functions.keys()]
    reserved = sum(one["concurrency"] or 0 for one in functions if one.get("concurrency") is not None)
    held = sum(_held(one, qualifier if one is function else "") for one in functions if one.get("concurrency") is None)
    if _ACCOUNT - reserved - held - wish < _LEAST_UNRESERVED:
        return f"Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [{_LEAST_UNRESERVED}]."
    return None


def _held(function: dict, but: str) -> int:
    configs = function.get("provisioned_concurrency", {})
    return sum(config["RequestedProvisionedConcurrentExecutions"] for qualifier, config in configs.items() if qualifier != but)


def _request(original):
    async def handle_request(method, path, headers, body, query_params):
        match = re.search(r"/functions/([^/]+)/provisioned-concurrency$", path)
        if match and method == "GET" and "List" in (query_params or {}):
            return _list(match.group(1))
        return await original(method, path, headers, body, query_params)

    return handle_request


def _list(name: str):
    function = lambda_svc._functions.get(name)
    if function is None:
        return lambda_svc.error_response_json("ResourceNotFoundException", f"Function not found: {lambda_svc._func_arn(name)}", 404)
    configs = function.get("provisioned_concurrency", {})
    return lambda_svc.json_response({
        "ProvisionedConcurrencyConfigs": [
            {"FunctionArn": f"{lambda_svc._func_arn(name)}:{qualifier}", **config} for qualifier, config in configs.items()
        ]
    })


def _action(original):
    def extract(service, method, path, headers, body, query_params):
        action = original(service, method, path, headers, body, query_params)
        if action == "lambda:GetProvisionedConcurrencyConfig" and "List" in (query_params or {}):
            return "lambda:ListProvisionedConcurrencyConfigs"
        return action

    return extract
