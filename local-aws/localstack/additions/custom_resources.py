"""Custom resources are called, and decide with what they send to ResponseURL. LocalStack leaves them out, and reports CREATE_COMPLETE.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import json
import threading
import uuid

from localstack import config
from localstack.http import Response
from localstack.services.cloudformation.resource_provider import ResourceProvider
from localstack.services.edge import ROUTER

from . import resource_types
from .custom_events import attributes, event
from .waiting import invoke_when_ready

_answers: dict[str, dict] = {}
_waiting: dict[str, threading.Event] = {}
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
_LONGEST = 3600


def install() -> None:
    resource_types.add("AWS::CloudFormation::CustomResource", CustomResource, identifier="PhysicalResourceId", create_only=("ServiceToken",))
    ROUTER.add("/_local-aws/custom-resources/<request_id>", _answer, methods=["PUT"])


def _answer(request, request_id: str):
    if request_id not in _waiting:
        return Response("", 404)
    _answers[request_id] = json.loads(request.get_data())
    _waiting[request_id].set()
    return Response("", 200)


class CustomResource(ResourceProvider):
    def create(self, request):
        return self._ask("Create", request)

    def update(self, request):
        return self._ask("Update", request)

    def delete(self, request):
        return self._ask("Delete", request)

    def _ask(self, kind: str, request):
        model, request_id = dict(request.desired_state or {}), str(uuid.uuid4())
        asked = event(
            kind,
            model,
            dict(request.previous_state or {}),
            request_id=request_id,
            answer_to=f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/_local-aws/custom-resources/{request_id}",
            stack=request.stack_id,
            type_name=request.resource_type,
            logical=request.logical_resource_id,
        )
        _waiting[request_id] = threading.Event()
        invoke_when_ready(request.aws_client_factory.lambda_, asked["ServiceToken"], json.dumps(asked).encode())
        came = _waiting[request_id].wait(float(model.get("ServiceTimeout") or _LONGEST))
        del _waiting[request_id]
        if not came:
            return resource_types.failed(
                model, "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId "
                f"[{request_id}].",
            )
        answer = _answers.pop(request_id)
        if answer.get("Status") != "SUCCESS":
            return resource_types.failed(
                model, f"Received response status [FAILED] from custom resource. Message returned: {answer.get('Reason')} (RequestId: {request_id})"
            )
        return resource_types.done(attributes(model, answer))
