"""A function that takes more memory than it has is killed: "Runtime exited with error: signal: killed".
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html

Counted is what the process cannot give back: anonymous and shared pages. Pages of mapped files (Node itself, mapped
weights) are the kernel's to drop, on Lambda as here.
"""

import re
import subprocess
import sys

_limits_on = False


def install() -> None:
    global _limits_on
    _limits_on = True


def over(limit_mb: int, *pids: int) -> bool:
    """Whether the processes have outgrown their limit (never, when this addition is left out)."""
    return _limits_on and used_mb(*pids) > limit_mb


def used_mb(*pids: int, peak: bool = False) -> float:
    """Memory of processes in MB, 0 for one that is gone. ``peak`` gives the highest that each ever was, mapped files included."""
    return sum(_used_mb(pid, peak) for pid in pids)


def _used_mb(pid: int, peak: bool) -> float:
    if sys.platform != "linux":
        out = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
        return int(out.strip() or 0) / 1024
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            text = status.read()
    except OSError:
        return 0
    names = "VmHWM" if peak else "RssAnon|RssShmem"
    return sum(int(kb) for kb in re.findall(rf"^(?:{names}):\s+(\d+) kB", text, re.M)) / 1024
