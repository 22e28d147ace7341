"""Definitions of state machines as LocalStack's parser takes them; knows no emulator."""

import re


def with_points(definition: str) -> str:
    return re.sub(r'("ToleratedFailurePercentage"\s*:\s*\d+)(?=\s*[,}])', r"\1.0", definition)
