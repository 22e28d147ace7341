"""What the caller of Application Auto Scaling must be allowed in Lambda, CloudWatch and IAM, and the role that the service takes then.
https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
"""

import json
from typing import NamedTuple

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import iam

_PRINCIPAL = "lambda.application-autoscaling.amazonaws.com"
LINKED_ROLE = "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency"


class Caller(NamedTuple):
    access_key: str | None

    def may(self, action: str, resource: str) -> bool:
        if not app.AUTH:
            return True
        service = action.split(":")[0]
        keys = {"iam:AWSServiceName": _PRINCIPAL} if service == "iam" else None
        return iam_evaluator.enforce(self.access_key, action, service, get_region(), resource_arn=resource, service_context=keys) is None


def caller(headers: dict, query_params: dict) -> Caller:
    return Caller(extract_access_key_id(headers, query_params))


def of_target(name: str, qualifier: str) -> list[tuple[str, str]]:
    """What the service-linked role does to a function, by the policy AWSApplicationAutoscalingLambdaConcurrencyPolicy:
    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSApplicationAutoscalingLambdaConcurrencyPolicy.html"""
    arn = f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}:{qualifier}"
    return [(f"lambda:{verb}ProvisionedConcurrencyConfig", arn) for verb in ("Put", "Get", "Delete")]


def of_alarms(resource_id: str) -> list[tuple[str, str]]:
    arn = f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:TargetTracking-{resource_id}-*"
    return [(f"cloudwatch:{verb}", arn) for verb in ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms")]


def _linked_role_arn() -> str:
    return f"arn:aws:iam::{get_account_id()}:role/aws-service-role/{_PRINCIPAL}/{LINKED_ROLE}"


def of_linked_role() -> list[tuple[str, str]]:
    """Nothing, once the account has the role."""
    return [] if LINKED_ROLE in iam._roles else [("iam:CreateServiceLinkedRole", _linked_role_arn())]


def linked_role() -> str:
    """The ARN of the role, made on first use as AWS does."""
    if LINKED_ROLE not in iam._roles:
        statement = {"Effect": "Allow", "Principal": {"Service": _PRINCIPAL}, "Action": "sts:AssumeRole"}
        iam._roles[LINKED_ROLE] = {
            "RoleName": LINKED_ROLE, "Arn": _linked_role_arn(), "RoleId": iam._gen_id("AROA"), "CreateDate": iam._now(),
            "Path": f"/aws-service-role/{_PRINCIPAL}/", "MaxSessionDuration": 3600, "Description": "", "Tags": [],
            "AssumeRolePolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            "AttachedPolicies": [], "InlinePolicies": {},
        }
    return _linked_role_arn()
