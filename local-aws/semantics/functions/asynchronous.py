"""How often an event is tried, and where it goes when it failed, is set for exactly the function, version or alias that was invoked.
https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html

What its destination is told has who was invoked and how often; a function that is one is invoked as by any other event, and again
where it fails.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html

What is sent is sent by the function's role, and Lambda refuses a dead-letter queue or a destination that it may not send to. A
dead-letter queue gets the event alone, with the error beside it, a destination the record; where both are set, both.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
https://github.com/aws-samples/aws-serverless-ecommerce-platform/issues/41
https://github.com/aws-amplify/amplify-js/issues/9869

MiniStack takes the settings of $LATEST, whatever was invoked, and tells three times, always; it invokes a destination once. It asks
for no permission, and sends the record to either.
"""

import json

from ministack.services import lambda_svc, sns, sqs
from ministack.services.cloudformation import provisioners

from .. import patch
from ..access import roles

# By the service of an ARN: the action, and how Lambda's refusal calls it.
_SENDS = {
    "sqs": ("sqs:SendMessage", "SendMessage on SQS"),
    "sns": ("sns:Publish", "Publish on SNS"),
    "lambda": ("lambda:InvokeFunction", "InvokeFunction on Lambda"),
    "events": ("events:PutEvents", "PutEvents on EventBridge"),
}


def install() -> None:
    patch.source(
        lambda_svc,
        "invoke_async_with_retry",
        (
            """func.get("event_invoke_config")
            or (func.get("event_invoke_configs") or {}).get("$LATEST")""",
            """_event_invoke_config(_functions.get(fn_name) or func, "".join(config.get("FunctionArn", "").split(":")[7:]))""",
        ),
        (
            "last_result = _execute_function(func, event)",
            """last_result = {**_execute_function(func, event), "invoked": _invoked_arn(config), "attempt": attempt + 1}""",
        ),
        (
            """            or (config.get("DeadLetterConfig") or {}).get("TargetArn")\n            or ""\n        )\n        started""",
            """            or ""\n        )\n        started""",
        ),
        (
            "        if on_failure_arn and last_result is not None:\n",
            "        if last_result is not None:\n            _bury(config, event, last_result)\n"
            "        if on_failure_arn and last_result is not None and _may_not_send(config.get('Role', ''), on_failure_arn) is None:\n",
        ),
    )
    lambda_svc._bury, lambda_svc._may_not_send = _bury, may_not_send
    patch.wrap(lambda_svc, "_create_function", lambda original: lambda data: _refusal(data, data.get("Role")) or original(data))
    patch.wrap(lambda_svc, "_update_config", _updated)
    patch.wrap(lambda_svc, "_put_event_invoke_config", _settings)
    patch.wrap(provisioners, "_lambda_create", lambda original: lambda logical_id, props, *rest: _provisioned(props) or original(logical_id, props, *rest))
    patch.wrap(provisioners, "_lambda_update", lambda original: lambda physical_id, old, new, *rest: _provisioned(new) or original(physical_id, old, new, *rest))
    lambda_svc._invoked_arn = _invoked_arn
    patch.source(
        lambda_svc,
        "_route_async_failure",
        ("""_functions.get(func_name, {}).get("config", {}).get("FunctionArn", "")""", """result["invoked"]"""),
        (""""approximateInvokeCount": 3""", """"approximateInvokeCount": result["attempt"]"""),
        (
            """threading.Thread(
                    target=_execute_function_with_config_scope,
                    args=(dest_func, envelope),
                    daemon=True,
                ).start()""",
            "invoke_async_with_retry(dest_func, envelope)",
        ),
    )


def _invoked_arn(config: dict) -> str:
    arn = config.get("FunctionArn", "")
    return arn if arn.count(":") > 6 else f"{arn}:$LATEST"


def may_not_send(role: str, arn: str) -> str | None:
    """What the role may not do that sending to this ARN takes, in Lambda's words; None if it may."""
    action, called = _SENDS.get(arn.split(":")[2] if arn.count(":") > 4 else "", ("", ""))
    return None if not action or roles.may(role, action, arn) else called


def _bury(config: dict, event, result: dict) -> None:
    """Sends an event that failed to the function's dead-letter queue, if there is one."""
    arn = (config.get("DeadLetterConfig") or {}).get("TargetArn") or ""
    if not arn or may_not_send(config.get("Role", ""), arn):
        return
    body = result.get("body")
    told = {
        "RequestID": ("String", lambda_svc.new_uuid()),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", str(body.get("errorMessage", "") if isinstance(body, dict) else "")[:1024] or "Unhandled"),
    }
    attributes = {name: {"DataType": kind, "StringValue": value} for name, (kind, value) in told.items()}
    if ":sns:" in arn:
        sns._fanout(arn, lambda_svc.new_uuid(), json.dumps(event), "", "", attributes)
    elif queue := sqs._queue_by_arn(arn):
        url = queue["url"]
        sqs._act_send_message({"QueueUrl": url, "MessageBody": json.dumps(event), "MessageAttributes": attributes}, url)


def _refusal(data: dict, role: str | None):
    arn = (data.get("DeadLetterConfig") or {}).get("TargetArn") or ""
    called = may_not_send(role or "", arn) if arn else None
    return called and lambda_svc.error_response_json("InvalidParameterValueException", f"The provided execution role does not have permissions to call {called}", 400)


def _updated(original):
    def update(name, data):
        kept = (lambda_svc._functions.get(name) or {}).get("config") or {}
        return _refusal(data, data.get("Role") or kept.get("Role")) or original(name, data)

    return update


def _provisioned(props: dict) -> None:
    if refused := _refusal(props, props.get("Role")):
        raise ValueError(f'Resource handler returned message: "{json.loads(refused[2])["message"]}"')


def _settings(original):
    def put(func_name, qualifier, data):
        config = (lambda_svc._functions.get(func_name) or {}).get("config") or {}
        for side in ("OnSuccess", "OnFailure"):
            arn = ((data.get("DestinationConfig") or {}).get(side) or {}).get("Destination") or ""
            if arn and config and (called := may_not_send(config.get("Role", ""), arn)):
                message = f"The function's execution role does not have permissions to call {called}"
                return lambda_svc.error_response_json("InvalidParameterValueException", message, 400)
        return original(func_name, qualifier, data)

    return put
