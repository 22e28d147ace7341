"""Functions of `PackageType: Image`: what makes, updates, publishes and tells them, and what runs them.
https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
https://docs.aws.amazon.com/lambda/latest/dg/configuration-images.html
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html

Where a function has the bytes of its zip, one of these has its image (`source.Image`): versions, aliases and environments take it along.
"""

import base64
import contextlib
import contextvars
import hashlib
import threading
from typing import NamedTuple

from ministack.core import lambda_runtime
from ministack.core.router import extract_access_key_id
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from .. import patch
from ..access import deployer
from ..functions import runtime
from ..scaling.scaling_rights import Caller
from . import layers, source
from .environment import ImageEnvironment

_NOT_OF_IMAGES = ("Runtime", "Handler", "Layers", "RuntimeVersionConfig")
_caller: contextvars.ContextVar = contextvars.ContextVar("image_caller", default=Caller(None))


def install() -> None:
    runtime.environments.append(lambda config: ImageEnvironment if is_image(config) else None)
    patch.source(
        lambda_svc,
        "_execute_function_dispatch",
        ('elif config.get("PackageType") == "Image" and config.get("ImageUri"):\n        result = _execute_function_docker(', 'elif config.get("PackageType") == "Image":\n        result = _execute_function_warm('),
    )
    patch.wrap(lambda_svc, "handle_request", _remembered)
    _make()
    _update()
    _tell()
    patch.wrap(provisioners, "_lambda_create", _created)
    patch.source(
        provisioners,
        "_lambda_update",
        ('is_image = new_props.get("PackageType") == "Image" or bool(image_uri)', 'is_image = new_props.get("PackageType") == "Image"'),
        ('if new_props.get("ImageConfig"):\n        config_data["ImageConfig"] = new_props["ImageConfig"]', 'if is_image:\n        config_data["ImageConfig"] = new_props.get("ImageConfig") or {}'),
    )
    patch.wrap(provisioners, "_lambda_update", _changed)


def is_image(config: dict) -> bool:
    return config.get("PackageType") == "Image"


def _make() -> None:
    patch.wrap(lambda_svc, "_create_function", _checked_create)
    patch.source(
        lambda_svc,
        "_create_function",
        ('image_uri = code_data["ImageUri"]', 'code_zip = code_data["ImageUri"]'),
    )
    patch.wrap(lambda_svc, "_build_config", _of_image)
    for check in ("_reject_unreadable_zip", "_validate_total_unzipped_size"):
        patch.wrap(lambda_svc, check, lambda original: lambda code, *rest: None if isinstance(code, source.Image) else original(code, *rest))


def _update() -> None:
    patch.wrap(lambda_svc, "_update_code", _checked_update)
    lambda_svc._code_facts = _facts
    patch.source(
        lambda_svc,
        "_update_code",
        ('        func["config"]["ImageUri"] = data["ImageUri"]\n        func["config"]["PackageType"] = "Image"\n', '        code_zip = data["ImageUri"]\n'),
        (
            '        func["config"]["CodeSize"] = len(code_zip)\n        func["config"]["CodeSha256"] = base64.b64encode(\n'
            "            hashlib.sha256(code_zip).digest(),\n        ).decode()\n",
            '        func["config"].update(_code_facts(code_zip))\n',
        ),
    )
    patch.wrap(lambda_svc, "_update_config", _checked_config)
    patch.source(
        lambda_svc,
        "_update_config",
        ('        config["ImageConfigResponse"] = {"ImageConfig": data["ImageConfig"]}\n', '        config["ImageConfigResponse"] = {"ImageConfig": data["ImageConfig"]}\n        if not data["ImageConfig"]:\n            del config["ImageConfigResponse"]\n'),
        ('"VpcConfig", "FileSystemConfigs",\n    }', '"VpcConfig", "FileSystemConfigs", "ImageConfig",\n    }'),
    )
    patch.wrap(lambda_svc, "_schedule_state_transition", _when_unpacked)
    patch.wrap(lambda_svc, "_invoke", _not_failed)


def _tell() -> None:
    patch.source(
        lambda_svc,
        "_get_function",
        ("    _, effective_config = _get_func_record_for_qualifier(name, qualifier)\n", "    record, effective_config = _get_func_record_for_qualifier(name, qualifier)\n"),
        ('if effective_config.get("PackageType") == "Image" and effective_config.get("ImageUri"):', 'if effective_config.get("PackageType") == "Image":'),
        ('"ImageUri": effective_config["ImageUri"]', '"ImageUri": record["code_zip"].uri'),
        ('"ResolvedImageUri": effective_config["ImageUri"]', '"ResolvedImageUri": record["code_zip"].resolved_uri'),
    )


# -- by the API ----------------------------------------------------------------------------------------------------------


def _remembered(original):
    async def handle_request(method, path, headers, body, query_params):
        before = _caller.set(Caller(extract_access_key_id(headers, query_params)))
        try:
            return await original(method, path, headers, body, query_params)
        finally:
            _caller.reset(before)

    return handle_request


def _answered(error: source.Refused):
    return lambda_svc.error_response_json(error.code, str(error), 403 if error.code == "AccessDeniedException" else 400)


def _checked_create(original):
    def create(data: dict):
        code = data.get("Code") or {}
        try:
            _fits(data, code)
            if "ImageUri" in code:
                data = {**data, "Code": {**code, "ImageUri": _image(code["ImageUri"])}}
        except source.Refused as error:
            return _answered(error)
        return original(data)

    return create


def _fits(data: dict, code: dict) -> None:
    """What a function is told to be, and what it is given."""
    if is_image(data):
        if any(data.get(name) for name in ("Runtime", "Handler", "Layers")):
            raise _wrong("Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
        if not code.get("ImageUri"):
            raise _wrong("Please provide ImageUri when the intended function PackageType is Image.")
    elif code.get("ImageUri"):
        raise _wrong("Please don't provide ImageUri when the intended function PackageType is Zip.")
    elif data.get("ImageConfig"):
        raise _wrong("Please don't provide ImageConfig when the intended function PackageType is Zip.")


def _image(uri: str) -> source.Image:
    """For whoever asks. A stack goes on when its function is active, or could not be."""
    caller = _caller.get()
    found = source.image(uri, caller.may)
    if isinstance(caller, _OfStack):
        try:
            found.root()
        except layers.BadLayer as error:
            raise _wrong(f"Source image {uri} is not valid. Provide a valid source image: {error}.") from error
    return found


def _wrong(message: str) -> source.Refused:
    return source.Refused("InvalidParameterValueException", message)


def _of_image(original):
    def build(name: str, data: dict, code=None) -> dict:
        config = original(name, data, code)
        return _as_image(config, data, code) if isinstance(code, source.Image) else config

    return build


def _as_image(config: dict, data: dict, code: source.Image) -> dict:
    """https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html"""
    for name in ("ImageUri", "ImageConfigResponse", *_NOT_OF_IMAGES):
        config.pop(name, None)
    if data.get("ImageConfig"):
        config["ImageConfigResponse"] = {"ImageConfig": data["ImageConfig"]}
    config.update(_facts(code))
    return config


def _facts(code: bytes) -> dict:
    """An image's hash is its digest, and its size is the registry's."""
    if isinstance(code, source.Image):
        return {"CodeSize": 0, "CodeSha256": code.digest.removeprefix("sha256:")}
    return {"CodeSize": len(code), "CodeSha256": base64.b64encode(hashlib.sha256(code).digest()).decode()}


def _checked_update(original):
    def update(name: str, data: dict):
        function = lambda_svc._functions.get(name)
        if function is None:
            return original(name, data)
        uri = data.get("ImageUri")
        try:
            if is_image(function["config"]):
                if not uri or data.get("ZipFile") or data.get("S3Bucket"):
                    raise _wrong("Please provide ImageUri when updating a function with packageType Image.")
                data = {**data, "ImageUri": _image(uri)}
            elif uri:
                raise _wrong("Please don't provide ImageUri when updating a function with packageType Zip.")
        except source.Refused as error:
            return _answered(error)
        return original(name, data)

    return update


def _checked_config(original):
    def update(name: str, data: dict):
        function = lambda_svc._functions.get(name)
        if function is not None:
            if is_image(function["config"]):
                if any(data.get(one) for one in ("Runtime", "Handler", "Layers")):
                    return _answered(_wrong("Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."))
                data = {key: value for key, value in data.items() if key not in _NOT_OF_IMAGES}
            elif data.get("ImageConfig"):
                return _answered(_wrong("Please don't provide ImageConfig when the intended function PackageType is Zip."))
        return original(name, data)

    return update


def _when_unpacked(original):
    """An image is unpacked while its function is pending, and one that cannot be fails it.
    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html"""

    def schedule(name: str, delay: float) -> None:
        function = lambda_svc._functions.get(name) or {}
        code = function.get("code_zip")
        if not isinstance(code, source.Image):
            return original(name, delay)
        context = contextvars.copy_context()

        def unpack() -> None:
            try:
                code.root()
            except layers.BadLayer as error:
                _failed(function, str(error))
            else:
                original(name, delay)

        threading.Thread(target=context.run, args=(unpack,), daemon=True).start()

    return schedule


def _failed(function: dict, why: str) -> None:
    reason = {"Reason": f"The image cannot be used: {why}.", "ReasonCode": "InvalidImage"}
    for config in [function["config"], *(version["config"] for version in function["versions"].values())]:
        if config.get("State") == "Pending":
            config.update(State="Failed", **{f"State{name}": text for name, text in reason.items()})
        if config.get("LastUpdateStatus") == "InProgress":
            config.update(LastUpdateStatus="Failed", **{f"LastUpdateStatus{name}": text for name, text in reason.items()})


def _not_failed(original):
    async def invoke(name, event, headers, path_qualifier=None, query_params=None):
        config = (lambda_svc._functions.get(name) or {}).get("config") or {}
        if is_image(config) and config.get("State") == "Failed":
            message = "The operation cannot be performed at this time. The function is currently in the following state: Failed"
            return lambda_svc.error_response_json("ResourceConflictException", message, 409)
        return await original(name, event, headers, path_qualifier, query_params)

    return invoke


# -- by CloudFormation ---------------------------------------------------------------------------------------------------


class _OfStack(NamedTuple):
    """Who asks for the operation of a stack, or the stack's role."""

    stack_name: str

    def may(self, action: str, resource: str) -> bool:
        try:
            deployer._ask(self.stack_name, [(action, resource)])
        except PermissionError:
            return False
        return True


@contextlib.contextmanager
def _asking(stack_name: str):
    before = _caller.set(_OfStack(stack_name))
    try:
        yield
    finally:
        _caller.reset(before)


def _created(original):
    def create(logical_id, props, stack_name):
        code = props.get("Code") or {}
        _fits(props, code)
        if not is_image(props):
            return original(logical_id, props, stack_name)
        with _asking(stack_name):
            image = _image(code["ImageUri"])
        made = original(logical_id, props, stack_name)
        record = lambda_svc._functions[made[0]]
        record["code_zip"] = image
        _as_image(record["config"], props, image)
        return made

    return create


def _changed(original):
    def update(physical_id, old_props, new_props, stack_name, logical_id=None):
        _fits(new_props, new_props.get("Code") or {})
        with _asking(stack_name):
            return original(physical_id, old_props, new_props, stack_name, logical_id)

    return update
