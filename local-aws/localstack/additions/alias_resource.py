"""AWS::Lambda::Alias with RoutingConfig, which is a list there and a map in the API, and its update in place; LocalStack fails at the
first, and reports the second as done without doing it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-alias.html
"""

from localstack.services.lambda_.resource_providers.lambda_alias import LambdaAliasProvider

from . import patch, resource_types


def install() -> None:
    patch.wrap(LambdaAliasProvider, "create", _with_weights)
    patch.wrap(LambdaAliasProvider, "update", lambda _original: _update)


def _weights(model: dict) -> dict:
    given = (model.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or []
    return {"AdditionalVersionWeights": {one["FunctionVersion"]: float(one["FunctionWeight"]) for one in given}}


def _with_weights(original):
    def create(self, request):
        model = request.desired_state
        routing = model.get("RoutingConfig")
        if routing:
            model["RoutingConfig"] = _weights(model)
        try:
            return original(self, request)
        finally:
            if routing:
                model["RoutingConfig"] = routing

    return create


def _update(self, request):
    model, before = request.desired_state, request.previous_state or {}
    client = request.aws_client_factory.lambda_
    answer = client.update_alias(
        FunctionName=model["FunctionName"],
        Name=model["Name"],
        FunctionVersion=model["FunctionVersion"],
        Description=model.get("Description", ""),
        RoutingConfig=_weights(model),
    )
    of = {"FunctionName": model["FunctionName"], "Qualifier": model["Name"]}
    wanted, had = model.get("ProvisionedConcurrencyConfig"), before.get("ProvisionedConcurrencyConfig")
    if wanted and wanted != had:
        client.put_provisioned_concurrency_config(**of, ProvisionedConcurrentExecutions=int(wanted["ProvisionedConcurrentExecutions"]))
    elif had and not wanted:
        client.delete_provisioned_concurrency_config(**of)
    model["Id"] = answer["AliasArn"]
    return resource_types.done(model)
