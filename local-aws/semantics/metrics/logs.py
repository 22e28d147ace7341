"""What a function writes lands in its log group, if its role allows: with logs:CreateLogGroup a missing group comes back,
without it nothing is written. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

import time

from ministack.services import cloudwatch_logs

from ..access import roles
from ..functions.sandbox import log_group


# Called with every line that is kept.
observers: list = []


def write(config: dict, stream_name: str, lines: list[str]) -> None:
    name = log_group(config)
    groups = cloudwatch_logs._log_groups
    arn = cloudwatch_logs._make_group_arn(name)
    now = int(time.time() * 1000)
    if name not in groups:
        if not roles.may(config.get("Role", ""), "logs:CreateLogGroup", arn):
            return
        groups[name] = {
            "arn": arn,
            "creationTime": now,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    streams = groups[name]["streams"]
    if stream_name not in streams:
        if not roles.may(config.get("Role", ""), "logs:CreateLogStream", f"{arn}:log-stream:{stream_name}"):
            return
        streams[stream_name] = {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        }
    if not roles.may(config.get("Role", ""), "logs:PutLogEvents", f"{arn}:log-stream:{stream_name}"):
        return
    events = [{"timestamp": now, "message": line} for line in lines]
    cloudwatch_logs._append_log_events(streams[stream_name], [{**event, "ingestionTime": now} for event in events])
    cloudwatch_logs._fanout_to_subscription_filters(name, stream_name, events)
    for line in lines:
        for observe in observers:
            observe(line)
