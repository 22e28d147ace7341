"""The body of an answer, as it leaves, against the output shape of its operation: a client drops what it does not know, and
takes much for what it is not, so that nobody would notice an answer that AWS cannot give.
"""

import base64
import datetime
import email.utils
import re

_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")
# What AWS answers beyond its own enums. A stack itself: https://github.com/aws/aws-sdk/issues/248
_BEYOND = {"ResourceStatus": {"REVIEW_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"}}
_ROOMS = 20  # of a list: items beyond these are as those before


def of_data(shape, value, path: str, found: list, timestamp: str) -> None:
    """JSON and CBOR. AWS writes null for what is not there. ``timestamp``: the protocol's form where the shape has none."""
    kind = shape.type_name
    if value is None or (kind == "structure" and shape.is_document_type):
        return
    if not _IS[kind](value, shape.serialization.get("timestampFormat", timestamp) if kind == "timestamp" else None):
        found.append(f"{path or 'the answer'} is {type(value).__name__} ({str(value)[:60]!r}), {kind} is expected")
    elif kind == "structure":
        by_name = {member.serialization.get("name", name): member for name, member in shape.members.items() if "location" not in member.serialization}
        for name, item in value.items():
            if name in by_name:
                of_data(by_name[name], item, f"{path}.{name}" if path else name, found, timestamp)
            else:
                found.append(f"{path + '.' if path else ''}{name} is no member of {shape.name}")
        _missing(shape, [name for name, item in value.items() if item is not None], path, found)
    elif kind == "list":
        for item in value[:_ROOMS]:
            of_data(shape.member, item, f"{path}[]", found, timestamp)
    elif kind == "map":
        for item in list(value.values())[:_ROOMS]:
            of_data(shape.value, item, f"{path}{{}}", found, timestamp)
    elif kind == "string":
        _enum(shape, value, path, found)


def of_xml(shape, element, path: str, found: list) -> None:
    kind = shape.type_name
    if kind == "structure":
        names: dict[str, tuple] = {}
        for name, member in shape.members.items():
            if member.serialization.get("location") or member.serialization.get("xmlAttribute"):
                continue
            names[_name(member, name)] = (name, member)
        groups: dict[str, list] = {}
        for child in element:
            groups.setdefault(_tag(child), []).append(child)
        for tag, children in groups.items():
            place = f"{path}.{tag}" if path else tag
            if tag not in names:
                found.append(f"{place} is no member of {shape.name}")
                continue
            member = names[tag][1]
            if member.serialization.get("flattened") and member.type_name in ("list", "map"):
                for child in children[:_ROOMS]:
                    if member.type_name == "list":
                        of_xml(member.member, child, f"{place}[]", found)
                    else:
                        _entry(member, child, place, found)
            else:
                if len(children) > 1:
                    found.append(f"{place} is there {len(children)} times")
                of_xml(member, children[0], place, found)
        _missing(shape, [names[tag][1].serialization.get("name", names[tag][0]) for tag in groups if tag in names], path, found, names)
    elif kind == "list":
        tag = shape.member.serialization.get("name", "member")
        for child in list(element)[:_ROOMS]:
            if _tag(child) != tag:
                found.append(f"{path} has {_tag(child)}, {tag} is expected")
            else:
                of_xml(shape.member, child, f"{path}[]", found)
    elif kind == "map":
        for child in list(element)[:_ROOMS]:
            _entry(shape, child, path, found)
    elif len(element):
        found.append(f"{path} has elements, {kind} is expected")
    else:
        text_problems(shape, element.text or "", path, found, "iso8601")


def text_problems(shape, text: str, path: str, found: list, timestamp: str) -> None:
    """A scalar that is written as text: in XML, in a header."""
    kind = shape.type_name
    if kind == "string":
        _enum(shape, text, path, found)
    elif not _IS_TEXT[kind](text, shape.serialization.get("timestampFormat", timestamp)):
        found.append(f"{path} is {text[:60]!r}, {kind} is expected")


def _entry(shape, element, path, found) -> None:
    key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
    for child in element:
        if _tag(child) not in (key, value):
            found.append(f"{path} has {_tag(child)}, {key} and {value} are expected")
        elif _tag(child) == value:
            of_xml(shape.value, child, f"{path}{{}}", found)


def _missing(shape, given, path, found, names=None) -> None:
    """What is required and not in the body. Empty lists have no element where they are flattened."""
    for name in shape.required_members:
        member = shape.members[name]
        if member.serialization.get("location") or (names is not None and member.serialization.get("flattened")):
            continue
        if member.serialization.get("name", name) not in given:
            found.append(f"{path + '.' if path else ''}{name} is missing")


def _enum(shape, value, path, found) -> None:
    if shape.enum and value not in shape.enum and value not in _BEYOND.get(shape.name, ()):
        found.append(f"{path} is {value!r}, one of {', '.join(shape.enum)} is expected")


def _name(member, name) -> str:
    if member.type_name == "list" and member.serialization.get("flattened") and "name" in member.member.serialization:
        return member.member.serialization["name"]
    return member.serialization.get("name", name)


def _tag(element) -> str:
    return element.tag.rpartition("}")[2]


def _is_time(value, form) -> bool:
    if isinstance(value, datetime.datetime):
        return True
    if form == "iso8601":
        return isinstance(value, str) and _ISO.fullmatch(value) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_number(value, _form=None) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_blob(value, _form=None) -> bool:
    if isinstance(value, bytes):
        return True
    try:
        return isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    except ValueError:
        return False


def _is_time_text(text, form) -> bool:
    if form == "rfc822":
        try:
            return email.utils.parsedate_to_datetime(text) is not None
        except (TypeError, ValueError):
            return False
    return _ISO.fullmatch(text) is not None if form == "iso8601" else re.fullmatch(r"\d+(\.\d+)?", text) is not None


_IS = {
    "structure": lambda value, _: isinstance(value, dict),
    "map": lambda value, _: isinstance(value, dict),
    "list": lambda value, _: isinstance(value, list),
    "string": lambda value, _: isinstance(value, str),
    "boolean": lambda value, _: isinstance(value, bool),
    "integer": lambda value, _: isinstance(value, int) and not isinstance(value, bool),
    "long": lambda value, _: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value, _: _is_number(value) or value in ("NaN", "Infinity", "-Infinity"),
    "double": lambda value, _: _is_number(value) or value in ("NaN", "Infinity", "-Infinity"),
    "blob": _is_blob,
    "timestamp": _is_time,
}
_WHOLE, _NUMBER = re.compile(r"-?\d+"), re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|NaN|-?Infinity")
_IS_TEXT = {
    "boolean": lambda text, _: text in ("true", "false"),
    "integer": lambda text, _: _WHOLE.fullmatch(text) is not None,
    "long": lambda text, _: _WHOLE.fullmatch(text) is not None,
    "float": lambda text, _: _NUMBER.fullmatch(text) is not None,
    "double": lambda text, _: _NUMBER.fullmatch(text) is not None,
    "blob": _is_blob,
    "timestamp": _is_time_text,
    # An empty structure or list is an element without text.
    "structure": lambda text, _: not text.strip(),
}
