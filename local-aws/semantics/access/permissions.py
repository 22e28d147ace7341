"""A service may invoke a function only if the policy of exactly that function, version or alias lets it: permissions on the
function do not hold for its alias, and go with the alias when that is deleted. A rule sends to a queue, and an alarm to a topic, only
if its policy lets it.
https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
"""

import logging

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import alb, cloudwatch, eventbridge, lambda_svc, s3, sns, sqs

from .. import additions, patch
from . import roles

logger = logging.getLogger("permissions")


def service_may(function_ref: str, service: str, source_arn: str) -> bool:
    """Whether *service* may invoke *function_ref* (an ARN, with or without qualifier) for *source_arn*."""
    if not app.AUTH or not additions.on("permissions"):
        return True
    name, qualifier = lambda_svc._lambda_function_name_and_qualifier_from_arn(function_ref)
    func = lambda_svc._functions.get(name or function_ref)
    if func is None:
        return True  # the caller says so itself
    arn = lambda_svc._policy_resource_arn(name or function_ref, qualifier)
    account = get_account_id()
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="lambda:InvokeFunction",
        resource_arn=arn,
        region=get_region(),
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": account},
    )
    allowed = iam_evaluator.evaluate_resource_policy(func["policy"], context, service=service).decision == "Allow"
    if not allowed:
        logger.warning("%s may not invoke %s for %s: no permission on exactly this ARN", service, arn, source_arn)
    return allowed


def install() -> None:
    # A stack that another thread makes may put a policy meanwhile.
    inline = '(role.get("InlinePolicies") or {}).values()'
    patch.source(iam_evaluator, "_gather_role_policies", (inline, f"list({inline})"))
    patch.wrap(s3, "_deliver_event_to_lambda", _from_s3)
    patch.wrap(sns, "_deliver_to_lambda", _from_sns)
    patch.wrap(eventbridge, "_invoke_target", _from_events)
    patch.wrap(alb, "_invoke_lambda_target", _from_alb)
    patch.wrap(lambda_svc, "_delete_alias", _with_policy)
    cloudwatch._alarm_may_publish = _alarm_may_publish
    patch.source(
        cloudwatch,
        "_dispatch_alarm_actions",
        ("sns_arns = [a for a in actions if _is_sns_action_arn(a)]", "sns_arns = [a for a in actions if _is_sns_action_arn(a) and _alarm_may_publish(alarm, a)]"),
    )


def _from_s3(original):
    def deliver(arn, event_payload, bucket_region):
        bucket = event_payload["Records"][0]["s3"]["bucket"]["arn"]
        if service_may(arn, "s3.amazonaws.com", bucket):
            original(arn, event_payload, bucket_region)

    return deliver


def _from_sns(original):
    def deliver(endpoint, envelope, topic_arn, *rest):
        if service_may(endpoint, "sns.amazonaws.com", topic_arn):
            original(endpoint, envelope, topic_arn, *rest)

    return deliver


def _from_events(original):
    def invoke(target, event, rule, view=None):
        arn = target.get("Arn", "")
        if ":lambda:" in arn:
            if event.get("Source") == "aws.scheduler":
                # https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html#setting-up-execution-role
                if not roles.may(target.get("RoleArn", ""), "lambda:InvokeFunction", arn):
                    logger.warning("%s may not invoke %s", target.get("RoleArn"), arn)
                    return None
            elif not service_may(arn, "events.amazonaws.com", rule.get("Arn", "")):
                return None
        elif ":sqs:" in arn and event.get("Source") != "aws.scheduler":
            if not sqs.queue_policy_allows(arn, "events.amazonaws.com", rule.get("Arn", ""), get_account_id()):
                logger.warning("rule %s may not send to %s: the queue's policy does not let it", rule.get("Arn"), arn)
                return None
        return original(target, event, rule, view)

    return invoke


def _alarm_may_publish(alarm: dict, topic_arn: str) -> bool:
    if sns.topic_policy_allows(topic_arn, "cloudwatch.amazonaws.com", alarm.get("AlarmArn", ""), get_account_id()):
        return True
    logger.warning("alarm %s may not publish to %s: the topic's policy does not let it", alarm.get("AlarmName"), topic_arn)
    return False


def _from_alb(original):
    async def invoke(function_ref, tg_arn, *rest, **named):
        if not service_may(function_ref, "elasticloadbalancing.amazonaws.com", tg_arn):
            return 502, {"Content-Type": "text/html"}, b"<html><head><title>502 Bad Gateway</title></head></html>"
        return await original(function_ref, tg_arn, *rest, **named)

    return invoke


def _with_policy(original):
    def delete(func_name, alias_name):
        answer = original(func_name, alias_name)
        if answer[0] == 204:
            policy = lambda_svc._functions[func_name]["policy"]
            gone = lambda_svc._policy_resource_arn(func_name, alias_name)
            policy["Statement"] = [one for one in policy["Statement"] if one.get("Resource") != gone]
        return answer

    return delete
