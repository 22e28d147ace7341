"""A state machine that is deleted while executions run is DELETING until they have ended: each ends at its next transition. Until then
nothing is started by it, none of its name is made, and CloudFormation waits for it.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html
https://repost.aws/knowledge-center/step-functions-stuck-deleting-status
https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-stepfunctions (DeleteHandler)
"""

import time

from contextvars import ContextVar

from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners, stacks

from .. import patch

_PAUSE_SECONDS = 0.05
# ARN of the machine whose execution, or whose child of a map, runs in this thread.
_machine: ContextVar = ContextVar("machine", default=None)


def install() -> None:
    stepfunctions._end_if_deleted = _end_if_deleted
    patch.source(stepfunctions, "_run_execution", ("state_def = all_states.get(current_name)", "_end_if_deleted()\n            state_def = all_states.get(current_name)"))
    patch.source(stepfunctions, "_run_sub_machine", ("state_def = states.get(current_name)", "_end_if_deleted()\n        state_def = states.get(current_name)"))
    patch.wrap(stepfunctions, "_run_execution", _run)
    patch.wrap(stepfunctions, "_invoke_resource", _attempt)
    patch.wrap(stepfunctions, "_start_execution", _start)
    patch.wrap(stepfunctions, "_create_state_machine", _create)
    patch.wrap(stepfunctions, "_delete_state_machine", _delete)
    patch.wrap(provisioners, "_sfn_state_machine_delete", _deprovision)
    patch.wrap(stacks, "_runs_on_worker_thread", lambda original: lambda kind: kind == "AWS::StepFunctions::StateMachine" or original(kind))


def _is_deleting(arn) -> bool:
    return (stepfunctions._state_machines.get(arn) or {}).get("status") == "DELETING"


def _is_running(arn: str) -> bool:
    return any(one.get("stateMachineArn") == arn and one["status"] == "RUNNING" for one in list(stepfunctions._executions.values()))


def _end_if_deleted() -> None:
    arn = _machine.get()
    if arn is not None and _is_deleting(arn):
        raise stepfunctions._ExecutionError("States.Runtime", f"State machine {arn.rsplit(':', 1)[-1]} has been deleted.")


def _run(original):
    def run(arn):
        machine = (stepfunctions._executions.get(arn) or {}).get("stateMachineArn")
        _machine.set(machine)
        try:
            original(arn)
        finally:
            if _is_deleting(machine):
                stepfunctions._delete_state_machine({"stateMachineArn": machine})

    return run


def _attempt(original):
    """A task is tried again: that is a transition, too."""

    def attempt(name, data):
        _end_if_deleted()
        return original(name, data)

    return attempt


def _refused(arn: str):
    return stepfunctions.error_response_json("StateMachineDeleting", f"State Machine is being deleted: '{arn}'", 400)


def _start(original):
    def start(data):
        arn = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", ""))
        return _refused(arn) if _is_deleting(arn) else original(data)

    return start


def _create(original):
    def create(data):
        arn = f"arn:aws:states:{get_region()}:{get_account_id()}:stateMachine:{data.get('name')}"
        return _refused(arn) if _is_deleting(arn) else original(data)

    return create


def _delete(original):
    def delete(data):
        arn = data.get("stateMachineArn", "")
        machine = stepfunctions._state_machines.get(arn)
        if machine is None or not _is_running(arn):
            return original(data)
        machine["status"] = "DELETING"
        return stepfunctions.json_response({})

    return delete


def _deprovision(original):
    def deprovision(arn, properties):
        stepfunctions._delete_state_machine({"stateMachineArn": arn})
        while arn in stepfunctions._state_machines:
            time.sleep(_PAUSE_SECONDS)
        original(arn, properties)

    return deprovision
