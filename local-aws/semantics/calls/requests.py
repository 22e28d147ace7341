"""The input of a request, from the wire, in the form of record.mjs: for clients whose process cannot be preloaded with that, the
frameworks that ask by version 2 of the SDK. What is no member is kept, and found by the check.
"""

import base64
import json
import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qsl, unquote

_TIME = {"$type": "timestamp", "valid": True}
_NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


def of(model, protocol: str, path: str, headers: dict, query: dict, body: bytes) -> dict:
    shape = model.input_shape
    if protocol == "query":
        form = {name: value for name, value in parse_qsl(body.decode(), keep_blank_values=True) if name not in ("Action", "Version")}
        return _of_form(shape, form) if shape else form
    if shape is None:
        return {}
    if protocol == "json":
        return _of_json(shape, json.loads(body or b"{}"))
    return _of_rest(model, shape, protocol, path, headers, query, body)


def _of_rest(model, shape, protocol, path, headers, query, body) -> dict:
    given: dict = {}
    labels = _labels(model.http["requestUri"].partition("?")[0]).fullmatch(path)
    rest = {}
    for name, member in shape.members.items():
        at, key = member.serialization.get("location"), member.serialization.get("name", name)
        if at == "uri" and labels:
            given[name] = _scalar(member, unquote(labels["l_" + re.sub(r"[^A-Za-z0-9]", "_", key)]))
        elif at == "querystring" and key in query:
            given[name] = [_scalar(member.member, value) for value in query[key]] if member.type_name == "list" else _scalar(member, query[key][0])
        elif at == "header" and key.lower() in headers and key != "Content-Length" and member.type_name not in ("list", "map"):
            given[name] = _scalar(member, headers[key.lower()])
        elif at is None:
            rest[name] = member
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name in ("blob", "string"):
        return {**given, payload: {"$type": "blob", "length": len(body)}} if body else given
    if not body:
        return given
    if protocol == "rest-xml":
        element = ElementTree.fromstring(body)
        return {**given, payload: _of_xml(shape.members[payload], element)} if payload else {**given, **_of_xml(shape, element)}
    data = json.loads(body)
    return {**given, payload: _of_json(shape.members[payload], data)} if payload else {**given, **_of_json(shape, data)}


def _labels(uri: str) -> re.Pattern:
    """A requestUri as a pattern with a group a label."""
    parts = []
    for literal, label in re.findall(r"([^{]*)(?:\{([^}]*)\})?", uri.rstrip("/") or "/"):
        parts.append(re.escape(literal))
        if label:
            parts.append(f"(?P<l_{re.sub(r'[^A-Za-z0-9]', '_', label.rstrip('+'))}>{'.+' if label.endswith('+') else '[^/]+'})")
    return re.compile("".join(parts) + "/?")


def _scalar(shape, text: str):
    kind = shape.type_name
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in _NUMBERS:
        try:
            return _NUMBERS[kind](text)
        except ValueError:
            return text
    if kind == "timestamp":
        return _TIME
    if kind == "blob":
        return {"$type": "blob"}
    return text if len(text) <= 1024 else {"$type": "text", "length": len(text)}


def _of_json(shape, value):
    kind = shape.type_name
    if value is None or (kind == "structure" and shape.is_document_type):
        return value
    if kind == "structure" and isinstance(value, dict):
        names = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        return {names[key][0] if key in names else key: _of_json(names[key][1], item) if key in names else item for key, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_of_json(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _of_json(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return _TIME if isinstance(value, (int, float, str)) else value
    if kind == "blob" and isinstance(value, str):
        return {"$type": "blob", "length": len(base64.b64decode(value))}
    return {"$type": "text", "length": len(value)} if isinstance(value, str) and len(value) > 1024 else value


def _of_xml(shape, element):
    kind = shape.type_name
    children = [(child.tag.rpartition("}")[2], child) for child in element]
    if kind == "structure":
        names = {}
        for name, member in shape.members.items():
            flat = member.serialization.get("flattened") and member.type_name == "list"
            tag = (flat and member.member.serialization.get("name")) or member.serialization.get("name", name)
            names[tag] = (name, member, flat)
        given: dict = {}
        for tag, child in children:
            name, member, flat = names.get(tag, (tag, None, False))
            if member is None:
                given[name] = child.text
            elif flat:
                given.setdefault(name, []).append(_of_xml(member.member, child))
            else:
                given[name] = _of_xml(member, child)
        return given
    if kind == "list":
        return [_of_xml(shape.member, child) for _, child in children]
    return _scalar(shape, element.text or "")


def _of_form(shape, form: dict):
    """`Parameters.member.1.ParameterKey=a`: of the names that begin with a member's, what follows is the member's."""
    if shape.type_name == "structure":
        given = {}
        for name, value in form.items():
            first = name.partition(".")[0]
            if first not in shape.members:
                given[first] = value
        for name, member in shape.members.items():
            inner = {key[len(name) + 1:]: value for key, value in form.items() if key == name or key.startswith(f"{name}.")}
            if inner:
                given[name] = _of_form(member, inner)
        return given
    if shape.type_name == "list":
        items: dict[int, dict] = {}
        for key, value in form.items():
            number, _, rest = key.removeprefix("member.").partition(".")
            if number.isdigit():
                items.setdefault(int(number), {})[rest] = value
        return [_of_form(shape.member, items[number]) for number in sorted(items)]
    if shape.type_name == "map":
        entries: dict[str, dict] = {}
        for key, value in form.items():
            number, _, rest = key.removeprefix("entry.").partition(".")
            entries.setdefault(number, {})[rest] = value
        return {entry.get("key", ""): _of_form(shape.value, {"": entry.get("value", "")}) for entry in entries.values()}
    return _scalar(shape, form.get("", ""))
