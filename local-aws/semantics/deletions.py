"""What a stack cannot delete stays, and fails its deletion: a bucket that has objects, and a version that an alias points to. A function that
somebody deleted beside it fails its update, and a log group that is there its creation: one that a stack left behind, for example.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html (ResourceConflictException)
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract.html (create and update handlers)

MiniStack deletes the bucket with its objects, and the version under its alias, makes the function again, and puts an empty log group in the
place of the one that is there.
"""

from ministack.services import cloudwatch_logs, lambda_svc, s3
from ministack.services.cloudformation import provisioners

from . import patch


def install() -> None:
    patch.wrap(provisioners, "_s3_delete", _bucket)
    patch.wrap(provisioners, "_lambda_version_delete", _version)
    patch.wrap(provisioners, "_lambda_update", _function)
    patch.wrap(provisioners, "_cwlogs_create", _log_group)


def _bucket(original):
    def delete(name, *rest):
        bucket = s3._buckets.get(name)
        if bucket and (bucket["objects"] or s3._bucket_has_versions(name)):
            raise ValueError('Resource handler returned message: "The bucket you tried to delete is not empty (Service: S3, Status Code: 409)"')
        return original(name, *rest)

    return delete


def _version(original):
    def delete(arn, *rest):
        name, version = (arn.split(":")[6:8] + ["", ""])[:2]
        for alias in (lambda_svc._functions.get(name) or {}).get("aliases", {}).values():
            if version in (alias["FunctionVersion"], *(alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {})):
                raise ValueError(
                    'Resource handler returned message: "Version was not able to be deleted since it is referenced by an alias '
                    f'(Service: Lambda, Status Code: 409): {alias["Name"]}"'
                )
        return original(arn, *rest)

    return delete


def _function(original):
    def update(name, *rest, **named):
        if name not in lambda_svc._functions:
            raise ValueError(f'Resource handler returned message: "Lambda function {name} could not be found" (HandlerErrorCode: NotFound)')
        return original(name, *rest, **named)

    return update


def _log_group(original):
    def create(logical_id, props, stack):
        name = props.get("LogGroupName")
        if name in cloudwatch_logs._log_groups:
            raise ValueError(f"Resource of type 'AWS::Logs::LogGroup' with identifier '{name}' already exists. (HandlerErrorCode: AlreadyExists)")
        return original(logical_id, props, stack)

    return create
