"""A Map state in distributed mode: limits from its input, no further children once more failed than is tolerated, results in files,
and only what the machine's role may do.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
https://docs.aws.amazon.com/step-functions/latest/dg/maprun-fail-threshold.html
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
"""

import json

from ministack.services import s3, stepfunctions

from .. import patch
from . import state_machines

_LIMITS = ("MaxConcurrency", "ToleratedFailurePercentage", "ToleratedFailureCount")
_FILES = ("FAILED", "PENDING", "SUCCEEDED")
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_MOST_BYTES = 256 * 1024


def install() -> None:
    stepfunctions._resolved_map = _resolved
    stepfunctions._exceeded_so_far = _exceeded
    stepfunctions._map_results = _results
    stepfunctions._must_start_children = _must_start_children
    stepfunctions._must_fit = _must_fit
    patch.wrap(stepfunctions, "_s3_object_text", _read)
    patch.source(
        stepfunctions,
        "_run_distributed_map",
        ('    if state_def.get("ItemReader"):', '    state_def = _resolved_map(state_def, effective, ctx)\n    _must_start_children(execution)\n    if state_def.get("ItemReader"):'),
        (
            "    def run_child(idx, item):\n",
            "    def run_child(idx, item):\n        if _exceeded_so_far(state_def, failures):\n            return\n",
        ),
        (
            '    if exceeded:\n        raise',
            '    if state_def.get("ResultWriter"):\n        results = _map_results(state_def["ResultWriter"], run, items, effective, ctx)\n    if not exceeded:\n        _must_fit(results)\n    if exceeded:\n        raise',
        ),
    )


def _resolved(state: dict, effective, ctx) -> dict:
    """The state with the limits that its paths lead to."""
    found = {name: state[f"{name}Path"] for name in _LIMITS if f"{name}Path" in state}
    numbers = {name: stepfunctions._resolve_path_or_ctx(path, effective, ctx) for name, path in found.items()}
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, (int, float)) or number < 0:
            raise stepfunctions._ExecutionError("States.Runtime", f"The {name}Path '{found[name]}' must lead to a number from 0, not to {json.dumps(number)}")
    return {**state, **numbers}


def _exceeded(state: dict, failures: list) -> bool:
    failed = sum(one is not None for one in failures)
    limits = [failed > int(state["ToleratedFailureCount"])] if "ToleratedFailureCount" in state else []
    if "ToleratedFailurePercentage" in state:
        limits.append(failed * 100 > float(state["ToleratedFailurePercentage"]) * len(failures))
    return bool(failed) and (any(limits) if limits else True)


def _must_start_children(execution: dict) -> None:
    arn = execution["stateMachineArn"]
    if not state_machines.may("states:StartExecution", arn):
        raise stepfunctions._ExecutionError("States.Runtime", state_machines.refused("states:StartExecution", arn))


def _must_fit(results) -> None:
    if len(json.dumps(results, ensure_ascii=False).encode()) > _MOST_BYTES:
        raise stepfunctions._ExecutionError("States.DataLimitExceeded", "The state/task 'Map' returned a result with a size exceeding the maximum number of bytes service limit.")


def _read(original):
    def text(bucket, key):
        arn = f"arn:aws:s3:::{bucket}/{key}"
        if not state_machines.may("s3:GetObject", arn):
            raise stepfunctions._ExecutionError("States.ItemReaderFailed", state_machines.refused("s3:GetObject", arn))
        body = s3._get_object_data(bucket, key)
        return original(bucket, key) if body is None else body.decode()

    return text


def _results(writer: dict, run: dict, items: list, effective, ctx) -> dict:
    """Writes the files of a Map Run; gives the state's result, which says where they are."""
    where = stepfunctions._resolve_params_obj(writer.get("Parameters") or writer.get("Arguments") or {}, effective, ctx)
    bucket, prefix = where.get("Bucket", ""), where.get("Prefix", "")
    folder = "/".join(filter(None, [prefix.rstrip("/"), run["mapRunArn"].rsplit(":", 1)[-1]]))
    children = [one for one in stepfunctions._executions.values() if one.get("mapRunArn") == run["mapRunArn"]]
    files = {
        "SUCCEEDED": [_consolidated(one) for one in children if one["status"] == "SUCCEEDED"],
        "FAILED": [_consolidated(one) for one in children if one["status"] != "SUCCEEDED"],
        "PENDING": [{"Status": "PENDING"}] * (len(items) - len(children)),
    }
    listed = {status: [_put(bucket, f"{folder}/{status}_0.json", files[status])] if files[status] else [] for status in _FILES}
    run["itemCounts"]["resultsWritten"] = run["executionCounts"]["resultsWritten"] = len(children)
    manifest = {"DestinationBucket": bucket, "MapRunArn": run["mapRunArn"], "ResultFiles": listed}
    return {"MapRunArn": run["mapRunArn"], "ResultWriterDetails": {"Bucket": bucket, "Key": _put(bucket, f"{folder}/manifest.json", manifest)["Key"]}}


def _consolidated(child: dict) -> dict:
    done = child["status"] == "SUCCEEDED"
    ended = {"Output": child["output"], "OutputDetails": {"Included": True}} if done else {"Cause": child.get("cause"), "Error": child.get("error")}
    redrive = ("NOT_REDRIVABLE", f"Execution is {child['status']} and cannot be redriven") if done else ("REDRIVABLE", None)
    return {
        "ExecutionArn": child["executionArn"], "Input": child["input"], "InputDetails": {"Included": True}, "Name": child["name"], **ended,
        "RedriveCount": 0, "RedriveStatus": redrive[0], **({"RedriveStatusReason": redrive[1]} if redrive[1] else {}),
        "StartDate": child["startDate"], "StateMachineArn": child["stateMachineArn"], "Status": child["status"], "StopDate": child["stopDate"],
    }


def _put(bucket: str, key: str, content) -> dict:
    arn = f"arn:aws:s3:::{bucket}/{key}"
    if not state_machines.may("s3:PutObject", arn):
        raise stepfunctions._ExecutionError("States.ResultWriterFailed", state_machines.refused("s3:PutObject", arn))
    body = json.dumps(content).encode()
    status, _headers, _body = s3._put_object(bucket, key, body, {"content-type": "application/json"})
    if status != 200:
        raise stepfunctions._ExecutionError("States.ResultWriterFailed", f"The results could not be written. (Bucket: {bucket}, Key: {key})")
    return {"Key": key, "Size": len(body)}
