"""Plain HTTP on the loopback interface stands for AWS's TLS endpoints: a bucket policy that denies
`aws:SecureTransport = false`, as the framework's deployment bucket has, must not lock everybody out.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport
"""

from ministack import app

from . import patch


def install() -> None:
    patch.wrap(app, "pin_request_origin", lambda original: lambda source_ip, secure_transport: original(source_ip, True))
