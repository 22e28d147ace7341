"""`python -m semantics.calls <folder>`: what was recorded there against the models, as one JSON document:
operations seen (with members and who), how many distinct calls, and the violations."""

import json
import sys

from . import check

if __name__ == "__main__":
    json.dump(check.report(sys.argv[1]), sys.stdout, indent=1)
