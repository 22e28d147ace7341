"""ECR as its API answers: its own words, images by tag and by digest, pages, and what goes with an image or a repository.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html
"""

import base64
import json
import re
import time

from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecr

from .. import patch
from . import lifecycle_policy

_NAME = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
_PAGE = 100


def install() -> None:
    patch.wrap(ecr, "handle_request", _known_repository)
    patch.wrap(ecr, "_create_repository", _created)
    patch.wrap(ecr, "_delete_repository", _deleted)
    patch.wrap(ecr, "_put_image", _put)
    patch.wrap(ecr, "_set_repository_policy", _policy)
    patch.wrap(ecr, "_put_lifecycle_policy", _lifecycle)
    for name, handler in (
        ("_describe_repositories", _describe_repositories),
        ("_list_images", _list_images),
        ("_describe_images", _describe_images),
        ("_batch_delete_image", _batch_delete_image),
        ("_batch_check_layer_availability", _batch_check_layer_availability),
    ):
        patch.wrap(ecr, name, lambda _original, handler=handler: handler)
    patch.wrap(iam_actions, "extract_resource_arn", _resource)


def wrong(parameter: str, constraint: str):
    return ecr.error_response_json("InvalidParameterException", f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'", 400)


def no_repository(name: str) -> str:
    return f"The repository with name '{name}' does not exist in the registry with id '{get_account_id()}'"


# -- repositories --------------------------------------------------------------------------------------------------------


def _known_repository(original):
    async def handle_request(method, path, headers, body, query_params):
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        name = json.loads(body or b"{}").get("repositoryName")
        if name is not None and action != "CreateRepository" and name not in ecr._repositories:
            return ecr.error_response_json("RepositoryNotFoundException", no_repository(name), 400)
        expire()
        return await original(method, path, headers, body, query_params)

    return handle_request


def _created(original):
    def create(data: dict):
        name = data.get("repositoryName", "")
        if not 2 <= len(name) <= 256 or not re.fullmatch(_NAME, name):
            return wrong("repositoryName", f"must satisfy regular expression '{_NAME}'")
        if name in ecr._repositories:
            message = f"The repository with name '{name}' already exists in the registry with id '{get_account_id()}'"
            return ecr.error_response_json("RepositoryAlreadyExistsException", message, 400)
        return original(data)

    return create


def _deleted(original):
    """What it has kept goes along: a repository of the same name begins with nothing."""

    def delete(data: dict):
        name = data["repositoryName"]
        if ecr._images.get(name) and not data.get("force"):
            message = f"The repository with name '{name}' in registry with id '{get_account_id()}' cannot be deleted because it still contains images"
            return ecr.error_response_json("RepositoryNotEmptyException", message, 400)
        answer = original(data)
        for store in (ecr._layer_blobs, ecr._manifest_blobs, ecr._uploads):
            store.pop(name, None)
        return answer

    return delete


def _describe_repositories(data: dict):
    names = data.get("repositoryNames") or []
    for name in names:
        if name not in ecr._repositories:
            return ecr.error_response_json("RepositoryNotFoundException", no_repository(name), 400)
    found = [ecr._repositories[name] for name in names] or sorted(ecr._repositories.values(), key=lambda one: one["repositoryName"])
    return _page(data, "repositories", [ecr._repo_shape(one) for one in found])


def _policy(original):
    def put(data: dict):
        policy = _object(data.get("policyText"))
        statements = policy and policy.get("Statement")
        if not statements or not all(one.get("Effect") and one.get("Action") and one.get("Principal") for one in (statements if isinstance(statements, list) else [statements])):
            return wrong("PolicyText", "Invalid repository policy provided")
        return original(data)

    return put


def _lifecycle(original):
    def put(data: dict):
        if fault := lifecycle_policy.fault(_object(data.get("lifecyclePolicyText"))):
            return wrong("LifecyclePolicyText", f"Lifecycle policy validation failure: {fault}")
        return original(data)

    return put


def expire() -> None:
    """Takes away what the lifecycle policies of repositories expire. What a list names stays as long as the list."""
    for name, text in ecr._lifecycle_policies.items():
        for image in lifecycle_policy.expired(json.loads(text), ecr._images.get(name, []), time.time()):
            if not _is_of_index(name, image["imageDigest"]):
                _forget(name, image)


def _object(text: str | None) -> dict | None:
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


# -- images --------------------------------------------------------------------------------------------------------------


def _put(original):
    def put(data: dict):
        name, manifest = data["repositoryName"], (data.get("imageManifest") or "").encode()
        kind = data.get("imageManifestMediaType") or json.loads(manifest).get("mediaType") or ecr._DEFAULT_MANIFEST_MEDIA_TYPE
        digest, tag = ecr._content_digest(manifest), data.get("imageTag")
        if missing := missing_layers(name, manifest):
            return ecr.error_response_json("LayersNotFoundException", f"The following layers do not exist: {', '.join(missing)}", 400)
        there = ecr._find_image(name, {"imageDigest": digest})
        if there and (tag is None or tag in there["imageTags"]):
            message = f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository with name '{name}' in registry with id '{get_account_id()}'"
            return ecr.error_response_json("ImageAlreadyExistsException", message, 400)
        if tag and (taken := immutable(name, tag, digest)):
            return ecr.error_response_json("ImageTagAlreadyExistsException", taken, 400)
        answer = original({**data, "imageManifestMediaType": kind})
        ecr._manifest_blobs.setdefault(name, {})[digest] = manifest
        return answer

    return put


def immutable(name: str, tag: str, digest: str) -> str | None:
    """Why a tag may not be moved to another image, where it may not.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html"""
    there = ecr._find_image(name, {"imageTag": tag})
    if there is None or there["imageDigest"] == digest or ecr._repositories[name].get("imageTagMutability") != "IMMUTABLE":
        return None
    return f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the tag is immutable."


def missing_layers(name: str, manifest: bytes) -> list[str]:
    """Digests that a manifest names, and the repository has not."""
    said = json.loads(manifest)
    blobs, manifests = ecr._layer_blobs.get(name, {}), ecr._manifest_blobs.get(name, {})
    named = [one["digest"] for one in [*([said["config"]] if "config" in said else []), *said.get("layers", [])]]
    return [one for one in named if one not in blobs] + [one["digest"] for one in said.get("manifests", []) if one["digest"] not in manifests]


def ids(image: dict) -> list[dict]:
    digest = {"imageDigest": image["imageDigest"]}
    return [{**digest, "imageTag": tag} for tag in image.get("imageTags", [])] or [digest]


def _wanted(data: dict) -> list[dict]:
    status = (data.get("filter") or {}).get("tagStatus", "ANY")
    images = ecr._images.get(data["repositoryName"], [])
    return [one for one in images if status == "ANY" or (status == "TAGGED") == bool(one.get("imageTags"))]


def _list_images(data: dict):
    return _page(data, "imageIds", [identity for image in _wanted(data) for identity in ids(image)])


def _describe_images(data: dict):
    name, asked = data["repositoryName"], data.get("imageIds")
    if not asked:
        return _page(data, "imageDetails", [_detail(name, image) for image in _wanted(data)])
    details = []
    for identity in asked:
        image = ecr._find_image(name, identity)
        if image is None:
            said = "".join(["{imageDigest:'", identity.get("imageDigest", "null"), "', imageTag:'", identity.get("imageTag", "null"), "'}"])
            message = f"The image with imageId {said} does not exist within the repository with name '{name}' in the registry with id '{get_account_id()}'"
            return ecr.error_response_json("ImageNotFoundException", message, 400)
        details.append(_detail(name, image))
    return ecr.json_response({"imageDetails": details})


def _detail(name: str, image: dict) -> dict:
    """The size is that of the layers as they are stored, of which two images may have the same.
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html"""
    said = json.loads(image.get("imageManifest") or "{}")
    tags = image.get("imageTags")
    detail = {
        "registryId": get_account_id(),
        "repositoryName": name,
        "imageDigest": image["imageDigest"],
        **({"imageTags": tags} if tags else {}),
        "imageSizeInBytes": sum(layer.get("size", 0) for layer in said.get("layers", [])),
        "imagePushedAt": image["imagePushedAt"],
        "imageManifestMediaType": image["imageManifestMediaType"],
    }
    kind = (said.get("config") or {}).get("mediaType")
    return {**detail, "artifactMediaType": kind} if kind else detail


def _batch_delete_image(data: dict):
    """By a tag, the tag goes, and with its last tag the image; by its digest, the image with all its tags.
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html"""
    name = data["repositoryName"]
    deleted, failures = [], []
    for identity in data.get("imageIds", []):
        image = ecr._find_image(name, identity)
        digest, tag = identity.get("imageDigest"), identity.get("imageTag")
        if image is None or (digest and tag and tag not in image["imageTags"]):
            failures.append({"imageId": identity, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"})
            continue
        if _is_of_index(name, image["imageDigest"]):
            reason = "Requested image referenced by manifest list"
            failures.append({"imageId": identity, "failureCode": "ImageReferencedByManifestList", "failureReason": reason})
            continue
        gone = [{"imageDigest": image["imageDigest"], "imageTag": tag}] if tag else ids(image)
        deleted += gone
        tags = [one for one in image["imageTags"] if one not in {each.get("imageTag") for each in gone}]
        image["imageTags"] = tags
        if not tags:
            _forget(name, image)
    return ecr.json_response({"imageIds": deleted, "failures": failures})


def _forget(name: str, image: dict) -> None:
    ecr._images[name].remove(image)
    ecr._manifest_blobs.get(name, {}).pop(image["imageDigest"], None)


def _is_of_index(name: str, digest: str) -> bool:
    said = (json.loads(one["imageManifest"]) for one in ecr._images[name])
    return any(one["digest"] == digest for index in said for one in index.get("manifests", []))


def _batch_check_layer_availability(data: dict):
    blobs = ecr._layer_blobs.get(data["repositoryName"], {})
    asked = data.get("layerDigests", [])
    failed = {"failureCode": "MissingLayerDigest", "failureReason": "Layer not found"}
    return ecr.json_response({
        "layers": [{"layerDigest": one, "layerAvailability": "AVAILABLE", "layerSize": len(blobs[one])} for one in asked if one in blobs],
        "failures": [{"layerDigest": one, **failed} for one in asked if one not in blobs],
    })


def _page(data: dict, member: str, items: list):
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImages.html (maxResults, nextToken)"""
    first = int(base64.b64decode(data["nextToken"])) if data.get("nextToken") else 0
    last = first + int(data.get("maxResults") or _PAGE)
    more = {"nextToken": base64.b64encode(str(last).encode()).decode()} if last < len(items) else {}
    return ecr.json_response({member: items[first:last], **more})


# -- permissions ---------------------------------------------------------------------------------------------------------


def _resource(original):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html"""

    def resource(service, method, path, headers, body, query_params, region, account_id):
        arn = original(service, method, path, headers, body, query_params, region, account_id)
        if service != "ecr" or arn != "*":
            return arn
        asked = json.loads(body or b"{}")
        if asked.get("resourceArn"):
            return asked["resourceArn"]
        if headers.get("x-amz-target", "").endswith(".DescribeRepositories"):
            names = asked.get("repositoryNames") or ["*"]
            return f"arn:aws:ecr:{region}:{account_id}:repository/{names[0] if len(names) == 1 else '*'}"
        return arn

    return resource
