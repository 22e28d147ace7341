"""ListProvisionedConcurrencyConfigs: the path of GetProvisionedConcurrencyConfig with `?List=ALL`, a list for a function.
https://docs.aws.amazon.com/lambda/latest/api/API_ListProvisionedConcurrencyConfigs.html
"""

import re

from ministack.core import iam_actions
from ministack.services import lambda_svc

from . import patch


def install() -> None:
    patch.wrap(lambda_svc, "handle_request", _request)
    patch.wrap(iam_actions, "extract_iam_action", _action)


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
