"""State machines: what they do, their role must be allowed to do; starting a running execution again, by the same name with the same
input, is no error; a task that invokes a function answers with the version that ran, waits between its attempts as long as it says,
and knows a throttled invocation by its name.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
https://docs.aws.amazon.com/step-functions/latest/dg/connect-sqs.html
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import random

from contextvars import ContextVar

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, stepfunctions

from .. import patch
from ..access import roles

_LONGEST_SECONDS = 31_622_400
# The role of the execution that runs in this thread, and the version that its last invocation ran.
_role: ContextVar = ContextVar("role", default=None)
_version: ContextVar = ContextVar("version", default="$LATEST")
_SLEEP = "_scaled_sleep(min({}, 60))"
_PAUSE = "_scaled_sleep(_pause(retrier, {}))"


def install() -> None:
    stepfunctions._pause = _pause
    patch.wrap(stepfunctions, "_run_execution", _as_role)
    patch.wrap(stepfunctions, "_start_execution", _start)
    patch.wrap(stepfunctions, "_call_lambda", _invoke)
    patch.wrap(stepfunctions, "_error_matches", _catchable)
    patch.wrap(stepfunctions, "_invoke_resource", _resource)
    wait = 'interval * (retrier.get("BackoffRate", 2.0) ** count)'
    patch.source(stepfunctions, "_with_retry_and_catch", (_SLEEP.format(wait), _PAUSE.format(wait)))
    patch.source(stepfunctions, "_execute_task", (_SLEEP.format("sleep_sec"), _PAUSE.format("sleep_sec")))


def may(action: str, resource: str) -> bool:
    """Whether the role of the execution that runs in this thread allows it."""
    return _role.get() is None or roles.may(_role.get(), action, resource)


def refused(action: str, resource: str) -> str:
    """AWS's words for it."""
    name = str(_role.get()).rsplit("/", 1)[-1]
    session = f"arn:aws:sts::{get_account_id()}:assumed-role/{name}/execution"
    return f"User: {session} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action"


def _as_role(original):
    def run(arn):
        execution = stepfunctions._executions.get(arn) or {}
        machine = stepfunctions._state_machines.get(execution.get("stateMachineArn")) or {}
        _role.set(machine.get("roleArn"))
        original(arn)

    return run


def _start(original):
    def start(data):
        machine = stepfunctions._state_machines.get(stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", "")))
        if machine and machine.get("type") != "EXPRESS" and data.get("name"):
            arn = f"arn:aws:states:{get_region()}:{get_account_id()}:execution:{machine['name']}:{data['name']}"
            running = stepfunctions._executions.get(arn)
            if running and running["status"] == "RUNNING" and running["input"] == data.get("input", "{}"):
                return stepfunctions.json_response({"executionArn": arn, "startDate": running["startDate"]})
        return original(data)

    return start


def _invoke(original):
    def invoke(function, event):
        _func, config, _name = lambda_svc._get_func_record_for_ref(function)
        if not config:
            return original(function, event)  # which says so
        name, qualifier = lambda_svc._resolve_name_and_qualifier(function)
        arn = lambda_svc._policy_resource_arn(name, qualifier)
        if not may("lambda:InvokeFunction", arn):
            raise stepfunctions._ExecutionError("Lambda.AWSLambdaException", refused("lambda:InvokeFunction", arn))
        _version.set(config.get("Version", "$LATEST"))
        try:
            return original(function, event)
        except stepfunctions._ExecutionError as error:
            if error.error == "Lambda.Unknown" and '"__type": "TooManyRequestsException"' in error.cause:
                raise stepfunctions._ExecutionError("Lambda.TooManyRequestsException", error.cause) from error
            raise

    return invoke


def _resource(original):
    def resource(name, data):
        if "states:::lambda:invoke" in name and isinstance(data, dict) and data.get("Qualifier"):
            # As in Lambda's own Invoke: the version is asked for, and what the role must allow.
            data = {**data, "FunctionName": f"{data['FunctionName']}:{data['Qualifier']}"}
        if name.endswith("states:::sqs:sendMessage"):
            queue = arn_of(data.get("QueueUrl", ""))
            if not may("sqs:SendMessage", queue):
                raise stepfunctions._ExecutionError("SQS.AccessDeniedException", refused("sqs:SendMessage", queue))
        answer = original(name, data)
        if "states:::lambda:invoke" in name and isinstance(answer, dict):
            return {"ExecutedVersion": _version.get(), **answer}
        return answer

    return resource


def arn_of(url: str) -> str:
    return f"arn:aws:sqs:{get_region()}:{get_account_id()}:{url.rsplit('/', 1)[-1]}"


def _catchable(original):
    """These two end an execution, unless they are named."""

    def matches(named, error):
        return error in named if error in ("States.Runtime", "States.DataLimitExceeded") else original(named, error)

    return matches


def _pause(retrier: dict, seconds: float) -> float:
    pause = min(seconds, retrier.get("MaxDelaySeconds", _LONGEST_SECONDS))
    return random.uniform(0, pause) if retrier.get("JitterStrategy") == "FULL" else pause
