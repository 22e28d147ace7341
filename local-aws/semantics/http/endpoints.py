"""InvokeEndpoint of SageMaker's runtime: forwarded to a container that runs on this machine, for example `sls models serve`. There is
no SageMaker here; endpoints are what `PUT /_local-aws/endpoints` names, each with the address whose `/invocations` it asks.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import asyncio
import email.message
import json
import re
import urllib.error
import urllib.request

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import get_account_id, get_region

from .. import patch

_INVOKE = re.compile(r"/endpoints/([A-Za-z0-9](?:-*[A-Za-z0-9]){0,62})/invocations")
# "A customer's model containers must respond to requests within 60 seconds."
_SECONDS = 60
# The name that SageMaker's SDK and console give the only variant.
_VARIANT = "AllTraffic"
# "Amazon SageMaker AI strips all POST headers except those supported by the API."
_FORWARDED = re.compile(r"content-type|accept|x-amzn-sagemaker-.*")
_addresses: dict[str, str] = {}


def register(named: dict[str, str]) -> None:
    """Adds endpoints: the address of its container by the name of each."""
    _addresses.update(named)


def install() -> None:
    app.SERVICE_HANDLERS["sagemaker"] = handle_request
    router.SERVICE_PATTERNS["sagemaker"] = {"credential_scope": "sagemaker"}
    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    iam_actions._BOTOCORE_SERVICE_MAP["sagemaker"] = ["sagemaker-runtime"]
    patch.wrap(iam_actions, "extract_resource_arn", _resource)
    patch.wrap(app, "detect_service", _detect)
    for name in ("fix_success_content_type", "fix_error_content_type"):
        patch.wrap(app, name, _as_given)


def _detect(original):
    """A request without a signature is SageMaker's, too, and refused; MiniStack takes it for S3's."""

    def detect(method, path, headers, query_params):
        unsigned = "authorization" not in headers and _INVOKE.fullmatch(path)
        return "sagemaker" if unsigned else original(method, path, headers, query_params)

    return detect


def _as_given(original):
    """The type of the answer is the container's, not that of a JSON protocol."""
    return lambda service, status, headers: None if service == "sagemaker" else original(service, status, headers)


def _resource(original):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html; ARNs of endpoints are in
    lower case, whatever the endpoint's name: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_EndpointSummary.html"""

    def resource(service, method, path, headers, body, query_params, region, account_id):
        found = _INVOKE.fullmatch(path) if service == "sagemaker" else None
        if found is None:
            return original(service, method, path, headers, body, query_params, region, account_id)
        return f"arn:aws:sagemaker:{region}:{account_id}:endpoint/{found[1].lower()}"

    return resource


async def handle_request(method, path, headers, body, query_params):
    found = _INVOKE.fullmatch(path)
    if found is None or method != "POST":
        return _error(404, "UnknownOperationException", "Local AWS has InvokeEndpoint of SageMaker and nothing else.")
    name = found[1]
    address = _addresses.get(name)
    if address is None:
        return _error(400, "ValidationError", f"Endpoint {name} of account {get_account_id()} not found.")
    sent = {key: value for key, value in headers.items() if _FORWARDED.fullmatch(key.lower())}
    try:
        status, given, answer = await asyncio.to_thread(_ask, f"{address.rstrip('/')}/invocations", sent, body)
    except TimeoutError:
        return _model_error(name, 0, "Your invocation timed out while waiting for a response from container primary.")
    except OSError:
        return _error(503, "ServiceUnavailable", f"The container of endpoint {name} does not answer.")
    if status >= 400:
        return _model_error(name, status, answer.decode("utf-8", "replace"))
    kept = {key: value for key, value in given.items() if key.lower().startswith("x-amzn-sagemaker-")}
    kind = given.get("Content-Type", "application/octet-stream")
    return 200, {**kept, "Content-Type": kind, "x-Amzn-Invoked-Production-Variant": _VARIANT}, answer


def _ask(url: str, headers: dict, body: bytes) -> tuple[int, email.message.Message, bytes]:
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=_SECONDS) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except urllib.error.URLError as error:
        raise error.reason if isinstance(error.reason, OSError) else error


def _model_error(name: str, status: int, message: str):
    """The container answered 4xx or 5xx, or not in time."""
    side = "client" if 400 <= status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{name}"
    return _error(
        424,
        "ModelError",
        f'Received {side} error ({status}) from primary with message "{message}". See {group} in account {get_account_id()} for more information.',
        OriginalStatusCode=status,
        OriginalMessage=message,
        LogStreamArn=f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}",
    )


def _error(status: int, kind: str, message: str, **more):
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": kind}
    return status, headers, json.dumps({"Message": message, **more}).encode()
