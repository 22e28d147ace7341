"""Routes of an HTTP API, the event that a function gets, and the response that its answer becomes; knows no emulator.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import json
import re
import uuid
from datetime import datetime, timezone
from typing import NamedTuple

_TEXT = re.compile(r"(?:text/|application/(?:json|javascript|xml|x-www-form-urlencoded|[\w.-]+\+(?:json|xml)))", re.IGNORECASE)


class Found(NamedTuple):
    key: str
    names: dict[str, str]


def route(keys: list[str], method: str, path: str) -> Found | None:
    """The route that fits best: a whole path, then one with parameters, then a greedy one; a method before ANY; $default last."""
    best: tuple[tuple, Found] | None = None
    for key in keys:
        if key == "$default":
            rank, names = (0,), {}
        else:
            wanted, _, pattern = key.partition(" ")
            names = _names(pattern, path) if wanted in ("ANY", method) else None
            if names is None:
                continue
            parts = pattern.split("/")
            # From the left, part by part: text before a parameter, a parameter before a greedy one.
            rank = (1, [2 if not part.startswith("{") else 0 if part.endswith("+}") else 1 for part in parts], wanted != "ANY")
        if best is None or rank > best[0]:
            best = rank, Found(key, names)
    return best[1] if best else None


def _names(pattern: str, path: str) -> dict[str, str] | None:
    parts, given = pattern.strip("/").split("/"), path.strip("/").split("/")
    names = {}
    for index, part in enumerate(parts):
        if part.startswith("{") and part.endswith("+}"):
            rest = "/".join(given[index:])
            return {**names, part[1:-2]: rest} if rest else None
        if index >= len(given):
            return None
        if part.startswith("{") and part.endswith("}"):
            if not given[index]:
                return None
            names[part[1:-1]] = given[index]
        elif part != given[index]:
            return None
    return names if len(parts) == len(given) else None


def event(found: Found, *, method: str, path: str, query: str, pairs: list[tuple[str, str]], headers: dict, body: bytes, api: str, account: str, region: str) -> dict:
    """Payload format 2.0."""
    lower = {name.lower(): value for name, value in headers.items()}
    text, encoded = _body(body, lower.get("content-type", ""))
    parameters: dict[str, str] = {}
    for name, value in pairs:
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    now = datetime.now(timezone.utc)
    return {
        "version": "2.0",
        "routeKey": found.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": lower,
        **({"queryStringParameters": parameters} if parameters else {}),
        **({"pathParameters": found.names} if found.names else {}),
        **({"body": text} if body else {}),
        "isBase64Encoded": encoded,
        "requestContext": {
            "accountId": account,
            "apiId": api,
            "domainName": f"{api}.execute-api.{region}.amazonaws.com",
            "domainPrefix": api,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": lower.get("user-agent", "")},
            "requestId": str(uuid.uuid4()),
            "routeKey": found.key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
    }


def _body(body: bytes, kind: str) -> tuple[str, bool]:
    if _TEXT.match(kind):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass  # compressed: as text it would be lost
    return (base64.b64encode(body).decode(), True) if body else ("", False)


def response(payload: bytes, failed: bool) -> tuple[int, dict, bytes]:
    """Status, headers and body."""
    as_json = {"content-type": "application/json"}
    if failed:
        return 500, as_json, b'{"message":"Internal Server Error"}'
    answer = json.loads(payload or b"null")
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return 200, as_json, answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    body = answer.get("body") or ""
    headers = {**as_json, **{name.lower(): str(value) for name, value in (answer.get("headers") or {}).items()}}
    return int(answer["statusCode"]), headers, base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()


def function_of(uri: str) -> str:
    """The function's ARN in an integration's URI, which may be that itself."""
    found = re.search(r"/functions/(arn:[^/]+)", uri)
    return found[1] if found else uri
