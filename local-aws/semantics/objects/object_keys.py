"""Objects under a KMS key (SSE-KMS): who reads one must be allowed kms:Decrypt of its key, who writes one kms:GenerateDataKey, and for an
upload in parts both. S3 asks KMS in the caller's name: through S3 (`kms:ViaService`) and with the object's ARN as context, or the
bucket's where the bucket has a bucket key. The key's own policy is taken to let IAM decide, as the one that AWS makes does. Copies are
not looked at.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
"""

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.core.router import extract_access_key_id
from ministack.services import kms, s3

from .. import patch

_KEY = "x-amz-server-side-encryption-aws-kms-key-id"


def install() -> None:
    patch.wrap(s3, "_get_object", _read)
    patch.wrap(s3, "_put_object", lambda original: _written(original, "kms:GenerateDataKey"))
    patch.wrap(s3, "_create_multipart_upload", lambda original: _written(original, "kms:GenerateDataKey", "kms:Decrypt"))


def _read(original):
    def get(bucket, key, headers, query_params=None):
        answer = original(bucket, key, headers, query_params)
        named = {name.lower(): value for name, value in answer[1].items()}.get(_KEY)
        if answer[0] not in (200, 206) or named is None:
            return answer
        return _refused(bucket, key, named, ["kms:Decrypt"], headers, query_params) or answer

    return get


def _written(original, *actions):
    def write(bucket, key, *rest):
        headers = rest[-1]
        asked, error = s3._resolve_sse_write_headers(headers, bucket) if bucket in s3._buckets else ({}, None)
        named = None if error else asked.get(_KEY)
        return (named and _refused(bucket, key, named, actions, headers, None)) or original(bucket, key, *rest)

    return write


def _refused(bucket: str, key: str, named: str, actions, headers: dict, query_params):
    """S3's answer, if the caller may not use the key. MiniStack's own calls are not signed, and are nobody's."""
    access_key = extract_access_key_id(headers, query_params)
    if not app.AUTH or not access_key:
        return None
    found = kms._resolve_key(named)
    if found is None:
        return s3._error("KMS.NotFoundException", f"Invalid keyId {named}", 400, f"/{bucket}/{key}")
    raw = s3._bucket_encryption.get(bucket) or b""
    has_bucket_key = b"<BucketKeyEnabled>true<" in (raw.encode() if isinstance(raw, str) else raw)
    context = {
        "kms:ViaService": f"s3.{get_region()}.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}" if has_bucket_key else f"arn:aws:s3:::{bucket}/{key}",
    }
    for action in actions:
        denied = iam_evaluator.enforce(access_key, action, "kms", get_region(), resource_arn=found["Arn"], service_context=context)
        if denied is not None:
            who = getattr(denied, "principal_arn", "")
            message = (
                f"User: {who} is not authorized to perform: {action} on resource: {found['Arn']} "
                f"because no identity-based policy allows the {action} action"
            )
            return s3._error("AccessDenied", message, 403, f"/{bucket}/{key}")
    return None
