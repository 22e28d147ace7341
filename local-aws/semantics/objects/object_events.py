"""S3's events for EventBridge have the version of the object, where the bucket has versions, and their time to the second.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from ministack.services import s3

from .. import patch


def install() -> None:
    patch.source(
        s3,
        "_fire_s3_event",
        ('"etag": clean_etag, "sequencer"', '"etag": clean_etag, **({"version-id": version_id} if version_id else {}), "sequencer"'),
        ('"Time": event_time,', '"Time": event_time[:19] + "Z",'),
    )
