"""What goes over the wire of this local AWS: every answer is held against the output shape of its operation, and its error code
against those that the operation declares. Only where MODELS_AWS_CALLS names a folder; violations are written there, and what went
wrong within this local AWS.
"""

import json
import os
import traceback
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qs

from . import cbor, crashes, errors, identify, models, outputs, requests

_LARGEST = 1 << 20  # bytes of a body that is read: more are objects, or a thousand times the same
# Frameworks that are older than version 3 of the SDK: record.mjs sees nothing of them.
_NOT_PRELOADED = "aws-sdk-nodejs/2."


class Wire:
    """An ASGI application around another, which writes to ``folder``."""

    def __init__(self, inner, folder: str):
        self.inner, self.written, self.seen = inner, set(), set()
        os.makedirs(folder, exist_ok=True)
        self.file = os.path.join(folder, f"wire-{os.getpid()}-{os.urandom(4).hex()}.jsonl")

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.inner(scope, receive, send)
        asked, answered, start = [], [], {}
        size = 0

        async def receiving():
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size <= _LARGEST:
                asked.append(message.get("body", b""))
            return message

        async def sending(message):
            if message["type"] == "http.response.start":
                start.update(message)
            elif sum(map(len, answered)) <= _LARGEST:
                answered.append(message.get("body", b""))
            await send(message)

        crashed = crashes.begin()
        try:
            await self.inner(scope, receiving, sending)
        except Exception as error:
            crashes.note(error)
            raise
        finally:
            for text in crashed:
                self.write({"by": "wire", **self.named(scope, b"".join(asked)), "crash": text})
        if not start:
            return
        try:
            self.look(scope, b"".join(asked), start, b"".join(answered))
        except Exception:  # of ours; a test must hear of it
            place = f"{scope['method']} {scope['path']}"
            self.write({"by": "wire", "service": "", "operation": place, "violation": f"it cannot be read: {traceback.format_exc(limit=-3)}"})

    @staticmethod
    def named(scope, asked: bytes) -> dict:
        headers, query = _head(scope)
        found = identify.operation(scope["method"], scope["path"], headers, query, asked)
        service, name, _ = found or ("", f"{scope['method']} {scope['path']}", "")
        return {"service": service, "operation": name}

    def look(self, scope, asked: bytes, start: dict, answered: bytes) -> None:
        headers, query = _head(scope)
        found = identify.operation(scope["method"], scope["path"], headers, query, asked)
        if found is None:
            return
        service, name, protocol = found
        if _NOT_PRELOADED in headers.get("user-agent", "") and (model := models.operation(service, name)):
            self.write({"by": "framework", "service": service, "operation": name, "input": requests.of(model, protocol, scope["path"], headers, query, asked)})
        # Whoever waits asks the same again and again.
        same = (service, name, start["status"], hash(answered))
        if answered and same in self.seen:
            return
        self.seen.add(same)
        answer = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in start["headers"]}
        code, wrong = problems(service, name, protocol, start["status"], answer, answered if len(answered) <= _LARGEST else None)
        self.write({"by": "wire", "service": service, "operation": name, "answer": code or str(start["status"])})
        for text in wrong:
            self.write({"by": "wire", "service": service, "operation": name, "violation": f"answer: {text}"})

    def write(self, record: dict) -> None:
        line = json.dumps(record)
        if line not in self.written:
            self.written.add(line)
            with open(self.file, "a", encoding="utf-8") as out:
                out.write(line + "\n")


def _head(scope) -> tuple[dict, dict]:
    """Headers and query."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return headers, parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def problems(service: str, name: str, protocol: str, status: int, headers: dict, body: bytes | None) -> tuple[str | None, list[str]]:
    """The error code, where it is an error, and what is wrong. ``body`` None: too large to be read."""
    model = models.operation(service, name)
    if model is None:
        # What is asked for by a name that is not there gets an error, as from AWS.
        return None, [] if status >= 400 else ["is no operation of AWS, and is answered"]
    found: list[str] = []
    root = None
    if body and protocol in ("query", "rest-xml") and not _is_contents(model, status):
        root = ElementTree.fromstring(body)
    if status >= 300 or (root is not None and root.tag.rpartition("}")[2] == "Error"):
        code = errors.code(protocol, headers, body or b"", root)
        if code and not errors.may(service, name, code):
            found.append(f"the error {code} (HTTP {status}), which {name} does not declare")
        elif code and (expected := models.error_status(model, code)) not in (None, status):
            found.append(f"the error {code} with HTTP {status}, {expected} is expected")
        return code or str(status), found
    expected = model.http.get("responseCode")
    shape = model.output_shape
    members = shape.members if shape else {}
    if expected and status != expected and not any(m.serialization.get("location") == "statusCode" for m in members.values()):
        found.append(f"HTTP {status}, {expected} is expected")
    if shape is None or body is None:
        return None, found
    for member in members.values():
        if member.serialization.get("location") != "header" or member.type_name in ("list", "map"):
            continue
        if header := headers.get(member.serialization["name"].lower()):
            outputs.text_problems(member, header, f"header {member.serialization['name']}", found, "rfc822")
    payload = shape.serialization.get("payload")
    if _is_contents(model, status):
        return None, found
    target = members[payload] if payload else shape
    if protocol == "query":
        _query(target, root, found)
    elif protocol == "rest-xml":
        if root is not None and not (service == "S3" and name == "GetBucketLocation"):  # its root is the value
            outputs.of_xml(target, root, "", found)
    elif body:
        data = cbor.decode(body) if protocol == "cbor" else json.loads(body)
        outputs.of_data(target, data, "", found, "unixTimestamp")
    elif any("location" not in member.serialization for member in target.members.values()) and target.required_members:
        found.append("no body")
    return None, found


def _is_contents(model, status: int) -> bool:
    """A body that is somebody's data."""
    shape = model.output_shape
    payload = shape.serialization.get("payload") if shape else None
    return status < 300 and payload is not None and shape.members[payload].type_name in ("blob", "string")


def _query(shape, root, found: list) -> None:
    wrapper = shape.serialization.get("resultWrapper")
    children = {child.tag.rpartition("}")[2]: child for child in root}
    for tag in children:
        if tag not in (wrapper, "ResponseMetadata"):
            found.append(f"{tag} is no member of the answer, {wrapper} is")
    if wrapper in children:
        outputs.of_xml(shape, children[wrapper], "", found)
    elif shape.required_members:
        found.append(f"{wrapper} is missing")
