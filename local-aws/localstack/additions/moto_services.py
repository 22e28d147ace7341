"""APIs that LocalStack leaves to its licensed edition, answered by moto, which is installed with it: kept, not acted on. `sls remove` asks
ECR for repositories; the release worker asks Application Auto Scaling for what a version has.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html
https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
"""

from localstack.aws.spec import load_service
from localstack.services.moto import _proxy_moto
from localstack.services.plugins import SERVICE_PLUGINS, Service, ServicePluginAdapter, ServicePluginManager

from . import patch

_NAMES = ("ecr", "application-autoscaling", "codedeploy", "apigatewayv2")


def install() -> None:
    patch.wrap(ServicePluginManager, "_resolve_api_provider_specs", _with_these)
    patch.wrap(ServicePluginManager, "_load_service_plugin", _loaded)
    SERVICE_PLUGINS._api_provider_specs = None


def _with_these(original):
    def specs(self) -> dict[str, list[str]]:
        found = original(self)
        for name in _NAMES:
            found.setdefault(name, ["default"])
        return found

    return specs


def _loaded(original):
    def load(self, name: str):
        if name not in _NAMES:
            return original(self, name)
        plugin = ServicePluginAdapter(api=name, create_service=lambda: _service(name))
        plugin.load()
        return plugin

    return load


def _service(name: str) -> Service:
    provider = type("OfMoto", (), {"service": name})()
    operations = load_service(name).operation_names
    return Service.for_provider(provider, dispatch_table_factory=lambda _provider: dict.fromkeys(operations, _proxy_moto))
