"""A queue of many messages is as quick as one of few, and no two receivers get a message at once. Its metrics are in `queue_metrics`.
One that was received as often as the redrive policy allows is moved when it would be received again, and is as old there as the
move is. Who deletes by the handle of an earlier receive is answered as if it went well, and the message stays.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html

MiniStack goes through all messages several times at each receive and delete.
"""

import json
import re
import threading
import time

from ministack.services import sqs

from .. import patch
from . import queue_metrics

# Taking a message out of a list, from the look to the deletion. Appending needs no lock.
_taking = threading.Lock()
_EXPIRY_SECONDS = 1  # how often old messages are looked for
_looked: dict[str, float] = {}


def install() -> None:
    patch.wrap(sqs, "_expire_retained", _now_and_then)
    patch.wrap(sqs, "_dlq_sweep", lambda original: lambda q: original(q) if q["is_fifo"] else None)
    patch.wrap(sqs, "_collect_msgs", _collect)
    patch.wrap(sqs, "_delete_messages_for_esm", lambda _original: lambda url, handles: _delete(sqs._get_q(url), handles))
    patch.wrap(sqs, "_act_delete_message", _delete_one)
    patch.wrap(sqs, "_act_delete_message_batch", _delete_batch)
    queue_metrics.start()


def take(q: dict, message: dict) -> bool:
    """Takes exactly this message out. False: it is no longer there."""
    with _taking:
        for index, one in enumerate(q["messages"]):
            if one is message:
                del q["messages"][index]
                return True
        return False


def redrive_policy(q: dict) -> tuple[int, dict | None]:
    """How often a message may be received, 0 without limit, and the dead-letter queue."""
    policy = json.loads(q["attributes"].get("RedrivePolicy") or "{}")
    dead = sqs._queue_by_arn(policy["deadLetterTargetArn"]) if policy else None
    return (int(policy["maxReceiveCount"]), dead) if dead else (0, None)


def _collect(original):
    def collect(q, most, visibility):
        if q["is_fifo"]:
            return original(q, most, visibility)
        now, found, (limit, dead) = sqs.time.time(), [], redrive_policy(q)
        for message in list(q["messages"]):
            if len(found) == most:
                break
            sqs._ensure_msg_fields(message)
            if message["visible_at"] <= now and limit and message["receive_count"] >= limit:
                _bury(q, dead, message, now)
            elif _claim(message, now, visibility):
                found.append(message)
        return found

    return collect


def _claim(message: dict, now: float, visibility: int) -> bool:
    with _taking:
        if message["visible_at"] > now:
            return False
        message.update(receipt_handle=sqs.new_uuid(), visible_at=now + visibility, receive_count=message["receive_count"] + 1)
        message["first_receive_at"] = message["first_receive_at"] or now
        return True


def _bury(q: dict, dead: dict, message: dict, now: float) -> None:
    if take(q, message):
        system = {"DeadLetterQueueSourceArn": q["attributes"].get("QueueArn", ""), **message.get("sys", {})}
        dead["messages"].append({**message, "receipt_handle": None, "visible_at": now, "moved_at": now, "sys": system})
        sqs.esm_wake.set()


def _delete(q: dict, handles) -> int:
    gone = [one for one in list(q["messages"]) if one.get("receipt_handle") is not None and one["receipt_handle"] in handles]
    return sum(take(q, one) for one in gone)


# A handle that a receive gave, now or before.
_HANDLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _deleted(q: dict, handle) -> bool:
    """False: it is no handle at all. One of an earlier receive, or of a message that is gone, is answered as if it went well."""
    return bool(_delete(q, {handle})) or _HANDLE.fullmatch(handle or "") is not None


def _delete_one(original):
    def delete(data, qurl):
        q = sqs._get_q(data.get("QueueUrl", qurl), "sqs:DeleteMessage")
        if not data.get("ReceiptHandle"):
            return original(data, qurl)  # which says so
        if not _deleted(q, data["ReceiptHandle"]):
            raise sqs._Err("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        return {}

    return delete


def _delete_batch(original):
    def delete(data, qurl):
        q, entries = sqs._get_q(data.get("QueueUrl", qurl), "sqs:DeleteMessage"), data.get("Entries", [])
        sqs._validate_batch_entries(entries, "DeleteMessageBatchRequestEntry")
        done, failed = [], []
        for entry in entries:
            if _deleted(q, entry.get("ReceiptHandle")):
                done.append({"Id": entry["Id"]})
            else:
                message = "The input receipt handle is invalid."
                failed.append({"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid", "Message": message, "SenderFault": True})
        return {"Successful": done, "Failed": failed}

    return delete


def _now_and_then(original):
    """Messages end after days: they need not be looked for at each receive."""

    def expire(q):
        now = time.monotonic()
        if now - _looked.get(q["attributes"]["QueueArn"], 0) >= _EXPIRY_SECONDS:
            _looked[q["attributes"]["QueueArn"]] = now
            before = list(q["messages"])
            aside = {**q, "messages": before}
            original(aside)
            left = {id(one) for one in aside["messages"]}
            for one in before:
                if id(one) not in left:
                    take(q, one)

    return expire
