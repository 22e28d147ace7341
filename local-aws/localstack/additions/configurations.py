"""GetFunctionConfiguration takes an alias as its qualifier; LocalStack knows versions only, and answers 404.
https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
"""

from localstack.services.lambda_ import api_utils
from localstack.services.lambda_.provider import LambdaProvider

from . import patch


def install() -> None:
    patch.wrap(LambdaProvider, "get_function_configuration", _of_alias)


def _of_alias(original):
    def get(self, context, function_name, qualifier=None, **named):
        account, region = api_utils.get_account_and_region(function_name, context)
        name, given = api_utils.get_name_and_qualifier(function_name, qualifier, context)
        if given and api_utils.qualifier_is_alias(given):
            function = self._get_function(function_name=name, region=region, account_id=account)
            alias = function.aliases.get(given)
            if alias is not None:
                found = original(self, context, name, alias.function_version, **named)
                return {**found, "FunctionArn": api_utils.qualified_lambda_arn(name, given, account, region)}
        return original(self, context, function_name, qualifier, **named)

    return get
