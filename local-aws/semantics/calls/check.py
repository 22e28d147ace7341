"""All lines of a folder of records: those of record.mjs are held against the models here, those of the wire were on arrival."""

import glob
import json
import os

import botocore

from . import inputs, models


def report(folder: str) -> dict:
    """``operations``: by service and name, the members and who asked; ``answers``: status or error code of each kind that came;
    ``calls``: distinct ones of each process; ``violations`` and ``crashes`` (of the local AWS itself): distinct texts, each with how often."""
    operations: dict[tuple, dict] = {}
    violations: dict[str, int] = {}
    crashes: dict[str, int] = {}
    answers: dict[tuple, set] = {}
    calls = 0
    for record in _records(folder):
        key = (record["service"], record["operation"])
        if record["by"] == "wire":
            answers.setdefault(key, set()).update([record["answer"]] if "answer" in record else [])
        else:
            calls += 1
            seen = operations.setdefault(key, {"members": {}, "by": set()})
            seen["by"].add(record["by"])
            for member in record["input"]:
                seen["members"].setdefault(member, set()).add(record["by"])
        if "crash" in record:
            line = f"{record['service']} {record['operation']}: {record['crash']}".strip()
            crashes[line] = crashes.get(line, 0) + 1
        for text in problems(record):
            line = f"{record['by']}: {record['service']} {record['operation']}: {text}"
            violations[line] = violations.get(line, 0) + 1
    return {
        "botocore": botocore.__version__,
        "calls": calls,
        "operations": [
            {"service": service, "operation": name, "by": sorted(seen["by"]), "members": {member: sorted(by) for member, by in sorted(seen["members"].items())}}
            for (service, name), seen in sorted(operations.items())
        ],
        "answers": [{"service": service, "operation": name, "kinds": sorted(kinds)} for (service, name), kinds in sorted(answers.items())],
        "violations": _counted(violations),
        "crashes": _counted(crashes),
    }


def _counted(times: dict[str, int]) -> list[dict]:
    return [{"text": text, "times": count} for text, count in sorted(times.items())]


def problems(record: dict) -> list[str]:
    if record["by"] == "wire":
        return [record["violation"]] if "violation" in record else []
    model = models.operation(record["service"], record["operation"])
    if model is None:
        return ["is no operation of AWS"]
    if model.input_shape is None:
        return [f"{name} is no member: the operation takes none" for name in record["input"]]
    return inputs.problems(model.input_shape, record["input"])


def _records(folder: str):
    for file in sorted(glob.glob(os.path.join(folder, "*.jsonl"))):
        with open(file, encoding="utf-8") as lines:
            for line in lines:
                # A process that was killed may have left half a line.
                if line.endswith("\n"):
                    yield json.loads(line)
