"""Error codes of answers: those that an operation's model declares, and those that any operation of a service may answer,
which no model has. `python -m semantics.calls.errors` reads `[[service, operation, code], …]` and writes those that AWS does not answer.
"""

import json
import sys

from . import cbor, models

# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html, the same page of every service; SDKs name some of them
# with "Exception" and some without.
COMMON = {
    "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "IncompleteSignatureException",
    "InternalFailure", "InternalServerException", "InvalidAction", "InvalidClientTokenId", "InvalidParameterCombination", "InvalidParameterValue",
    "InvalidQueryParameter", "MalformedQueryString", "MissingAction", "MissingParameter", "InvalidSignatureException", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "NotAuthorized", "OptInRequired", "RequestExpired", "RequestAbortedException", "RequestEntityTooLargeException",
    "RequestTimeoutException", "ServiceUnavailable", "ServiceUnavailableException", "SignatureDoesNotMatch", "ThrottlingException", "Throttling",
    "UnknownOperationException", "UnrecognizedClientException", "ValidationError", "ValidationException", "MalformedHttpRequestException",
}
# Those of one service, and the page that has them.
OF_SERVICE = {
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "S3": {
        "AccessDenied", "AuthorizationHeaderMalformed", "BadDigest", "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "BucketNotEmpty", "EntityTooLarge", "EntityTooSmall", "ConditionalRequestConflict",
        "IllegalLocationConstraintException", "IncompleteBody", "InternalError", "InvalidAccessKeyId", "InvalidArgument", "InvalidBucketName", "InvalidDigest",
        "InvalidPart", "InvalidPartOrder", "InvalidRange", "InvalidRequest", "KMS.DisabledException", "KMS.NotFoundException", "MalformedPolicy", "MalformedXML",
        "MethodNotAllowed", "NoSuchBucket", "NoSuchBucketPolicy", "NoSuchKey", "NoSuchTagSet", "NoSuchUpload", "NoSuchVersion", "NotImplemented", "NotModified",
        "NoSuchLifecycleConfiguration", "OperationAborted", "PermanentRedirect", "PreconditionFailed", "RequestTimeout", "ServerSideEncryptionConfigurationNotFoundError", "SignatureDoesNotMatch", "SlowDown",
        "NoSuchPublicAccessBlockConfiguration", "NoSuchCORSConfiguration", "NoSuchWebsiteConfiguration",
    },
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html: what does not exist is a ValidationError.
    "CloudFormation": {"ValidationError"},
}


def may(service: str, operation: str, code: str) -> bool:
    """Whether AWS could answer this."""
    model = models.operation(service, operation)
    return code in COMMON or code in OF_SERVICE.get(service, ()) or (model is not None and code in models.declared_errors(model))


def code(protocol: str, headers: dict, body: bytes, root) -> str | None:
    """None: there is none, for example of HEAD."""
    if root is not None:
        named = next((element.text for element in root.iter() if element.tag.rpartition("}")[2] == "Code"), None)
        return named.strip() if named else None
    named = headers.get("x-amzn-errortype")
    if protocol == "cbor" and body:
        named = named or cbor.decode(body).get("__type")
    elif body and not named and protocol not in ("query", "rest-xml"):
        data = json.loads(body)
        named = data.get("__type") or data.get("code") or data.get("Code") if isinstance(data, dict) else None
    # `prefix#Name:where`
    return named.split(":")[0].rpartition("#")[2] if named else None


if __name__ == "__main__":
    json.dump([case for case in json.load(sys.stdin) if not may(*case)], sys.stdout)
