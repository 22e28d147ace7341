"""RetainExceptOnCreate keeps what leaves the template, as Retain does; LocalStack deletes it, and an alias then points to nothing.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
"""

from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
from localstack.services.cloudformation.engine.v2.change_set_model_preproc import DeletionPolicy

from . import patch


def install() -> None:
    patch.wrap(ChangeSetModelExecutor, "_execute_resource_change", _retaining)


def _retaining(original):
    def execute(self, name, before, after):
        if getattr(before, "deletion_policy", None) == DeletionPolicy.RetainExceptOnCreate:
            before.deletion_policy = DeletionPolicy.Retain
        return original(self, name, before, after)

    return execute
