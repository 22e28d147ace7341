"""How often an event is tried, and where it goes when it failed, is set for exactly the function, version or alias that was invoked.
https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html

MiniStack takes the settings of $LATEST, whatever was invoked.
"""

from ministack.services import lambda_svc

from .. import patch


def install() -> None:
    patch.source(
        lambda_svc,
        "invoke_async_with_retry",
        (
            """func.get("event_invoke_config")
            or (func.get("event_invoke_configs") or {}).get("$LATEST")""",
            """_event_invoke_config(_functions.get(fn_name) or func, "".join(config.get("FunctionArn", "").split(":")[7:]))""",
        ),
    )
