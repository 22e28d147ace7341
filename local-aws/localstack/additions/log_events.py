"""Logs of functions, where the role may write them, and patterns of FilterLogEvents for JSON. LocalStack makes a log group that was deleted
anew, sends each invocation's lines through its own HTTP API, and lets any pattern of JSON match.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html
"""

import json
import time

from localstack.aws.api.logs import InvalidParameterException
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager
from localstack.services.logs import provider
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from semantics.metrics import filter_pattern

from . import patch


def install() -> None:
    patch.wrap(LambdaVersionManager, "store_logs", lambda _original: _store)
    patch.wrap(provider, "get_pattern_matcher", _matcher)


def _store(self, invocation_result, execution_env) -> None:
    of = self.function_version.id
    name, stream = f"/aws/lambda/{of.function_name}", execution_env.runtime_executor.process.stream
    backend = logs_backends[of.account][of.region]
    if name not in backend.groups:
        if not _may_create(of.account, self.function_version.config.role):
            return
        backend.create_log_group(name, {})
    if stream not in backend.groups[name].streams:
        backend.create_log_stream(name, stream)
    now = int(time.time() * 1000)
    lines = [line for line in (invocation_result.logs or "").splitlines() if line]
    backend.groups[name].streams[stream].put_log_events([{"timestamp": now, "message": line} for line in lines])


def _may_create(account: str, role_arn: str) -> bool:
    """Whether a policy of the role names the action; nothing else is evaluated here."""
    for role in iam_backends[account]["global" if "global" in iam_backends[account] else "aws"].roles.values():
        if role.arn == role_arn:
            texts = [*role.policies.values(), *(policy.document for policy in role.managed_policies.values())]
            text = json.dumps(texts)
            return any(action in text for action in ("logs:CreateLogGroup", "logs:*", "logs:Create"))
    return False


def _matcher(original):
    def matcher(pattern: str):
        if not pattern.strip().startswith("{"):
            return original(pattern)
        matches = filter_pattern.of_member(pattern)
        if matches is None:
            raise InvalidParameterException(f"LocalStack does not read this filter pattern here: {pattern}")
        return lambda _pattern, event: matches(event["message"])

    return matcher
