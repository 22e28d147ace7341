"""A list of layers tells of each one's latest version what AWS's does: neither its content nor the layer's ARN once more.
https://docs.aws.amazon.com/lambda/latest/api/API_LayerVersionsListItem.html
"""

from ministack.services import lambda_svc

from .. import patch


def install() -> None:
    patch.source(
        lambda_svc,
        "_list_layers",
        ('if not k.startswith("_")}', 'if not k.startswith("_") and k not in ("Content", "LayerArn")}'),
    )
