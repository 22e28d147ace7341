"""An alias points to versions that are there: CreateAlias and UpdateAlias refuse any other, in Lambda's words for it. It splits
traffic only between two published ones, with the same execution role and the same dead-letter queue, or none.
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html (ResourceNotFoundException)
https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
"""

from ministack.services import lambda_svc

from .. import patch


def install() -> None:
    patch.wrap(lambda_svc, "_create_alias", lambda original: lambda name, data: _refused(name, data) or original(name, data))
    patch.wrap(
        lambda_svc, "_update_alias", lambda original: lambda name, alias, data: _refused(name, data, alias) or original(name, alias, data)
    )


def _refused(name: str, data: dict, alias: str | None = None):
    function = lambda_svc._functions.get(name)
    if function is None or (alias is not None and alias not in function["aliases"]):
        return None
    weights = (data.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for version in [data.get("FunctionVersion"), *weights]:
        if version not in (None, "$LATEST") and version not in function["versions"]:
            return lambda_svc.error_response_json(
                "ResourceNotFoundException", f"Function not found: {lambda_svc._func_arn(name)}:{version}", 404
            )
    kept = function["aliases"].get(alias, {})
    first = data.get("FunctionVersion") or kept.get("FunctionVersion")
    weights = weights if "RoutingConfig" in data else (kept.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    why = next(filter(None, (_unlike(function, first, other) for other in weights)), None)
    return lambda_svc.error_response_json("InvalidParameterValueException", why, 400) if why else None


def _unlike(function: dict, first: str, other: str) -> str | None:
    """Why an alias cannot split traffic between these versions, None if it can."""
    if "$LATEST" in (first, other):
        return "$LATEST is not supported for an alias pointing to more than 1 version"
    # What an alias points to may be deleted at this moment.
    one, two = (function["versions"].get(version, {}).get("config", {}) for version in (first, other))
    if one.get("Role") != two.get("Role"):
        return f"The versions {first} and {other} of an alias must have the same execution role"
    if _queue_of(one) != _queue_of(two):
        return f"The versions {first} and {other} of an alias must have the same dead-letter queue configuration"
    return None


def _queue_of(config: dict) -> str | None:
    return (config.get("DeadLetterConfig") or {}).get("TargetArn") or None
