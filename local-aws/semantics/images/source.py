"""The image that a function is made of: found in ECR by its URI when the function is made or updated, and the function's from then on, whatever
becomes of its tag or of the image.
https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html (ResolvedImageUri)
"""

import json
import re
import threading

from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecr

from . import layers, repository_policy

# No FIPS endpoint: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
_URI = re.compile(r"(\d{12})\.dkr[.-]ecr\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/([^:@]+)(?::([\w.-]+)|@(sha256:[0-9a-f]{64}))")
_DOCKER, _OCI = "application/vnd.docker.", "application/vnd.oci.image."
_MANIFESTS = (f"{_DOCKER}distribution.manifest.v2+json", f"{_OCI}manifest.v1+json")
_CONFIGS = (f"{_DOCKER}container.image.v1+json", f"{_OCI}config.v1+json")
_LAYERS = (f"{_DOCKER}image.rootfs.diff.tar.gzip", f"{_DOCKER}image.rootfs.diff.tar", f"{_OCI}layer.v1.tar+gzip", f"{_OCI}layer.v1.tar")
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}


class Refused(Exception):
    """An image that Lambda does not take. ``code``: the API's name of it."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Image(bytes):
    """A function's code, where that of others is a zip: the manifest's bytes, and what they name."""

    uri: str
    digest: str
    # The image's configuration, https://github.com/opencontainers/image-spec/blob/main/config.md
    config: dict
    layers: list[tuple[str, bytes]]

    def __new__(cls, manifest: bytes, **members):
        made = super().__new__(cls, manifest)
        made.__dict__.update(members)
        made._root, made._lock = None, threading.Lock()
        return made

    @property
    def resolved_uri(self) -> str:
        return f"{re.split('[:@]', self.uri)[0]}@{self.digest}"

    @property
    def architecture(self) -> str:
        """As Lambda names it."""
        return _ARCHITECTURES.get(self.config.get("architecture", ""), "")

    def root(self) -> str:
        """The folder that it is unpacked in. Raises ``layers.BadLayer``."""
        with self._lock:
            if self._root is None:
                self._root = layers.unpacked(self.layers)
            return self._root


def image(uri: str, may) -> Image:
    """``may(action, resource)`` says whether who asks may do that. Raises ``Refused``."""
    found = _URI.fullmatch(uri)
    if found is None or found[2] != get_region():
        raise _invalid(f"Source image {uri} is not valid. Provide a valid source image.")
    account, _, name, tag, digest = found.groups()
    if account != get_account_id():
        raise repository_policy.denied(Refused)
    if name not in ecr._repositories:
        raise _missing(uri)
    if app.AUTH and not repository_policy.lets_lambda(name, may):
        raise repository_policy.denied(Refused)
    digest, manifest, kind = ecr._resolve_manifest(name, tag or digest)
    if manifest is None:
        raise _missing(uri)
    return _read(uri, name, digest, bytes(manifest), kind)


def _read(uri: str, name: str, digest: str, manifest: bytes, kind: str) -> Image:
    blobs = ecr._layer_blobs.get(name, {})
    said = json.loads(manifest)
    kinds = [layer.get("mediaType") for layer in said.get("layers", [])]
    config = said.get("config") or {}
    if kind not in _MANIFESTS or config.get("mediaType") not in _CONFIGS or not kinds or not set(kinds) <= set(_LAYERS):
        raise _invalid(f"The image manifest, config or layer media type for the source image {uri} is not supported.")
    told = json.loads(blobs[config["digest"]])
    diff_ids = (told.get("rootfs") or {}).get("diff_ids") or []
    stored = [blobs[layer["digest"]] for layer in said["layers"]]
    if len(diff_ids) != len(stored):
        raise _invalid(f"Source image {uri} is not valid. Provide a valid source image.")
    return Image(manifest, uri=uri, digest=digest, config=told, layers=list(zip(diff_ids, stored)))


def _invalid(message: str) -> Refused:
    return Refused("InvalidParameterValueException", message)


def _missing(uri: str) -> Refused:
    return _invalid(f"Source image {uri} does not exist. Provide a valid source image.")
