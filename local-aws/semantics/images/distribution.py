"""ECR as registries are spoken to, below `/v2/`: who asks is who asked for the token, and may what that one may.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
https://github.com/opencontainers/distribution-spec/blob/main/spec.md

Where AWS goes its own way, it does so here: a chunk is answered with 201, and `Range` stays at the end of the first
(https://github.com/aws/containers-roadmap/issues/2831), what an upload has got is not told
(https://github.com/dotnet/sdk/pull/33019), and no layer is taken from another repository unless the account's settings have it.
"""

import base64
import contextvars
import hashlib
import hmac
import json
import os
import re
import time

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region, set_request_region
from ministack.core.router import extract_access_key_id
from ministack.services import ecr

from .. import patch
from . import registry

_TWELVE_HOURS = 12 * 3600
_KEY = os.urandom(32)  # of tokens; forks of a process have the same, and none of its tokens
_RANGE = re.compile(r"(?:bytes[ =])?(\d+)-(\d+)")


def install() -> None:
    patch.wrap(ecr, "handle_request", _remembered)
    patch.wrap(ecr, "_get_authorization_token", lambda _original: _token)
    patch.wrap(ecr, "handle_registry_request", _allowed)
    patch.wrap(ecr, "_v2_start_blob_upload", lambda original: lambda name, query_params, body: original(name, {}, b""))
    patch.wrap(ecr, "_v2_get_blob_upload", lambda _original: _untold)
    patch.wrap(ecr, "_v2_patch_blob_upload", _created)
    patch.wrap(ecr, "_v2_complete_blob_upload", _completed)
    patch.wrap(ecr, "_v2_put_manifest", _put_manifest)
    patch.wrap(ecr, "_ensure_repo_exists", lambda _original: _known)


# -- who asks ------------------------------------------------------------------------------------------------------------

_access_key: contextvars.ContextVar[str] = contextvars.ContextVar("registry_key", default="")


def _remembered(original):
    async def handle_request(method, path, headers, body, query_params):
        _access_key.set(extract_access_key_id(headers, query_params) or "")
        return await original(method, path, headers, body, query_params)

    return handle_request


def _token(_data: dict):
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html"""
    ends = int(time.time()) + _TWELVE_HOURS
    said = json.dumps({"key": _access_key.get(), "region": get_region(), "ends": ends}).encode()
    password = base64.b64encode(said + b"\n" + _signed(said)).decode()
    return ecr.json_response({
        "authorizationData": [
            {
                "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
                "expiresAt": ends,
                "proxyEndpoint": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
            }
        ]
    })


def _signed(said: bytes) -> bytes:
    return hmac.new(_KEY, said, hashlib.sha256).hexdigest().encode()


def _bearer(headers: dict) -> dict | None:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
        said, _, signature = base64.b64decode(password).rpartition(b"\n")
    except ValueError:
        return None
    if scheme.lower() != "basic" or user != "AWS" or not hmac.compare_digest(signature, _signed(said)):
        return None
    return json.loads(said)


def _allowed(original):
    async def handle(method, path, headers, body, query_params):
        told = {key.lower(): value for key, value in (headers or {}).items()}
        bearer = _bearer(told)
        if app.AUTH and bearer is None:
            asks = f'Basic realm="http://127.0.0.1:{os.environ["GATEWAY_PORT"]}/",service="ecr.amazonaws.com"'
            return 401, {"Content-Type": "text/plain; charset=utf-8", "WWW-Authenticate": asks}, b"Not Authorized\n"
        if bearer and bearer["ends"] < time.time():
            return ecr._registry_error(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
        if bearer:
            set_request_region(bearer["region"])
        for action in _actions(method.upper(), path, body) if app.AUTH else ():
            if denied := _denied(bearer["key"], action, ecr._parse_v2_path(path)[1]):
                return ecr._registry_error(403, "DENIED", denied)
        registry.expire()
        _content_range.set(told.get("content-range", ""))
        return await original(method, path, headers, body, query_params)

    return handle


def _actions(method: str, path: str, body: bytes) -> list[str]:
    """https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html, and what a pull takes."""
    verb = (ecr._parse_v2_path(path) or ("",))[0]
    reading = method in ("GET", "HEAD")
    if verb == "blob":
        return ["BatchCheckLayerAvailability" if method == "HEAD" else "GetDownloadUrlForLayer" if method == "GET" else "BatchDeleteImage"]
    if verb == "manifest":
        return ["BatchGetImage" if reading else "PutImage" if method == "PUT" else "BatchDeleteImage"]
    if verb == "tags_list":
        return ["ListImages"]
    if verb == "blob_uploads":
        return ["InitiateLayerUpload"]
    if verb == "blob_upload_session":
        return [*(["UploadLayerPart"] if method == "PATCH" or (method == "PUT" and body) else []), *(["CompleteLayerUpload"] if method == "PUT" else [])]
    return []


def _denied(access_key: str, action: str, name: str) -> str | None:
    """AWS's words, where it is denied."""
    arn = f"arn:aws:ecr:{get_region()}:{get_account_id()}:repository/{name}"
    before = iam_evaluator._anonymous.set(False)  # the token is the signature
    try:
        found = iam_evaluator.enforce(access_key, f"ecr:{action}", "ecr", get_region(), resource_arn=arn)
    finally:
        iam_evaluator._anonymous.reset(before)
    if found is None:
        return None
    if isinstance(found, iam_evaluator.AuthError):
        return str(found.message)
    return iam_actions.identity_denial_message(f"ecr:{action}", found.principal_arn, arn, found.decision == "Deny")


# -- uploads -------------------------------------------------------------------------------------------------------------

_content_range: contextvars.ContextVar[str] = contextvars.ContextVar("content_range", default="")
# Bytes of the first chunk of an upload.
_first: dict[str, int] = {}


def _known(name: str):
    return None if name in ecr._repositories else ecr._registry_error(404, "NAME_UNKNOWN", registry.no_repository(name), {})


def _untold(name: str, upload: str):
    return _known(name) or ecr._registry_error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", {})


def _misplaced(name: str, upload: str):
    """A chunk that does not begin where the last one ended."""
    got, said = ecr._uploads.get(name, {}).get(upload), _RANGE.fullmatch(_content_range.get())
    if got is None or not said or int(said[1]) == len(got):
        return None
    return ecr._registry_error(416, "BLOB_UPLOAD_INVALID", f"First byte of the layer part is {said[1]} instead of {len(got)}", {})


def _created(original):
    def patch_upload(name, upload, body):
        if wrong := _known(name) or _misplaced(name, upload):
            return wrong
        first = _first.setdefault(upload, len(body or b""))
        status, headers, rest = original(name, upload, body)
        return (201, {**headers, "Range": f"0-{max(0, first - 1)}"}, rest) if status == 202 else (status, headers, rest)

    return patch_upload


def _completed(original):
    def complete(name, upload, query_params, body):
        if wrong := _known(name) or (_misplaced(name, upload) if body else None):
            return wrong
        before = bytes(ecr._uploads.get(name, {}).get(upload) or b"")
        answer = original(name, upload, query_params, body)
        if answer[0] == 400 and upload in ecr._uploads.get(name, {}):
            ecr._uploads[name][upload] = bytearray(before)  # it may be sent again
        else:
            _first.pop(upload, None)
        return answer

    return complete


def _put_manifest(original):
    def put(name, reference, headers, body):
        if wrong := _known(name):
            return wrong
        try:
            missing = registry.missing_layers(name, body or b"")
        except (ValueError, KeyError, TypeError, AttributeError):
            return ecr._registry_error(400, "MANIFEST_INVALID", "Invalid image manifest", {})
        if missing:
            return ecr._registry_error(400, "MANIFEST_BLOB_UNKNOWN", f"The following layers do not exist: {', '.join(missing)}", {})
        digest = ecr._content_digest(body)
        if reference.startswith("sha256:") and reference != digest:
            return ecr._registry_error(400, "DIGEST_INVALID", f"The manifest is {digest}", {})
        if not reference.startswith("sha256:") and (taken := registry.immutable(name, reference, digest)):
            return ecr._registry_error(400, "TAG_INVALID", taken, {})
        answer = original(name, reference, headers, body)
        # An image that has lost its last tag to another stays, untagged, and its identity has none.
        for image in ecr._images.get(name, []):
            image["imageId"] = registry.ids(image)[-1]
        return answer

    return put
