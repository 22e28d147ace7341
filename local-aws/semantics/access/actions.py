"""IAM actions and resources of Lambda calls by Lambda's own API model; the alias or version is part of the resource.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html

MiniStack takes every call below /aliases for ListAliases or CreateAlias, and drops the qualifier: a role could do
with a version what it may do with the alias only, and not what its policy allows.

A `*` of a policy stands for any characters, the end of a line included, which a key of S3 may have.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from ministack.core import iam_actions, iam_evaluator
from ministack.services import s3, scheduler, tagging

from .. import patch
from ..scaling import scaling_rights

_NAMES = {
    "Invoke": "InvokeFunction",
    "InvokeAsync": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
    "GetLayerVersionByArn": "GetLayerVersion",
}


def install() -> None:
    iam_actions._BOTOCORE_SERVICE_MAP["lambda"] = ["lambda"]
    patch.source(
        iam_evaluator,
        "_fnmatch_compile",
        ('f"^{regex}$", re.IGNORECASE if ignore_case else 0', 'regex + r"\\Z", re.DOTALL | (re.IGNORECASE if ignore_case else 0)'),
    )
    patch.wrap(iam_actions, "_lambda_action", lambda original: _action(original))
    patch.wrap(iam_actions, "_action_from_target", _whole)
    patch.wrap(iam_actions, "extract_resource_arn", _resource)
    patch.wrap(tagging, "resource_tags", _function_tags)
    patch.wrap(scheduler, "handle_request", _pass_role)
    patch.wrap(s3, "_get_object", _missing_object)
    patch.wrap(s3, "_head_object", _missing_object)


def _action(original):
    def action(method, path):
        name = iam_actions._match_rest_action("lambda", method, path)
        return _NAMES.get(name, name) if name else original(method, path)

    return action


def _whole(original):
    """Who may send, delete or put off a message may do so with ten.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html"""

    def action(headers):
        name = original(headers)
        return name.removesuffix("Batch") if name in _BATCHES else name

    return action


_BATCHES = ("SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch")


def _resource(original):
    def resource(service, method, path, headers, body, query_params, region, account_id):
        arn = original(service, method, path, headers, body, query_params, region, account_id)
        if service == "scheduler" and ":schedule/default/" in arn:
            return arn.replace(":schedule/default/", f":schedule/{_group(body, query_params)}/")
        if service == "monitoring" and iam_actions.extract_iam_action(service, method, path, headers, body, query_params) == "cloudwatch:DescribeAlarms":
            # Whatever names it is asked for: https://github.com/mattclay/aws-terminator/pull/63
            return f"arn:aws:cloudwatch:{region}:{account_id}:alarm:*"
        if service == "logs" and len(arn.split(":")) == 7 and not _tags(headers):
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
            return f"{arn}:*"
        if service != "lambda" or ":function:" not in arn or len(arn.split(":")) != 7:
            return arn
        qualifier = (query_params or {}).get("Qualifier")
        qualifier = qualifier[0] if isinstance(qualifier, list) else qualifier
        return f"{arn}:{qualifier}" if qualifier else arn

    return resource


def _function_tags(original):
    """The tags of a function are those of its versions and aliases, too.
    https://docs.aws.amazon.com/lambda/latest/dg/attribute-based-access-control.html"""

    def tags(arn):
        parts = arn.split(":")
        return original(":".join(parts[:7]) if parts[2:3] == ["lambda"] and parts[5:6] == ["function"] else arn)

    return tags


def _tags(headers):
    """Calls for tags are about the group without what is in it."""
    return headers.get("x-amz-target", "").endswith(("TagResource", "ListTagsForResource"))


def _group(body, query_params):
    """The group of a schedule is part of its ARN: in the body when written, in the query else.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html"""
    import json

    named = (query_params or {}).get("groupName") or (json.loads(body) if body else {}).get("GroupName")
    return (named[0] if isinstance(named, list) else named) or "default"


def _pass_role(original):
    """Naming a role for a schedule takes iam:PassRole on it.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/security_iam_id-based-policies.html"""

    async def handle_request(method, path, headers, body, query_params):
        import json

        from ministack import app
        from ministack.core import iam_evaluator
        from ministack.core.router import extract_access_key_id, extract_region

        if app.AUTH and method in ("POST", "PUT") and path.startswith("/schedules/"):
            role = ((json.loads(body or b"{}").get("Target")) or {}).get("RoleArn", "")
            denied = iam_evaluator.enforce(
                extract_access_key_id(headers, query_params), "iam:PassRole", "iam", extract_region(headers, query_params),
                resource_arn=role, service_context={"iam:PassedToService": "scheduler.amazonaws.com"},
            )
            if denied:
                who = getattr(denied, "principal_arn", "")
                return scheduler._error(403, "AccessDeniedException", f"User: {who} is not authorized to perform: iam:PassRole on resource: {role}")
        return await original(method, path, headers, body, query_params)

    return handle_request


def _missing_object(original):
    """Only who may list the bucket is told that there is no such object.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (Permissions)"""

    def get(bucket, key, headers, query_params=None):
        answer = original(bucket, key, headers, query_params)
        signed = headers.get("authorization", "").startswith("AWS4-HMAC-SHA256")
        if answer[0] != 404 or not signed or b"NoSuchKey" not in answer[2]:
            return answer
        arn = f"arn:aws:s3:::{bucket}"
        if scaling_rights.caller(headers, query_params or {}).may("s3:ListBucket", arn):
            return answer
        message = f'You are not authorized to perform: s3:ListBucket on resource: "{arn}" because no policy allows the s3:ListBucket action'
        return s3._error("AccessDenied", message, 403, f"/{bucket}/{key}")

    return get
