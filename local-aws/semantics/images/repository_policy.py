"""A repository's policy lets Lambda read its images. Where it does not, Lambda adds that, as far as who makes or updates the function may.
https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-permissions
"""

import json

from ministack.core.responses import get_account_id, get_region
from ministack.services import ecr

_ACTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_TO_CHANGE = ("ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy")


def lets_lambda(name: str, may) -> bool:
    """Whether Lambda may read the repository's images for who asks, after this."""
    arn = ecr._repo_arn(name)
    if not all(may(action, arn) for action in _ACTIONS):
        return False
    policy = json.loads(ecr._repo_policies.get(name) or '{"Version": "2008-10-17", "Statement": []}')
    if any(_is_for_lambda(one) for one in _list(policy.get("Statement"))):
        return True
    if not all(may(action, arn) for action in _TO_CHANGE):
        return False
    policy["Statement"] = [
        *_list(policy.get("Statement")),
        {
            "Sid": "LambdaECRImageRetrievalPolicy",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": [*_ACTIONS, "ecr:SetRepositoryPolicy", "ecr:DeleteRepositoryPolicy", "ecr:GetRepositoryPolicy"],
            "Condition": {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:*"}},
        },
    ]
    ecr._repo_policies[name] = json.dumps(policy)
    return True


def denied(refused):
    return refused("AccessDeniedException", "Lambda does not have permission to access the ECR image. Check the ECR permissions.")


def _is_for_lambda(statement: dict) -> bool:
    principal = statement.get("Principal")
    services = _list(principal.get("Service")) if isinstance(principal, dict) else []
    actions = {action.lower() for action in _list(statement.get("Action"))}
    everything = actions & {"*", "ecr:*"}
    return (
        statement.get("Effect") == "Allow"
        and (principal == "*" or "lambda.amazonaws.com" in services)
        and bool(everything or {action.lower() for action in _ACTIONS} <= actions)
    )


def _list(value) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]
