"""What is answered for a new function URL has the time of its making, and none of a change.
https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html#API_CreateFunctionUrlConfig_ResponseElements
"""

from ministack.services import lambda_svc

from .. import patch


def install() -> None:
    patch.source(
        lambda_svc,
        "_create_function_url_config",
        ("return json_response(cfg, status=201)", 'return json_response({name: value for name, value in cfg.items() if name != "LastModifiedTime"}, status=201)'),
    )
