"""A service takes a role only if the role's trust policy lets it, conditions included: Lambda for a function, EventBridge Scheduler for
the schedules of a group, Step Functions for a state machine. A schedule of a template that is refused fails the stack.
https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html (cannot be assumed by Lambda)
https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html

MiniStack looks at no trust policy of these.
"""

import json

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, lambda_svc, scheduler, stepfunctions
from ministack.services.cloudformation import provisioners

from .. import patch

_LAMBDA = "The role defined for the function cannot be assumed by Lambda."
_SCHEDULER = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
_STATES = "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role."


def install() -> None:
    patch.wrap(lambda_svc, "_create_function", lambda original: lambda data: _of_function(data) or original(data))
    patch.wrap(lambda_svc, "_update_config", lambda original: lambda name, data: _of_function(data) or original(name, data))
    patch.wrap(provisioners, "_lambda_create", lambda original: lambda logical_id, props, *rest: done(_of_function(props)) or original(logical_id, props, *rest))
    for name in ("_create_schedule", "_update_schedule"):
        patch.wrap(scheduler, name, lambda original: lambda name, body: _of_schedule(body) or original(name, body))
    provisioners._done = done
    patch.source(provisioners, "_scheduler_schedule_create", ("    _sched._create_schedule(name, body)\n", "    _done(_sched._create_schedule(name, body))\n"))
    patch.wrap(provisioners, "_scheduler_schedule_update", lambda original: lambda physical_id, old, new, *rest: done(_of_schedule(new)) or original(physical_id, old, new, *rest))
    patch.wrap(stepfunctions, "_create_state_machine", lambda original: lambda data: _of_machine(data.get("name"), data.get("roleArn")) or original(data))
    patch.wrap(stepfunctions, "_update_state_machine", lambda original: lambda data: _of_machine(data.get("stateMachineArn", "").rpartition(":")[2], data.get("roleArn")) or original(data))
    patch.wrap(provisioners, "_sfn_state_machine_create", _of_template)


def assumable(role_arn: str, service: str, source_arn: str = "") -> bool:
    """Whether the role's trust policy lets *service* take it, for *source_arn*. A role that is not there is for others to refuse."""
    role = iam._roles.get(role_arn.rsplit("/", 1)[-1]) if app.AUTH else None
    if role is None:
        return True
    named = {"aws:sourcearn": source_arn} if source_arn else {}
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=get_account_id(),
        action="sts:AssumeRole",
        resource_arn="*",
        region=get_region(),
        service_context={**named, "aws:sourceaccount": get_account_id()},
    )
    regional = service.replace(".", f".{get_region()}.", 1)
    document = role.get("AssumeRolePolicyDocument")
    return any(iam_evaluator.evaluate_resource_policy(document, context, service=one).decision == "Allow" for one in (service, regional))


def done(answer) -> None:
    """Fails the resource of a stack whose call was refused."""
    if answer and answer[0] >= 300:
        told = json.loads(answer[2])
        raise ValueError(f'Resource handler returned message: "{told.get("Message") or told.get("message")}"')


def _of_function(data: dict):
    if not data.get("Role") or assumable(data["Role"], "lambda.amazonaws.com"):
        return None
    return lambda_svc.error_response_json("InvalidParameterValueException", _LAMBDA, 400)


def _of_schedule(body: dict):
    role, group = (body.get("Target") or {}).get("RoleArn") or "", body.get("GroupName") or "default"
    if assumable(role, "scheduler.amazonaws.com", scheduler._group_arn(group)):
        return None
    return scheduler._error(400, "ValidationException", _SCHEDULER)


def _of_machine(name: str, role: str | None):
    arn = f"arn:aws:states:{get_region()}:{get_account_id()}:stateMachine:{name}"
    if not role or assumable(role, "states.amazonaws.com", arn):
        return None
    return stepfunctions.error_response_json("AccessDeniedException", _STATES, 400)


def _of_template(original):
    def create(logical_id, props, stack_name):
        name = props.get("StateMachineName") or provisioners._physical_name(stack_name, logical_id, max_len=80)
        done(_of_machine(name, props.get("RoleArn")))
        return original(logical_id, props, stack_name)

    return create
