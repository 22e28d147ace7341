"""An alias points to versions that are there: CreateAlias and UpdateAlias refuse any other, in Lambda's words for it.
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html (ResourceNotFoundException)
"""

from ministack.services import lambda_svc

from .. import patch


def install() -> None:
    patch.wrap(lambda_svc, "_create_alias", lambda original: lambda name, data: _missing(name, data) or original(name, data))
    patch.wrap(
        lambda_svc, "_update_alias", lambda original: lambda name, alias, data: _missing(name, data, alias) or original(name, alias, data)
    )


def _missing(name: str, data: dict, alias: str | None = None):
    function = lambda_svc._functions.get(name)
    if function is None or (alias is not None and alias not in function["aliases"]):
        return None
    weights = (data.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for version in [data.get("FunctionVersion"), *weights]:
        if version not in (None, "$LATEST") and version not in function["versions"]:
            return lambda_svc.error_response_json(
                "ResourceNotFoundException", f"Function not found: {lambda_svc._func_arn(name)}:{version}", 404
            )
    return None
