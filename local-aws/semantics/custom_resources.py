"""What becomes of a resource whose own answer decides.

CloudFormation invokes a custom resource's function asynchronously: it is tried again twice when it fails, and the stack goes
on as soon as the answer is there, not when the function ends.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
"""

from ministack.services.cloudformation import changesets, custom_resource, handlers, stacks

from . import patch


def install() -> None:
    patch.source(
        custom_resource,
        "invoke_custom_resource",
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
