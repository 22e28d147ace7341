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


def install() -> None:
    alb._decoded = decoded
    patch.source(alb, "_invoke_lambda_target", ('body_str = body.decode("utf-8")', "body_str = _decoded(body, headers)"))
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
        status, answer_headers, answer = await original(function_ref, tg_arn, method, path, headers, body, *rest, **named)
        if len(answer) > LIMIT:
            return 502, {"Content-Type": "text/html"}, b"<html><head><title>502 Bad Gateway</title></head></html>"
        return status, answer_headers, answer

    return invoke
