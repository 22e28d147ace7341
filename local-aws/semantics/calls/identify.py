"""Which operation of which service a signed request is, by the protocols that its service model may be spoken in."""

import functools
import re
from urllib.parse import parse_qs

from . import models

# By the name that requests are signed for, where it is not in the model’s name. Several: the first that has the path.
_SIGNED_AS = {
    "lambda": ["Lambda"], "s3": ["S3"], "scheduler": ["Scheduler"], "sagemaker": ["SageMaker Runtime"], "sqs": ["SQS"], "sns": ["SNS"], "sts": ["STS"],
    "iam": ["IAM"], "cloudformation": ["CloudFormation"], "monitoring": ["CloudWatch"], "logs": ["CloudWatch Logs"], "events": ["EventBridge"],
    "states": ["SFN"], "application-autoscaling": ["Application Auto Scaling"], "apigateway": ["API Gateway", "ApiGatewayV2"], "ecr": ["ECR"],
    "ssm": ["SSM"], "kms": ["KMS"], "cognito-idp": ["Cognito Identity Provider"], "elasticloadbalancing": ["Elastic Load Balancing v2"],
    "secretsmanager": ["Secrets Manager"],
}
_CREDENTIAL = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")


def load() -> None:
    """What is else loaded with the first request to a service."""
    from ministack.core import responses

    for signed, names in _SIGNED_AS.items():
        responses._service_model(signed)
        for name in names:
            _routes(name)


def signed_for(headers: dict, query: dict) -> str | None:
    found = _CREDENTIAL.search(headers.get("authorization", ""))
    if found:
        return found[1]
    scope = query.get("X-Amz-Credential", [""])[0].split("/")
    return scope[3] if len(scope) == 5 else None


def operation(method: str, path: str, headers: dict, query: dict, body: bytes):
    """(service, operation, protocol), or None for what is no signed request to a service that is known here."""
    names = _SIGNED_AS.get(signed_for(headers, query) or "")
    if not names:
        return None
    kind = headers.get("content-type", "")
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        return names[0], path.rpartition("/")[2], "cbor"
    if "x-amz-target" in headers:
        return names[0], headers["x-amz-target"].rpartition(".")[2], "json"
    if models.service(names[0]).protocol in ("query", "smithy-rpc-v2-cbor", "json"):
        form = parse_qs(body.decode("latin-1")) if kind.startswith("application/x-www-form-urlencoded") else query
        return (names[0], form["Action"][0], "query") if "Action" in form else None
    for name in names:
        found = _by_route(name, method, path, headers, query)
        if found:
            return name, found, models.service(name).protocol
    return names[-1], f"{method} {path}", models.service(names[-1]).protocol


def _by_route(service: str, method: str, path: str, headers: dict, query: dict) -> str | None:
    if "x-id" in query:  # the SDK for JavaScript names it
        return query["x-id"][0]
    for pattern, literal, needs, name in _routes(service).get(method, ()):
        if not pattern.fullmatch(path) or not all(query.get(key, [None])[0] == value for key, value in literal.items()):
            continue
        if all(key in query for key in needs["querystring"]) and all(key in headers for key in needs["header"]):
            return name
    return None


@functools.cache
def _routes(service: str) -> dict[str, list]:
    """By method; what asks for most comes first."""
    found: dict[str, list] = {}
    model = models.service(service)
    for name in model.operation_names:
        one = model.operation_model(name)
        if one.deprecated:  # another one has its route
            continue
        path, _, query = one.http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{[^}]*\\\+\\\}|\\\{[^}]*\\\}", lambda label: ".+" if r"\+" in label[0] else "[^/]+", re.escape(path.rstrip("/") or "/"))
        literal = {key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()}
        needs: dict[str, list] = {"querystring": [], "header": []}
        for required in one.input_shape.required_members if one.input_shape else ():
            at = one.input_shape.members[required].serialization
            if at.get("location") in needs:
                needs[at["location"]].append(at["name"] if at["location"] == "querystring" else at["name"].lower())
        # A label takes what a literal has, too.
        weight = (len(literal) + sum(map(len, needs.values())), len(re.sub(r"\{[^}]*\}", "", path)))
        found.setdefault(one.http["method"], []).append((weight, re.compile(pattern + "/?"), literal, needs, name))
    return {method: [entry[1:] for entry in sorted(entries, key=lambda entry: entry[0], reverse=True)] for method, entries in found.items()}
