"""AWS's service models by their `serviceId`, which the SDK for JavaScript and botocore share."""

import functools
import os

import botocore
import botocore.loaders
import botocore.model

_loader = botocore.loaders.Loader(extra_search_paths=[os.path.join(os.path.dirname(botocore.__file__), "data")], include_default_search_paths=False)
# Folders of botocore's data whose names are not made from the identity by the rule of `folder`.
_FOLDERS = {
    "api_gateway": "apigateway", "cloudwatch_logs": "logs", "cognito_identity_provider": "cognito-idp",
    "eventbridge": "events", "sagemaker_runtime": "sagemaker-runtime", "sfn": "stepfunctions", "sso_oidc": "sso-oidc",
    "application_auto_scaling": "application-autoscaling", "elastic_load_balancing_v2": "elbv2",
}


def folder(service_id: str) -> str:
    plain = service_id.lower().replace(" ", "_")
    return _FOLDERS.get(plain, plain.replace("_", ""))


@functools.cache
def service(service_id: str) -> botocore.model.ServiceModel | None:
    """None where AWS has no such service."""
    try:
        name = folder(service_id)
        return botocore.model.ServiceModel(_loader.load_service_model(name, "service-2"), name)
    except botocore.exceptions.UnknownServiceError:
        return None


def share() -> None:
    """MiniStack takes each model from a botocore session of its own, a twentieth of a second each: it gets them from here, too."""
    from ministack.core import responses

    @functools.cache
    def model(name: str) -> botocore.model.ServiceModel | None:
        try:
            found = responses._BOTOCORE_NAME.get(name, name)
            return botocore.model.ServiceModel(_loader.load_service_model(found, "service-2"), found)
        except botocore.exceptions.BotoCoreError:
            return None

    responses._service_model = model


@functools.cache
def operation(service_id: str, name: str) -> botocore.model.OperationModel | None:
    """None where the service has no such operation."""
    model = service(service_id)
    return model.operation_model(name) if model and name in model.operation_names else None


def declared_errors(model: botocore.model.OperationModel) -> set[str]:
    """Codes and names of an operation's own errors."""
    return {name for shape in model.error_shapes for name in (shape.name, shape.metadata.get("error", {}).get("code")) if name}


def error_status(model: botocore.model.OperationModel, code: str) -> int | None:
    """The HTTP status that an operation's own error of this code or name has; None where its model does not tell."""
    for shape in model.error_shapes:
        error = shape.metadata.get("error", {})
        if code in (error.get("code"), shape.name):
            return error.get("httpStatusCode")
    return None
