"""A function that is updated stays active, on its code and configuration from before; only `LastUpdateStatus` tells. There is a
reason's code where there is a reason, and it is one of AWS's.
https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
"""

from ministack.services import lambda_svc

from .. import patch


def install() -> None:
    for name, config in (("_update_code", 'func["config"]'), ("_update_config", "config")):
        patch.source(
            lambda_svc,
            name,
            (f'{config}["State"] = "Pending"\n', f'{config}["State"] = "Active"\n'),
            (f'{config}["StateReason"] = "The function is being updated."\n', f'{config}.pop("StateReason", None)\n'),
            (f'{config}["StateReasonCode"] = "Updating"\n', f'{config}.pop("StateReasonCode", None)\n'),
            (f'{config}["LastUpdateStatusReason"] = ""\n', f'{config}.pop("LastUpdateStatusReason", None)\n'),
            (f'{config}["LastUpdateStatusReasonCode"] = ""\n', f'{config}.pop("LastUpdateStatusReasonCode", None)\n'),
        )
    patch.source(
        lambda_svc,
        "_build_config",
        ('"LastUpdateStatusReason": "",\n', ""),
        ('"LastUpdateStatusReasonCode": "",\n', ""),
    )
    patch.source(
        lambda_svc,
        "_schedule_state_transition",
        *((f'cfg["{name}"] = ""\n', f'cfg.pop("{name}", None)\n') for name in ("StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode")),
    )
