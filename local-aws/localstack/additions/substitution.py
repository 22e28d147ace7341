"""``${!Literal}`` in Fn::Sub is the text ``${Literal}``, no reference.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html
"""

import re

from localstack.services.cloudformation.engine.v2 import change_set_model_preproc, change_set_model_validator


def install() -> None:
    for module in (change_set_model_preproc, change_set_model_validator):
        if module.re is not re:
            raise SystemExit(f"{module.__name__} of this LocalStack does not read templates with re.")
        module.re = _Names()


class _Names:
    """The module ``re``, whose ``findall`` finds no escaped names."""

    @staticmethod
    def findall(pattern, text, *rest):
        return [found for found in re.findall(pattern, text, *rest) if not (isinstance(found, str) and found.startswith("!"))]

    def __getattr__(self, name: str):
        return getattr(re, name)
