"""Messages of a dead-letter queue are moved back: StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask. A moved message
is a new one, with the body and the attributes of the old. Where no destination is named, it goes where SQS took it from; one that
was sent to the dead-letter queue has no such place, and the task fails at it.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
"""

import contextvars
import json
import threading
from contextlib import suppress

from ministack.core import iam_actions
from ministack.services import sqs

from .. import patch
from . import queues
from ..scaling import scaling_rights

_MOST_PER_SECOND = 500
_ACTIONS = ("StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask")
_tasks: list[dict] = []
_access_key: contextvars.ContextVar = contextvars.ContextVar("access_key", default=None)


def install() -> None:
    sqs._HANDLERS.update(zip(_ACTIONS, (_start, _list, _cancel)))
    patch.wrap(sqs, "handle_request", _with_caller)
    patch.wrap(iam_actions, "extract_resource_arn", _resource)
    patch.wrap(sqs, "reset", lambda original: lambda: (original(), _tasks.clear()))


def _with_caller(original):
    async def handle(method, path, headers, body, query_params):
        _access_key.set(scaling_rights.caller(headers, query_params))
        return await original(method, path, headers, body, query_params)

    return handle


def _resource(original):
    """The queue of these calls is named by its ARN, or by the handle of the task."""

    def resource(service, method, path, headers, body, query_params, region, account_id):
        if service == "sqs" and headers.get("x-amz-target", "").endswith(_ACTIONS):
            with suppress(ValueError):
                asked = json.loads(body)
                return asked.get("SourceArn") or _source_of(asked.get("TaskHandle")) or "*"
        return original(service, method, path, headers, body, query_params, region, account_id)

    return resource


def _source_of(handle) -> str | None:
    return next((task["SourceArn"] for task in _tasks if task["TaskHandle"] == handle), None)


def _queue(arn: str) -> dict:
    found = sqs._queue_by_arn(arn)
    if found is None:
        raise sqs._Err("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.", 404)
    return found


def _allowed(action: str, arn: str) -> None:
    caller = _access_key.get()
    if caller is not None and not caller.may(f"sqs:{action}", arn):
        raise sqs._Err("AccessDeniedException", f"The caller is not authorized to perform: sqs:{action} on resource: {arn}", 403)


def _start(data: dict, _url: str) -> dict:
    source, destination = data.get("SourceArn", ""), data.get("DestinationArn")
    q = _queue(source)
    if not any(queues.redrive_policy(one)[1] is q for one in sqs._queues.values()):
        raise sqs._Err("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    if any(task["SourceArn"] == source and task["Status"] == "RUNNING" for task in _tasks):
        raise sqs._Err("UnsupportedOperation", "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        _allowed(action, source)
    if destination:
        _queue(destination)
        _allowed("SendMessage", destination)
    task = {
        "TaskHandle": sqs.base64.b64encode(json.dumps({"taskId": sqs.new_uuid(), "sourceArn": source}).encode()).decode(),
        "Status": "RUNNING", "SourceArn": source, "StartedTimestamp": int(sqs.time.time() * 1000),
        "ApproximateNumberOfMessagesMoved": 0, "ApproximateNumberOfMessagesToMove": len(q["messages"]),
        **{name: data[name] for name in ("DestinationArn", "MaxNumberOfMessagesPerSecond") if name in data},
    }
    _tasks.append(task)
    threading.Thread(target=contextvars.copy_context().run, args=(_move, task, q), daemon=True).start()
    return {"TaskHandle": task["TaskHandle"]}


def _move(task: dict, q: dict) -> None:
    pause = 1 / min(_MOST_PER_SECOND, int(task.get("MaxNumberOfMessagesPerSecond") or _MOST_PER_SECOND))
    for message in list(q["messages"]):
        if task["Status"] != "RUNNING":
            task["Status"] = "CANCELLED"
            return
        arn = task.get("DestinationArn") or message.get("sys", {}).get("DeadLetterQueueSourceArn")
        target = arn and sqs._queue_by_arn(arn)
        if not target:
            task.update(Status="FAILED", FailureReason="CouldNotDetermineMessageSource")
            return
        if queues.take(q, message):
            now = sqs.time.time()
            target["messages"].append({
                **message, "id": sqs.new_uuid(), "receipt_handle": None, "sent_at": now, "visible_at": now, "receive_count": 0,
                "first_receive_at": None, "moved_at": None, "sys": sqs._build_send_sys_attrs(now, {}),
            })
            task["ApproximateNumberOfMessagesMoved"] += 1
            sqs.esm_wake.set()
            sqs.time.sleep(pause)
    task["Status"] = "COMPLETED"


def _list(data: dict, _url: str) -> dict:
    source = data.get("SourceArn", "")
    _queue(source)
    found = [task for task in reversed(_tasks) if task["SourceArn"] == source][: int(data.get("MaxResults") or 1)]
    # The handle is told of running tasks only.
    return {"Results": [{name: value for name, value in task.items() if name != "TaskHandle" or task["Status"] == "RUNNING"} for task in found]}


def _cancel(data: dict, _url: str) -> dict:
    task = next((one for one in _tasks if one["TaskHandle"] == data.get("TaskHandle") and one["Status"] == "RUNNING"), None)
    if task is None:
        raise sqs._Err("ResourceNotFoundException", "The resource that you specified for the TaskHandle parameter doesn't exist.", 404)
    task["Status"] = "CANCELLING"
    return {"ApproximateNumberOfMessagesMoved": task["ApproximateNumberOfMessagesMoved"]}
