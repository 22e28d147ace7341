"""How often an event is tried, and where it goes when it failed, is set for exactly the function, version or alias that was invoked.
https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html

What its destination is told has who was invoked and how often; a function that is one is invoked as by any other event, and again
where it fails.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html

MiniStack takes the settings of $LATEST, whatever was invoked, and tells three times, always; it invokes a destination once.
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
        (
            "last_result = _execute_function(func, event)",
            """last_result = {**_execute_function(func, event), "invoked": _invoked_arn(config), "attempt": attempt + 1}""",
        ),
    )
    lambda_svc._invoked_arn = _invoked_arn
    patch.source(
        lambda_svc,
        "_route_async_failure",
        ("""_functions.get(func_name, {}).get("config", {}).get("FunctionArn", "")""", """result["invoked"]"""),
        (""""approximateInvokeCount": 3""", """"approximateInvokeCount": result["attempt"]"""),
        (
            """threading.Thread(
                    target=_execute_function_with_config_scope,
                    args=(dest_func, envelope),
                    daemon=True,
                ).start()""",
            "invoke_async_with_retry(dest_func, envelope)",
        ),
    )


def _invoked_arn(config: dict) -> str:
    arn = config.get("FunctionArn", "")
    return arn if arn.count(":") > 6 else f"{arn}:$LATEST"
