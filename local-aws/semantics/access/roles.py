"""What a role may do, asked by the services that act for a function (MiniStack itself checks the function's own calls)."""

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region


def may(role_arn: str, action: str, resource: str, keys: dict | None = None) -> bool:
    """Whether the role's policies and boundary allow *action*; always, where no policies are evaluated (AUTH off).

    ``keys``: those of conditions that are sent with it."""
    if not app.AUTH:
        return True
    account, name = get_account_id(), role_arn.rsplit("/", 1)[-1]
    from ministack.services import iam

    context = iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context={key.lower(): value for key, value in (keys or {}).items()},
    )
    policies = iam_evaluator._gather_role_policies(name, account)
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    return iam_evaluator.evaluate(context, policies, *limits).decision == "Allow"
