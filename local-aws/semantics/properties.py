"""What a template says of a function or a role counts. A function's dead-letter queue, network, key and file system are of its
configuration, so another one is another version; a version is published only of the code that it names; a role has its boundary.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html

MiniStack drops these properties. A name that a template does not give is unique, also where a stack of that name is in another region, as a
role is of none; MiniStack makes it of stack and logical id alone.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
"""

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import iam, lambda_svc
from ministack.services.cloudformation import provisioners

from . import patch

# The template's word, and the API's.
_CONFIGURATION = {"DeadLetterConfig": "DeadLetterConfig", "VpcConfig": "VpcConfig", "KmsKeyArn": "KMSKeyArn", "FileSystemConfigs": "FileSystemConfigs"}


def install() -> None:
    patch.source(
        provisioners, "_physical_name", ('_NAME_SEED.get() if seeded else ""', 'get_region() + (_NAME_SEED.get() if seeded else "")')
    )
    patch.wrap(provisioners, "_lambda_create", lambda original: _then(original, 1, _configured))
    patch.wrap(provisioners, "_lambda_update", lambda original: _then(original, 2, _configured))
    patch.wrap(provisioners, "_iam_role_create", lambda original: _then(original, 1, _bounded))
    patch.wrap(provisioners, "_iam_role_update", lambda original: _then(original, 2, _bounded))
    patch.wrap(provisioners, "_lambda_version_create", _of_this_code)


def _then(original, place: int, apply):
    """``place`` of the properties among the arguments."""

    def make(*given, **named):
        made = original(*given, **named)
        apply(made[0], given[place])
        return made

    return make


def _configured(name: str, props: dict) -> None:
    config = lambda_svc._functions[name]["config"]
    for key, own in _CONFIGURATION.items():
        value = props.get(key)
        if value and key == "VpcConfig":
            value = lambda_svc._vpc_config_with_id(value)
        if value:
            config[own] = value
        else:
            config.pop(own, None)


def _bounded(name: str, props: dict) -> None:
    boundary, role = props.get("PermissionsBoundary"), iam._roles[name]
    # Those of AWS that MiniStack does not have are taken to set no bound.
    if boundary and iam_evaluator._resolve_managed_policy_document(boundary, get_account_id()) is None:
        if ":iam::aws:" not in boundary:
            raise ValueError(f"Scope ARN: {boundary} does not exist or is not attachable.")
        boundary = None
    if boundary:
        role["PermissionsBoundary"] = boundary
    else:
        role.pop("PermissionsBoundary", None)


def _of_this_code(original):
    def publish(logical_id, props, *rest):
        func, _name = provisioners._lambda_version_function(props)
        named, now = props.get("CodeSha256"), ((func or {}).get("config") or {}).get("CodeSha256")
        if func and named and named != now:
            raise ValueError(f"CodeSHA256 ({named}) is different from current CodeSHA256 in $LATEST ({now}). Please try again with the CodeSHA256 in $LATEST.")
        return original(logical_id, props, *rest)

    return publish
