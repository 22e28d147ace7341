"""HTTP APIs as API Gateway runs them: CORS from the template, permission to invoke, its own answer for a function that failed,
10 MB a request, settings of routes that exist.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""

from ministack import app
from ministack.core.arn import execute_api_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

from .. import patch
from ..access import permissions
from ..functions import payload

MAX_REQUEST = 10 * 1024 * 1024


def too_large():
    return 413, {"Content-Type": "application/json"}, b'{"message":"Request Entity Too Large"}'


def failed():
    return 500, {"Content-Type": "application/json"}, b'{"message":"Internal Server Error"}'


def is_text(body: bytes) -> bool:
    """A compressed JSON body says it is JSON and is none yet: as text it would be lost."""
    try:
        body.decode()
        return True
    except UnicodeDecodeError:
        return False


def may_invoke(function_ref: str, api_id: str, stage: str, route_key: str) -> bool:
    method, _, path = route_key.partition(" ")
    source = execute_api_arn(get_region(), get_account_id(), api_id, stage, method if path else "*", path or "/$default")
    return permissions.service_may(function_ref, "apigateway.amazonaws.com", source)


def install() -> None:
    apigateway._local_aws = type("LocalAws", (), {
        "too_large": staticmethod(too_large),
        "failed": staticmethod(failed),
        "is_text": staticmethod(is_text),
        "may_invoke": staticmethod(may_invoke),
        "event_too_large": staticmethod(payload.event_too_large),
    })
    patch.source(
        apigateway,
        "_invoke_lambda_proxy",
        (
            "    # Build API Gateway v2 proxy event (payload format 2.0)\n",
            "    if not _local_aws.may_invoke(lambda_ref, api_id, stage, route_key):\n        return _local_aws.failed()\n",
        ),
        (
            '        if _v2_request_body_is_text(headers.get("content-type")):\n',
            '        if _v2_request_body_is_text(headers.get("content-type")) and _local_aws.is_text(body):\n',
        ),
        (
            "    exec_record = lambda_svc._execution_record_for_config(func_data, func_config)\n",
            "    if _local_aws.event_too_large(event):\n        return _local_aws.too_large()\n"
            "    exec_record = lambda_svc._execution_record_for_config(func_data, func_config)\n",
        ),
        (
            "    lambda_response, _ = lambda_svc.lambda_execute_result_to_api_proxy_response(result)\n",
            "    if result.get('error'):\n        return _local_aws.failed()\n"
            "    lambda_response, _ = lambda_svc.lambda_execute_result_to_api_proxy_response(result)\n",
        ),
    )
    patch.wrap(apigateway, "handle_execute", _limited)
    patch.wrap(app, "_enforce_execute_api", _forbidden)
    patch.wrap(provisioners, "_apigw_v2_api_create", _cors_create)
    patch.wrap(provisioners, "_apigw_v2_api_update", _cors_update)
    patch.wrap(provisioners, "_apigw_v2_stage_create", _routes_exist(2))
    patch.wrap(provisioners, "_apigw_v2_stage_update", _routes_exist(3))


def _limited(original):
    async def execute(api_id, stage, path, method, headers, body, query_params, **named):
        if len(body or b"") > MAX_REQUEST:
            return too_large()
        return await original(api_id, stage, path, method, headers, body, query_params, **named)

    return execute


def _forbidden(original):
    """An HTTP API does not say why it refuses a signature.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html"""

    def enforce(api_id, *rest, **named):
        denied = original(api_id, *rest, **named)
        if denied and apigateway.find_api_scope(api_id) is not None:
            return 403, {"Content-Type": "application/json"}, b'{"message":"Forbidden"}'
        return denied

    return enforce


def _camel(props: dict) -> dict:
    """MiniStack reads the API's own spelling (allowOrigins) where the template has AllowOrigins."""
    cors = props.get("CorsConfiguration")
    return {**props, "CorsConfiguration": {key[0].lower() + key[1:]: value for key, value in cors.items()}} if cors else props


def _cors_create(original):
    return lambda logical_id, props, stack_name: original(logical_id, _camel(props), stack_name)


def _cors_update(original):
    def update(physical_id, old_props, new_props, stack_name, logical_id=None):
        return original(physical_id, _camel(old_props), _camel(new_props), stack_name, logical_id)

    return update


def _routes_exist(position: int):
    """Settings for a route that is not there fail the stage.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html"""

    def around(original):
        def handle(*args, **named):
            props = args[position - 1]
            keys = {route["routeKey"] for route in apigateway._routes.get(props.get("ApiId", ""), {}).values()}
            for key in props.get("RouteSettings") or {}:
                if key not in keys:
                    raise ValueError(f"Unable to find Route by key {key} within the provided RouteSettings (Service: ApiGatewayV2, Status Code: 404)")
            return original(*args, **named)

        return handle

    return around
