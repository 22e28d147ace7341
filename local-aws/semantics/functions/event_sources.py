"""A queue as a function's event source: the function's role must be allowed to receive from it, when the mapping is made and as long as
it runs, and messages must stay invisible at least as long as the function may take. A function that reports which messages failed
must name them: where it names none of the batch, or answers in another form, all of them failed.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting

MiniStack deletes what such an answer does not name.
"""

import json

from ministack.services import lambda_svc, sqs
from ministack.services.cloudformation import provisioners

from .. import patch
from ..access import roles

_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")


def install() -> None:
    lambda_svc._role_may_receive = lambda config, arn: forbidden(config, arn) is None
    lambda_svc._failed_of = failed_of
    patch.source(
        lambda_svc,
        "_run_sqs_batch",
        ("        if isinstance(body, dict):\n            for failure in body", "        failed_ids = _failed_of(body, batch)\n        if False:\n            for failure in body"),
        ("        elif isinstance(body, str):\n", "        elif False:\n"),
    )
    patch.wrap(lambda_svc, "_create_esm", _create)
    # A change takes a while, and is answered so: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
    patch.source(lambda_svc, "_update_esm", ("json_response(_esm_response(esm))", "json_response(_esm_response(esm), 202)"))
    patch.wrap(provisioners, "_lambda_esm_create", _provision)
    patch.source(
        lambda_svc,
        "_poll_sqs",
        ("            batch_size = esm.get", "            if not _role_may_receive(_cfg, source_arn):\n                continue\n            batch_size = esm.get"),
    )
    # The version or alias is part of `FunctionArn`:
    # https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
    patch.source(lambda_svc, "_esm_response", ('("FunctionName", "Enabled")', '("FunctionName", "Qualifier", "Enabled")'))
    # What is invoked is the new name's alias or version, too.
    patch.source(
        provisioners,
        "_lambda_esm_update",
        ('esm["FunctionName"] = func_name', 'esm["FunctionName"], esm["Qualifier"] = func_name, qualifier'),
    )


def failed_of(answer, batch: list[dict]) -> set[str]:
    """The ids of the messages that an answer says failed; nothing, or an empty list, says that none did."""
    everything = {message["id"] for message in batch}
    if isinstance(answer, str):
        try:
            answer = json.loads(answer) if answer else None
        except ValueError:
            return everything
    if not answer:
        return set()
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else [None]
    if failures is None:
        return set()
    named = {one.get("itemIdentifier") if isinstance(one, dict) else None for one in failures} if isinstance(failures, list) else {None}
    return named if named <= everything else everything


def forbidden(config: dict, queue_arn: str) -> str | None:
    """What the function's role may not do with the queue, None if it may all that it must."""
    return next((action for action in _ACTIONS if not roles.may(config.get("Role", ""), f"sqs:{action}", queue_arn)), None)


def _refusal(function: str, queue_arn: str) -> str | None:
    """Why there can be no mapping, None if there can."""
    queue = sqs._queue_by_arn(queue_arn) if ":sqs:" in queue_arn else None
    _func, config, _name = lambda_svc._get_func_record_for_ref(function)
    if queue is None or not config:
        return None  # a stream, or refused for that
    if action := forbidden(config, queue_arn):
        return f"The provided execution role does not have permissions to call {action} on SQS"
    visible, timeout = int(queue["attributes"].get("VisibilityTimeout", "30")), int(config.get("Timeout", 3))
    if visible < timeout:
        return f"Queue visibility timeout: {visible} seconds is less than Function timeout: {timeout} seconds"
    return None


def _create(original):
    def create(data):
        if why := _refusal(data.get("FunctionName", ""), data.get("EventSourceArn", "")):
            return lambda_svc.error_response_json("InvalidParameterValueException", why, 400)
        return original(data)

    return create


def _provision(original):
    def create(logical_id, props, *rest):
        if why := _refusal(props.get("FunctionName", ""), props.get("EventSourceArn", "")):
            raise ValueError(f'Resource handler returned message: "Invalid request provided: {why}"')
        return original(logical_id, props, *rest)

    return create
