"""CloudFormation makes, changes and removes resources with the permissions of whoever asks for the operation. A stack that was given
a role uses the role's.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html

Its calls for a resource (``stack_calls.py``) are those that AWS's schema of the type names (`handlers`), as far as the properties ask for
them. A call that is not allowed fails the resource, with AWS's words. No call of another type is checked.
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from contextvars import ContextVar

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.core.router import extract_access_key_id
from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, provisioners, stacks

from .. import patch
from . import roles, stack_calls

# Who asked for the operation that runs; the task of a stack copies it.
_caller: ContextVar[str] = ContextVar("deployer", default="")
_TAKE_A_ROLE = ("CreateStack", "UpdateStack", "CreateChangeSet", "DeleteStack", "ContinueUpdateRollback", "RollbackStack")


def install() -> None:
    patch.wrap(cloudformation, "handle_request", _remembered)
    for action in _TAKE_A_ROLE:
        handlers._ACTION_HANDLERS[action] = _with_role(handlers._ACTION_HANDLERS[action])
    patch.wrap(stacks, "_provision_resource", _made)
    patch.wrap(stacks, "_update_resource", _changed)
    patch.wrap(stacks, "_delete_resource", _removed)


def _remembered(original):
    async def handle_request(method, path, headers, body, query_params):
        before = _caller.set(extract_access_key_id(headers, query_params) or "")
        try:
            return await original(method, path, headers, body, query_params)
        finally:
            _caller.reset(before)

    return handle_request


def _with_role(original):
    """The role is the stack's from then on: whoever asks later uses it, too."""

    def handle(params):
        role = (params.get("RoleARN") or [""])[0]
        if role and (denied := _denied("iam:PassRole", role, {"iam:PassedToService": "cloudformation.amazonaws.com"})):
            return handlers._error("AccessDenied", denied, 403)
        answer = original(params)
        name = (params.get("StackName") or [""])[0]
        # Before the task of the stack begins: it waits for the event loop.
        if role and name in cloudformation._stacks:
            cloudformation._stacks[name]["RoleARN"] = role
        return answer

    return handle


def _denied(action: str, resource: str, keys: dict, role: str = "") -> str | None:
    """AWS's words, where it is denied."""
    if not app.AUTH:
        return None
    if role:
        return None if roles.may(role, action, resource, keys) else f"User: {role} is not authorized to perform: {action} on resource: {resource}"
    denied = iam_evaluator.enforce(_caller.get(), action, action.split(":")[0], get_region(), resource_arn=resource, service_context=keys)
    return denied and f"User: {getattr(denied, 'principal_arn', '')} is not authorized to perform: {action} on resource: {resource}"


def _tagged(stack_name, props) -> bool:
    """By the template or by the stack; CloudFormation’s own tags, `aws:…`, take no permission of the caller’s."""
    own = provisioners._tag_map(props.get("Tags"))
    return any(not key.startswith("aws:") for key in own) or bool((cloudformation._stacks.get(stack_name) or {}).get("Tags"))


def _ask(stack_name, calls) -> None:
    role = (cloudformation._stacks.get(stack_name) or {}).get("RoleARN", "")
    for action, resource, *keys in calls:
        if denied := _denied(action, resource, keys[0] if keys else {}, role):
            raise PermissionError(denied)


def _made(original):
    def provision(kind, logical_id, props, stack_name):
        _ask(stack_name, stack_calls.create(kind, stack_name, logical_id, props, _tagged(stack_name, props)))
        return original(kind, logical_id, props, stack_name)

    return provision


def _changed(original):
    def update(kind, physical_id, old, new, stack_name, logical_id=None, old_attrs=None):
        if old != new:
            anew = provisioners._replacing_change(kind, old, new)
            tagged = _tagged(stack_name, new)
            _ask(stack_name, stack_calls.create(kind, stack_name, logical_id, new, tagged) if anew else stack_calls.update(kind, physical_id, new, tagged))
        return original(kind, physical_id, old, new, stack_name, logical_id, old_attrs)

    return update


def _removed(original):
    def delete(kind, physical_id, props, stack_name=None, logical_id=None):
        _ask(stack_name, stack_calls.delete(kind, physical_id, props))
        return original(kind, physical_id, props, stack_name, logical_id)

    return delete
