"""A stack takes a change only while it rests, and after a creation that was rolled back only its deletion: an operation and the cleanup after
it end first. It is not deleted while an update, or what follows it, goes on; a creation is given up for it. Change sets from before an operation are none any more.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html (stack status codes)
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html (CREATE_FAILED and UPDATE_FAILED are updated)
"""

from ministack.services.cloudformation import handlers
from ministack.services.cloudformation.helpers import _p

_TAKES = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED"}
_KEEPS = {"UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"}


def install() -> None:
    checks = {"UpdateStack": _of_update, "CreateChangeSet": _of_change_set, "CreateStack": _of_creation, "DeleteStack": _of_deletion}
    for action, check in checks.items():
        handlers._ACTION_HANDLERS[action] = _checked(handlers._ACTION_HANDLERS[action], check)


def _checked(original, check):
    def handle(params):
        return check(params) or original(params)

    return handle


def _of_update(params):
    return _busy(handlers._resolve_stack(_p(params, "StackName")))


def _of_change_set(params):
    kind = _p(params, "ChangeSetType") or "UPDATE"
    stack = handlers._resolve_stack(_p(params, "StackName"))
    return _busy(stack) if kind == "UPDATE" else _there(stack, {"REVIEW_IN_PROGRESS"}) if kind == "CREATE" else None


def _of_creation(params):
    return _there(handlers._resolve_stack(_p(params, "StackName")), set())


def _of_deletion(params):
    stack = handlers._resolve_stack(_p(params, "StackName"))
    if not stack or (status := stack.get("StackStatus")) not in _KEEPS:
        return None
    return handlers._error("ValidationError", f"Stack [{stack['StackId']}] cannot be deleted while in status {status}")


def _busy(stack: dict | None):
    status = stack.get("StackStatus") if stack else None
    if status is None or status in _TAKES or status == "DELETE_COMPLETE":
        return None
    return handlers._error("ValidationError", f"Stack:{stack['StackId']} is in {status} state and can not be updated.")


def _there(stack: dict | None, but: set[str]):
    if not stack or stack.get("StackStatus") in {"DELETE_COMPLETE", *but}:
        return None
    return handlers._error("AlreadyExistsException", f"Stack [{stack['StackName']}] already exists")

