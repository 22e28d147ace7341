"""Lambda's own lines in a function's log: START, END, REPORT, and how an invocation ended.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html

What is billed is rounded up to a millisecond, and has the INIT phase of a cold start in it.
https://aws.amazon.com/lambda/pricing/
https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
"""

import math
import time


def framed(done: dict, config: dict, request_id: str) -> list[str]:
    """The log of one invocation with Lambda's own lines around it."""
    ms = done["run_ms"]
    size = config.get("MemorySize", 128)
    # The figures count as they are printed.
    billed = math.ceil(round(ms, 2) + round(done["init_ms"] or 0, 2))
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {ms:.2f} ms\tBilled Duration: {max(billed, 1)} ms\t"
        f"Memory Size: {size} MB\tMax Memory Used: {min(int(done['memory_mb']), size)} MB"
    )
    if done["init_ms"] is not None:
        report += f"\tInit Duration: {done['init_ms']:.2f} ms"
    lines = []
    # An image has no runtime of Lambda's.
    if done["init_ms"] is not None and config.get("Runtime"):
        lines.append("INIT_START Runtime Version: nodejs:24.local")
    lines.append(f"START RequestId: {request_id} Version: {config.get('Version', '$LATEST')}")
    lines += done["log"]
    if done["reason"] == "timeout":
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        lines.append(f"{now} {request_id} Task timed out after {float(config.get('Timeout', 3)):.2f} seconds")
        report += "\tStatus: timeout"
    elif done["reason"]:
        lines.append(f"RequestId: {request_id} Error: {done['reason']}")
        report += f"\tStatus: error\tError Type: {done['body']['errorType']}"
    return [*lines, f"END RequestId: {request_id}", report]
