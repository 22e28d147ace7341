"""An input, as record.mjs writes it, against the input shape of its operation. botocore's own check looks at neither
patterns nor enums nor maxima. https://smithy.io/2.0/spec/constraint-traits.html
"""

import functools
import re


def problems(shape, value, path="") -> list[str]:
    """One line a problem, each with the place in the input."""
    found: list[str] = []
    _check(shape, value, path, found)
    return found


def _check(shape, value, path, found) -> None:
    special = value.get("$type") if isinstance(value, dict) and isinstance(value.get("$type"), str) else None
    kind = shape.type_name
    if kind == "structure" and shape.is_document_type:
        return
    wrong = _KINDS[kind](value, special)
    if wrong:
        found.append(f"{path or 'input'} is {_name(value, special)}, {kind} is expected")
    elif kind == "structure":
        _structure(shape, value, path, found)
    elif kind == "list":
        items = value["items"] if special else value
        _bounds(shape, value["length"] if special else len(value), "items", path, found)
        for index, item in enumerate(items):
            _check(shape.member, item, f"{path}[{index}]", found)
    elif kind == "map":
        _bounds(shape, len(value), "entries", path, found)
        for key, item in value.items():
            _check(shape.key, key, f"{path}.{key} (key)", found)
            _check(shape.value, item, f"{path}.{key}", found)
    elif kind == "blob":
        if special and "length" in value:
            _bounds(shape, value["length"], "bytes", path, found)
    elif kind == "string":
        _bounds(shape, value["length"] if special else len(value), "characters", path, found)
        if not special:
            _text(shape, value, path, found)
    elif kind in ("integer", "long", "float", "double") and not special:
        _bounds(shape, value, None, path, found)


def _structure(shape, value, path, found) -> None:
    given = {name: item for name, item in value.items() if item is not None}
    for name in given:
        if name in shape.members:
            _check(shape.members[name], given[name], f"{path}.{name}" if path else name, found)
        else:
            found.append(f"{path + '.' if path else ''}{name} is no member of {shape.name}")
    for name in shape.required_members:
        # The SDK makes what keeps a request from being done twice.
        if name not in given and not shape.members[name].metadata.get("idempotencyToken"):
            found.append(f"{path + '.' if path else ''}{name} is missing")
    if shape.is_tagged_union and len(given) != 1:
        found.append(f"{path or 'input'} has {len(given)} members, exactly one is expected")


def _bounds(shape, size, unit, path, found) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    what = f"{size} {unit}" if unit else str(size)
    if least is not None and size < least:
        found.append(f"{path} has {what}, at least {least} are expected" if unit else f"{path} is {what}, at least {least} is expected")
    if most is not None and size > most:
        found.append(f"{path} has {what}, at most {most} are expected" if unit else f"{path} is {what}, at most {most} is expected")


def _text(shape, value, path, found) -> None:
    if shape.enum and value not in shape.enum:
        found.append(f"{path} is {value!r}, one of {', '.join(shape.enum)} is expected")
    pattern = shape.metadata.get("pattern")
    if pattern and not (compiled(pattern).fullmatch(value)):
        found.append(f"{path} is {value!r}, which does not match {pattern}")


# Patterns are Java's. What Python does not know: classes of any script, here as wide as they may be.
_CLASSES = {
    "L": r"A-Za-z\u00aa-\ud7ff", "M": r"\u0300-\u036f", "Z": r"\s", "N": "0-9", "S": r"$+<=>^`|~", "P": r"!-/:-@\[-`{-~",
    "ASCII": r"\x00-\x7f", "Print": r"\x20-\x7e", "Graph": r"\x21-\x7e",
}
_PLANES = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")  # a range between two pairs of UTF-16


@functools.cache
def compiled(pattern: str) -> re.Pattern:
    """The whole value has to match, whether the model's pattern is anchored or not."""
    parts, inside = [], False
    for part in re.findall(r"\\p\{\w+\}|\\.|.", pattern.replace(*_PLANES), re.DOTALL):
        if part.startswith(r"\p{"):
            members = _CLASSES[part[3:-1]]
            part = members if inside else f"[{members}]"
        elif part == r"\z":
            part = r"\Z"
        elif part == "-" and inside and parts[-1] == r"\w":
            part = r"\-"
        elif part in "[]":
            inside = part == "["
        parts.append(part)
    return re.compile("".join(parts))


def _name(value, special) -> str:
    return special or ("null" if value is None else type(value).__name__)


def _is_number(value, special) -> bool:
    return special == "number" or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _is_whole(value, special) -> bool:
    return not special and _is_number(value, special) and value == int(value)


# Each says what is no value of its kind.
_KINDS = {
    "structure": lambda value, special: bool(special) or not isinstance(value, dict),
    "map": lambda value, special: bool(special) or not isinstance(value, dict),
    "list": lambda value, special: special != "list" and not isinstance(value, list),
    "string": lambda value, special: special != "text" and not isinstance(value, str),
    "blob": lambda value, special: special not in ("text", "blob") and not isinstance(value, str),
    "timestamp": lambda value, special: special != "timestamp" or not value.get("valid"),
    "boolean": lambda value, special: not isinstance(value, bool),
    "integer": lambda value, special: not _is_whole(value, special),
    "long": lambda value, special: not _is_whole(value, special),
    "float": lambda value, special: not _is_number(value, special),
    "double": lambda value, special: not _is_number(value, special),
}
