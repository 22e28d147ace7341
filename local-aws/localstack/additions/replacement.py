"""A resource is replaced where a property changes of which its type says so; LocalStack replaces one, too, whose reference led elsewhere.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor

from . import patch


def install() -> None:
    patch.wrap(ChangeSetModelExecutor, "_execute_resource_change", _in_place)


def _in_place(original):
    def execute(self, name, before, after):
        if getattr(after, "requires_replacement", False) and getattr(before, "properties", None):
            provider = ResourceProviderExecutor.try_load_resource_provider(after.resource_type)
            paths = (provider.SCHEMA if provider else {}).get("createOnlyProperties", [])
            old, new = before.properties.properties, after.properties.properties
            after.requires_replacement = any(str(old.get(one)) != str(new.get(one)) for one in (path.split("/")[2] for path in paths))
        return original(self, name, before, after)

    return execute
