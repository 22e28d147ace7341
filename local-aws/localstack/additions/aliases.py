"""UpdateAlias takes weights. LocalStack fails: ``_create_routing_config_model`` lacks an argument (aws/aws-sdk-js-v3 issue 7254).
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
"""

import threading

from localstack.services.lambda_ import api_utils
from localstack.services.lambda_.provider import LambdaProvider

from . import patch

_asked = threading.local()


def install() -> None:
    patch.wrap(LambdaProvider, "update_alias", _remembered)
    patch.wrap(LambdaProvider, "_create_routing_config_model", _of_alias)


def _remembered(original):
    def update(self, context, function_name, name, function_version=None, *rest, **named):
        _asked.version = (context, function_name, name, function_version)
        return original(self, context, function_name, name, function_version, *rest, **named)

    return update


def _of_alias(original):
    def model(self, weights, function_version=None):
        if function_version is None:
            context, function_name, alias, version = _asked.version
            account, region = api_utils.get_account_and_region(function_name, context)
            plain = api_utils.get_function_name(function_name, context)
            function = self._get_function(function_name=plain, region=region, account_id=account)
            function_version = function.versions[version or function.aliases[alias].function_version]
        return original(self, weights, function_version)

    return model
