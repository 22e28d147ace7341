"""What a stack cannot delete stays, and fails its deletion: a bucket that has objects, and a version that an alias points to. A function that
somebody deleted beside it fails its update.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html (ResourceConflictException)
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract.html (update handlers)

MiniStack deletes the bucket with its objects, and the version under its alias, and makes the function again.
"""

from ministack.services import lambda_svc, s3
from ministack.services.cloudformation import provisioners

from . import patch


def install() -> None:
    patch.wrap(provisioners, "_s3_delete", _bucket)
    patch.wrap(provisioners, "_lambda_version_delete", _version)
    patch.wrap(provisioners, "_lambda_update", _function)


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
