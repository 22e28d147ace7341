"""Holds an OpenAPI document against openapi-spec-validator, and generates a client of it with openapi-python-client.

    python openapi_client.py <document.json> <folder>

The client's package lies in <folder>/client. Prints JSON: what the validator finds, what the generator could not read, which of
its modules do not import, and by operation the type of its body and that of its 200's answer, as Python writes them.
"""

import contextlib
import importlib
import inspect
import json
import pathlib
import sys
import typing

import openapi_python_client
from openapi_python_client.config import Config, ConfigFile
from openapi_spec_validator import OpenAPIV31SpecValidator

document_path, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
document = json.loads(document_path.read_text())

# Bodies that it has no types for: text, and bytes, which have no schema in OpenAPI 3.1.
PASSED_OVER = ("Unsupported content type ", "Missing schema")

config = Config.from_sources(
    ConfigFile(post_hooks=[]),
    openapi_python_client.MetaType.NONE,
    document_path,
    "utf-8",
    True,
    folder / "client",
)
with contextlib.redirect_stdout(sys.stderr):
    errors = openapi_python_client.generate(config=config)
lacks = [f"{error.header} {error.detail}" for error in errors if not (error.detail or "").startswith(PASSED_OVER)]

sys.path.insert(0, str(folder))
broken, operations = [], {}
for path in sorted((folder / "client").rglob("*.py")):
    name = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
    try:
        module = importlib.import_module(name)
    except Exception as error:
        broken.append(f"{name}: {error}")
        continue
    if hasattr(module, "sync_detailed"):
        kinds = typing.get_type_hints(module.sync_detailed)
        operations[path.stem] = {
            "body": str(kinds["body"]) if "body" in inspect.signature(module.sync_detailed).parameters else None,
            "answer": str(typing.get_type_hints(module._parse_response)["return"]),
        }

print(
    json.dumps(
        {
            "invalid": [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()],
            "lacks": lacks,
            "broken": broken,
            "operations": operations,
        }
    )
)
