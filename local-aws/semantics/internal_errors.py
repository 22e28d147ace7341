"""What goes wrong within the local AWS is answered as AWS answers its own failures: HTTP 500 with the operation's own code for it, and
where it declares none, with the code that all services share. That it went wrong is told by ``calls``.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors (ServiceException)
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html (InternalFailure)
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (InternalError)

MiniStack answers ``InternalError`` in JSON, whatever the service.
"""

from xml.sax.saxutils import escape

from ministack import app
from ministack.core import responses
from ministack.services import cloudwatch

from . import patch
from .calls import crashes, identify, models

_STATUS = 500


def install() -> None:
    app._internal_error = answer
    patch.source(
        app,
        "_dispatch_service_request",
        (
            """        return (
            500,
            {"Content-Type": "application/json"},
            json.dumps({"__type": "InternalError", "message": str(e)}).encode(),
        )
""",
            "        return _internal_error(e, method, path, headers, query_params, body)\n",
        ),
    )


def answer(error: Exception, method: str, path: str, headers: dict, query: dict, body: bytes) -> tuple:
    crashes.note(error)
    service, name, protocol = identify.operation(method, path, headers, query, body) or ("", "", "json")
    code, message = code_of(service, name), f"The local AWS failed: {crashes.text(error)}"
    if protocol == "cbor":
        return cloudwatch._error(code, message, _STATUS, use_cbor=True)
    if protocol == "rest-xml":
        xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>'
        return _STATUS, {"Content-Type": "application/xml"}, xml.encode()
    if protocol == "query":
        return responses.error_response_xml(code, message, _STATUS, models.service(service).metadata.get("xmlNamespace", ""))
    return responses.error_response_json(code, message, _STATUS)


def code_of(service: str, name: str) -> str:
    """The code by which an operation tells of a failure that is not the caller's."""
    if service == "S3":
        return "InternalError"
    model = models.operation(service, name) if service else None
    own = [shape.metadata.get("error", {}) | {"name": shape.name} for shape in (model.error_shapes if model else ())]
    return next((error.get("code") or error["name"] for error in own if error.get("httpStatusCode") == _STATUS), "InternalFailure")
