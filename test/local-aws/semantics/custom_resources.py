"""CloudFormation invokes a custom resource's function asynchronously: it is tried again twice when it fails, and the stack goes
on as soon as the answer is there, not when the function ends.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
"""

from ministack.services.cloudformation import custom_resource

from . import patch


def install() -> None:
    patch.source(
        custom_resource,
        "invoke_custom_resource",
        ("_lambda_svc._execute_function_with_config_scope(exec_record, cfn_event)", "_lambda_svc.invoke_async_with_retry(exec_record, cfn_event)"),
    )
