"""What becomes of a resource whose own answer decides.

CloudFormation invokes a custom resource's function asynchronously: it is tried again twice when it fails, and the stack goes
on as soon as the answer is there, not when the function ends. An answer that is too large, lacks what it must have, or belongs to
another request fails the resource.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import json

from ministack.services.cloudformation import changesets, custom_resource, handlers, stacks

from . import patch


# The requests that are not answered yet, by the token of their ResponseURL.
_asked: dict[str, dict] = {}
_MOST_BYTES, _MOST_ID_BYTES = 4096, 1024
_COPIED = ("StackId", "RequestId", "LogicalResourceId")


def _fault(answer, asked: dict) -> str | None:
    """What is wrong with an answer, None if nothing is."""
    if not isinstance(answer, dict) or answer.get("Status") not in ("SUCCESS", "FAILED"):
        return "Invalid Response object: Status must be SUCCESS or FAILED."
    if len(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")) > _MOST_BYTES:
        return "Response object is too long."
    if answer["Status"] == "FAILED" and not answer.get("Reason"):
        return "Invalid Response object: a failure needs a Reason."
    physical = answer.get("PhysicalResourceId")
    if not isinstance(physical, str) or not 0 < len(physical.encode("utf-8", "replace")) <= _MOST_ID_BYTES:
        return "Invalid PhysicalResourceId"
    other = next((name for name in _COPIED if answer.get(name) != asked[name]), None)
    return other and f"Invalid Response object: {other} is not that of the request."


def _delivered(original):
    def deliver(token, answer):
        asked = _asked.pop(token, None)
        if asked and (fault := _fault(answer, asked)):
            answer = {"Status": "FAILED", "Reason": fault}
        return original(token, answer)

    return deliver


def install() -> None:
    custom_resource._asked = _asked
    patch.wrap(custom_resource, "deliver_response", _delivered)
    patch.source(
        custom_resource,
        "invoke_custom_resource",
        ("    event_obj = register_token(token)\n", "    event_obj = register_token(token)\n    _asked[token] = cfn_event\n"),
        ("_lambda_svc._execute_function_with_config_scope(exec_record, cfn_event)", "_lambda_svc.invoke_async_with_retry(exec_record, cfn_event)"),
    )
    # What a resource that could not be deleted needs stays with it: deletion goes from dependents to what they depend on.
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-delete-stack.html
    patch.source(
        stacks,
        "_delete_stack_async",
        ("delete_failures = []", "delete_failures, kept = [], set()"),
        ("if not res:", "if not res or logical_id in kept:"),
        ("delete_failures.append(logical_id)", "delete_failures.append(logical_id); kept |= _with_dependencies([logical_id], res_defs, set(resources))"),
    )
    handlers._delete_stack_async = stacks._delete_stack_async
    # What an update takes away is deleted in its cleanup, and the stack's events tell that.
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
    told = "_add_event(stack_id, stack_name, logical_id, rtype, {status!r}, physical_id=pid)\n"
    begin = '            try:\n                if policy == "Snapshot":\n                    _snapshot_resource(rtype, pid, old_props)\n'
    end = "            provisioned_resources.pop(logical_id, None)\n\n    await asyncio.sleep(0)\n"
    indent = " " * 12
    patch.source(
        stacks,
        "_deploy_stack_async",
        (begin, indent + told.format(status="DELETE_IN_PROGRESS") + begin),
        (end, indent + told.format(status="DELETE_COMPLETE") + end),
    )
    for module in (handlers, changesets):
        module._deploy_stack_async = stacks._deploy_stack_async
