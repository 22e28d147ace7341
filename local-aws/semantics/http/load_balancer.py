"""Lambda behind a load balancer: 1 MB each way, and text bodies by their content type.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from ministack.services import alb
from ministack.services.cloudformation import provisioners

from .. import patch

LIMIT = 1024 * 1024
_TEXT = ("application/json", "application/javascript", "application/xml")


def decoded(body: bytes, headers: dict) -> str:
    """The body as text; raises UnicodeDecodeError where the load balancer sends base64."""
    kind = {name.lower(): value for name, value in headers.items()}
    mime = kind.get("content-type", "").split(";")[0].strip().lower()
    if kind.get("content-encoding") or not (mime.startswith("text/") or mime in _TEXT):
        raise UnicodeDecodeError("utf-8", b"", 0, 1, f"{mime} is sent in base64")
    return body.decode("utf-8")


def bad_gateway():
    return 502, {"Content-Type": "text/html"}, b"<html><head><title>502 Bad Gateway</title></head></html>"


def too_large(result: dict) -> bool:
    """The limit of an answer is that of the function's JSON: a body in base64 has a third more bytes there than at its client."""
    return len(((result.get("done") or {}).get("text") or "").encode()) > LIMIT


def install() -> None:
    alb._decoded = decoded
    alb._too_large = lambda result: bad_gateway() if too_large(result) else None
    patch.source(
        alb,
        "_invoke_lambda_target",
        ('body_str = body.decode("utf-8")', "body_str = _decoded(body, headers)"),
        ('    if exec_result.get("error"):\n', '    if refused := _too_large(exec_result):\n        return refused\n    if exec_result.get("error"):\n'),
    )
    patch.wrap(alb, "_invoke_lambda_target", _limited)
    patch.wrap(provisioners, "_elbv2_target_group_create", _registered(1))
    patch.wrap(provisioners, "_elbv2_target_group_update", _registered(2))


def _registered(position: int):
    """The template's Targets are registered, which MiniStack forgets.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-targetgroup.html"""

    def around(original):
        def handle(*args, **named):
            arn, attributes = original(*args, **named)
            if targets := args[position].get("Targets"):
                alb._targets[arn] = [dict(target) for target in targets]
            return arn, attributes

        return handle

    return around


def _limited(original):
    async def invoke(function_ref, tg_arn, method, path, headers, body, *rest, **named):
        if len(body or b"") > LIMIT:
            return 413, {"Content-Type": "text/html"}, b"<html><head><title>413 Request Entity Too Large</title></head></html>"
        return await original(function_ref, tg_arn, method, path, headers, body, *rest, **named)

    return invoke
