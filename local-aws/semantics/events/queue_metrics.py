"""Metrics of queues, each minute: messages that can be received, that are being handled, that are not yet due, and the age of the
oldest. A message that was received three times and is still there is passed over for the age; in a dead-letter queue the age
counts from the move.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

import threading

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import cloudwatch, sqs

_SECONDS = 60
_PASSED_OVER = 3  # received as often


def start() -> None:
    threading.Thread(target=_forever, name="queue-metrics", daemon=True).start()


def _forever() -> None:
    while True:
        cloudwatch.time.sleep(_SECONDS)
        for (account, region, _url), queue in list(sqs._queues._data.items()):
            set_request_account_id(account)
            set_request_region(region)
            for name, unit, value in measured(queue, sqs.time.time()):
                cloudwatch.record_metric("AWS/SQS", name, value, unit, {"QueueName": queue["name"]})


def measured(queue: dict, now: float) -> list[tuple[str, str, float]]:
    """Name, unit and value of each metric of a queue at *now* (epoch seconds)."""
    messages = list(queue["messages"])
    hidden = [one for one in messages if one["visible_at"] > now]
    delayed = sum(not one.get("receive_count") for one in hidden)
    ages = [now - (one.get("moved_at") or one.get("sent_at", now)) for one in messages if one.get("moved_at") or one.get("receive_count", 0) < _PASSED_OVER]
    return [
        ("ApproximateNumberOfMessagesVisible", "Count", len(messages) - len(hidden)),
        ("ApproximateNumberOfMessagesNotVisible", "Count", len(hidden) - delayed),
        ("ApproximateNumberOfMessagesDelayed", "Count", delayed),
        ("ApproximateAgeOfOldestMessage", "Seconds", max(ages, default=0)),
    ]
