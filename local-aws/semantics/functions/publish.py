"""A version is published only if code or configuration differ from the last one: PublishVersion then answers that one, and
CloudFormation's AWS::Lambda::Version fails.
https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html

The function's description is configuration, too; the one given to PublishVersion is the version's own and does not count.
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/aws-lambda/lib/function-hash.ts (VERSION_LOCKED)

MiniStack compares revision ids, which change with every update, also with one that changes nothing or changes it back.
"""

import json

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from .. import patch

# What differs between two states of a function with the same code and configuration.
_VOLATILE = {
    "Version", "FunctionArn", "RevisionId", "LastModified", "Description", "State", "StateReason", "StateReasonCode",
    "LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode", "SnapStart",
}


def content(config: dict) -> str:
    return json.dumps({key: value for key, value in config.items() if key not in _VOLATILE}, sort_keys=True)


def same_as_last(func: dict) -> str | None:
    """The last version, if the function is what it was then."""
    last = max(func["versions"], key=int, default=None)
    if last is None or content(func["versions"][last]["config"]) != content(func["config"]):
        return None
    return last if func["versions"][last].get("described_as", "") == func["config"].get("Description", "") else None


def _checked(original):
    """What the caller takes the function to be must hold: RevisionId and CodeSha256."""

    def publish(name, data):
        func = lambda_svc._functions.get(name) or {}
        config = func.get("config")
        if config is not None:
            if refused := lambda_svc._check_revision(config, data):
                return refused
            if data.get("CodeSha256") not in (None, "", config["CodeSha256"]):
                message = f"CodeSHA256 ({data['CodeSha256']}) is different from current CodeSHA256 in $LATEST ({config['CodeSha256']})."
                return lambda_svc.error_response_json("InvalidParameterValueException", message, 400)
        before = set(func.get("versions", ()))
        answer = original(name, data)
        for version in set(func.get("versions", ())) - before:
            func["versions"][version]["described_as"] = config.get("Description", "")
        return answer

    return publish


def install() -> None:
    lambda_svc._same_as_last = same_as_last
    patch.source(
        lambda_svc,
        "_publish_version",
        ('latest = max(func["versions"], key=int, default=None)', "latest = _same_as_last(func)"),
        ('if latest and func["versions"][latest].get("function_revision") == func["config"].get("RevisionId"):', "if latest:"),
    )
    provisioners._same_as_last = same_as_last
    patch.source(
        provisioners,
        "_lambda_version_create",
        ('latest = max(func["versions"], key=int, default=None)', "latest = _same_as_last(func)"),
        ('if latest and func["versions"][latest].get("function_revision") == func["config"]["RevisionId"]:', "if latest:"),
    )
    patch.wrap(lambda_svc, "_publish_version", _checked)
