"""HTTP APIs: CloudFormation's types, kept where moto answers API calls, and served at /_aws/execute-api/<id>/. LocalStack reports them as made,
and makes nothing. Nobody is asked for a signature here, no route is throttled, and CORS is not answered.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
"""

import json

from localstack import config
from localstack.aws.connect import connect_to
from localstack.http import Response
from localstack.services.cloudformation.resource_provider import ResourceProvider
from localstack.services.edge import ROUTER
from moto.apigatewayv2.models import apigatewayv2_backends

from . import http_events, resource_types

_LARGEST = 10 * 1024 * 1024  # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
# What is asked of the API, of the members of each type; moto keeps these.
_MEMBERS = {
    "api": ("Name", "ProtocolType", "CorsConfiguration", "Description", "DisableExecuteApiEndpoint", "Tags", "Version"),
    "integration": ("ApiId", "IntegrationType", "IntegrationUri", "IntegrationMethod", "PayloadFormatVersion", "TimeoutInMillis"),
    "route": ("ApiId", "RouteKey", "Target", "AuthorizationType", "AuthorizerId", "AuthorizationScopes"),
    "stage": ("ApiId", "StageName", "AutoDeploy", "DefaultRouteSettings", "RouteSettings", "Tags"),
}


def install() -> None:
    for name, id_name in (("Api", "ApiId"), ("Integration", "IntegrationId"), ("Route", "RouteId"), ("Stage", "StageName")):
        kind = type(name, (_Part,), {"kind": name.lower(), "id_name": id_name})
        resource_types.add(f"AWS::ApiGatewayV2::{name}", kind, identifier=id_name, create_only=("StageName",) if name == "Stage" else ())
    for path in ("/_aws/execute-api/<api_id>/", "/_aws/execute-api/<api_id>/<path:path>"):
        ROUTER.add(path, _serve)


class _Part(ResourceProvider):
    kind: str
    id_name: str

    def create(self, request):
        model = dict(request.desired_state)
        if self.kind == "api":
            model.setdefault("ProtocolType", "HTTP")
        answer = getattr(request.aws_client_factory.apigatewayv2, f"create_{self.kind}")(**self._asked(model))
        model[self.id_name] = answer[self.id_name]
        if self.kind == "api":
            model["ApiEndpoint"] = f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/_aws/execute-api/{model['ApiId']}"
        return resource_types.done(model)

    def update(self, request):
        before = request.previous_state or {}
        model = {**{name: before[name] for name in (self.id_name, "ApiEndpoint") if name in before}, **request.desired_state}
        if self.kind == "stage":
            return resource_types.done(model)  # moto cannot change one, and nothing here reads what may change
        asked = {name: value for name, value in self._asked(model).items() if name not in ("ProtocolType", "Tags")}
        getattr(request.aws_client_factory.apigatewayv2, f"update_{self.kind}")(**{self.id_name: model[self.id_name], **asked})
        return resource_types.done(model)

    def delete(self, request):
        model = request.desired_state
        backend = apigatewayv2_backends[request.account_id][request.region_name]
        api = backend.apis.get(model.get("ApiId"))
        if self.kind == "api":
            backend.apis.pop(model.get("ApiId"), None)
        elif api is not None:
            getattr(api, f"{self.kind}s").pop(model.get(self.id_name), None)
        return resource_types.done({})

    def _asked(self, model: dict) -> dict:
        return {name: model[name] for name in _MEMBERS[self.kind] if name in model}


def _serve(request, api_id: str, path: str = ""):
    found = [
        (account, region, backend.apis[api_id])
        for account, regions in apigatewayv2_backends.items()
        for region, backend in regions.items()
        if api_id in backend.apis
    ]
    body = request.get_data()
    if len(body) > _LARGEST:
        return _message("Request Entity Too Large", 413)
    if not found:
        return _message("Not Found", 404)
    account, region, api = found[0]
    routes = {route.route_key: route for route in api.routes.values()}
    path = f"/{path}"
    fits = http_events.route(list(routes), request.method, path)
    if fits is None:
        return _message("Not Found", 404)
    integration = api.integrations[routes[fits.key].target.split("/")[-1]]
    event = http_events.event(
        fits, method=request.method, path=path, query=request.query_string.decode(), pairs=list(request.args.items(multi=True)),
        headers=dict(request.headers), body=body, api=api_id, account=account, region=region,
    )
    client = connect_to(aws_access_key_id=account, region_name=region).lambda_
    try:
        answer = client.invoke(FunctionName=http_events.function_of(integration.integration_uri), Payload=json.dumps(event).encode())
    except client.exceptions.TooManyRequestsException:
        return _message("Service Unavailable", 503)
    status, headers, content = http_events.response(answer["Payload"].read(), "FunctionError" in answer)
    return Response(content, status, headers=headers)


def _message(text: str, status: int):
    return Response(json.dumps({"message": text}), status, mimetype="application/json")
