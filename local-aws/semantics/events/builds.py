"""CodeBuild: what was asked for by the same token within five minutes is the same build, and a token with other parameters is
refused. A rule starts builds, as far as the role of its target may.
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html

MiniStack starts a build for every request, and drops what a rule sends to a project.
"""

import copy
import json
import threading

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import codebuild, eventbridge

from .. import patch
from ..access import roles

_TOKEN_SECONDS = 300
_lock = threading.Lock()
# By account, region and token: until when, what was asked, and the build.
_known: dict[tuple, tuple[float, str, str]] = {}


def install() -> None:
    patch.wrap(codebuild, "_start_build", _once)
    patch.wrap(eventbridge, "_invoke_target", _from_rule)


def _once(original):
    def start(data):
        token = data.get("idempotencyToken")
        if not token:
            return original(data)
        key, asked = (get_account_id(), get_region(), token), json.dumps(data, sort_keys=True)
        with _lock:
            now = codebuild.time.time()
            until, before, build = _known.get(key, (0, "", ""))
            if now < until:
                if before != asked:
                    return error_response_json("InvalidInputException", "The idempotency token was used with other parameters.", 400)
                return json_response({"build": copy.deepcopy(codebuild._builds[build])})
            answer = original(data)
            if answer[0] == 200:
                _known[key] = (now + _TOKEN_SECONDS, asked, json.loads(answer[2])["build"]["id"])
            return answer

    return start


def _from_rule(original):
    def invoke(target, event, rule, view=None):
        arn = target.get("Arn", "")
        if not arn.startswith("arn:aws:codebuild:"):
            return original(target, event, rule, view)
        if roles.may(target.get("RoleArn", ""), "codebuild:StartBuild", arn):
            codebuild._start_build({"projectName": arn.rpartition("/")[2]})

    return invoke
