"""Weights of an alias: an invocation through it lands on one of two versions, at random.

MiniStack stores RoutingConfig and always runs FunctionVersion. The choice is made where every kind of invocation passes
(direct, HTTP API, event sources), once an invocation, as Lambda does:
https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
"""

import random

from ministack.services import lambda_svc

from .. import patch


def choose(alias: dict, draw: float) -> str:
    """The version that *draw* (0 ≤ draw < 1) falls on: additional versions by their weights, the rest on FunctionVersion."""
    for version, weight in (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {}).items():
        if draw < weight:
            return version
        draw -= weight
    return alias["FunctionVersion"]


def install() -> None:
    def keep_alias(original):
        def effective(func, qualifier):
            record, config = original(func, qualifier)
            if record is None or qualifier not in (func or {}).get("aliases", {}):
                return record, config
            # The caller's ARN goes with the invocation: the function sees it as invokedFunctionArn.
            config = {**config, "FunctionArn": func["aliases"][qualifier]["AliasArn"]}
            return {**record, "config": config}, config

        return effective

    def route(original):
        def dispatch(func, config, event, request_id, started):
            arn = config.get("FunctionArn", "").split(":")
            base = lambda_svc._functions.get(config.get("FunctionName", ""))
            alias = base["aliases"].get(arn[7]) if base and len(arn) == 8 else None
            version = choose(alias, random.random()) if alias else config.get("Version", "$LATEST")
            # It may be deleted at this moment.
            record = base["versions"].get(version) if alias else None
            if record and version != config.get("Version"):
                func = {**record}
                config = func["config"] = {**func["config"], "FunctionArn": config["FunctionArn"]}
            result = original(func, config, event, request_id, started)
            result.setdefault("executed_version", config.get("Version", "$LATEST"))
            return result

        return dispatch

    patch.wrap(lambda_svc, "_effective_func_record_for_qualifier", keep_alias)
    patch.wrap(lambda_svc, "_execute_function_dispatch", route)
    patch.source(
        lambda_svc,
        "_invoke",
        (
            "    resp_headers: dict = {\n",
            '    executed_version = result.get("executed_version", executed_version)\n    resp_headers: dict = {\n',
        ),
    )
