"""What a template refers to of a secret is its ARN: a policy allows that, and nothing by a name.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html (Return values)
"""

from ministack.services import secretsmanager
from ministack.services.cloudformation import provisioners

from .. import patch


def install() -> None:
    patch.wrap(provisioners, "_sm_secret_create", lambda original: lambda *given: _by_arn(original(*given)))
    patch.wrap(provisioners, "_sm_secret_update", lambda original: lambda arn, *rest: _by_arn(original(_name(arn), *rest)))
    patch.wrap(provisioners, "_sm_secret_delete", lambda original: lambda arn, *rest: original(_name(arn), *rest))


def _by_arn(made):
    _, attributes, *rest = made
    return attributes["Arn"], attributes, *rest


def _name(arn: str) -> str:
    return secretsmanager._resolve(arn)[0] or arn
