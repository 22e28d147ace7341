"""Types of resources that LocalStack's CloudFormation does not make. It reports an unknown one as CREATE_COMPLETE, and makes nothing."""

from localstack.services.cloudformation import resource_provider
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceProvider

from . import patch

_made: dict[str, type[ResourceProvider]] = {}


def add(name: str, kind: type[ResourceProvider], *, identifier: str, create_only: tuple[str, ...] = ()) -> None:
    """``identifier`` is the property that Ref gives; a change of one of ``create_only`` replaces the resource."""
    if not _made:
        patch.wrap(resource_provider.ResourceProviderExecutor, "try_load_resource_provider", _found)
    kind.TYPE = name
    kind.SCHEMA = {
        "typeName": name,
        "primaryIdentifier": [f"/properties/{identifier}"],
        "properties": {},
        "readOnlyProperties": [],
        "createOnlyProperties": [f"/properties/{one}" for one in create_only],
    }
    _made[name] = kind


def done(model: dict) -> ProgressEvent:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def failed(model: dict, message: str) -> ProgressEvent:
    return ProgressEvent(status=OperationStatus.FAILED, resource_model=model, message=message)


def _found(original):
    def load(resource_type: str):
        name = "AWS::CloudFormation::CustomResource" if (resource_type or "").startswith("Custom::") else resource_type
        return _made[name]() if name in _made else original(resource_type)

    return load
